package models_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

var fewSamples = models.SampleSize{Posts: 90, Groups: 12, Events: 60, Registrations: 400, Seed: 7}

func fill(t *testing.T, store *models.Store, size models.SampleSize) {
	t.Helper()
	if err := store.FillSample(t.Context(), size, func(string, int, int) {}); err != nil {
		t.Fatal(err)
	}
}

func TestSampleDataKeepsTheRulesAndMailsNobody(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		mustLoad(t, store, nil)
		counts := "SELECT (SELECT count(*) FROM posts) UNION ALL SELECT count(*) FROM groups UNION ALL SELECT count(*) FROM events UNION ALL SELECT count(*) FROM registrations"
		before := numbers(t, store, counts)
		fill(t, store, fewSamples)
		after := numbers(t, store, counts)
		for n, want := range []int64{90, 12, 60, 400} {
			if got := after[n] - before[n]; got != want {
				t.Errorf("query %d: %d more rows, want %d", n, got, want)
			}
		}
		for what, query := range map[string]string{
			"mails":                            "SELECT count(*) FROM mails",
			"registrations that are no sample": "SELECT count(*) FROM registrations WHERE NOT sample",
			"registrations without a consent":  "SELECT count(*) FROM registrations r WHERE NOT EXISTS (SELECT 1 FROM consents c WHERE c.registration_id = r.id)",
			"registrations without an audit entry": `SELECT count(*) FROM registrations r WHERE
				(SELECT count(*) FROM audit_entries x WHERE x.subject = 'registrations' AND x.subject_id = r.id) <> CASE r.status WHEN 'confirmed' THEN 1 ELSE 2 END`,
			"registrations before publishing": "SELECT count(*) FROM registrations r JOIN events e ON e.id = r.event_id WHERE r.created_at < e.published_at",
			"posts without a byline":          "SELECT count(*) FROM posts p WHERE NOT EXISTS (SELECT 1 FROM post_bylines l WHERE l.post_id = p.id)",
			"posts without a tag":             "SELECT count(*) FROM posts p WHERE p.sample AND NOT EXISTS (SELECT 1 FROM post_tags l WHERE l.post_id = p.id)",
			"posts without words":             "SELECT count(*) FROM posts WHERE words = 0 OR html = '' OR plain_text = '' OR summary = ''",
			"groups without organiser":        "SELECT count(*) FROM groups g WHERE NOT EXISTS (SELECT 1 FROM group_organisers o WHERE o.group_id = g.id)",
			"public posts that are not found": "SELECT count(*) FROM posts p WHERE status = 'published' AND NOT EXISTS (SELECT 1 FROM search_documents d WHERE d.kind = 'post' AND d.object_id = p.id)",
			"public events that are not found": `SELECT count(*) FROM events e WHERE status <> 'draft'
				AND NOT EXISTS (SELECT 1 FROM search_documents d WHERE d.kind = 'event' AND d.object_id = e.id)`,
		} {
			if n := numbers(t, store, query); n[0] != 0 {
				t.Errorf("%d %s", n[0], what)
			}
		}
		for what, query := range map[string]string{
			"cancelled registrations": "SELECT count(*) FROM registrations WHERE status = 'cancelled'",
			"past events":             "SELECT count(*) FROM events WHERE sample AND ends_at < '2026-11-01'",
			"coming events":           "SELECT count(*) FROM events WHERE sample AND starts_at > '2027-01-01'",
			"places taken":            "SELECT sum(taken) FROM quotas",
			"drafts":                  "SELECT count(*) FROM posts WHERE status <> 'published'",
		} {
			if n := numbers(t, store, query); n[0] == 0 {
				t.Errorf("no %s", what)
			}
		}
		if broken, err := store.Invariants(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("%q, %v", broken, err)
		}
		indexed := testkit.Dump(t, store)
		if err := store.Reindex(t.Context()); err != nil || !slices.Equal(indexed, testkit.Dump(t, store)) {
			t.Errorf("the index is another than the program would make: %v", err)
		}
	})
}

func TestSampleDataIsTheSameForTheSameSeed(t *testing.T) {
	dumps := map[string][][]string{}
	for range 2 {
		testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
			name := testkit.DB(t, store).Name()
			fill(t, store, fewSamples)
			dumps[name] = append(dumps[name], testkit.Dump(t, store))
		})
	}
	for name, dump := range dumps {
		if len(dump) != 2 || !slices.Equal(dump[0], dump[1]) {
			t.Errorf("%s: two runs of one seed differ", name)
		}
	}
	store, _ := storeAndClock(t)
	other := fewSamples
	other.Seed++
	fill(t, store, other)
	if slices.Equal(testkit.Dump(t, store), dumps["sqlite"][0]) {
		t.Error("two seeds make the same")
	}
}

func TestASecondRunAddsToTheFirst(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		fill(t, store, fewSamples)
		fill(t, store, fewSamples)
		if n := numbers(t, store, "SELECT count(*) FROM registrations"); n[0] != 800 {
			t.Errorf("%d registrations, want 800", n[0])
		}
	})
}

func TestSampleDataGoesWithItsRegistrations(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		fill(t, store, fewSamples)
		report, err := store.RemoveSample(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if report.Posts != 90 || report.Groups != 12 || report.Events != 60 || report.Registrations != 400 || len(report.Kept) > 0 {
			t.Errorf("%+v", report)
		}
		for _, line := range testkit.Dump(t, store) {
			if table, _, _ := strings.Cut(line, " "); table != "audit_entries" && !strings.HasSuffix(line, " posts=0") {
				t.Errorf("still there: %.150s", line)
			}
		}
	})
}

func TestAGeneratedEventForWhichSomebodyRegisteredStaysWithThatRegistrationAlone(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		fill(t, store, fewSamples)
		var event models.Event
		if err := testkit.DB(t, store).Where(`status = 'published' AND registration = 'portal' AND starts_at > ? AND EXISTS (SELECT 1 FROM registrations r
			WHERE r.event_id = events.id) AND NOT EXISTS (SELECT 1 FROM quotas q WHERE q.event_id = events.id AND q.taken + q.held = q.size)`, testkit.Start.AddDate(0, 0, 1)).
			Order("id").Take(&event).Error; err != nil {
			t.Fatal(err)
		}
		in := models.RegisterInput{Name: "Bo", Email: "bo@example.org", Tickets: names(t, store, "SELECT slug FROM ticket_types WHERE event_id = "+strconv.FormatInt(event.ID, 10))[:1], Consent: true}
		if _, err := store.Register(t.Context(), event.Slug, in); err != nil {
			t.Fatal(err)
		}
		report, err := store.RemoveSample(t.Context())
		if err != nil || report.Events != 59 || report.Registrations != 400 || !slices.Contains(report.Kept, "event "+event.Slug+": people registered for it") {
			t.Errorf("%+v, %v", report, err)
		}
		if n := numbers(t, store, "SELECT sum(taken) FROM quotas UNION ALL SELECT count(*) FROM registrations"); n[0] != 1 || n[1] != 1 {
			t.Errorf("places taken, registrations: %v, want one each", n)
		}
		if broken, err := store.Invariants(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("%q, %v", broken, err)
		}
	})
}

func TestSampleDataIsRefused(t *testing.T) {
	store, _ := storeAndClock(t)
	mustLoad(t, store, nil)
	for name, size := range map[string]models.SampleSize{
		"below nothing":                {Posts: -1},
		"too much":                     {Groups: 1001},
		"registrations without events": {Registrations: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if err := store.FillSample(t.Context(), size, nil); !errors.Is(err, models.ErrInvalid) {
				t.Errorf("%v, want ErrInvalid", err)
			}
		})
	}
	t.Run("beside real registrations", func(t *testing.T) {
		register(t, store, "soon", "ticket")
		before := testkit.Dump(t, store)
		if err := store.FillSample(t.Context(), fewSamples, nil); !errors.Is(err, models.ErrConflict) {
			t.Errorf("%v, want ErrConflict", err)
		}
		if !slices.Equal(before, testkit.Dump(t, store)) {
			t.Error("something was made all the same")
		}
	})
}

func TestSampleDataStandsAroundTheDayOfTheClock(t *testing.T) {
	store, now := storeAndClock(t)
	fill(t, store, models.SampleSize{Posts: 400, Events: 100, Seed: 1})
	scheduled := numbers(t, store, "SELECT count(*) FROM posts WHERE publish_at > '"+now.Now().Format(time.DateOnly)+" 23'")
	if scheduled[0] != 2 {
		t.Errorf("%d posts are still to appear, want 2", scheduled[0])
	}
	coming, err := store.Events(t.Context(), models.EventFilter{Period: models.ComingEvents})
	if err != nil || len(coming) < 10 || len(coming) > 25 {
		t.Errorf("%d events come, %v", len(coming), err)
	}
}
