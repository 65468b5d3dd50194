package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
)

// openSQLite opens one writing connection and a pool of readers on the file at path.
func openSQLite(path string) (*DB, error) {
	boundArenas()
	if err := makeFile(path); err != nil {
		return nil, err
	}
	// In a transaction GORM's prepared statements are prepared anew each time; the driver's stay with the connection.
	settings := config()
	settings.PrepareStmt = false
	writer, err := gorm.Open(sqlite.Open(sqliteSource(path, false, writeWait)), settings)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	reader, err := gorm.Open(sqlite.Open(sqliteSource(path, true, writeWait)), config())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := limit(writer, 1); err != nil {
		return nil, err
	}
	if err := writer.Exec(writerPragmas).Error; err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// One more than are read on at the same time watches for what other processes write.
	if err := limit(reader, runtime.GOMAXPROCS(0)*2+1); err != nil {
		return nil, err
	}
	return &DB{Reader: reader, Writer: writer}, nil
}

// writerPragmas hold for the writing connection, which stays. What a savepoint or a statement would undo is kept in memory, for the
// changes of a batch touch more pages than the 64 KB after which it would go to a file. The log is moved into the database in
// larger steps, and its file does not stay larger than 64 MB after a burst.
const writerPragmas = "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864"

// makeFile makes the file if it is not there, which its owner alone may read: SQLite would let everybody. One that is there
// is not even opened, for to close it would end the locks that SQLite holds on it in this process.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("database folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator's own path
	switch {
	case errors.Is(err, os.ErrExist):
		return nil
	case err != nil:
		return fmt.Errorf("database: %w", err)
	}
	return file.Close()
}

func limit(db *gorm.DB, connections int) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(0)
	return nil
}

// How long a connection waits for another that writes. One that migrates waits for as long as a migration of a large database takes.
const (
	writeWait     = 5 * time.Second
	migrationWait = 10 * time.Minute
)

// sqliteSource is the driver's address of the file. A transaction takes the write lock when it begins, because a
// deferred one that reads first and writes later fails with SQLITE_BUSY whatever the timeout.
func sqliteSource(path string, readOnly bool, wait time.Duration) string {
	q := url.Values{
		"_busy_timeout": {strconv.FormatInt(wait.Milliseconds(), 10)},
		"_foreign_keys": {"1"},
		"_journal_mode": {"WAL"},
		"_mutex":        {"no"},
		// What is deleted is overwritten, so that what people have erased does not lie in the file's free pages.
		"_secure_delete": {"true"},
		"_synchronous":   {"FULL"},
		"_txlock":        {"immediate"},
	}
	if readOnly {
		q.Set("_query_only", "1")
		q.Set("_txlock", "deferred")
	} else {
		q.Set("_stmt_cache_size", "200")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// damaged says which file it is of which SQLite says that it is none of its own or torn, and what to do.
func damaged(path string, err error) error {
	if lite, ok := errors.AsType[sqlite3.Error](err); ok && (lite.Code == sqlite3.ErrNotADB || lite.Code == sqlite3.ErrCorrupt) {
		return fmt.Errorf("%s is damaged: move it away and restore a backup (%w)", path, err)
	}
	return err
}

// soundSQLite reports damage of the file. The check reads all of it.
func soundSQLite(ctx context.Context, pool *sql.DB, path string) error {
	var said string
	if err := pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return damaged(path, err)
	}
	if said != "ok" {
		return fmt.Errorf("%s is damaged: move it away and restore a backup (%s)", path, strings.ReplaceAll(said, "\n", " "))
	}
	return nil
}

// SQLiteVersion is the version of the SQLite that is built in.
func SQLiteVersion() string {
	version, _, _ := sqlite3.Version()
	return version
}

// sqliteTurns lets of several processes that migrate together each migration be applied by one. SQLite makes their transactions
// take turns; one that comes second is undone.
func sqliteTurns() ([]goose.ProviderOption, error) {
	store, err := goosedb.NewStore(goose.DialectSQLite3, goose.DefaultTablename)
	return []goose.ProviderOption{goose.WithStore(onceStore{store})}, err
}

// onceStore notes what is applied. A migration that another process has noted meanwhile it refuses, and with it the transaction.
type onceStore struct{ goosedb.Store }

// Insert notes a migration, in the transaction that applies it.
func (s onceStore) Insert(ctx context.Context, tx goosedb.DBTxConn, applied goosedb.InsertRequest) error {
	switch _, err := s.GetMigration(ctx, tx, applied.Version); {
	case err == nil:
		return fmt.Errorf("another process has applied migration %d", applied.Version)
	case !errors.Is(err, goosedb.ErrVersionNotFound):
		return err
	}
	return s.Store.Insert(ctx, tx, applied)
}
