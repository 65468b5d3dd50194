package models

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/database"
)

// BenchmarkRegister takes seats of one event, for 64 and 256 people at a time: each registration in a transaction of its own, and
// those that wait committed together, as they are.
func BenchmarkRegister(b *testing.B) {
	for _, people := range []int{64, 256} {
		for _, way := range []struct {
			name  string
			limit int
		}{{"alone", 1}, {"together", batchLimit}} {
			b.Run(fmt.Sprintf("%d-%s", people, way.name), func(b *testing.B) {
				together := batchLimit
				batchLimit = way.limit
				b.Cleanup(func() { batchLimit = together })
				benchmarkRegister(b, people)
			})
		}
	}
}

// rushStore is a store on a SQLite file of its own with an event that gives that many seats, in one kind of ticket.
func rushStore(tb testing.TB, seats int) *Store {
	tb.Helper()
	ctx := context.Background()
	address := "sqlite:" + filepath.Join(tb.TempDir(), "portal.db")
	if _, err := database.Migrate(ctx, address); err != nil {
		tb.Fatal(err)
	}
	db, err := database.Open(ctx, address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	now := time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)
	for _, row := range []any{
		&Event{
			ID: 1, Slug: "rush", UID: "rush@example.org", Status: EventPublished, Kind: KindMeetup, Mode: ModeOnline, Title: "Rush",
			Language: "en", TextLanguage: "en", Timezone: "UTC", StartsLocal: "2099-01-01T10:00", EndsLocal: "2099-01-01T12:00",
			StartsAt: now.AddDate(70, 0, 0), EndsAt: now.AddDate(70, 0, 1), DatePrecision: PrecisionMinute,
			Registration: RegistrationPortal, Choose: ChooseOne, Version: 1, PublishedAt: &now, CreatedAt: now, UpdatedAt: now,
		},
		&Quota{ID: 1, EventID: 1, Slug: "seats", Name: "seats", Size: &seats},
		&TicketType{ID: 1, EventID: 1, Slug: "seat", Name: "Seat"},
		&TicketTypeQuota{TicketTypeID: 1, QuotaID: 1},
	} {
		if err := db.Writer.Create(row).Error; err != nil {
			tb.Fatal(err)
		}
	}
	return NewStore(db.Reader, db.Writer, clock.System(0), auth.Keys{[]byte("a key for tests that is long enough")})
}

func benchmarkRegister(b *testing.B, people int) {
	ctx := context.Background()
	store := rushStore(b, 100_000_000)
	watching, stop := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- store.WatchContent(watching) }()
	defer func() {
		stop()
		if err := <-watched; err != nil {
			b.Error(err)
		}
	}()
	for !store.content.watched.Load() {
		time.Sleep(time.Millisecond)
	}
	var commits, next atomic.Int64
	store.WatchCommits(func(Commit) { commits.Add(1) })
	waits := make([][]time.Duration, people)
	b.ResetTimer()
	var crowd sync.WaitGroup
	for p := range people {
		crowd.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				began := time.Now()
				if _, err := store.Register(ctx, "rush", RegisterInput{
					Name: "Ada Example", Email: fmt.Sprintf("ada-%d@example.org", n), Tickets: []string{"seat"}, Consent: true, Nonce: fmt.Sprint("nonce ", n),
				}); err != nil {
					b.Error(err)
					return
				}
				waits[p] = append(waits[p], time.Since(began))
			}
		})
	}
	crowd.Wait()
	b.StopTimer()
	all := slices.Concat(waits...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "registrations/s")
	b.ReportMetric(float64(b.N)/float64(max(1, commits.Load())), "together")
	b.ReportMetric(float64(all[len(all)*99/100])/1e6, "p99-ms")
}
