// Package models holds the portal's tables and the rules about them. It is the only place that knows GORM beside
// internal/database, and it knows neither HTTP nor HTML pages.
package models

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/clock"
)

// Store is a handle on the database: methods that read, and methods that change, each of these one transaction named
// by its intent. It is safe for many goroutines.
type Store struct {
	reader, writer *gorm.DB
	clock          clock.Clock
	keys           auth.Keys
	content        *content
	requests       *requestCounts            // on SQLite
	queue          writeQueue                // of changes on SQLite
	eventQueues    sync.Map                  // event's ID → *writeQueue, on PostgreSQL
	events         sync.Map                  // event's slug → knownEvent
	full           sync.Map                  // event's ID → ContentVersion at which it was full
	crowded        atomic.Pointer[time.Time] // when a crowd's changes were last committed
	watch          func(Commit)
	inside         bool // a transaction
}

// NewStore returns a store that reads and writes through the two handles, which may be the same, tells the time by
// clock and derives links from keys.
func NewStore(reader, writer *gorm.DB, clock clock.Clock, keys auth.Keys) *Store {
	return &Store{reader: reader, writer: writer, clock: clock, keys: keys, content: newContent(), requests: new(requestCounts)}
}

// WatchCommits calls watch after each commit of a queue. It is called before the store is used.
func (s *Store) WatchCommits(watch func(Commit)) { s.watch = watch }

// Now is the store's time: UTC, to the microsecond that both databases keep.
func (s *Store) Now() time.Time { return s.clock.Now().UTC().Truncate(time.Microsecond) }

// tx runs fn in one writing transaction and commits when it returns nil. The store that fn gets reads its own writes
// and tells one time throughout. On SQLite changes run one after the other, and those that wait are committed together; fn
// does not begin when ctx has ended, and is not broken off by it once it has. A queue that is full refuses with ErrBusy.
func (s *Store) tx(ctx context.Context, fn func(tx *Store) error) (err error) {
	ctx, done := s.traced(ctx)
	defer func() { done(err) }()
	if s.postgres() {
		var changed contentChange
		err = s.transaction(ctx, func(db *gorm.DB) (err error) {
			tx := s.within(db)
			if err := fn(tx); err != nil {
				return err
			}
			changed, err = tx.contentChange(ctx)
			return err
		})
		if err == nil {
			s.content.committed(changed)
		}
		return translate(err)
	}
	return translate(s.queue.run(&change{ctx: ctx, fn: fn, since: s.Now()}, s.commit))
}

// transaction runs fn in a transaction. When the answer to its commit is lost, as when PostgreSQL goes away in that moment, the error
// is ErrUncertain: to say that it failed could be wrong.
func (s *Store) transaction(ctx context.Context, fn func(db *gorm.DB) error) error {
	committing := false
	err := s.writer.WithContext(ctx).Transaction(func(db *gorm.DB) error {
		if err := fn(db); err != nil {
			return err
		}
		committing = ctx.Err() == nil
		return ctx.Err()
	})
	if err == nil || !committing || !s.postgres() || pgconn.SafeToRetry(err) || errors.Is(err, pgx.ErrTxCommitRollback) {
		return err
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.SeverityUnlocalized == "ERROR" {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUncertain, err)
}

// txRegister registers somebody in one writing transaction, together with others who ask for a place at the same event. On
// PostgreSQL too, those of a process wait for each other; others that lock the event wait for them.
func (s *Store) txRegister(ctx context.Context, r *registrant) (err error) {
	ctx, done := s.traced(ctx)
	defer func() { done(err) }()
	queue := &s.queue
	if s.postgres() {
		of, _ := s.eventQueues.LoadOrStore(r.eventID, new(writeQueue))
		queue = of.(*writeQueue) //nolint:errcheck // the map holds nothing else
	}
	return translate(queue.run(&change{ctx: ctx, registrant: r, since: s.Now()}, s.commit))
}

// read is the handle for queries, bound to ctx.
func (s *Store) read(ctx context.Context) *gorm.DB { return s.reader.WithContext(ctx) }

// scanner reads the columns of the row at hand, as sql.Rows.Scan does.
type scanner func(columns ...any) error

// each calls row for every row of a query that runs often and takes but a few steps along indices. Beside read it costs a third: the statement, which GORM's handle
// keeps prepared, is neither built nor explained anew. It names its arguments $1, $2 and so on, and as SQLite counts names,
// not numbers, each must stand first before the next.
func (s *Store) each(ctx context.Context, query string, args []any, row func(scan scanner) error) (err error) {
	if err := ctx.Err(); err != nil && !s.inside {
		return err
	}
	if !s.postgres() {
		// SQLite waits for nobody here, and to watch for the end of ctx takes two goroutines a query, half of its cost.
		ctx = context.WithoutCancel(ctx)
	}
	rows, err := s.reader.Statement.ConnPool.QueryContext(ctx, query, args...)
	if err != nil {
		return translate(err)
	}
	defer func() { err = translate(errors.Join(err, rows.Close())) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// exec runs a statement that changes rows and runs often, in a transaction, and returns how many it changed. It names its
// arguments as each does. A row that does not fit is one of GORM's errors.
func (s *Store) exec(ctx context.Context, statement string, args ...any) (rows int64, err error) {
	result, err := s.writer.Statement.ConnPool.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, s.constraint(err)
	}
	return result.RowsAffected()
}

// eachOf is each for a query with a list, whose names stand for %s behind those of args. Long lists are asked for in pieces.
func (s *Store) eachOf(ctx context.Context, query string, args, list []any, row func(scan scanner) error) error {
	for len(list) > 0 {
		n := piece(len(list))
		if err := s.each(ctx, fmt.Sprintf(query, placeholders(len(args)+1, n)), slices.Concat(args, list[:n]), row); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// insertAll adds rows to a table with columns, "table (a, b)", whose values follow each other in values. It calls row for what
// more may return of each; nil when that is nothing. A row that does not fit is one of GORM's errors.
func (s *Store) insertAll(ctx context.Context, into, more string, values []any, row func(scan scanner) error) error {
	columns := strings.Count(into, ",") + 1
	for len(values) > 0 {
		n := piece(len(values) / columns)
		var b strings.Builder
		b.WriteString("INSERT INTO " + into + " VALUES ")
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("(" + placeholders(1+i*columns, columns) + ")")
		}
		if err := s.each(ctx, b.String()+" "+more, values[:n*columns], row); err != nil {
			return s.constraint(err)
		}
		values = values[n*columns:]
	}
	return nil
}

// piece is how many of n things one statement takes: a power of two, so that few different statements have to be kept prepared.
func piece(n int) int { return min(1<<(bits.Len(uint(n))-1), 512) }

// constraint is an error of the driver, as GORM's where a row does not fit.
func (s *Store) constraint(err error) error {
	if translator, ok := s.writer.Dialector.(gorm.ErrorTranslator); ok {
		return translator.Translate(err)
	}
	return err
}

// placeholders names n arguments of a query for each, from the first on: "$2, $3, $4".
func placeholders(first, n int) string {
	var b strings.Builder
	for i := first; i < first+n; i++ {
		if i > first {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i))
	}
	return b.String()
}

// write is the handle for changes inside a transaction, bound to ctx.
func (s *Store) write(ctx context.Context) *gorm.DB { return s.writer.WithContext(ctx) }

// postgres reports whether the store stands on PostgreSQL, for the few statements that differ.
func (s *Store) postgres() bool { return s.reader.Name() == "postgres" }

// forUpdate locks the rows that a query in a transaction reads. SQLite needs no such lock: its transaction holds the
// one write lock from the start.
func (s *Store) forUpdate() string {
	if s.postgres() {
		return " FOR UPDATE"
	}
	return ""
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return translate(s.read(ctx).Exec("SELECT 1").Error)
}

// Empty reports whether nobody has an account and nothing was written or loaded.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	var empty bool
	err := s.read(ctx).Raw(`SELECT NOT EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM posts) AND NOT EXISTS (SELECT 1 FROM content_files)`).
		Scan(&empty).Error
	return empty, translate(err)
}

// translate turns what a driver says about a busy or vanished database into ErrUnavailable, and about rows that do not fit
// each other into the refusal that it is to who asked: somebody was faster, or a key leads nowhere.
func translate(err error) error {
	if err == nil || isRefusal(err) {
		return err
	}
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fmt.Errorf("%w: %w", ErrConflict, err)
	}
	if errors.Is(err, gorm.ErrForeignKeyViolated) {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if lite, ok := errors.AsType[sqlite3.Error](err); ok {
		switch lite.Code {
		case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrCantOpen:
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code[:min(2, len(pg.Code))] {
		case "08", "53", "57", "40": // connection lost, out of resources, shut down, gave way to another transaction
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	_, unreachable := errors.AsType[*pgconn.ConnectError](err)
	_, broken := errors.AsType[net.Error](err)
	if unreachable || broken || slices.ContainsFunc([]error{sql.ErrConnDone, driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF}, func(e error) bool { return errors.Is(err, e) }) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// one turns the result of a query for a single row into the row or ErrNotFound that names what was asked for.
func one[T any](row T, err error, kind, key string) (T, error) {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, fmt.Errorf("%w: %s %q", ErrNotFound, kind, key)
	}
	return row, translate(err)
}

// changed checks that an update met exactly one row.
func changed(result *gorm.DB, kind string, id int64) error {
	if result.Error != nil {
		return result.Error
	}
	if result.RowsAffected != 1 {
		return fmt.Errorf("%w: %s %d", ErrNotFound, kind, id)
	}
	return nil
}

// updateVersion writes the columns of one row of a table whose version is still the one that the editor started from,
// raises the version, and refuses with ErrStale when somebody else was faster.
func (s *Store) updateVersion(ctx context.Context, table string, id, version int64, columns map[string]any) error {
	columns["version"] = version + 1
	columns["updated_at"] = s.Now()
	result := s.write(ctx).Table(table).Where("id = ? AND version = ?", id, version).Updates(columns)
	if result.Error != nil {
		return result.Error
	}
	if result.RowsAffected != 1 {
		return ErrStale
	}
	return nil
}
