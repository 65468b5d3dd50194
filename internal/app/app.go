// Package app is where the program is put together: its commands, and the order in which the server's parts start and
// stop. Everything it needs from outside is handed to Main.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	_ "time/tzdata" // zones must not depend on what the host has installed

	"github.com/alecthomas/kong"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/models"
)

// commands is the command line.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Serve the portal and do its background work."`
	Migrate migrateCommand `cmd:"" help:"Bring the database's schema up to date, or list what is applied."`
	Content contentCommand `cmd:"" help:"Load Markdown content, or remove the sample data."`
	User    userCommand    `cmd:"" help:"Make accounts and one-time sign-in links."`
	Backup  backupCommand  `cmd:"" help:"Copy everything into one file while the server runs."`
	Restore restoreCommand `cmd:"" help:"Fill an empty database from such a file."`
	Sample  sampleCommand  `cmd:"" help:"Fill a database with generated data, for trials and benchmarks only."`
	Doctor  doctorCommand  `cmd:"" help:"Check settings, database, mail, storage, clock and the rules of registrations."`
	Routes  routesCommand  `cmd:"" help:"List every address, and who may ask for it."`
	Stats   statsCommand   `cmd:"" help:"Count what is in the database."`
	Version versionCommand `cmd:"" help:"Tell the version, the commit and what it was built with."`
}

// world is what commands work with beside their arguments.
type world struct {
	ctx    context.Context //nolint:containedctx // the context of the one command that runs
	getenv func(string) string
	out    io.Writer
	errOut io.Writer
}

// Main runs one command and returns the exit code: 0 on success, 1 on failure with one line on errOut, 2 on wrong
// usage. It stops when ctx ends.
func Main(ctx context.Context, args []string, getenv func(string) string, out, errOut io.Writer) (code int) {
	var cli commands
	type exit int
	parser, err := kong.New(&cli, kong.Name("portal"),
		kong.Description("The community portal of the Continuous Delivery Foundation."),
		kong.Writers(out, errOut), kong.Exit(func(c int) { panic(exit(c)) }),
		kong.Resolvers(config.Resolver(getenv)), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(errOut, "portal:", err)
		return 1
	}
	defer func() {
		// Kong ends the program after printing help; here that only ends the command.
		if r := recover(); r != nil {
			stopped, ok := r.(exit)
			if !ok {
				panic(r)
			}
			code = int(stopped)
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(errOut, "portal:", err)
		return 2
	}
	if err := command.Run(&world{ctx: ctx, getenv: getenv, out: out, errOut: errOut}); err != nil {
		if ctx.Err() != nil && command.Command() != "serve" {
			err = errors.New("interrupted: what was not finished is undone")
		}
		fmt.Fprintln(errOut, "portal:", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
		return 1
	}
	return 0
}

// openStore opens the database that the settings name for a command: migrated by an earlier command, or an error that
// says how.
func (w *world) openStore(c config.Config) (*models.Store, *database.DB, error) {
	behind, empty, err := database.Schema(w.ctx, c.Database())
	switch {
	case err != nil:
		return nil, nil, err
	case empty:
		return nil, nil, errors.New("the database is empty: run `portal serve` or `portal migrate` first")
	case behind > 0:
		return nil, nil, errBehind(behind)
	}
	db, err := database.Open(w.ctx, c.Database())
	if err != nil {
		return nil, nil, err
	}
	tick := clock.System(c.Offset())
	keys, err := secretKeys(w.ctx, c, db, tick)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return models.NewStore(db.Reader, db.Writer, tick, keys), db, nil
}

// withStore hands the settings and the store to what a command does, and closes the database behind it.
func (w *world) withStore(do func(config.Config, *models.Store) error) (err error) {
	settings, err := config.Load(w.getenv)
	if err != nil {
		return err
	}
	store, db, err := w.openStore(settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(settings, store)
}

func errBehind(migrations int) error {
	return fmt.Errorf("the schema is %d migrations behind: run `portal migrate`", migrations)
}
