package importer_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cdfoundation/portal/content"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/importer"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

const (
	cohort = "---\ntitle: First cohort\ndate: 2020-05-01\nsize: 13\n---\n\nWelcome.\n"
	post   = "---\ntitle: One\ndate: 2020-06-09T09:00:00-07:00\ncategories: [Blog]\nbylines:\n  - name: Ana\n---\n\nWords.\n"
	event  = `---
title: Talk
kind: meetup
mode: in_person
timezone: Europe/Berlin
start: 2026-12-01T18:30
end: 2026-12-01T20:30
summary: A talk.
quotas:
  - {name: Room, size: 60, held: 40}
tickets:
  - {name: Seat, quotas: [Room]}
agenda:
  - {start: "18:30", length: 30m, title: Welcome, speakers: [Somebody else], day: 1}
---

Come.
`
)

func folder(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestWhatIsEmbeddedLoadsAndLoadsAgainWithoutAnyChange(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		c, err := importer.ReadContent(content.Files)
		if err != nil {
			t.Fatal(err)
		}
		report, err := store.ImportContent(t.Context(), c, "example.org")
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Kinds) != 6 {
			t.Errorf("loaded %v, want all six kinds", report.Kinds)
		}
		before := testkit.Dump(t, store)
		again, err := store.ImportContent(t.Context(), c, "example.org")
		if err != nil {
			t.Fatal(err)
		}
		if again.Changed() {
			t.Errorf("the second run did %q", again.Lines)
		}
		if after := testkit.Dump(t, store); strings.Join(before, "\n") != strings.Join(after, "\n") {
			t.Error("the second run changed the database")
		}
	})
}

func TestABadFileIsNamedWithItsLineAndTheReason(t *testing.T) {
	change := strings.NewReplacer
	for name, test := range map[string]struct{ path, text, want string }{
		"no front matter":           {"posts/x.md", "Words.\n", "posts/x.md:1: does not begin with front matter"},
		"front matter without end":  {"posts/x.md", "---\ntitle: x\n", "posts/x.md:1: the front matter has no end"},
		"empty front matter":        {"posts/x.md", "---\n\n---\nWords.\n", "posts/x.md:1: the front matter is empty"},
		"unknown key":               {"posts/x.md", change("categories", "category").Replace(post), `posts/x.md:4: front matter: unknown field "category"`},
		"key twice":                 {"posts/x.md", change("categories: [Blog]", "title: Two").Replace(post), "posts/x.md:4: front matter: mapping key"},
		"broken YAML":               {"posts/x.md", change("[Blog]", "[Blog").Replace(post), "posts/x.md:5: front matter: "},
		"a list for a word":         {"posts/x.md", change("title: One", "title: [One]").Replace(post), "posts/x.md:2: front matter: "},
		"a word for a number":       {"cohorts/x.md", change("13", "many").Replace(cohort), `cohorts/x.md:4: front matter: "many" is not of the kind`},
		"a date without zone":       {"posts/x.md", change("T09:00:00-07:00", "").Replace(post), "posts/x.md:3: date: "},
		"updated before the date":   {"posts/x.md", change("categories: [Blog]", "updated: 2020-06-08T09:00:00Z").Replace(post), "posts/x.md:4: updated: "},
		"no byline":                 {"posts/x.md", change("bylines:\n  - name: Ana\n", "").Replace(post), "posts/x.md:1: bylines: is required"},
		"byline without name":       {"posts/x.md", change("name: Ana", "title: CEO").Replace(post), "posts/x.md:6: bylines[0].name: "},
		"a tag twice":               {"posts/x.md", change("categories: [Blog]", "tags: [CI, ci]").Replace(post), "posts/x.md:4: tags[1]: "},
		"a licence of words":        {"posts/x.md", change("categories: [Blog]", "licence: all mine").Replace(post), "posts/x.md:4: licence: "},
		"a reserved name":           {"events/past.md", event, `events/past.md:1: the file's name: "past" is the address of another page`},
		"a misspelt name":           {"posts/Two Words.md", post, "posts/Two Words.md:1: the file's name: "},
		"a folder in a folder":      {"posts/2020/x.md", post, "posts/2020/x.md:1: the file's name: "},
		"a folder of no kind":       {"post/x.md", post, "post/x.md:1: is in none of the folders"},
		"a page over another":       {"pages/blog/x.md", "---\ntitle: x\ndescription: x\n---\n", `pages/blog/x.md:1: the page's address: "blog" is the address`},
		"a project elsewhere":       {"pages/x.md", "---\ntitle: x\ndescription: x\nproject: {status: founding, website: \"https://example.org\"}\n---\n", "pages/x.md:4: project: "},
		"an unknown zone":           {"events/x.md", change("Europe/Berlin", "Europe/Bärlin").Replace(event), "events/x.md:5: timezone: "},
		"an end before the start":   {"events/x.md", change("12-01T20:30", "11-01T20:30").Replace(event), "events/x.md:7: end: "},
		"an impossible day":         {"events/x.md", change("12-01T18:30", "02-30T18:30").Replace(event), "events/x.md:6: start: "},
		"an unknown kind":           {"events/x.md", change("meetup", "party").Replace(event), `events/x.md:3: kind: "party" is none of meetup, conference, hackathon, call`},
		"two ways to be dated":      {"events/x.md", change("summary", "next: {in_days: 1, time: \"08:00\", duration: 1h}\nsummary").Replace(event), "events/x.md:6: start: one of these"},
		"more held than there are":  {"events/x.md", change("held: 40", "held: 61").Replace(event), "events/x.md:10: quotas[0].held: "},
		"a ticket on no quota":      {"events/x.md", change("quotas: [Room]", "quotas: [Hall]").Replace(event), `events/x.md:12: tickets[0].quotas[0]: "Hall" is none`},
		"an agenda without an hour": {"events/x.md", change(`"18:30"`, `"6 pm"`).Replace(event), "events/x.md:14: agenda[0].start: "},
		"a country in words":        {"events/x.md", change("quotas:\n", "venue: {country: Germany}\nquotas:\n").Replace(event), "events/x.md:9: venue.country: "},
		"a weekly series": {
			"events/x.md", change("start: 2026-12-01T18:30\nend: 2026-12-01T20:30", "recurrence: {rule: FREQ=WEEKLY, time: \"08:00\", duration: 1h, count: 3}").Replace(event),
			"events/x.md:6: recurrence.rule: invalid: rule: monthly at most often",
		},
		"two in a month": {
			"events/x.md", change("start: 2026-12-01T18:30\nend: 2026-12-01T20:30", "recurrence: {rule: \"FREQ=MONTHLY;BYDAY=1WE,3WE\", time: \"08:00\", duration: 1h, count: 3}").Replace(event),
			"events/x.md:6: recurrence.rule: invalid: rule: monthly at most often",
		},
		"half a place": {"groups/x.md", "---\nname: x\ncity: x\ncountry: DE\nlatitude: 5\ntimezone: UTC\n---\n", "groups/x.md:5: latitude: latitude and longitude: both or none"},
		"off the globe": {
			"groups/x.md", "---\nname: x\ncity: x\ncountry: DE\nlatitude: 5\nlongitude: 181\ntimezone: UTC\n---\n", "groups/x.md:6: longitude: 181 is not between",
		},
		"a text too complex": {"posts/x.md", post + strings.Repeat("> ", 200) + "deep\n", "posts/x.md:1: the text: this text is too complex"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := importer.ReadContent(folder(map[string]string{test.path: test.text}))
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestAllMistakesAreToldAtOnceInTheOrderOfFilesAndLines(t *testing.T) {
	_, err := importer.ReadContent(folder(map[string]string{
		"posts/b.md":   strings.Replace(post, "title: One", "title: \"\"", 1),
		"events/a.md":  strings.NewReplacer("meetup", "party", "in_person", "nowhere").Replace(event),
		"cohorts/c.md": cohort,
	}))
	want := "events/a.md:3: kind: \"party\" is none of meetup, conference, hackathon, call\n" +
		"events/a.md:4: mode: \"nowhere\" is none of in_person, online, hybrid\n" +
		"posts/b.md:2: title: is required"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestLineEndsAndAByteOrderMarkAreNoChange(t *testing.T) {
	plain, err := importer.ReadContent(folder(map[string]string{"posts/x.md": post}))
	if err != nil {
		t.Fatal(err)
	}
	windows, err := importer.ReadContent(folder(map[string]string{"posts/x.md": "\xef\xbb\xbf" + strings.ReplaceAll(post, "\n", "\r\n")}))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := plain.Posts[0], windows.Posts[0]; a.Checksum != b.Checksum || b.Markdown != "Words." {
		t.Errorf("%q with sum %s, want %q with %s", b.Markdown, b.Checksum, a.Markdown, a.Checksum)
	}
}

func TestExplanationsAndOtherFilesAreNotLoaded(t *testing.T) {
	c, err := importer.ReadContent(folder(map[string]string{
		"README.md": "# Format", "posts/README.md": "# Posts", "posts/picture.png": "x", ".git/x.md": "x", "posts/x.md": post,
	}))
	if err != nil || len(c.Posts) != 1 {
		t.Errorf("%d posts, %v", len(c.Posts), err)
	}
}

func TestWhatIsNotKnownOfAnEventStaysUnknown(t *testing.T) {
	text := strings.NewReplacer(
		"summary:", "precision: start\ntext_language: de\nsummary:", `start: "18:30", length: 30m, `, "", ", day: 1", "",
	).Replace(event)
	c, err := importer.ReadContent(folder(map[string]string{"events/x.md": text}))
	if err != nil {
		t.Fatal(err)
	}
	e := c.Events[0]
	if e.Event.DatePrecision != models.PrecisionStart || e.Event.Language != "en" || e.Event.TextLanguage != "de" {
		t.Errorf("precision %s, spoken %s, written %s", e.Event.DatePrecision, e.Event.Language, e.Event.TextLanguage)
	}
	if a := e.Agenda[0]; a.Starts != "" || a.Minutes != 0 || a.Day != 1 {
		t.Errorf("the session starts %q for %d minutes on day %d", a.Starts, a.Minutes, a.Day)
	}
}

func TestATimeThatTheClocksSkipIsMovedForward(t *testing.T) {
	text := strings.NewReplacer("2026-12-01T18:30", "2027-03-28T02:30", "2026-12-01T20:30", "2027-03-28T05:00").Replace(event)
	c, err := importer.ReadContent(folder(map[string]string{"events/x.md": text}))
	if err != nil {
		t.Fatal(err)
	}
	if e := c.Events[0].Event; e.StartsLocal != "2027-03-28T03:30" || e.StartsAt.Hour() != 1 || e.EndsLocal != "2027-03-28T05:00" {
		t.Errorf("from %s (%v) to %s", e.StartsLocal, e.StartsAt, e.EndsLocal)
	}
}

func TestAFolderWithoutContentIsNotTakenForSuccess(t *testing.T) {
	if _, err := importer.ReadContent(folder(map[string]string{"README.md": "x"})); err == nil {
		t.Error("no error")
	}
}

func FuzzReadContentNeverPanics(f *testing.F) {
	f.Add(post)
	f.Add(event)
	f.Add(cohort)
	f.Fuzz(func(_ *testing.T, text string) {
		for _, kind := range []string{"posts", "events", "groups", "pages"} {
			// Whatever it says, it must say it by returning.
			_, _ = importer.ReadContent(folder(map[string]string{kind + "/x.md": text}))
		}
	})
}
