package models_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/importer"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// contentFolder is a small folder with something of everything. Tests change copies of it.
var contentFolder = map[string]string{
	"cohorts/first.md": "---\ntitle: First\ndate: 2020-05-01\nsize: 13\n---\n\nWelcome.\n",
	"ambassadors/ana.md": "---\nname: Ana\ncountry: PT\nlatitude: 38.72\nlongitude: -9.14\nlanguages: [pt]\ncohort: first\n---\n\n" +
		"Ana builds.\n",
	"groups/lisbon.md": "---\nname: Lisbon\ncity: Lisbon\ncountry: PT\nlatitude: 38.72\nlongitude: -9.14\ntimezone: Europe/Lisbon\n" +
		"organisers: [ana]\nsample: true\n---\n\nWe meet.\n",
	"events/fixed.md": "---\ntitle: Fixed\nkind: meetup\nmode: in_person\ntimezone: Europe/Lisbon\nstart: 2026-12-01T18:30\nend: 2026-12-01T20:30\n" +
		"summary: A talk.\ngroup: lisbon\nambassadors: [ana]\nvenue: {name: Hall, city: Lisbon, country: PT}\n" +
		"quotas:\n  - {name: Room, size: 10, held: 2}\n  - {name: Desk, size: 5}\n" +
		"tickets:\n  - {name: Seat, quotas: [Room]}\n  - {name: Workshop, quotas: [Room, Desk]}\n" +
		"speakers:\n  - {name: Ana}\nsponsors:\n  - {name: Shop}\n" +
		"agenda:\n  - {start: \"18:30\", length: 1h, title: Talk, speakers: [Ana, Somebody]}\n---\n\nCome.\n",
	"events/soon.md": "---\ntitle: Soon\nkind: meetup\nmode: online\ntimezone: Europe/Lisbon\n" +
		"next: {in_days: 12, weekday: Wednesday, time: \"18:30\", duration: 2h30m}\nsummary: Soon.\ngroup: lisbon\ncloses_before: 24h\nsample: true\n---\n\nCome soon.\n",
	"events/call.md": "---\ntitle: Call\nkind: call\nmode: online\ntimezone: America/Los_Angeles\n" +
		"recurrence: {rule: FREQ=MONTHLY;BYDAY=3WE, time: \"08:00\", duration: 1h, count: 12}\nsummary: A call.\nregistration: none\nsample: true\n---\n\nDial in.\n",
	"posts/old.md": "---\ntitle: Old\ndate: 2020-05-09T09:00:00-07:00\ncategories: [Blog, Community]\ntags: [tekton, jenkins]\nseries: Beginnings\n" +
		"bylines:\n  - {name: Ana Sá, employer: Before, handle: ana}\n---\n\nOld words.\n",
	"posts/recent.md": "---\ntitle: New\ndate: 2020-06-09T09:00:00-07:00\ncategories: [Blog]\n" +
		"bylines:\n  - {name: Ana Sá, employer: After, ambassador: ana}\nannounces: fixed\nintroduces: ana\ngroup: lisbon\n---\n\nNew words.[^1]\n\n[^1]: Note.\n",
	"pages/about.md":            "---\ntitle: About\ndescription: Who we are.\norder: 10\n---\n\n## Us\n\nWe.\n",
	"pages/projects/jenkins.md": "---\ntitle: Jenkins\ndescription: A server.\nproject: {status: founding, website: \"https://www.jenkins.io\"}\n---\n\nIt builds.\n",
}

// load reads the folder with files replaced by name and imports it; empty text leaves a file out.
func load(t *testing.T, store *models.Store, replaced map[string]string) (models.ContentReport, error) {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range contentFolder {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, text := range replaced {
		if fsys[name] = (&fstest.MapFile{Data: []byte(text)}); text == "" {
			delete(fsys, name)
		}
	}
	content, err := importer.ReadContent(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return store.ImportContent(t.Context(), content, "portal.example.org")
}

// mustLoad loads what has to succeed.
func mustLoad(t *testing.T, store *models.Store, replaced map[string]string) models.ContentReport {
	t.Helper()
	report, err := load(t, store, replaced)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// edited is a file of the folder with words replaced.
func edited(t *testing.T, name string, oldnew ...string) map[string]string {
	t.Helper()
	text := strings.NewReplacer(oldnew...).Replace(contentFolder[name])
	if text == contentFolder[name] {
		t.Fatalf("%s does not hold %q", name, oldnew)
	}
	return map[string]string{name: text}
}

// row reads a row by its slug.
func row[T any](t *testing.T, store *models.Store, slug string) T {
	t.Helper()
	var r T
	if err := testkit.DB(t, store).Where("slug = ?", slug).Take(&r).Error; err != nil {
		t.Fatalf("%T %s: %v", r, slug, err)
	}
	return r
}

func exec(t *testing.T, store *models.Store, sql string, args ...any) {
	t.Helper()
	if err := testkit.DB(t, store).Exec(sql, args...).Error; err != nil {
		t.Fatal(err)
	}
}

func numbers(t *testing.T, store *models.Store, sql string, args ...any) (n []int64) {
	t.Helper()
	if err := testkit.DB(t, store).Raw(sql, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// register puts a person into an event behind the store's back, with one ticket, and takes the seats.
func register(t *testing.T, store *models.Store, event, ticket string) {
	t.Helper()
	exec(t, store, `INSERT INTO registrations (event_id, public_id, status, name, email, email_key, created_at)
		SELECT id, 'public', 'confirmed', 'Bo', 'bo@example.org', 'bo@example.org', created_at FROM events WHERE slug = ?`, event)
	exec(t, store, `INSERT INTO registration_tickets (registration_id, ticket_type_id)
		SELECT r.id, t.id FROM registrations r JOIN ticket_types t ON t.event_id = r.event_id WHERE t.slug = ?`, ticket)
	exec(t, store, `UPDATE quotas SET taken = taken + 1 WHERE id IN (
		SELECT l.quota_id FROM ticket_type_quotas l JOIN registration_tickets r ON r.ticket_type_id = l.ticket_type_id)`)
}

func TestASecondImportChangesNothing(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		first := mustLoad(t, store, nil)
		if len(first.Lines) != len(contentFolder) {
			t.Errorf("the first run did %q", first.Lines)
		}
		before := testkit.Dump(t, store)
		now.Advance(40 * 24 * time.Hour)
		second := mustLoad(t, store, nil)
		if second.Changed() {
			t.Errorf("the second run did %q", second.Lines)
		}
		if after := testkit.Dump(t, store); !slices.Equal(before, after) {
			t.Error("the second run changed the database")
		}
		for _, k := range second.Kinds {
			if k.Created+k.Updated > 0 || k.Unchanged == 0 {
				t.Errorf("counted %+v", k)
			}
		}
	})
}

func TestAnUnknownReferenceIsNamedWithItsLineAndNothingIsLoaded(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		before := testkit.Dump(t, store)
		replaced := edited(t, "posts/recent.md", "announces: fixed", "announces: nowhere", "introduces: ana", "introduces: nobody")
		replaced["groups/lisbon.md"] = strings.Replace(contentFolder["groups/lisbon.md"], "[ana]", "[ana, eve]", 1)
		replaced["cohorts/first.md"] = ""
		_, err := load(t, store, replaced)
		want := `ambassadors/ana.md:7: the cohort "first" is neither in the folder nor in the database
groups/lisbon.md:8: the ambassador "eve" is neither in the folder nor in the database
posts/recent.md:7: the event "nowhere" is neither in the folder nor in the database
posts/recent.md:8: the ambassador "nobody" is neither in the folder nor in the database`
		if err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
		if !errors.Is(err, models.ErrInvalid) {
			t.Error("the error is not ErrInvalid")
		}
		if !slices.Equal(before, testkit.Dump(t, store)) {
			t.Error("something was loaded all the same")
		}
	})
}

func TestAReferenceMayBeInTheDatabaseAlone(t *testing.T) {
	store := testkit.SQLite(t, testkit.Clock())
	mustLoad(t, store, nil)
	without := edited(t, "posts/recent.md", "New words", "Newer words")
	without["ambassadors/ana.md"], without["events/fixed.md"] = "", ""
	mustLoad(t, store, without)
}

func TestAFailureHalfWayLeavesNothingBehind(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		// The event fails after the ambassador was written.
		mustLoad(t, store, nil)
		register(t, store, "fixed", "seat")
		before := testkit.Dump(t, store)
		replaced := edited(t, "events/fixed.md", "size: 10", "size: 2")
		replaced["ambassadors/ana.md"] = strings.Replace(contentFolder["ambassadors/ana.md"], "builds", "ships", 1)
		_, err := load(t, store, replaced)
		if !errors.Is(err, models.ErrBelowTaken) || !strings.HasPrefix(err.Error(), "events/fixed.md: ") || !strings.Contains(err.Error(), "1 are taken and 2 held back") {
			t.Errorf("got %v, want the file, the number and ErrBelowTaken", err)
		}
		if !slices.Equal(before, testkit.Dump(t, store)) {
			t.Error("something was written all the same")
		}
	})
}

func TestEditsOfTheDeskSurviveUntilTheFileChanges(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		mustLoad(t, store, nil)
		exec(t, store, "UPDATE posts SET title = 'Edited', status = 'withdrawn' WHERE slug = 'recent'")
		exec(t, store, "UPDATE bylines SET title = 'CEO' WHERE slug = 'ana-sa'")
		now.Advance(time.Hour)
		mustLoad(t, store, nil)
		if p := row[models.Post](t, store, "recent"); p.Title != "Edited" {
			t.Errorf("the title is %q", p.Title)
		}
		report := mustLoad(t, store, edited(t, "posts/recent.md", "New words", "Newer words"))
		if !slices.Equal(report.Lines, []string{"updated posts/recent.md"}) {
			t.Errorf("did %q", report.Lines)
		}
		p := row[models.Post](t, store, "recent")
		if p.Title != "New" || !strings.HasPrefix(p.Markdown, "Newer words") || !strings.HasPrefix(p.PlainText, "Newer words") {
			t.Errorf("the file did not win: %q %q", p.Title, p.PlainText)
		}
		if p.Status != models.PostWithdrawn {
			t.Errorf("the import published again what was withdrawn: %s", p.Status)
		}
		if b := row[models.Byline](t, store, "ana-sa"); b.Title != "CEO" {
			t.Errorf("the import took %q, which no file states, from the byline", "CEO")
		}
		if p.Version != 2 || !p.UpdatedAt.Equal(now.Now()) {
			t.Errorf("version %d of %v", p.Version, p.UpdatedAt)
		}
	})
}

func TestAPostKeepsItsIdentityAndTellsWhenItsTextChanged(t *testing.T) {
	store, now := storeAndClock(t)
	mustLoad(t, store, nil)
	first := row[models.Post](t, store, "old")
	if first.ChangedAt != nil || first.Summary != "Old words." || first.Words != 2 {
		t.Errorf("a new post: changed %v, summary %q, %d words", first.ChangedAt, first.Summary, first.Words)
	}
	now.Advance(time.Hour)
	mustLoad(t, store, edited(t, "posts/old.md", "tekton, jenkins", "jenkins, tekton, gitops"))
	if p := row[models.Post](t, store, "old"); p.ChangedAt != nil {
		t.Error("other tags are no other text")
	}
	if got := names(t, store, "SELECT t.slug FROM post_tags p JOIN tags t ON t.id = p.tag_id ORDER BY p.position"); !slices.Equal(got, []string{"jenkins", "tekton", "gitops"}) {
		t.Errorf("tags %q, want those of the file in its order", got)
	}
	now.Advance(time.Hour)
	mustLoad(t, store, edited(t, "posts/old.md", "Old words", "Other words"))
	p := row[models.Post](t, store, "old")
	if p.ChangedAt == nil || !p.ChangedAt.Equal(now.Now()) {
		t.Errorf("changed at %v, want %v", p.ChangedAt, now.Now())
	}
	if p.UUID != first.UUID || p.ID != first.ID {
		t.Error("the post is another one now")
	}
	if n := numbers(t, store, "SELECT count(*) FROM revisions WHERE post_id = ?", p.ID); n[0] != 2 {
		t.Errorf("%d revisions, want one a text", n[0])
	}
	other, _ := storeAndClock(t)
	mustLoad(t, other, nil)
	if row[models.Post](t, other, "old").UUID != first.UUID {
		t.Error("the same file has another identifier in another database")
	}
}

func TestARenamedPostIsFoundByItsOldSlug(t *testing.T) {
	store, now := storeAndClock(t)
	mustLoad(t, store, nil)
	id := row[models.Post](t, store, "old").ID
	exec(t, store, "UPDATE posts SET slug = 'renamed' WHERE id = ?", id)
	exec(t, store, "INSERT INTO slug_history (kind, slug, object_id, created_at) VALUES ('post', 'old', ?, ?)", id, now.Now())
	if report := mustLoad(t, store, nil); report.Changed() {
		t.Errorf("did %q", report.Lines)
	}
	mustLoad(t, store, edited(t, "posts/old.md", "Old words", "Other words"))
	if p := row[models.Post](t, store, "renamed"); p.ID != id || p.Markdown != "Other words." {
		t.Errorf("post %d has %q", p.ID, p.Markdown)
	}
}

func TestTheNewestPostTellsWhatIsPrintedOfAnAuthor(t *testing.T) {
	store, _ := storeAndClock(t)
	mustLoad(t, store, nil)
	b := row[models.Byline](t, store, "ana-sa")
	if b.Name != "Ana Sá" || b.Employer != "After" || b.Handle != "ana" || b.AmbassadorID == nil {
		t.Errorf("got %+v", b)
	}
	mustLoad(t, store, edited(t, "posts/old.md", "employer: Before", "employer: Long before"))
	if b := row[models.Byline](t, store, "ana-sa"); b.Employer != "After" {
		t.Errorf("an older post changed the employer to %q", b.Employer)
	}
}

func TestASampleEventIsDatedOnceAndNeverMoved(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		mustLoad(t, store, nil)
		e := row[models.Event](t, store, "soon")
		// Twelve days after Saturday 21 November is a Thursday; the Wednesday after that is 9 December.
		if e.StartsLocal != "2026-12-09T18:30" || e.EndsLocal != "2026-12-09T21:00" {
			t.Errorf("from %s to %s", e.StartsLocal, e.EndsLocal)
		}
		if want := time.Date(2026, 12, 8, 18, 30, 0, 0, time.UTC); e.ClosesAt == nil || !e.ClosesAt.Equal(want) {
			t.Errorf("closes %v, want %v", e.ClosesAt, want)
		}
		now.Advance(30 * 24 * time.Hour)
		mustLoad(t, store, edited(t, "events/soon.md", "in_days: 12", "in_days: 3", "Come soon", "Come sooner", "24h", "12h", "Europe/Lisbon", "Asia/Tokyo"))
		after := row[models.Event](t, store, "soon")
		if !after.StartsAt.Equal(e.StartsAt) || after.StartsLocal != e.StartsLocal || after.EndsLocal != e.EndsLocal || after.Timezone != e.Timezone {
			t.Errorf("moved to %s %s", after.StartsLocal, after.Timezone)
		}
		if after.Markdown != "Come sooner." || after.Sequence != 0 {
			t.Errorf("text %q, sequence %d", after.Markdown, after.Sequence)
		}
		if want := e.StartsAt.Add(-12 * time.Hour); !after.ClosesAt.Equal(want) {
			t.Errorf("closes %v, want %v", after.ClosesAt, want)
		}
	})
}

func TestASeriesKeepsItsHourWhenTheClocksChange(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		mustLoad(t, store, nil)
		var all []models.Event
		if err := testkit.DB(t, store).Where("kind = 'call'").Order("starts_at").Find(&all).Error; err != nil {
			t.Fatal(err)
		}
		if len(all) != 12 || all[0].Slug != "call-2026-12" || all[11].Slug != "call-2027-11" {
			t.Fatalf("%d events", len(all))
		}
		for _, e := range all {
			start := e.StartsAt.In(e.Location())
			if start.Format("15:04") != "08:00" || start.Weekday() != time.Wednesday || start.Day() < 15 || start.Day() > 21 {
				t.Errorf("%s starts %v", e.Slug, start)
			}
		}
		if winter, summer := all[0].StartsAt.UTC().Hour(), all[7].StartsAt.UTC().Hour(); winter != 16 || summer != 15 {
			t.Errorf("in UTC at %d in winter and %d in summer, want 16 and 15", winter, summer)
		}
		now.Advance(100 * 24 * time.Hour)
		mustLoad(t, store, edited(t, "events/call.md", "Dial in", "Log in", "08:00", "09:00"))
		var after []models.Event
		if err := testkit.DB(t, store).Where("kind = 'call'").Order("starts_at").Find(&after).Error; err != nil {
			t.Fatal(err)
		}
		if len(after) != 12 {
			t.Fatalf("%d events after the file changed", len(after))
		}
		for n, e := range after {
			if e.StartsLocal != all[n].StartsLocal || e.UID != all[n].UID || e.Markdown != "Log in." {
				t.Errorf("%s: %s %q", e.Slug, e.StartsLocal, e.Markdown)
			}
		}
	})
}

func TestASeriesStartsAfterTheMomentOfLoading(t *testing.T) {
	r := models.ContentRecurrence{Rule: "FREQ=MONTHLY;BYDAY=3WE", Time: "08:00", Duration: time.Hour, Count: 1}
	for name, test := range map[string]struct{ now, want string }{
		"before the hour of such a day": {"2026-11-18T15:59:00Z", "2026-11-18T08:00"},
		"at the hour":                   {"2026-11-18T16:00:00Z", "2026-12-16T08:00"},
		"the day before in its zone":    {"2026-11-18T07:00:00Z", "2026-11-18T08:00"},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, test.now)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Starts(now, "America/Los_Angeles")
			if err != nil || !slices.Equal(got, []string{test.want}) {
				t.Errorf("got %v, %v; want %s", got, err, test.want)
			}
		})
	}
}

func TestOnlyAMaterialChangeRaisesTheSequence(t *testing.T) {
	for name, test := range map[string]struct {
		old, new string
		want     int
	}{
		"other words":  {"Come.", "Do come.", 0},
		"other title":  {"title: Fixed", "title: Repaired", 0},
		"another hour": {"T18:30", "T18:00", 1},
		"another zone": {"timezone: Europe/Lisbon", "timezone: Europe/Madrid", 1},
		"another hall": {"name: Hall", "name: Barn", 1},
		"another mode": {"mode: in_person", "mode: hybrid", 1},
	} {
		t.Run(name, func(t *testing.T) {
			store, _ := storeAndClock(t)
			mustLoad(t, store, nil)
			uid := row[models.Event](t, store, "fixed").UID
			mustLoad(t, store, edited(t, "events/fixed.md", test.old, test.new))
			e := row[models.Event](t, store, "fixed")
			if e.Sequence != test.want || e.UID != uid || !strings.HasSuffix(uid, "@portal.example.org") {
				t.Errorf("sequence %d of %s, want %d of %s", e.Sequence, e.UID, test.want, uid)
			}
		})
	}
}

func TestTicketsAreWrittenBySlugAndThoseThatPeopleHoldStay(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		mustLoad(t, store, nil)
		seat := numbers(t, store, "SELECT id FROM ticket_types WHERE slug = 'seat'")
		register(t, store, "fixed", "seat")
		mustLoad(t, store, edited(t, "events/fixed.md",
			"  - {name: Seat, quotas: [Room]}\n  - {name: Workshop, quotas: [Room, Desk]}\n", "  - {name: Stand, quotas: [Room]}\n",
			"  - {name: Desk, size: 5}\n", "", "size: 10", "size: 20"))
		if got := names(t, store, "SELECT slug FROM ticket_types WHERE event_id = (SELECT id FROM events WHERE slug = 'fixed') ORDER BY position"); !slices.Equal(got, []string{"stand", "seat"}) {
			t.Errorf("tickets %q, want the file's first, then the one that somebody holds", got)
		}
		if got := numbers(t, store, "SELECT id FROM ticket_types WHERE slug = 'seat'"); !slices.Equal(got, seat) {
			t.Error("the ticket that somebody holds is another one")
		}
		if got := numbers(t, store, "SELECT taken FROM quotas WHERE slug = 'room' AND size = 20 AND held = 2"); !slices.Equal(got, []int64{1}) {
			t.Errorf("taken %v, want 1", got)
		}
		if got := names(t, store, "SELECT slug FROM quotas"); !slices.Equal(got, []string{"room"}) {
			t.Errorf("quotas %q", got)
		}
	})
}

func TestSeatsAreCountedAnewWhenATicketDrawsOnAnotherQuota(t *testing.T) {
	store, _ := storeAndClock(t)
	mustLoad(t, store, nil)
	register(t, store, "fixed", "seat")
	mustLoad(t, store, edited(t, "events/fixed.md", "{name: Seat, quotas: [Room]}", "{name: Seat, quotas: [Room, Desk]}"))
	if got := numbers(t, store, "SELECT taken FROM quotas ORDER BY slug"); !slices.Equal(got, []int64{1, 1}) {
		t.Errorf("taken %v, want one at a desk and one in the room", got)
	}
}

func TestAnEventOfThePortalWithoutTicketsGetsOne(t *testing.T) {
	store, _ := storeAndClock(t)
	mustLoad(t, store, nil)
	got := names(t, store, "SELECT t.name FROM ticket_types t JOIN events e ON e.id = t.event_id WHERE e.slug IN ('soon', 'call-2026-12')")
	if !slices.Equal(got, []string{"Ticket"}) {
		t.Errorf("tickets %q, want one for the event with registration and none for the call", got)
	}
}

func TestOrganisersOfTheFileReplaceAmbassadorsButNotAccounts(t *testing.T) {
	store, now := storeAndClock(t)
	mustLoad(t, store, nil)
	exec(t, store, "INSERT INTO users (id, email, email_key, name, role, created_at, updated_at) VALUES (7, 'o', 'o', 'O', 'attendee', ?, ?)", now.Now(), now.Now())
	exec(t, store, "INSERT INTO group_organisers (group_id, user_id, created_at) SELECT id, 7, created_at FROM groups")
	mustLoad(t, store, edited(t, "groups/lisbon.md", "We meet", "We met"))
	if n := numbers(t, store, "SELECT count(*) FROM group_organisers"); n[0] != 2 {
		t.Errorf("%d organisers, want the ambassador and the account", n[0])
	}
}

func TestSampleDataGoesAndWhatPeopleRegisteredForStays(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		mustLoad(t, store, nil)
		exec(t, store, "UPDATE events SET group_id = NULL WHERE slug = 'fixed'")
		exec(t, store, "UPDATE posts SET group_id = NULL")
		register(t, store, "soon", "ticket")
		report, err := store.RemoveSample(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if report.Events != 12 || report.Groups != 0 || report.Posts != 0 {
			t.Errorf("removed %+v", report)
		}
		if want := []string{"event soon: people registered for it", "group lisbon: it has events or posts that stay"}; !slices.Equal(report.Kept, want) {
			t.Errorf("kept %q, want %q", report.Kept, want)
		}
		if got := names(t, store, "SELECT slug FROM events ORDER BY slug"); !slices.Equal(got, []string{"fixed", "soon"}) {
			t.Errorf("events %q", got)
		}
		if got := names(t, store, "SELECT slug FROM event_series"); len(got) != 0 {
			t.Errorf("series %q without events", got)
		}
		if got := names(t, store, "SELECT slug FROM search_documents WHERE kind = 'event' ORDER BY slug"); !slices.Equal(got, []string{"fixed", "soon"}) {
			t.Errorf("the search finds %q", got)
		}
		exec(t, store, "DELETE FROM registrations")
		if report, err = store.RemoveSample(t.Context()); err != nil || report.Events != 1 || report.Groups != 1 || len(report.Kept) != 0 {
			t.Errorf("without registrations: %+v, %v", report, err)
		}
		if got := names(t, store, "SELECT path FROM content_files WHERE path LIKE 'groups/%' OR path LIKE 'events/%'"); !slices.Equal(got, []string{"events/fixed.md"}) {
			t.Errorf("still known as loaded: %q", got)
		}
	})
}

func TestOnlyWhatSamplePostsAloneLedToGoesWithThem(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		replaced := edited(t, "posts/old.md", "series: Beginnings", "series: Beginnings\nsample: true", "  - {name: Ana Sá", "  - {name: Eve}\n  - {name: Ana Sá")
		replaced["posts/recent.md"] = strings.Replace(contentFolder["posts/recent.md"], "categories: [Blog]", "tags: [jenkins]", 1)
		mustLoad(t, store, replaced)
		exec(t, store, "INSERT INTO tags (slug, name) VALUES ('later', 'later')")
		report, err := store.RemoveSample(t.Context())
		if err != nil || report.Posts != 1 {
			t.Fatalf("%+v, %v", report, err)
		}
		if got := names(t, store, "SELECT slug FROM tags ORDER BY slug"); !slices.Equal(got, []string{"jenkins", "later"}) {
			t.Errorf("tags %q", got)
		}
		if got := names(t, store, "SELECT slug FROM bylines"); !slices.Equal(got, []string{"ana-sa"}) {
			t.Errorf("bylines %q", got)
		}
		if got := names(t, store, "SELECT slug FROM post_series"); len(got) != 0 {
			t.Errorf("series %q", got)
		}
	})
}

func TestTwoProcessesThatStartTogetherLoadOnce(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		reports := make(chan models.ContentReport, 4)
		var all sync.WaitGroup
		for range cap(reports) {
			all.Go(func() {
				report, err := load(t, store, nil)
				if err != nil {
					t.Error(err)
				}
				reports <- report
			})
		}
		all.Wait()
		close(reports)
		loaded := 0
		for report := range reports {
			if report.Changed() {
				loaded++
			}
		}
		if loaded != 1 {
			t.Errorf("%d of them loaded, want one", loaded)
		}
	})
}

func TestWhatWasRemovedComesBackWithTheNextImport(t *testing.T) {
	store, _ := storeAndClock(t)
	mustLoad(t, store, nil)
	exec(t, store, "DELETE FROM posts WHERE slug = 'old'")
	if report := mustLoad(t, store, nil); !slices.Equal(report.Lines, []string{"created posts/old.md"}) {
		t.Errorf("did %q", report.Lines)
	}
}

func storeAndClock(t *testing.T) (*models.Store, *clock.Fake) {
	t.Helper()
	now := testkit.Clock()
	return testkit.SQLite(t, now), now
}

func names(t *testing.T, store *models.Store, sql string) (s []string) {
	t.Helper()
	if err := testkit.DB(t, store).Raw(sql).Scan(&s).Error; err != nil {
		t.Fatal(err)
	}
	return s
}
