package models

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/time/rate"
)

// ContentVersion names a state of what visitors see: what was made under one version holds until there is another.
// Versions are a process's own and mean nothing to others.
type ContentVersion struct {
	Content uint64 // of everything but the seats that are taken
	Seats   uint64 // of the seats that are taken; up to seatsHold behind in a rush
}

// content counts the changes of what visitors see, as far as this process knows of them.
type content struct {
	changes, seats atomic.Uint64
	seatsTold      atomic.Uint64 // the count of seats that was last given as a version
	seatsPace      *rate.Limiter
	quiet          atomic.Pointer[quiet]
	watched        atomic.Bool // what others change is noticed

	mu    sync.Mutex
	noted struct{ Content, Seats int64 } // the counts of SQLite's content_version when they were last read
}

// quiet is a time in which no public page changes by time alone, for one count of changes.
type quiet struct {
	changes     uint64
	from, until time.Time
}

func (q *quiet) holds(changes uint64, now time.Time) bool {
	return q != nil && q.changes == changes && !now.Before(q.from) && now.Before(q.until)
}

// In a rush every commit takes seats, and pages that tell of seats would hardly be kept at all: after seatsRush versions of the seats
// in a row, the next one comes seatsHold later.
const (
	seatsRush = 32
	seatsHold = 250 * time.Millisecond
)

func newContent() *content {
	return &content{seatsPace: rate.NewLimiter(rate.Every(seatsHold), seatsRush)}
}

// seatsVersion is the version of the seats that are taken.
func (c *content) seatsVersion(now time.Time) uint64 {
	seats, told := c.seats.Load(), c.seatsTold.Load()
	if seats == told || !c.seatsPace.AllowN(now, 1) {
		return told
	}
	c.seatsTold.CompareAndSwap(told, seats)
	return seats
}

// ContentVersion is the version of what visitors see now. Who keeps what was made of it asks before reading, not after: a
// change in between then finds the older version. A commit of this process is counted when it returns, others' while
// WatchContent runs.
func (s *Store) ContentVersion(ctx context.Context) (ContentVersion, error) {
	now := s.Now()
	changes := s.content.changes.Load()
	if !s.content.quiet.Load().holds(changes, now) {
		s.content.mu.Lock()
		defer s.content.mu.Unlock()
		changes = s.content.changes.Load()
		last := s.content.quiet.Load()
		if last.holds(changes, now) {
			return ContentVersion{Content: changes, Seats: s.content.seatsVersion(now)}, nil
		}
		if last != nil && last.changes == changes {
			changes = s.content.changes.Add(1)
		}
		ctx, cancel := context.WithTimeout(ctx, contentTimeout)
		defer cancel()
		until, err := s.nextMoment(ctx, now)
		if err != nil {
			return ContentVersion{}, err
		}
		s.content.quiet.Store(&quiet{changes: changes, from: now, until: until})
	}
	return ContentVersion{Content: changes, Seats: s.content.seatsVersion(now)}, nil
}

// contentTimeout is how long it may take to find out until when the public pages hold.
const contentTimeout = 5 * time.Second

// nextMoment is when time alone next changes a public page: something appears, begins, opens, closes or ends. Lists of days, and
// the year that needs not be said, change at midnight in UTC.
func (s *Store) nextMoment(ctx context.Context, now time.Time) (time.Time, error) {
	next := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	queries := []string{
		"SELECT publish_at FROM posts WHERE status = 'published' AND publish_at > $1 AND publish_at < $2",
		"SELECT expire_at FROM posts WHERE status = 'published' AND expire_at > $1 AND expire_at < $2",
	}
	for _, column := range []string{"published_at", "opens_at", "closes_at", "starts_at", "ends_at"} {
		queries = append(queries, "SELECT "+column+" FROM events WHERE "+column+" > $1 AND "+column+" < $2")
	}
	err := s.each(ctx, strings.Join(queries, " UNION ALL ")+" ORDER BY 1 LIMIT 1", []any{now, next}, func(scan scanner) error { return scan(&next) })
	if err != nil {
		return next, err
	}
	// The agenda of an event that is going on shows what is on, and the day in the event's zone.
	err = s.each(ctx, `SELECT e.timezone, e.starts_at, a.day, a.starts, a.minutes FROM events e JOIN agenda_sessions a ON a.event_id = e.id
		WHERE e.status = 'published' AND e.date_precision IN ('minute', 'start') AND e.ends_at > $1 AND e.starts_at < $2`, []any{now, next}, func(scan scanner) error {
		var e Event
		var session AgendaSession
		if err := scan(&e.Timezone, &e.StartsAt, &session.Day, &session.Starts, &session.Minutes); err != nil {
			return err
		}
		for _, at := range session.moments(e) {
			if at.After(now) && at.Before(next) {
				next = at
			}
		}
		return nil
	})
	return next, err
}

// contentChange is what a transaction changed of what visitors see.
type contentChange struct {
	content, seats     bool  // on PostgreSQL
	contentAt, seatsAt int64 // on SQLite: the counts as the transaction leaves them
}

// contentChange reads what this transaction has changed so far.
func (s *Store) contentChange(ctx context.Context) (c contentChange, err error) {
	if s.postgres() {
		err = s.write(ctx).Raw("SELECT COALESCE(current_setting('portal.content', true), '') <> '', COALESCE(current_setting('portal.seats', true), '') <> ''").
			Row().Scan(&c.content, &c.seats)
		return c, err
	}
	err = s.each(ctx, "SELECT content, seats FROM content_version", nil, func(scan scanner) error { return scan(&c.contentAt, &c.seatsAt) })
	return c, err
}

// committed counts what a transaction changed, once it is committed.
func (c *content) committed(change contentChange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if change.content || change.contentAt > c.noted.Content {
		c.changes.Add(1)
	}
	if change.seats || change.seatsAt > c.noted.Seats {
		c.seats.Add(1)
	}
	c.noted.Content, c.noted.Seats = max(c.noted.Content, change.contentAt), max(c.noted.Seats, change.seatsAt)
}

// RaiseContentVersion lets every process make its public pages anew.
func (s *Store) RaiseContentVersion(ctx context.Context) error {
	return s.tx(ctx, func(tx *Store) error { return tx.raiseContentVersion(ctx) })
}

func (s *Store) raiseContentVersion(ctx context.Context) error {
	if s.postgres() {
		return s.write(ctx).Exec("SELECT set_config('portal.content', 'changed', true), pg_notify('portal_content_version', 'content')").Error
	}
	return s.write(ctx).Exec("UPDATE content_version SET content = content + 1").Error
}

// RenewPages lets every process make its public pages anew because somebody who runs the site asks for it. Others are told
// ErrNotFound.
func (s *Store) RenewPages(ctx context.Context, by Viewer) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: pages", ErrNotFound)
	}
	return s.tx(ctx, func(tx *Store) error {
		if err := tx.raiseContentVersion(ctx); err != nil {
			return err
		}
		return tx.audit(ctx, by, "pages.renew", "settings", 0, "", "")
	})
}

// contentPoll is how often a process looks whether another has written to the SQLite file.
const contentPoll = 250 * time.Millisecond

// WatchContent counts what other processes change of what visitors see, until ctx ends, within a second of it. It returns an
// error when the database goes; what changes then is counted by the next call as soon as it watches.
func (s *Store) WatchContent(ctx context.Context) error {
	watch := s.watchFile
	if s.postgres() {
		watch = s.listen
	}
	defer s.content.watched.Store(false)
	if err := watch(ctx); err != nil && ctx.Err() == nil {
		return translate(err)
	}
	return nil
}

// watchFile asks on one connection whether others wrote (https://www.sqlite.org/pragma.html#pragma_data_version).
func (s *Store) watchFile(ctx context.Context) (err error) {
	pool, err := s.reader.DB()
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tick := time.NewTicker(contentPoll)
	defer tick.Stop()
	for seen := int64(-1); ; {
		var written int64
		if err := conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&written); err != nil {
			return err
		}
		if written != seen {
			var change contentChange
			if err := conn.QueryRowContext(ctx, "SELECT content, seats FROM content_version").Scan(&change.contentAt, &change.seatsAt); err != nil {
				return err
			}
			s.content.committed(change)
			seen = written
		}
		s.content.watched.Store(true)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// listen hears of commits by PostgreSQL's notifications.
func (s *Store) listen(ctx context.Context) (err error) {
	pool, err := s.reader.DB()
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return conn.Raw(func(raw any) error {
		pg, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("listen: %T is no connection to PostgreSQL", raw)
		}
		if _, err := pg.Conn().Exec(ctx, "LISTEN portal_content_version"); err != nil {
			return err
		}
		s.content.committed(contentChange{content: true, seats: true}) // whatever happened before
		s.content.watched.Store(true)
		for {
			change, err := nextNotification(ctx, pg.Conn())
			if err != nil {
				// What is left of the connection still listens, so nobody else may get it.
				return errors.Join(err, driver.ErrBadConn)
			}
			s.content.committed(contentChange{content: change.Payload == "content", seats: change.Payload == "seats"})
		}
	})
}

// listenCheck is how long a connection may be silent before it is asked whether it is still there: one that a network lost says
// nothing of it.
const listenCheck = 15 * time.Second

// nextNotification waits for what the connection listens to.
func nextNotification(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	for {
		waiting, stop := context.WithTimeout(ctx, listenCheck)
		change, err := conn.WaitForNotification(waiting)
		silent := err != nil && waiting.Err() != nil && ctx.Err() == nil
		stop()
		if !silent {
			return change, err
		}
		asking, stop := context.WithTimeout(ctx, contentTimeout)
		err = conn.Ping(asking)
		stop()
		if err != nil {
			return nil, err
		}
	}
}

// seatsKey is a context's key for what notes that seats were read.
type seatsKey struct{}

// NoteSeats returns a context whose queries note in the answer whether they read how many seats are taken: what is made of
// them then holds for ContentVersion.Seats too.
func NoteSeats(ctx context.Context) (noting context.Context, seats func() bool) {
	read := new(atomic.Bool)
	return context.WithValue(ctx, seatsKey{}, read), read.Load
}

// readsSeats notes that a query reads how many seats are taken.
func readsSeats(ctx context.Context) {
	if read, ok := ctx.Value(seatsKey{}).(*atomic.Bool); ok {
		read.Store(true)
	}
}
