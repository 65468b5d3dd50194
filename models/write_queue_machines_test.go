package models_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

func TestSeveralProcessesTakeTheSeatsOfTwoEventsWithoutWaitingForEachOtherForEver(t *testing.T) {
	now := testkit.Clock()
	s := &stage{Store: testkit.PostgreSQL(t, now), clock: now}
	const seats, people = 40, 60
	slugs := []string{"game-day", "hack-night"}
	for _, slug := range slugs {
		s.newEvent(t, slug, seats)
	}
	processes := []*models.Store{s.Store, testkit.Beside(t, s.Store), testkit.Beside(t, s.Store)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // who waits for ever is told so
	defer cancel()
	var taken, given, full atomic.Int64
	var crowd sync.WaitGroup
	for n := range people {
		for at, process := range processes {
			crowd.Go(func() {
				// Each goes to both, half of them the other way round, and every fourth gives a seat back.
				for turn := range slugs {
					slug := slugs[(turn+n)%len(slugs)]
					in := models.RegisterInput{
						Name: "Ada", Email: fmt.Sprintf("ada%d-%d@example.org", at, n), Tickets: []string{"b"}, Consent: true, Nonce: "x",
					}
					r, err := process.Register(ctx, slug, in)
					switch {
					case errors.Is(err, models.ErrEventFull):
						full.Add(1)
						continue
					case err != nil:
						t.Errorf("process %d, person %d: %v", at, n, err)
						continue
					}
					taken.Add(1)
					if n%4 > 0 {
						continue
					}
					other := processes[(at+1)%len(processes)]
					if _, err := other.Cancel(ctx, process.RegistrationToken(r)); err != nil {
						t.Errorf("giving back what process %d gave: %v", at, err)
					}
					given.Add(1)
				}
			})
		}
	}
	crowd.Wait()
	for _, slug := range slugs {
		var confirmed int
		err := testkit.DB(t, s.Store).Raw(`SELECT count(*) FROM registrations r JOIN events e ON e.id = r.event_id
			WHERE e.slug = ? AND r.status = 'confirmed'`, slug).Scan(&confirmed).Error
		if err != nil || confirmed > seats {
			t.Errorf("%s: %d of %d seats are taken: %v", slug, confirmed, seats, err)
		}
	}
	if taken.Load()+full.Load() != people*int64(len(processes)*len(slugs)) || taken.Load()-given.Load() > 2*seats || taken.Load() < 2*seats {
		t.Errorf("%d took a seat, %d gave it back, %d were told that it is full", taken.Load(), given.Load(), full.Load())
	}
}

func TestACrowdBeforeALockedTableIsToldInsideTheDeadline(t *testing.T) {
	now := testkit.Clock()
	s := &stage{Store: testkit.PostgreSQL(t, now), clock: now}
	s.newEvent(t, "game-day", 100)
	register := func(ctx context.Context, n int) error {
		_, err := s.Register(ctx, "game-day", models.RegisterInput{
			Name: "Ada", Email: fmt.Sprintf("ada%d@example.org", n), Tickets: []string{"b"}, Consent: true, Nonce: "x",
		})
		return err
	}
	lock := testkit.DB(t, testkit.Beside(t, s.Store)).Begin()
	if err := lock.Exec("LOCK TABLE registrations IN ACCESS EXCLUSIVE MODE").Error; err != nil {
		t.Fatal(err)
	}
	const people = 40
	var crowd sync.WaitGroup
	for n := range people {
		crowd.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			err := register(ctx, n)
			if ctx.Err() != nil {
				t.Errorf("person %d was answered after the deadline: %v", n, err)
			}
			if !errors.Is(err, models.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, models.ErrUncertain) {
				t.Errorf("person %d was told %v", n, err)
			}
		})
	}
	crowd.Wait()
	if err := lock.Rollback().Error; err != nil {
		t.Fatal(err)
	}
	registrations := func() (n int) {
		t.Helper()
		if err := testkit.DB(t, s.Store).Raw("SELECT count(*) FROM registrations").Scan(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := registrations(); n > 0 {
		t.Errorf("%d of those who were refused have a place", n)
	}
	for n := range people {
		crowd.Go(func() {
			if err := register(t.Context(), n); err != nil {
				t.Errorf("person %d, when it is free again: %v", n, err)
			}
		})
	}
	crowd.Wait()
	if n := registrations(); n != people {
		t.Errorf("%d of %d have a place", n, people)
	}
}

func TestACommitWhoseAnswerIsLostIsNotCalledAFailure(t *testing.T) {
	now := testkit.Clock()
	s := &stage{Store: testkit.PostgreSQL(t, now), clock: now}
	s.newEvent(t, "game-day", 100)
	admin := s.admin(t)
	for n, of := range []struct {
		does      string
		uncertain bool
	}{
		{"RAISE EXCEPTION 'refused'", false},
		{"PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(60)", true},
	} {
		for _, table := range []string{"registrations", "settings"} {
			for _, statement := range []string{
				"CREATE OR REPLACE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + of.does + "; RETURN NULL; END $$",
				"DROP TRIGGER IF EXISTS at_commit ON " + table,
				"CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON " + table + " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()",
			} {
				if err := testkit.DB(t, s.Store).Exec(statement).Error; err != nil {
					t.Fatal(err)
				}
			}
		}
		_, registering := s.Register(t.Context(), "game-day", models.RegisterInput{Name: "Ada", Email: "ada@example.org", Tickets: []string{"b"}, Consent: true})
		for what, err := range map[string]error{
			"a registration": registering,
			"a change":       s.RequireSecondFactor(t.Context(), admin, true),
		} {
			if err == nil || errors.Is(err, models.ErrUncertain) != of.uncertain {
				t.Errorf("case %d: %s was told %v", n, what, err)
			}
		}
	}
}
