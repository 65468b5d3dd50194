package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"
)

// writeQueue runs changes one after the other and commits together those that wait at the same time: it is the commit that
// takes long, and many need no more of it than one. There is no goroutine of its own: whoever is first in the queue leads, runs what
// waits, and then hands over to the first of those who came meanwhile.
type writeQueue struct {
	mu      sync.Mutex
	led     bool
	waiting []*change // the leader first
	grouped bool      // the last commit was of more than one change
}

const (
	queueLimit = 4096 // changes that wait; more are refused

	queueLinger = 200 * time.Microsecond // given to those who were just answered to come back with their next change
	batchTime   = 15 * time.Second       // for a batch on PostgreSQL, when nobody in it has to be answered earlier
)

// crowd is how many changes committed together are a crowd, and crowdStays how long one is taken to be there after that.
const (
	crowd      = 32
	crowdStays = 100 * time.Millisecond
)

// Crowded reports whether a crowd waits to be written, as when registration has opened: what has time may let it pass.
func (s *Store) Crowded() bool {
	last := s.crowded.Load()
	return last != nil && s.Now().Sub(*last) < crowdStays
}

// batchLimit is how many changes are committed together: a variable for the benchmark of what that gives.
var batchLimit = 512

// change is a change that waits or runs.
type change struct {
	ctx        context.Context //nolint:containedctx // of whoever waits: it decides whether the change begins, and until when it has to end
	fn         func(tx *Store) error
	registrant *registrant // whom to register, with others of the batch who come to the same event; then there is no fn
	leads      chan bool   // true: lead; false: done
	err        error
	panic      any
	since      time.Time
}

// Commit tells of one commit, for those who watch.
type Commit struct {
	Changes int           // committed together
	Waiting int           // changes that came meanwhile
	Waited  time.Duration // of the change that waited longest, until the batch began
	Took    time.Duration // from the batch's beginning to its end
}

// ErrBusy is for a change whose turn does not come: the queue is full, or those before it take too long.
var ErrBusy = fmt.Errorf("%w: too many changes wait", ErrUnavailable)

// run lets c be committed by commit, alone or with others, and returns when that is done. It waits for its turn for half of the time
// that it has, so that the other half is left to commit it; once it has begun it is told what became of it, and not before.
func (q *writeQueue) run(c *change, commit func(batch []*change, waiting int)) error {
	q.mu.Lock()
	if len(q.waiting) >= queueLimit {
		q.mu.Unlock()
		return ErrBusy
	}
	c.leads = make(chan bool, 1)
	q.waiting = append(q.waiting, c)
	lead := !q.led
	q.led = true
	grouped := q.grouped
	q.mu.Unlock()
	if !lead {
		var turn <-chan time.Time
		if end, ok := c.ctx.Deadline(); ok {
			timer := time.NewTimer(time.Until(end) / 2)
			defer timer.Stop()
			turn = timer.C
		}
		select {
		case lead = <-c.leads:
		case <-c.ctx.Done():
			if q.leave(c) {
				return c.ctx.Err()
			}
			lead = <-c.leads
		case <-turn:
			if q.leave(c) {
				return ErrBusy
			}
			lead = <-c.leads
		}
		if !lead {
			return c.result()
		}
		q.mu.Lock()
		grouped = q.grouped
		q.mu.Unlock()
	}
	if grouped {
		time.Sleep(queueLinger)
	}
	q.mu.Lock()
	n := min(len(q.waiting), batchLimit)
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	waiting := len(q.waiting)
	q.grouped = n > 1
	q.mu.Unlock()

	commit(batch, waiting)

	q.mu.Lock()
	q.handOver()
	q.mu.Unlock()
	for _, other := range batch[1:] {
		other.leads <- false
	}
	return c.result()
}

// handOver lets who waits longest lead. Who calls it holds the lock.
func (q *writeQueue) handOver() {
	if len(q.waiting) > 0 {
		q.waiting[0].leads <- true
	} else {
		q.led, q.waiting = false, nil
	}
}

// leave takes a change out of the queue, unless it has begun. Who was just told to lead tells the next.
func (q *writeQueue) leave(c *change) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := slices.Index(q.waiting, c)
	if at < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, at, at+1)
	select {
	case <-c.leads:
		q.handOver()
	default:
	}
	return true
}

func (c *change) result() error {
	if c.panic != nil {
		panic(c.panic)
	}
	return c.err
}

// try runs a change on tx, or registers all who come to one event. A panic of one change is its owner's, who alone sees it.
func (s *Store) try(ctx context.Context, unit []*change) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if err = errors.New("panic in a change"); len(unit) == 1 {
				unit[0].panic = fmt.Sprintf("%v\n%s", r, debug.Stack())
			}
		}
	}()
	if unit[0].registrant == nil {
		return unit[0].fn(s)
	}
	people := make([]*registrant, len(unit))
	for n, c := range unit {
		c.registrant.settled, c.registrant.refused = false, nil // what an attempt with others left
		people[n] = c.registrant
	}
	return s.registerAll(ctx, people[0].eventID, people)
}

// units are the parts of a batch that succeed or fail each by itself: a change, or all who register for an event.
func units(batch []*change) (units [][]*change) {
	events := make(map[int64]int)
	for _, c := range batch {
		if c.registrant != nil {
			if n, ok := events[c.registrant.eventID]; ok {
				units[n] = append(units[n], c)
				continue
			}
			events[c.registrant.eventID] = len(units)
		}
		units = append(units, []*change{c})
	}
	return units
}

// commit runs a batch in one transaction, each unit behind a savepoint so that its refusal undoes nothing else. A change whose owner has gone before the
// batch begins is left out; what has begun is finished, for to break a statement off undoes everybody's.
func (s *Store) commit(batch []*change, waiting int) {
	began := s.Now()
	live := batch[:0:0]
	told := Commit{Waiting: waiting}
	for _, c := range batch {
		if c.err = c.ctx.Err(); c.err == nil {
			live = append(live, c)
			told.Waited = max(told.Waited, began.Sub(c.since))
		}
	}
	if len(live) == 0 {
		return
	}
	ctx := context.WithoutCancel(live[0].ctx)
	ending := ctx
	if s.postgres() {
		// A commit that is broken off leaves everybody in doubt, so statements end well before it has to.
		left := batchTime
		for _, c := range live {
			if end, ok := c.ctx.Deadline(); ok {
				left = min(left, time.Until(end))
			}
		}
		var cancel, done context.CancelFunc
		ending, cancel = context.WithTimeout(ctx, left)
		defer cancel()
		ctx, done = context.WithTimeout(ctx, left*4/5)
		defer done()
	}
	var changed contentChange
	err := s.transaction(ending, func(db *gorm.DB) (err error) {
		db.Statement.ConnPool = &unbroken{db.Statement.ConnPool, ctx}
		for _, unit := range units(live) {
			if err := s.attempt(ctx, db, unit, len(live) > 1); err != nil {
				return err
			}
		}
		changed, err = s.within(db).contentChange(ctx)
		return err
	})
	if err != nil {
		// What one was refused for may be another's change that is now undone.
		for _, c := range live {
			c.err = err
		}
		return
	}
	s.content.committed(changed)
	if len(live) >= crowd {
		now := s.Now()
		s.crowded.Store(&now)
	}
	if told.Changes, told.Took = len(live), s.Now().Sub(began); s.watch != nil {
		s.watch(told)
	}
}

// attempt runs a unit of a batch, and each change of it alone when they fail together. It returns an error only when the
// transaction is lost.
func (s *Store) attempt(ctx context.Context, db *gorm.DB, unit []*change, among bool) error {
	if !among {
		unit[0].err = s.within(db).try(ctx, unit)
		return unit[0].err
	}
	pool := db.Statement.ConnPool
	if _, err := pool.ExecContext(ctx, "SAVEPOINT change"); err != nil {
		return err
	}
	refused := s.within(db).try(ctx, unit)
	if refused != nil {
		if _, err := pool.ExecContext(ctx, "ROLLBACK TO SAVEPOINT change"); err != nil {
			return errors.Join(refused, err)
		}
	}
	if _, err := pool.ExecContext(ctx, "RELEASE SAVEPOINT change"); err != nil {
		return err
	}
	if refused == nil || len(unit) == 1 {
		unit[0].err = refused
		return nil
	}
	for n := range unit {
		if err := s.attempt(ctx, db, unit[n:n+1], true); err != nil {
			return err
		}
	}
	return nil
}

// within is the store for a change in a transaction. It tells one time throughout.
func (s *Store) within(db *gorm.DB) *Store {
	now := s.Now()
	return &Store{reader: db, writer: db, clock: func() time.Time { return now }, keys: s.keys, content: s.content, inside: true}
}

// unbroken is a transaction whose statements end with the batch and not with whoever wanted them.
type unbroken struct {
	gorm.ConnPool

	ctx context.Context //nolint:containedctx // it takes the place of each statement's own
}

// PrepareContext prepares a statement.
func (u *unbroken) PrepareContext(_ context.Context, query string) (*sql.Stmt, error) {
	return u.ConnPool.PrepareContext(u.ctx, query) //nolint:contextcheck // that is what it is for
}

// ExecContext runs a statement.
func (u *unbroken) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	return u.ConnPool.ExecContext(u.ctx, query, args...) //nolint:contextcheck // that is what it is for
}

// QueryContext runs a query.
func (u *unbroken) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	return u.ConnPool.QueryContext(u.ctx, query, args...) //nolint:contextcheck // that is what it is for
}

// QueryRowContext runs a query for one row.
func (u *unbroken) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	return u.ConnPool.QueryRowContext(u.ctx, query, args...) //nolint:contextcheck // that is what it is for
}

// Commit ends the transaction.
func (u *unbroken) Commit() error { return u.ConnPool.(gorm.TxCommitter).Commit() } //nolint:errcheck // a transaction is one

// Rollback undoes the transaction.
func (u *unbroken) Rollback() error { return u.ConnPool.(gorm.TxCommitter).Rollback() } //nolint:errcheck // a transaction is one
