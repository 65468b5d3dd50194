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
