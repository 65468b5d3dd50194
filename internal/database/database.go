// Package database opens SQLite and PostgreSQL for GORM and keeps their schema up to date.
// It knows no table: a migration never sees a live struct.
package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

//go:embed migrations
var migrations embed.FS

// DB is an open database. Reader and Writer are handles on the same data: on SQLite a pool of readers beside one
// writing connection, on PostgreSQL one pool under both names.
type DB struct {
	Reader, Writer *gorm.DB

	url string
}

// Open opens the database at url, which is sqlite:PATH or postgres://…, and checks that it answers.
func Open(ctx context.Context, url string) (*DB, error) {
	var db *DB
	var err error
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		db, err = openSQLite(rest)
	case "postgres", "postgresql":
		db, err = openPostgres(url)
	default:
		return nil, fmt.Errorf("database address %q: want sqlite:PATH or postgres://…", url)
	}
	if err != nil {
		return nil, err
	}
	db.url = url
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	pool, err := db.Reader.DB()
	if err != nil {
		return err
	}
	if err := pool.PingContext(ctx); err != nil {
		return fmt.Errorf("database does not answer: %w", err)
	}
	return nil
}

// Sound reports damage of a SQLite file that holds up to so many bytes; 0 means whatever it holds. The check reads all of it.
// PostgreSQL watches over its own files.
func (db *DB) Sound(ctx context.Context, limit int64) error {
	path, ok := strings.CutPrefix(db.url, "sqlite:")
	if !ok {
		return nil
	}
	if info, err := os.Stat(path); err != nil || (limit > 0 && info.Size() > limit) {
		return err
	}
	pool, err := db.Reader.DB()
	if err != nil {
		return err
	}
	return soundSQLite(ctx, pool, path)
}

// Pools are the pools of connections by what they are for.
func (db *DB) Pools() (map[string]*sql.DB, error) {
	writer, err := db.Writer.DB()
	if err != nil || db.Reader == db.Writer {
		return map[string]*sql.DB{"all": writer}, err
	}
	reader, err := db.Reader.DB()
	return map[string]*sql.DB{"read": reader, "write": writer}, err
}

// Close closes both handles.
func (db *DB) Close() error {
	var errs []error
	for _, handle := range []*gorm.DB{db.Reader, db.Writer} {
		pool, err := handle.DB()
		if err == nil {
			err = pool.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// SQLite reports whether the database is a SQLite file.
func (db *DB) SQLite() bool { return db.Reader.Name() == "sqlite" }

// Migration is one numbered file of the schema and when it was applied; the zero time means not yet.
type Migration struct {
	Version int64
	Name    string
	Applied time.Time
}

// Migrate applies what is missing and returns it. Of several that are started at the same time each migration is applied by one,
// and all end when the last is applied.
func Migrate(ctx context.Context, url string) ([]Migration, error) {
	var applied []Migration
	note := func(results []*goose.MigrationResult) {
		for _, r := range results {
			applied = append(applied, Migration{Version: r.Source.Version, Name: r.Source.Path})
		}
	}
	err := withProvider(url, func(p *goose.Provider) error {
		for {
			results, err := p.Up(ctx)
			note(results)
			broken, ok := errors.AsType[*goose.PartialError](err)
			if !ok {
				return err
			}
			note(broken.Applied)
			// On SQLite nothing holds off who asked at the same time what is missing: the slower one finds it there.
			if current, asked := p.GetDBVersion(ctx); asked != nil || current < broken.Failed.Source.Version {
				return err
			}
		}
	})
	return applied, err
}

// Migrations lists every migration of this program with its state in the database.
func Migrations(ctx context.Context, url string) ([]Migration, error) {
	var all []Migration
	err := withProvider(url, func(p *goose.Provider) error {
		states, err := p.Status(ctx)
		for _, s := range states {
			all = append(all, Migration{Version: s.Source.Version, Name: s.Source.Path, Applied: s.AppliedAt})
		}
		return err
	})
	return all, err
}

// Schema tells how the database stands to this program: how many migrations it is behind, and whether it is empty
// (none was ever applied). A database that is ahead of the program is an error.
func Schema(ctx context.Context, url string) (behind int, empty bool, err error) {
	err = withProvider(url, func(p *goose.Provider) error {
		current, target, err := p.GetVersions(ctx)
		if err != nil {
			return err
		}
		if current > target {
			return fmt.Errorf("the database's schema is at %d, this program knows only %d: use the newer program", current, target)
		}
		empty = current == 0
		states, err := p.Status(ctx)
		for _, s := range states {
			if s.State == goose.StatePending {
				behind++
			}
		}
		return err
	})
	return behind, empty, err
}

// Behind returns how many migrations the open database lacks.
func (db *DB) Behind(ctx context.Context) (int, error) {
	behind, _, err := Schema(ctx, db.url)
	return behind, err
}

func withProvider(url string, use func(*goose.Provider) error) (err error) {
	var pool *sql.DB
	var dialect goose.Dialect
	var folder string
	var options []goose.ProviderOption
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		dialect, folder = goose.DialectCustom, "migrations/sqlite"
		if err := makeFile(path); err != nil {
			return err
		}
		pool, err = sql.Open("sqlite3", sqliteSource(path, false, migrationWait))
		if err == nil {
			options, err = sqliteTurns()
		}
	} else {
		dialect, folder = goose.DialectPostgres, "migrations/postgres"
		pool, err = sql.Open("pgx", url)
		if err == nil {
			options, err = postgresLock()
		}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(damaged(strings.TrimPrefix(url, "sqlite:"), err), pool.Close()) }()
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	options = append(options, goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	provider, err := goose.NewProvider(dialect, pool, files, options...)
	if err != nil {
		return err
	}
	return use(provider)
}

// config is GORM's for both databases: errors in one language, times in UTC to the microsecond that PostgreSQL keeps,
// and no transaction around single statements, because every change already stands in one.
func config() *gorm.Config {
	return &gorm.Config{
		TranslateError:         true,
		SkipDefaultTransaction: true,
		PrepareStmt:            true,
		Logger:                 logger.Discard,
	}
}
