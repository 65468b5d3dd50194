package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
)

// together lets changes wait until all do, and then run. It returns what each came to, and of how many the commits were.
func together(t *testing.T, s *Store, changes ...*change) (errs []error, commits []int) {
	t.Helper()
	s.WatchCommits(func(c Commit) { commits = append(commits, c.Changes) })
	hold := make(chan struct{})
	leading := make(chan struct{})
	var everybody sync.WaitGroup
	everybody.Go(func() {
		if err := s.tx(t.Context(), func(*Store) error { close(leading); <-hold; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-leading
	errs = make([]error, len(changes))
	var left atomic.Int64
	for n, c := range changes {
		everybody.Go(func() {
			defer left.Add(1)
			defer func() {
				if r := recover(); r != nil {
					errs[n] = fmt.Errorf("panic: %v", r)
				}
			}()
			if c.registrant == nil {
				errs[n] = s.tx(c.ctx, c.fn)
			} else if errs[n] = s.txRegister(c.ctx, c.registrant); errs[n] == nil {
				errs[n] = c.registrant.refused
			}
		})
		for waiting := 0; waiting <= n; time.Sleep(time.Millisecond) {
			s.queue.mu.Lock()
			waiting = len(s.queue.waiting) + int(left.Load())
			s.queue.mu.Unlock()
		}
	}
	close(hold)
	everybody.Wait()
	return errs, commits
}

func settings(t *testing.T, s *Store) string {
	t.Helper()
	var all []string
	if err := s.read(t.Context()).Raw("SELECT key FROM settings ORDER BY key").Scan(&all).Error; err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func keep(ctx context.Context, key string, then error) *change {
	return &change{ctx: ctx, fn: func(tx *Store) error {
		if err := tx.write(ctx).Create(&Setting{Key: key, Value: "x"}).Error; err != nil {
			return err
		}
		return then
	}}
}

func TestChangesThatWaitAreCommittedTogetherAndARefusalUndoesItsOwnOnly(t *testing.T) {
	s := rushStore(t, 1)
	gone, leave := context.WithCancel(t.Context())
	leave()
	broken := keep(t.Context(), "broken", nil)
	write := broken.fn
	broken.fn = func(tx *Store) error {
		if err := write(tx); err != nil {
			return err
		}
		panic("out of tea")
	}
	leaving, leave := context.WithCancel(t.Context())
	left := keep(leaving, "e-left-in-the-middle", nil)
	stay := left.fn
	left.fn = func(tx *Store) error { leave(); return stay(tx) }
	errs, commits := together(t, s,
		keep(t.Context(), "a", nil),
		keep(t.Context(), "refused", ErrConflict),
		keep(t.Context(), "b", nil),
		keep(t.Context(), "a", nil), // is there already
		broken,
		keep(gone, "gone", nil),
		keep(t.Context(), "d", nil),
		left,
	)
	for n, want := range []error{nil, ErrConflict, nil, ErrConflict, nil, context.Canceled, nil, nil} {
		if n == 4 {
			if errs[n] == nil || !strings.Contains(errs[n].Error(), "out of tea") {
				t.Errorf("the panic came back as %v", errs[n])
			}
			continue
		}
		if !errors.Is(errs[n], want) {
			t.Errorf("change %d: %v, want %v", n, errs[n], want)
		}
	}
	if got := settings(t, s); got != "a b d e-left-in-the-middle" {
		t.Errorf("kept: %s", got)
	}
	if fmt.Sprint(commits) != "[1 7]" {
		t.Errorf("commits of %v changes", commits)
	}
}

// asks is somebody who asks for a seat at the event of rushStore.
func asks(ctx context.Context, name, email, nonce string) *change {
	in, wrong := RegisterInput{Name: name, Email: email, Tickets: []string{"seat"}, Consent: true, Nonce: nonce}.checked()
	return &change{ctx: ctx, registrant: &registrant{eventID: 1, in: in, wrong: wrong, emailKey: EmailKey(email), nonce: nonceHash(nonce, EmailKey(email))}}
}

func TestThoseWhoRegisterTogetherAreJudgedEachByThemselves(t *testing.T) {
	s := rushStore(t, 3)
	if err := s.writer.Exec(`CREATE TRIGGER breaks BEFORE INSERT ON registrations WHEN NEW.name = 'Mallory' BEGIN SELECT RAISE(ABORT, 'broken'); END`).Error; err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	first, again := asks(t.Context(), "Ada", "ada@example.org", "n"), asks(t.Context(), "Ada", "ADA@example.org", "n")
	elsewhere := asks(t.Context(), "Ada", "ada@example.org", "")
	elsewhere.registrant.eventID = 4711
	errInput, errBroken := errors.New("a field is wrong"), errors.New("the database refuses")
	for _, broken := range []bool{false, true} {
		s := s
		if !broken {
			s = rushStore(t, 3)
		}
		changes := []*change{
			first, keep(t.Context(), "a", nil), again, asks(t.Context(), "Ada", "ada@example.org", "another"), asks(t.Context(), "", "bob@example.org", ""),
			asks(gone, "Carl", "carl@example.org", ""), asks(t.Context(), "Dora", "dora@example.org", ""), elsewhere,
			asks(t.Context(), "Emil", "emil@example.org", ""), asks(t.Context(), "Fay", "fay@example.org", ""),
		}
		want := []error{nil, nil, nil, ErrAlreadyRegistered, errInput, context.Canceled, nil, ErrNotFound, nil, ErrEventFull}
		if broken {
			changes = append(changes[:8:8], append([]*change{asks(t.Context(), "Mallory", "mallory@example.org", "")}, changes[8:]...)...)
			want = append(want[:8:8], append([]error{errBroken}, want[8:]...)...)
		}
		errs, commits := together(t, s, changes...)
		if len(commits) != 2 {
			t.Errorf("broken %t: commits of %v changes", broken, commits)
		}
		for n, err := range errs {
			ok := errors.Is(err, want[n])
			if errors.Is(want[n], errInput) {
				_, ok = errors.AsType[FieldErrors](err)
			} else if errors.Is(want[n], errBroken) {
				ok = err != nil && !isRefusal(err)
			}
			if !ok {
				t.Errorf("broken %t: change %d came to %v, want %v", broken, n, err, want[n])
			}
		}
		if id := first.registrant.made.ID; id == 0 || again.registrant.made.ID != id {
			t.Errorf("broken %t: sent twice, the form made registrations %d and %d", broken, id, again.registrant.made.ID)
		}
		for query, want := range map[string]string{
			"SELECT group_concat(name, ' ') FROM (SELECT name FROM registrations ORDER BY id)":                             "Ada Dora Emil",
			"SELECT count(*) FROM registration_tickets":                                                                    "3",
			"SELECT count(*) FROM consents":                                                                                "3",
			"SELECT group_concat(recipient, ' ') FROM (SELECT recipient FROM mails WHERE kind = 'registered' ORDER BY id)": "ada@example.org dora@example.org emil@example.org",
			"SELECT count(*) FROM audit_entries":                                                                           "3",
			"SELECT taken FROM quotas":                                                                                     "3",
		} {
			var got string
			if err := s.read(t.Context()).Raw(query).Scan(&got).Error; err != nil || got != want {
				t.Errorf("broken %t: %s gives %q, want %q (%v)", broken, query, got, want, err)
			}
		}
		if wrong, err := s.Invariants(t.Context()); err != nil || len(wrong) > 0 {
			t.Errorf("broken %t: %v %v", broken, wrong, err)
		}
	}
}

func TestACommitThatFailsIsToldToAllWhoWereInIt(t *testing.T) {
	s := rushStore(t, 1)
	dangling := &change{ctx: t.Context(), fn: func(tx *Store) error {
		if err := tx.write(t.Context()).Exec("PRAGMA defer_foreign_keys = ON").Error; err != nil {
			return err
		}
		return tx.write(t.Context()).Exec("INSERT INTO ticket_type_quotas (ticket_type_id, quota_id) VALUES (1, 4711)").Error
	}}
	errs, _ := together(t, s, keep(t.Context(), "a", nil), dangling, keep(t.Context(), "b", ErrNotFound))
	for n, err := range errs {
		if err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("change %d: %v, though nothing was committed", n, err)
		}
	}
	if got := settings(t, s); got != "" {
		t.Errorf("kept: %s", got)
	}
	if err := s.tx(t.Context(), keep(t.Context(), "later", nil).fn); err != nil || settings(t, s) != "later" {
		t.Errorf("the next change: %v, kept: %s", err, settings(t, s))
	}
}

func TestAQueueThatIsFullRefuses(t *testing.T) {
	q := &writeQueue{led: true, waiting: make([]*change, queueLimit)}
	if err := q.run(&change{}, nil); !errors.Is(err, ErrBusy) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("one more than may wait: %v", err)
	}
}

func TestWhoeverWaitsIsAnsweredInsideTheDeadlineAndAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const deadline, locked = 20 * time.Second, 5 * time.Second
		var q writeQueue
		began := make(map[*change]bool)
		slow := func(batch []*change, _ int) {
			for _, c := range batch {
				began[c] = true
			}
			time.Sleep(locked)
		}
		gone, leave := context.WithCancel(t.Context())
		var crowd sync.WaitGroup
		changes, told := make([]*change, queueLimit+1), make([]error, queueLimit+1)
		for n := range changes {
			if n%1000 == 999 {
				time.Sleep(time.Second)
			}
			crowd.Go(func() {
				since := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				if n == 3000 {
					ctx = gone
				}
				changes[n] = &change{ctx: ctx}
				told[n] = q.run(changes[n], slow)
				if took := time.Since(since); took >= deadline || n == 3000 && took > time.Second {
					t.Errorf("change %d was answered after %s", n, took)
				}
			})
		}
		leave()
		crowd.Wait()
		busy := 0
		for n, c := range changes {
			switch err := told[n]; {
			case began[c] != (err == nil):
				t.Errorf("change %d, which began: %t, was told %v", n, began[c], err)
			case n == 3000 && !errors.Is(err, context.Canceled), n != 3000 && err != nil && !errors.Is(err, ErrBusy):
				t.Errorf("change %d was told %v", n, err)
			case err != nil:
				busy++
			}
		}
		if busy < 2 || len(began) < 2*batchLimit || q.led || len(q.waiting) > 0 {
			t.Errorf("%d began, %d were refused; %d wait", len(began), busy, len(q.waiting))
		}
		if c := (&change{ctx: t.Context()}); q.run(c, slow) != nil || !began[c] {
			t.Error("nobody leads any more")
		}
	})
}

func TestACrowdBeforeALockedDatabaseIsToldWhatBecameOfEachChange(t *testing.T) {
	s := rushStore(t, 1)
	together := batchLimit
	batchLimit = 8
	t.Cleanup(func() { batchLimit = together })
	if err := s.writer.Exec("PRAGMA busy_timeout = 1000").Error; err != nil {
		t.Fatal(err)
	}
	var path string
	if err := s.read(t.Context()).Raw("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path).Error; err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite3", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	for _, released := range []bool{false, true} {
		lock, err := other.Begin()
		if err != nil {
			t.Fatal(err)
		}
		var once sync.Once
		release := func() { once.Do(func() { _ = lock.Rollback() }) }
		var crowd sync.WaitGroup
		errs := make([]error, 64)
		for n := range errs {
			crowd.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				errs[n] = s.tx(ctx, keep(ctx, fmt.Sprintf("%t-%d", released, n), nil).fn)
				if ctx.Err() != nil {
					t.Errorf("change %d was answered after its deadline: %v", n, errs[n])
				}
				if released {
					release() // the first batch was refused
				}
			})
		}
		crowd.Wait()
		release()
		kept := strings.Fields(settings(t, s))
		succeeded := 0
		for n, err := range errs {
			if slices.Contains(kept, fmt.Sprintf("%t-%d", released, n)) != (err == nil) {
				t.Errorf("released %t: change %d was told %v", released, n, err)
			}
			if err == nil {
				succeeded++
			} else if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUncertain) {
				t.Errorf("released %t: change %d was told %v, which is no refusal for the moment", released, n, err)
			}
		}
		if (succeeded > 0) != released {
			t.Errorf("released %t: %d of %d changes were kept", released, succeeded, len(errs))
		}
	}
	if err := s.tx(t.Context(), keep(t.Context(), "later", nil).fn); err != nil {
		t.Errorf("the next change: %v", err)
	}
}

func TestACrowdForAnEventThatIsFullDoesNotWait(t *testing.T) {
	s := rushStore(t, 1)
	watching, stop := context.WithCancel(t.Context())
	watched := make(chan error, 1)
	go func() { watched <- s.WatchContent(watching) }()
	for !s.content.watched.Load() {
		time.Sleep(time.Millisecond)
	}
	register := func(email string) (Registration, error) {
		return s.Register(t.Context(), "rush", RegisterInput{Name: "Ada", Email: email, Tickets: []string{"seat"}, Consent: true})
	}
	first, err := register("first@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := register("second@example.org"); !errors.Is(err, ErrEventFull) {
		t.Fatalf("one too many: %v", err)
	}
	commits := 0
	s.WatchCommits(func(Commit) { commits++ })
	if _, err := register("third@example.org"); !errors.Is(err, ErrEventFull) || commits > 0 {
		t.Errorf("one more: %v, after %d commits", err, commits)
	}
	if _, err := register("First@Example.org"); !errors.Is(err, ErrAlreadyRegistered) {
		t.Errorf("who has a place: %v", err)
	}
	if _, err := s.Cancel(t.Context(), s.RegistrationToken(first)); err != nil {
		t.Fatal(err)
	}
	if _, err := register("fourth@example.org"); err != nil {
		t.Errorf("a seat is free again: %v", err)
	}
	stop()
	if err := <-watched; err != nil {
		t.Error(err)
	}
}

func TestACrowdIsThereForAMomentAfterItsCommit(t *testing.T) {
	s := rushStore(t, 1)
	now := clock.NewFake(s.Now())
	s.clock = now.Clock()
	for _, people := range []int{crowd - 1, crowd} {
		changes := make([]*change, people)
		for n := range changes {
			changes[n] = keep(t.Context(), fmt.Sprint(people, "-", n), nil)
		}
		together(t, s, changes...)
		if s.Crowded() != (people == crowd) {
			t.Errorf("%d changes committed together: a crowd %t", people, s.Crowded())
		}
	}
	now.Advance(crowdStays)
	if s.Crowded() {
		t.Error("the crowd stays when nobody comes any more")
	}
}
