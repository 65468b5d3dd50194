package testkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres returns the address of an empty database on a PostgreSQL server that
// belongs to this test process. The database is dropped when the test ends; the
// server is started by the first test that asks and stopped with the process.
func Postgres(tb testing.TB) string {
	tb.Helper()
	return postgresServer(tb).create(tb, "template0")
}

// RestartablePostgres returns the address of an empty database on a PostgreSQL server of the test's own, and what restarts the
// server, which breaks off whoever is connected.
func RestartablePostgres(tb testing.TB) (url string, restart func()) {
	tb.Helper()
	s, err := newPostgres()
	if errors.Is(err, errNoPostgres) {
		missing(tb, "%v", err)
	}
	if err != nil {
		tb.Fatalf("starting PostgreSQL: %v", err)
	}
	tb.Cleanup(func() { _ = s.alive.Close() })
	return s.create(tb, "template0"), func() {
		tb.Helper()
		if out, err := s.asOwner(s.control, "restart", "-D", filepath.Join(s.dir, "data"), "-m", "fast", "-w", "-l", filepath.Join(s.dir, "log")).CombinedOutput(); err != nil {
			tb.Fatalf("restarting PostgreSQL: %v\n%s", err, out)
		}
	}
}

// PostgresTemplate returns the address of a database of the test's own that is a
// copy of what migrate made. For each name migrate runs once in a process, on an
// empty database; copying takes a fraction of its time.
func PostgresTemplate(tb testing.TB, name string, migrate func(url string) error) string {
	tb.Helper()
	s := postgresServer(tb)
	made, _ := s.templates.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		database := fmt.Sprintf("template_%d", s.databases.Add(1))
		if err := s.exec("CREATE DATABASE " + database + " TEMPLATE template0"); err != nil {
			return "", err
		}
		if err := migrate(s.url(database)); err != nil {
			return "", err
		}
		// A database that somebody is connected to cannot be copied.
		return database, s.exec(
			"ALTER DATABASE "+database+" ALLOW_CONNECTIONS false",
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+database+"'",
		)
	}))
	template, err := made.(func() (string, error))() //nolint:errcheck // the map holds nothing else
	if err != nil {
		tb.Fatalf("preparing the database %q: %v", name, err)
	}
	return s.create(tb, template)
}

// postgres is a running server, reached through a socket in dir.
type postgres struct {
	dir       string
	control   string // pg_ctl
	asOwner   func(name string, args ...string) *exec.Cmd
	alive     io.Closer
	databases atomic.Int64
	templates sync.Map // name → func() (database string, err error)
}

var errNoPostgres = errors.New("PostgreSQL (initdb and postgres; Debian package postgresql)")

var startPostgres = sync.OnceValues(newPostgres)

func postgresServer(tb testing.TB) *postgres {
	tb.Helper()
	s, err := startPostgres()
	if errors.Is(err, errNoPostgres) {
		missing(tb, "%v", err)
	}
	if err != nil {
		tb.Fatalf("starting PostgreSQL: %v", err)
	}
	return s
}

// attendPostgres runs the server ($1) on the data ($2/data) and stops it, hard,
// when standard input ends. Who restarted it meanwhile made another process of it.
const attendPostgres = `trap '' INT HUP
"$1" -D "$2/data" -k "$2" -p 5432 -c listen_addresses= -c fsync=off -c full_page_writes=off \
	-c max_connections=300 -c shared_buffers=64MB >"$2/log" 2>&1 </dev/null &
cat >/dev/null
kill -QUIT $(head -n 1 "$2/data/postmaster.pid")
wait
rm -rf "$2"`

func newPostgres() (*postgres, error) {
	folders := []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"}
	initdb := find([]string{"initdb"}, folders)
	if initdb == "" {
		return nil, errNoPostgres
	}
	server := filepath.Join(filepath.Dir(initdb), "postgres")

	dir, err := os.MkdirTemp("", "portal-pg-")
	if err != nil {
		return nil, err
	}
	asOwner, err := giveToPostgres(dir)
	if err != nil {
		return nil, err
	}
	// The C locale sorts and folds only ASCII, so that a rule which leans on the
	// database's locale is found out.
	out, err := asOwner(initdb, "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--no-locale").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	alive, err := attend(asOwner("sh", "-c", attendPostgres, "sh", server, dir))
	if err != nil {
		return nil, err
	}
	s := &postgres{dir: dir, control: filepath.Join(filepath.Dir(initdb), "pg_ctl"), asOwner: asOwner, alive: alive}
	return s, s.waitUntilReady()
}

// giveToPostgres returns how to run a command as one who may own a cluster:
// PostgreSQL refuses root, so root hands dir to the user postgres.
func giveToPostgres(dir string) (func(name string, args ...string) *exec.Cmd, error) {
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...) //nolint:noctx // lives as long as the process: attend
		cmd.Dir = dir
		return cmd
	}
	if os.Getuid() != 0 {
		return command, nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		return nil, err
	}
	return func(name string, args ...string) *exec.Cmd {
		return command("runuser", append([]string{"-u", "postgres", "--", name}, args...)...)
	}, nil
}

func (s *postgres) waitUntilReady() error {
	var err error
	for range 300 {
		if err = s.exec("SELECT 1"); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log")) // without it the error alone must do
	return fmt.Errorf("%w\n%s", err, log)
}

func (s *postgres) url(database string) string {
	return "postgres://postgres@/" + database + "?" + url.Values{"host": {s.dir}, "port": {"5432"}}.Encode()
}

func (s *postgres) create(tb testing.TB, template string) string {
	tb.Helper()
	database := fmt.Sprintf("test_%d", s.databases.Add(1))
	if err := s.exec("CREATE DATABASE " + database + " TEMPLATE " + template); err != nil {
		tb.Fatalf("making a database: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + database + " WITH (FORCE)"); err != nil {
			tb.Errorf("dropping a database: %v", err)
		}
	})
	return s.url(database)
}

// exec runs the statements one by one, each outside a transaction.
func (s *postgres) exec(statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}
