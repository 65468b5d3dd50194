package models_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// privateTables hold nothing that visitors see, or what others hold as well.
var privateTables = []string{
	"audit_entries", "authenticators", "backups", "consents", "content_files", "content_version", "file_removals", "guesses",
	"half_sign_ins", "job_runs", "mails", "passkeys", "passwords", "post_counts", "recovery_codes", "registration_tickets",
	"request_counts", "reviews", "revisions", "sessions", "sign_in_links", "used_challenges", "users",
}

func TestEveryTableRaisesTheContentVersionOrIsPrivate(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		db := testkit.DB(t, store)
		tables, err := db.Migrator().GetTables()
		if err != nil {
			t.Fatal(err)
		}
		query := "SELECT DISTINCT event_object_table AS of, event_manipulation AS event FROM information_schema.triggers WHERE action_statement LIKE '%raise_content_version%'"
		if db.Name() == "sqlite" {
			query = `SELECT tbl_name AS of, CASE WHEN sql LIKE '% AFTER INSERT ON %' THEN 'INSERT' WHEN sql LIKE '% AFTER UPDATE %' THEN 'UPDATE' ELSE 'DELETE' END AS event
				FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%UPDATE content_version SET%'`
		}
		var triggers []struct{ Of, Event string }
		if err := db.Raw(query).Scan(&triggers).Error; err != nil {
			t.Fatal(err)
		}
		raising := make(map[string][]string)
		for _, trigger := range triggers {
			raising[trigger.Of] = append(raising[trigger.Of], trigger.Event)
		}
		for _, table := range tables {
			if strings.HasPrefix(table, "goose_") || strings.HasPrefix(table, "sqlite_") || strings.HasPrefix(table, "search_") {
				continue
			}
			if private := slices.Contains(privateTables, table); private == (len(raising[table]) == 3) {
				t.Errorf("table %s raises it on %v, and is private: %t", table, raising[table], private)
			}
		}
	})
}

// version is the store's content version now.
func version(t *testing.T, s *models.Store) models.ContentVersion {
	t.Helper()
	v, err := s.ContentVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheContentVersionMovesWithWhatVisitorsSeeAndNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		if err := s.RaiseContentVersion(t.Context()); err != nil { // the event was made behind the store's back
			t.Fatal(err)
		}
		before := version(t, s.Store)
		if again := version(t, s.Store); again != before {
			t.Fatalf("it moved by itself: %v, then %v", before, again)
		}
		in := models.RegisterInput{Name: "Ada", Email: "ada@example.org", Tickets: []string{"a"}, Consent: true}
		if _, err := s.Register(t.Context(), "game-day", in); err != nil {
			t.Fatal(err)
		}
		taken := version(t, s.Store)
		if taken.Seats == before.Seats || taken.Content != before.Content {
			t.Errorf("a seat was taken: %v, then %v", before, taken)
		}
		if _, err := s.Register(t.Context(), "game-day", in); !errors.Is(err, models.ErrAlreadyRegistered) {
			t.Fatal(err)
		}
		if err := s.RequestSignIn(t.Context(), "ada@example.org", "/"); err != nil {
			t.Fatal(err)
		}
		if after := version(t, s.Store); after != taken {
			t.Errorf("a refusal and a sign-in moved it: %v, then %v", taken, after)
		}
		if _, _, err := s.AddUser(t.Context(), models.Viewer{Role: "command"}, models.NewUser{
			Email: "amb@example.org", Name: "Amb", Role: models.RoleAmbassador,
		}); err != nil {
			t.Fatal(err)
		}
		if after := version(t, s.Store); after.Content == taken.Content {
			t.Error("a new profile did not move it")
		}
	})
}

func TestInARushTheVersionOfTheSeatsMovesFourTimesASecond(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		s.newEvent(t, "rush", 100)
		before := version(t, s.Store)
		take := func(n int) models.ContentVersion {
			_, err := s.Register(t.Context(), "rush", models.RegisterInput{
				Name: "Ada", Email: fmt.Sprintf("ada-%d@example.org", n), Tickets: []string{"b"}, Consent: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			return version(t, s.Store)
		}
		for n := range 32 {
			taken := take(n)
			if taken.Seats == before.Seats {
				t.Fatalf("registration %d did not move it", n+1)
			}
			before = taken
		}
		if held := take(32); held != before {
			t.Errorf("it moved in the rush: %v, then %v", before, held)
		}
		s.clock.Advance(250 * time.Millisecond)
		if after := version(t, s.Store); after.Seats == before.Seats {
			t.Error("what was taken in the rush does not show a quarter of a second later")
		}
	})
}

func TestTheContentVersionMovesWhenTimeChangesAPage(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC) }
		published, opens, closes := at(25, 9, 1), at(26, 9, 2), at(27, 9, 3)
		later := s.newEvent(t, "later", 5)
		if err := testkit.DB(t, s.Store).Model(&later).Select("published_at", "opens_at", "closes_at").
			UpdateColumns(models.Event{PublishedAt: &published, OpensAt: &opens, ClosesAt: &closes}).Error; err != nil {
			t.Fatal(err)
		}
		for i, session := range []models.AgendaSession{{Day: 1, Starts: "19:10", Minutes: 25}, {Day: 1}, {Day: 2, Starts: "00:20"}} {
			session.EventID, session.Position, session.Title = s.event.ID, i, "Talk"
			s.create(t, &session)
		}
		night := at(30, 23, 40)
		if err := testkit.DB(t, s.Store).Model(&s.event).UpdateColumn("ends_at", night).Error; err != nil {
			t.Fatal(err)
		}
		moves := []time.Time{
			at(22, 0, 0), // a day ends
			published, opens, closes,
			s.event.StartsAt,
			at(30, 18, 10), at(30, 18, 35), // a session begins and ends
			s.event.EndsAt, // the other event's as well
			at(30, 23, 0),  // it is another day in Berlin
			at(30, 23, 20),
			night,
		}
		for _, at := range moves {
			s.clock.Set(at.Add(-2 * time.Second))
			before := version(t, s.Store)
			s.clock.Set(at.Add(-time.Second))
			if still := version(t, s.Store); still != before {
				t.Errorf("%s: it moved a second too early", at)
			}
			s.clock.Set(at)
			if after := version(t, s.Store); after.Content == before.Content {
				t.Errorf("%s: it did not move", at)
			}
		}
		before := version(t, s.Store)
		s.clock.Set(noon)
		if after := version(t, s.Store); after.Content == before.Content {
			t.Error("the clock was set back, and pages of the future stay")
		}
	})
}

func TestWhatOtherProcessesWriteIsNoticed(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		other := testkit.Beside(t, s.Store)
		ctx, cancel := context.WithCancel(t.Context())
		watched := make(chan error, 1)
		go func() { watched <- s.WatchContent(ctx) }()
		wait := func(what string, moved func(before, now models.ContentVersion) bool, change func() error) {
			t.Helper()
			before := version(t, s.Store)
			if err := change(); err != nil {
				t.Fatal(err)
			}
			for range 200 {
				if moved(before, version(t, s.Store)) {
					return
				}
				time.Sleep(25 * time.Millisecond)
			}
			t.Errorf("%s was not noticed", what)
		}
		content := func(before, now models.ContentVersion) bool { return now.Content != before.Content }
		seats := func(before, now models.ContentVersion) bool { return now.Seats != before.Seats }
		// Whatever happened before it watches counts as well: this waits until it does.
		wait("the first change", content, func() error { return other.RaiseContentVersion(t.Context()) })
		wait("a change of the content", content, func() error { return other.RaiseContentVersion(t.Context()) })
		wait("a registration", seats, func() error {
			_, err := other.Register(t.Context(), "game-day", models.RegisterInput{Name: "Ada", Email: "ada@example.org", Tickets: []string{"a"}, Consent: true})
			return err
		})
		wait("a change by hand", content, func() error {
			return testkit.DB(t, other).Exec("UPDATE events SET title = 'By hand'").Error
		})
		cancel()
		if err := <-watched; err != nil {
			t.Errorf("watching ended with %v", err)
		}
	})
}
