package calendar_test

import (
	"bytes"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no zones of its own
	"unicode/utf8"

	ical "github.com/emersion/go-ical"
	"github.com/google/go-cmp/cmp"

	"github.com/cdfoundation/portal/internal/calendar"
)

var update = flag.Bool("update", false, "write the golden files anew")

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func meetup(t testing.TB) calendar.Event {
	t.Helper()
	berlin := zone(t, "Europe/Berlin")
	return calendar.Event{
		UID:          "8d1c8a4e-0f5e-4c3b-9a53-2f7a4f3f2f10@portal.example",
		Sequence:     2,
		Start:        time.Date(2025, 10, 14, 18, 30, 0, 0, berlin),
		End:          time.Date(2025, 10, 14, 21, 0, 0, 0, berlin),
		Zone:         berlin,
		Summary:      "Pipelines; people, and pizza",
		Description:  "Bring a laptop.\nDoors open at 18:00 — früher geht nicht.",
		Place:        `Haus "Eins", Ufer 3\4`,
		URL:          "https://portal.example/events/pizza",
		Latitude:     new(52.5),
		Longitude:    new(13.4),
		Categories:   []string{"CI/CD", "a,b"},
		Organizer:    calendar.Person{Name: "Group: Berlin", Email: "berlin@portal.example"},
		Created:      time.Date(2025, 8, 1, 9, 0, 0, 0, time.UTC),
		LastModified: time.Date(2025, 9, 1, 9, 0, 0, 0, time.UTC),
		Stamp:        time.Date(2025, 9, 1, 9, 0, 0, 0, time.UTC),
	}
}

func invitation(t testing.TB, method string) calendar.Calendar {
	t.Helper()
	e := meetup(t)
	e.Attendee = &calendar.Person{Name: `Ada "Countess", Lovelace`, Email: "ada+ci@mail.example"}
	return calendar.Calendar{Method: method, Events: []calendar.Event{e}}
}

func TestCalendarsLookLikeTheirGoldenFiles(t *testing.T) {
	days := meetup(t)
	days.UID, days.AllDay, days.Status = "days@portal.example", true, calendar.StatusCancelled
	days.Start = time.Date(2025, 11, 3, 0, 0, 0, 0, days.Zone)
	days.End = time.Date(2025, 11, 5, 0, 0, 0, 0, days.Zone)
	online := meetup(t)
	online.UID, online.Zone, online.Latitude, online.Organizer = "online@portal.example", nil, nil, calendar.Person{}

	for name, c := range map[string]calendar.Calendar{
		"request.ics": invitation(t, calendar.MethodRequest),
		"cancel.ics":  invitation(t, calendar.MethodCancel),
		"empty.ics":   {Name: "Nothing yet"},
		"feed.ics": {
			Name: "Events", Description: "All of them", URL: "https://portal.example/events",
			RefreshInterval: time.Hour, Events: []calendar.Event{meetup(t), days, online},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.Encode()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestALocalTimeMeansTheRightInstantOnBothSidesOfAClockChange(t *testing.T) {
	for _, tt := range []struct {
		zone    string
		changes int // of the clock in 2025 and 2026
	}{
		{"Europe/Berlin", 4},
		{"Europe/Dublin", 4},
		{"America/Los_Angeles", 4},
		{"Australia/Sydney", 4},
		{"Australia/Lord_Howe", 4},
		{"America/Sao_Paulo", 0},
		{"Asia/Kolkata", 0},
	} {
		t.Run(tt.zone, func(t *testing.T) {
			loc := zone(t, tt.zone)
			starts := []time.Time{time.Date(2025, 1, 15, 18, 30, 0, 0, loc), time.Date(2025, 7, 15, 18, 30, 0, 0, loc)}
			changes := 0
			for at := time.Date(2025, 1, 1, 0, 0, 0, 0, loc); ; changes++ {
				_, next := at.ZoneBounds()
				if next.IsZero() || next.Year() > 2026 {
					break
				}
				for _, away := range []time.Duration{24 * time.Hour, 2 * time.Hour, time.Hour, 15 * time.Minute, time.Second} {
					starts = append(starts, next.Add(-away), next.Add(away))
				}
				starts = append(starts, next)
				at = next
			}
			if changes != tt.changes {
				t.Fatalf("%d clock changes, want %d: the zone data are not those the test was written for", changes, tt.changes)
			}
			for _, start := range starts {
				// Alone in its calendar, so that the zone has to reach as far as this one event needs.
				e := meetup(t)
				e.Zone, e.Start, e.End = loc, start, start.Add(90*time.Minute)
				cal := decode(t, calendar.Calendar{Events: []calendar.Event{e}})
				got := cal.Events()[0]
				for property, want := range map[string]time.Time{"DTSTART": e.Start, "DTEND": e.End} {
					if at := instant(t, cal, got.Props.Get(property)); !at.Equal(want) {
						t.Errorf("%s of %v reads %v", property, want, at.In(loc))
					}
				}
			}
		})
	}
}

// Machines differ in how far ahead their files list the changes of a zone's clock: some all to 2037, some, as what is built into
// the program, only those of the past and the rule that holds since.
func TestAZoneKnownByItsRuleIsWrittenAsOneKnownByItsChanges(t *testing.T) {
	for name, rule := range map[string]string{
		"Europe/Berlin":    "CET-1CEST,M3.5.0,M10.5.0/3",
		"Australia/Sydney": "AEST-10AEDT,M10.1.0,M4.1.0/3",
		"Asia/Kolkata":     "IST-5:30",
	} {
		// TZif, version 2 (RFC 9636): a header and data for old readers, the same again, then the rule. One type of time, no changes.
		header := append([]byte("TZif2"), make([]byte, 15+4*4)...)
		header = append(header, 0, 0, 0, 1, 0, 0, 0, 4)
		data := append(bytes.Clone(header), 0, 0, 0, 0, 0, 0, 'L', 'M', 'T', 0)
		data = append(append(data, data...), "\n"+rule+"\n"...)
		byRule, err := time.LoadLocationFromTZData(name, data)
		if err != nil {
			t.Fatal(err)
		}
		for year := 2024; year < 2030; year++ {
			var files [2]bytes.Buffer
			for i, loc := range []*time.Location{zone(t, name), byRule} {
				e := meetup(t)
				e.Zone, e.Start = loc, time.Date(year, 12, 31, 18, 0, 0, 0, loc)
				e.End = e.Start.Add(8 * time.Hour)
				body, err := calendar.Calendar{Events: []calendar.Event{e}}.Encode()
				if err != nil {
					t.Fatal(err)
				}
				files[i].Write(body)
			}
			if diff := cmp.Diff(changesIn(files[0].String(), year), changesIn(files[1].String(), year)); diff != "" {
				t.Errorf("%s, %d: by changes and by the rule (-, +):\n%s", name, year, diff)
			}
		}
	}
}

// changesIn are the changes of the clock from a year on.
func changesIn(file string, year int) []string {
	var changes []string
	_, observances, _ := strings.Cut(file, "TZID:")
	observances, _, _ = strings.Cut(observances, "END:VTIMEZONE")
	for o := range strings.SplitSeq(observances, "BEGIN:") {
		_, onset, found := strings.Cut(o, "DTSTART:")
		if found && onset[:4] >= strconv.Itoa(year) {
			changes = append(changes, o)
		}
	}
	return changes
}

func TestAZoneReachesTwoYearsPastItsLastEvent(t *testing.T) {
	first, last := meetup(t), meetup(t)
	last.Start, last.End = last.Start.AddDate(3, 0, 0), last.End.AddDate(3, 0, 0)
	cal := decode(t, calendar.Calendar{Events: []calendar.Event{last, first}})
	zones := 0
	for _, child := range cal.Children {
		if child.Name == ical.CompTimezone {
			zones++
		}
	}
	if zones != 1 {
		t.Errorf("%d VTIMEZONE, want 1", zones)
	}
	p := ical.NewProp("DTSTART")
	p.Params.Set("TZID", "Europe/Berlin")
	for local, want := range map[string]string{
		"20240110T120000": "2024-01-10T11:00:00Z",
		"20300710T120000": "2030-07-10T10:00:00Z",
	} {
		p.Value = local
		if got := instant(t, cal, p).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s reads %s, want %s", local, got, want)
		}
	}
}

func TestAnAllDayEventEndsBeforeTheDayAfterItsLast(t *testing.T) {
	sydney := zone(t, "Australia/Sydney")
	midnight := time.Date(2025, 11, 3, 0, 0, 0, 0, sydney)
	for _, tt := range []struct {
		name string
		end  time.Time
		want string
	}{
		{"without an end it lasts one day", time.Time{}, "20251104"},
		{"midnight is exclusive", midnight.AddDate(0, 0, 1), "20251104"},
		{"an evening belongs to its day", midnight.Add(41 * time.Hour), "20251105"},
		{"two days", midnight.AddDate(0, 0, 2), "20251105"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := meetup(t)
			e.AllDay, e.Zone, e.Start, e.End = true, sydney, midnight.UTC(), tt.end.UTC()
			props := decode(t, calendar.Calendar{Events: []calendar.Event{e}}).Events()[0].Props
			if got := props.Get("DTSTART"); got.Value != "20251103" || got.Params.Get("VALUE") != "DATE" {
				t.Errorf("starts %q %v", got.Value, got.Params)
			}
			if got := props.Get("DTEND").Value; got != tt.want {
				t.Errorf("ends %q, want %q", got, tt.want)
			}
			if q := query(t, calendar.GoogleURL(e)); q.Get("dates") != "20251103/"+tt.want {
				t.Errorf("Google has %q", q.Get("dates"))
			}
		})
	}
}

func TestAnInvitationNamesOrganiserAndOneAttendeeByBareAddress(t *testing.T) {
	cal := decode(t, invitation(t, calendar.MethodRequest))
	if got := cal.Props.Get("METHOD").Value; got != "REQUEST" {
		t.Errorf("method %q", got)
	}
	props := cal.Events()[0].Props
	if got := props.Get("ORGANIZER"); got.Value != "mailto:berlin@portal.example" || got.Params.Get("CN") != "Group: Berlin" {
		t.Errorf("organiser %q %v", got.Value, got.Params)
	}
	if got := props["ATTENDEE"]; len(got) != 1 || got[0].Value != "mailto:ada+ci@mail.example" ||
		got[0].Params.Get("CN") != "Ada 'Countess', Lovelace" || got[0].Params.Get("PARTSTAT") != "ACCEPTED" {
		t.Errorf("attendees %v", got)
	}
	if got := props.Get("SEQUENCE").Value; got != "2" {
		t.Errorf("sequence %q", got)
	}
	cancelled := decode(t, invitation(t, calendar.MethodCancel)).Events()[0].Props
	if got := cancelled.Get("STATUS").Value; got != "CANCELLED" {
		t.Errorf("status of a cancellation %q", got)
	}
	if cancelled.Get("UID").Value != props.Get("UID").Value {
		t.Error("the cancellation has another UID")
	}
}

func TestWhatCannotBeSaidIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		method string
		spoil  func(*calendar.Event)
	}{
		{"no UID", "", func(e *calendar.Event) { e.UID = "" }},
		{"no start", "", func(e *calendar.Event) { e.Start = time.Time{} }},
		{"no stamp", "", func(e *calendar.Event) { e.Stamp = time.Time{} }},
		{"an attendee in public", "", func(e *calendar.Event) { e.Attendee = &calendar.Person{Email: "a@b.example"} }},
		{"an attendee in public, published", "PUBLISH", func(e *calendar.Event) { e.Attendee = &calendar.Person{Email: "a@b.example"} }},
		{"a request to nobody", "REQUEST", func(*calendar.Event) {}},
		{"a request by nobody", "REQUEST", func(e *calendar.Event) {
			e.Attendee, e.Organizer = &calendar.Person{Email: "a@b.example"}, calendar.Person{}
		}},
		{"an address that is none", "REQUEST", func(e *calendar.Event) { e.Attendee = &calendar.Person{Email: "a@b.example\r\nX:y"} }},
		{"an address with a name", "", func(e *calendar.Event) { e.Organizer.Email = "A <a@b.example>" }},
		{"an unknown method", "REFRESH", func(*calendar.Event) {}},
		{"an unknown status", "", func(e *calendar.Event) { e.Status = "MAYBE" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := meetup(t)
			tt.spoil(&e)
			if got, err := (calendar.Calendar{Method: tt.method, Events: []calendar.Event{e}}).Encode(); err == nil {
				t.Errorf("written:\n%s", got)
			}
		})
	}
}

func TestLinksAgreeWithTheFile(t *testing.T) {
	e := meetup(t)
	e.Summary = "Fish & chips + CI"
	google := query(t, calendar.GoogleURL(e))
	want := map[string]string{
		"text": "Fish & chips + CI", "dates": "20251014T163000Z/20251014T190000Z", "ctz": "Europe/Berlin",
		"location": e.Place, "details": e.Description + "\n\n" + e.URL,
	}
	for key, value := range want {
		if google.Get(key) != value {
			t.Errorf("Google: %s is %q, want %q", key, google.Get(key), value)
		}
	}
	for host, link := range map[string]string{"outlook.live.com": calendar.OutlookURL(e), "outlook.office.com": calendar.OfficeURL(e)} {
		q := query(t, link)
		if q.Get("subject") != e.Summary || q.Get("startdt") != "2025-10-14T16:30:00Z" || q.Get("enddt") != "2025-10-14T19:00:00Z" || q.Get("body") != want["details"] {
			t.Errorf("%s has %v", host, q)
		}
		if !strings.HasPrefix(link, "https://"+host+"/") || strings.Contains(link, "+") {
			t.Errorf("%s: %s", host, link)
		}
	}
	e.Description = strings.Repeat("ü", 5000)
	if link := calendar.GoogleURL(e); len(link) > 6000 || !strings.Contains(query(t, link).Get("details"), e.URL) {
		t.Errorf("a long description gives a link of %d octets", len(link))
	}
}

func FuzzAnyTextStaysInItsProperty(f *testing.F) {
	f.Add("a\r\nDTSTART:20200101\nb\rc", "x;y,z\\n\\", "\xff\u2028\u0085\x00")
	f.Add(strings.Repeat("ü🎂", 60), ":;CN=\"^n", "END:VEVENT")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		e := meetup(t)
		e.Summary, e.Description, e.Place, e.UID, e.URL = a, b, c, "u"+c, b
		e.Categories = []string{a, b}
		e.Organizer.Name = c
		e.Attendee = &calendar.Person{Name: a, Email: "ada@mail.example"}
		in := calendar.Calendar{Name: a, Description: c, URL: a, Method: calendar.MethodRequest, Events: []calendar.Event{e}}
		body, err := in.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(body) {
			t.Fatalf("not UTF-8: %q", body)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(body), "\r\n"), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n") || !utf8.ValidString(line) {
				t.Fatalf("line of %d octets: %q", len(line), line)
			}
		}
		props := decode(t, in).Events()[0].Props
		for name, want := range map[string]string{"SUMMARY": a, "DESCRIPTION": b, "LOCATION": c, "UID": "u" + c} {
			got := ""
			if p := props.Get(name); p != nil {
				if got, err = p.Text(); err != nil {
					t.Fatal(err)
				}
			}
			if got != visible(want) {
				t.Errorf("%s reads %q, want %q", name, got, visible(want))
			}
		}
		categories, err := props.Get("CATEGORIES").TextList()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{visible(a), visible(b)}, categories); diff != "" {
			t.Errorf("categories (-want +got)\n%s", diff)
		}
		if got := len(props["DTSTART"]) + len(props["ATTENDEE"]) + len(props["ORGANIZER"]); got != 3 {
			t.Errorf("%d properties that should be there three times:\n%s", got, body)
		}
	})
}

// visible is what of a text a calendar can carry, said a second time in other words.
func visible(s string) string {
	var b strings.Builder
	last := rune(0)
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			continue // not UTF-8
		case strings.ContainsRune("\v\f\r\u0085\u2028\u2029", r):
			b.WriteByte('\n')
		case r == '\n' && last == '\r':
		case r >= 0x20 && (r < 0x7f || r > 0x9f) || r == '\t' || r == '\n':
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

func decode(t *testing.T, c calendar.Calendar) *ical.Calendar {
	t.Helper()
	body, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	cal, err := ical.NewDecoder(bytes.NewReader(body)).Decode()
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return cal
}

// instant reads a date-time by the calendar's own VTIMEZONE, as a program without zone data
// would: the observance that began last decides (RFC 5545, section 3.6.5). Its beginning is
// what the clock showed before it was set, so a time that comes twice means its first coming.
func instant(t *testing.T, cal *ical.Calendar, p *ical.Prop) time.Time {
	t.Helper()
	id := p.Params.Get("TZID")
	if id == "" {
		at, err := time.Parse("20060102T150405Z", p.Value)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	local := wall(t, p.Value)
	var onset time.Time
	offset, found := 0, false
	for _, tz := range cal.Children {
		if tz.Name != ical.CompTimezone || tz.Props.Get("TZID").Value != id {
			continue
		}
		for _, o := range tz.Children {
			from, to := seconds(t, o.Props.Get("TZOFFSETFROM").Value), seconds(t, o.Props.Get("TZOFFSETTO").Value)
			began := wall(t, o.Props.Get("DTSTART").Value)
			if !local.Before(began) && began.After(onset) {
				onset, offset, found = began, to, true
			}
			if from == to && !began.Equal(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("observance at %v changes nothing", began)
			}
		}
	}
	if !found {
		t.Fatalf("no observance of %s covers %s", id, p.Value)
	}
	return local.Add(-time.Duration(offset) * time.Second)
}

func wall(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("20060102T150405", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func seconds(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil || len(s) != 5 {
		t.Fatalf("offset %q", s)
	}
	return (n/100*60 + n%100) * 60
}

func query(t *testing.T, link string) url.Values {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}
