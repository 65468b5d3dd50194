package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/emersion/go-ical"
	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/importer"
	"github.com/cdfoundation/portal/internal/testkit"
)

// The events of an eventsWorld, whose clock stands at Thu 18 June 2020, 16:40 in UTC.
var testEvents = map[string]string{
	"hack": `title: Hack & mend
kind: hackathon
mode: hybrid
timezone: Europe/Berlin
start: 2020-06-29T09:00
end: 2020-06-30T17:00
summary: Two days, three tracks.
group: berlin
hosts: [Armory]
venue: {name: Hall, address: Street 1, city: Berlin, country: DE}
online_link: https://secret.example.org/room
online_place: Zoom
choose: several
quotas:
  - {name: room, size: 3}
  - {name: bench, size: 1}
tickets:
  - {name: Build, quotas: [room, bench]}
  - {name: Learn, quotas: [room]}
  - {name: Watch}
speakers:
  - {name: Grace Example, title: Engineer, employer: Acme}
agenda:
  - {start: "09:00", length: 30m, title: Hello, speakers: [Grace Example]}
  - {start: "10:00", length: 60m, title: Ideas, track: Build}
  - {start: "10:00", length: 90m, title: Basics, track: Learn}
  - {start: "09:00", length: 30m, title: Morning, day: 2}
`,
	"small": `title: Small evening
kind: meetup
mode: in_person
timezone: America/New_York
start: 2020-06-25T18:30
end: 2020-06-25T21:00
summary: One seat.
venue: {city: New York, country: US}
quotas:
  - {name: room, size: 1}
tickets:
  - {name: Seat, quotas: [room]}
`,
	"abend": `title: Ein Abend
kind: meetup
mode: in_person
timezone: Europe/Berlin
start: 2020-07-02T18:30
end: 2020-07-02T21:00
summary: Auf Deutsch.
language: de
text_language: de
venue: {city: Berlin, country: DE}
opens: 2020-06-25T09:00
`,
	"elsewhere": `title: Elsewhere
kind: conference
mode: online
timezone: America/Los_Angeles
start: 2020-06-24T09:00
end: 2020-06-24T23:59
precision: start
summary: On another site.
online_place: Their stage
registration: outside
registration_url: https://tickets.example.org/x
`,
	"live": `title: Live now
kind: conference
mode: online
timezone: UTC
start: 2020-06-18T16:00
end: 2020-06-18T20:00
summary: It runs.
agenda:
  - {start: "16:00", length: 30m, title: First}
  - {start: "16:30", length: 30m, title: Second}
  - {start: "17:00", length: 30m, title: Third}
`,
	"april": `title: Some days of April
kind: hackathon
mode: online
timezone: UTC
start: 2020-04-01T00:00
end: 2020-04-30T23:59
precision: month
summary: Long ago.
agenda:
  - {title: Hacking, track: One}
  - {title: Learning, track: Two}
`,
}

func newEventsWorld(t testing.TB) *deskWorld {
	t.Helper()
	w := newDeskWorld(t)
	files := fstest.MapFS{"pages/code-of-conduct.md": {Data: []byte("---\ntitle: Code\ndescription: Of conduct.\n---\n\nBe kind.\n")}}
	for slug, front := range testEvents {
		files["events/"+slug+".md"] = &fstest.MapFile{Data: []byte("---\n" + front + "---\n\nWhat happens in " + slug + ".\n")}
	}
	content, err := importer.ReadContent(files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.ImportContent(context.Background(), content, "community.example.org"); err != nil {
		t.Fatal(err)
	}
	return w
}

// register fills in the form as a person does.
func (w *deskWorld) register(slug, email string, tickets ...string) deskAnswer {
	w.t.Helper()
	fields := []string{"name", "Ada Example", "email", email, "consent", "yes", "nonce", "nonce of " + email}
	for _, ticket := range tickets {
		fields = append(fields, "tickets", ticket)
	}
	return w.post("", "/events/"+slug+"/register", fields...)
}

// structuredData is what a page tells machines.
func structuredData(answer deskAnswer) string {
	_, rest, _ := strings.Cut(string(answer.body), `<script type="application/ld+json">`)
	data, _, _ := strings.Cut(rest, "</script>")
	return data
}

func TestListsOfEventsPartWhatComesFromWhatWas(t *testing.T) {
	w := newEventsWorld(t)
	coming := w.page(w.get("", "/events"), 200)
	if got := coming.Texts(".event-row h3"); fmt.Sprint(got) != "[Live now Elsewhere Small evening Hack & mend Ein Abend]" {
		t.Errorf("coming: %q", got)
	}
	if got := coming.Texts(".section-head h2"); fmt.Sprint(got) != "[June 2020 July 2020]" {
		t.Errorf("months: %q", got)
	}
	states := fmt.Sprint(coming.Texts(".event-row .state"))
	for _, want := range []string{"Live now", "Registration on tickets.example.org", "1 seat left", "Registration open", "Opens Thu 25 June"} {
		if !strings.Contains(states, want) {
			t.Errorf("states %s lack %q", states, want)
		}
	}
	if got := coming.Attr(".event-row h3 a[lang]", "lang"); got != "de" {
		t.Errorf("the German title has lang %q", got)
	}
	if got := w.page(w.get("", "/events/past"), 200).Texts(".event-row h3"); fmt.Sprint(got) != "[Some days of April]" {
		t.Errorf("past: %q", got)
	}
	for query, want := range map[string]int{
		"kind=meetup": 2, "mode=online": 2, "country=DE": 2, "group=berlin": 1, "kind=meetup&country=DE": 1, "kind=call": 0, "country=FR": 0, "kind=": 5, "page=1": 5,
	} {
		if got := w.page(w.get("", "/events?"+query), 200).Count(".event-row"); got != want {
			t.Errorf("?%s lists %d, want %d", query, got, want)
		}
	}
	for _, query := range []string{"page=2", "page=0", "page=x", "kind=party", "mode=1", "country=Germany", "group=nowhere"} {
		if got := w.get("", "/events?"+query).StatusCode; got != 404 {
			t.Errorf("?%s: %d, want 404", query, got)
		}
	}
}

func TestAnEventPageSaysWhatWhenAndWhereButNotTheLink(t *testing.T) {
	w := newEventsWorld(t)
	answer := w.get("", "/events/hack")
	page := w.page(answer, 200)
	for selector, want := range map[string]string{
		"h1": "Hack & mend", "title": "Hack & mend, Mon 29 – Tue 30 June 2020 · CDF Community", ".date-tile .d": "29–30",
		".eyebrow": "Hackathon, Berlin and online", ".bottom-bar small": "", ".hint": "Take one or several",
	} {
		if got := page.Text(selector); !strings.HasPrefix(got, want) || want == "" && got == "" {
			t.Errorf("%s is %q, want %q", selector, got, want)
		}
	}
	facts := page.Text(".facts")
	for _, want := range []string{"Mon 29 – Tue 30 June 2020, from 09:00 CEST", "Hall: Street 1, Berlin, Germany", "And online: Zoom", "CDF Berlin and Armory"} {
		if !strings.Contains(facts, want) {
			t.Errorf("facts %q lack %q", facts, want)
		}
	}
	if got := page.Texts(".track-line"); len(got) != 3 || !strings.Contains(got[0], "1 of 1 left") || !strings.Contains(got[1], "3 of 3 left") || !strings.Contains(got[2], "Open to all") {
		t.Errorf("tickets %q", got)
	}
	if page.Count(".agenda") != 2 || page.Count(".lane-head") != 2 || page.Count(".session") != 4 || page.Text(".session small") != "Grace Example, Acme" {
		t.Errorf("agenda: %q", page.Texts(".session"))
	}
	for _, path := range []string{"/events/hack", "/events/hack.ics", "/events.ics", "/events/feed.xml", "/events/feed.json", "/events", "/events/hack/register"} {
		if strings.Contains(string(w.get("", path).body), "secret.example.org") {
			t.Errorf("%s shows the link to join", path)
		}
	}
	var data struct {
		Type     string `json:"@type"`
		Start    string `json:"startDate"`
		Mode     string `json:"eventAttendanceMode"`
		Location []any  `json:"location"`
		Offers   struct{ Availability string }
	}
	if err := json.Unmarshal([]byte(structuredData(answer)), &data); err != nil {
		t.Fatal(err)
	}
	if data.Type != "Event" || data.Start != "2020-06-29T09:00:00+02:00" || !strings.HasSuffix(data.Mode, "MixedEventAttendanceMode") ||
		len(data.Location) != 2 || !strings.HasSuffix(data.Offers.Availability, "InStock") {
		t.Errorf("structured data %+v", data)
	}
}

func TestALiveEventMarksWhatIsOnNow(t *testing.T) {
	w := newEventsWorld(t)
	marks := func() (on []string, line int, words string) {
		t.Helper()
		page := w.page(w.get("", "/events/live"), 200)
		if !page.Has(".date-tile-live") {
			t.Error("the tile does not say that it is live")
		}
		return page.Texts("time.now"), page.Count(".agenda-now + time[datetime='2020-06-18T17:00:00Z']"), page.Text(".agenda-now")
	}
	if on, line, words := marks(); len(on) != 1 || !strings.HasPrefix(on[0], "16:30") || line != 1 || words != "Now" {
		t.Errorf("at 16:40 %q is on, and %d lines say %q before 17:00", on, line, words)
	}
	for _, step := range []struct {
		later time.Duration
		on    string
	}{{20 * time.Minute, "17:00"}, {29 * time.Minute, "17:00"}, {time.Minute, ""}} {
		w.clock.Advance(step.later)
		if on, line, _ := marks(); !strings.HasPrefix(strings.Join(on, " "), step.on) || (step.on == "") != (len(on) == 0) || line != 0 {
			t.Errorf("at %s %q is on, want %q, and the line stands before 17:00 %d times", w.clock.Now().Format("15:04"), on, step.on, line)
		}
	}
}

func TestADateKnownToTheMonthIsNotMadeExact(t *testing.T) {
	w := newEventsWorld(t)
	page := w.page(w.get("", "/events/april"), 200)
	if got := page.Text(".facts dd"); got != "April 2020" {
		t.Errorf("when: %q", got)
	}
	if got := page.Text(".event-title .date-tile"); !strings.Contains(got, "Apr") || strings.Contains(got, "30") {
		t.Errorf("tile: %q", got)
	}
	if page.Has(".agenda time") || page.Count(".session") != 2 {
		t.Error("the agenda shows hours that nobody knows, or lost sessions")
	}
}

func TestARegistrationFromFormToTicketToCancellation(t *testing.T) {
	w := newEventsWorld(t)
	form := w.page(w.get("", "/events/hack/register"), 200)
	if form.Count(`input[type="checkbox"][name="tickets"]`) != 3 || form.Attr(`input[name="nonce"]`, "value") == "" {
		t.Fatal("the form lacks its fields")
	}
	path := w.leads(w.register("hack", "ada@example.org", "build", "watch"), "/registrations/")
	answer := w.get("", path)
	ticket := w.page(answer, 200)
	if got := ticket.Text("h1"); got != "You’re in, Ada" {
		t.Errorf("heading %q", got)
	}
	if got := ticket.Text(".ticket dl"); !strings.Contains(got, "Build, Watch") || !strings.Contains(got, "Ada Example") {
		t.Errorf("ticket %q", got)
	}
	if !ticket.Has(".qr svg") || !strings.Contains(string(answer.body), "https://secret.example.org/room") {
		t.Error("the ticket lacks its code or the link to join")
	}
	for header, want := range map[string]string{"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"} {
		if got := answer.Header.Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
	file := w.get("", path+"/event.ics")
	if cal, err := ical.NewDecoder(strings.NewReader(string(file.body))).Decode(); err != nil || len(cal.Events()) != 1 {
		t.Errorf("calendar file: %v\n%s", err, file.body)
	}
	again := w.register("hack", "ada@example.org", "build", "watch")
	if w.leads(again, "/registrations/") != path {
		t.Error("the same request again led elsewhere")
	}
	// Looking at it changes nothing.
	w.get("", path)
	if got := w.leads(w.post("", path+"/cancellation"), path); got != path {
		t.Errorf("after cancelling: %s", got)
	}
	gone := w.page(w.get("", path), 200)
	if gone.Has(".qr svg") || gone.Text("h1") != "Your place is given up" || !gone.Has(`a[href="/events/hack/register"]`) || strings.Contains(gone.Text("main"), "Join online") {
		t.Errorf("cancelled: %q", gone.Text("main"))
	}
	w.leads(w.post("", path+"/cancellation"), path)
	if got := w.leads(w.post("", "/events/hack/register", "name", "Ada", "email", "ada@example.org", "consent", "1", "tickets", "build", "nonce", "new"), "/registrations/"); got == path {
		t.Error("registering again opened the cancelled ticket")
	}
	for _, token := range []string{"x", path[len("/registrations/"):len(path)-1] + "!", strings.Repeat("A", 43)} {
		if got := w.get("", "/registrations/"+token).StatusCode; got != 404 {
			t.Errorf("token %q: %d", token, got)
		}
		if got := w.post("", "/registrations/"+token+"/cancellation").StatusCode; got != 404 {
			t.Errorf("cancelling %q: %d", token, got)
		}
	}
}

func TestARefusedFormKeepsWhatWasTyped(t *testing.T) {
	w := newEventsWorld(t)
	page := w.page(w.post("", "/events/hack/register", "name", `Ada "<b>`, "email", "ada@", "tickets", "learn", "nonce", "n"), http.StatusUnprocessableEntity)
	if got := page.Attr(`input[name="name"]`, "value"); got != `Ada "<b>` {
		t.Errorf("name %q", got)
	}
	if got := page.Attr(`input[name="email"]`, "value"); got != "ada@" {
		t.Errorf("email %q", got)
	}
	if !page.Has(`input[name="tickets"][value="learn"][checked]`) || page.Has(`input[name="tickets"][value="build"][checked]`) || page.Attr(`input[name="nonce"]`, "value") != "n" {
		t.Error("the choice or the nonce is lost")
	}
	for _, field := range []string{"email", "consent"} {
		if !page.Has(`.summary a[href="#`+field+`"]`) || !page.Has("#"+field) {
			t.Errorf("the summary does not lead to %s", field)
		}
	}
	if page.Count(".summary a") != 2 || !page.Has(`#email[aria-invalid="true"]`) || !page.Has("#email-error") || !page.Has("#consent-error") {
		t.Errorf("errors: %q", page.Texts(".error"))
	}
}

func TestWhoCannotRegisterIsToldWhyAndWhatNext(t *testing.T) {
	w := newEventsWorld(t)
	w.leads(w.register("small", "first@example.org"), "/registrations/")
	w.leads(w.register("hack", "b@example.org", "build"), "/registrations/")
	w.exec("UPDATE events SET status = 'cancelled' WHERE slug = 'live'")
	for _, test := range []struct {
		name    string
		answer  deskAnswer
		heading string
	}{
		{"full, form", w.get("", "/events/small/register"), "Every seat is taken"},
		{"full, sent", w.register("small", "late@example.org"), "Every seat is taken"},
		{"registered already", w.register("small", "FIRST+x@example.org"), "You are registered already"},
		{"not open yet", w.get("", "/events/abend/register"), "Registration is not open yet"},
		{"past", w.get("", "/events/april/register"), "This event is over"},
		{"past, sent", w.register("april", "a@example.org"), "This event is over"},
		{"cancelled", w.get("", "/events/live/register"), "This event is cancelled"},
		{"one ticket gone", w.register("hack", "c@example.org", "build", "learn"), "Register"},
	} {
		page := w.page(test.answer, http.StatusConflict)
		if got := page.Text("h1"); got != test.heading {
			t.Errorf("%s: %q, want %q", test.name, got, test.heading)
		}
		if strings.Contains(string(test.answer.body), "/registrations/") {
			t.Errorf("%s: the page shows somebody's link", test.name)
		}
		if !page.Has("main a[href]") {
			t.Errorf("%s: no next step", test.name)
		}
	}
	if got := w.get("", "/events/elsewhere/register"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "https://tickets.example.org/x" {
		t.Errorf("elsewhere: %d %s", got.StatusCode, got.Header.Get("Location"))
	}
	w.exec("UPDATE events SET closes_at = ? WHERE slug = 'hack'", w.store.Now())
	if got := w.page(w.get("", "/events/hack/register"), 409).Text("h1"); got != "Registration is closed" {
		t.Errorf("closed: %q", got)
	}
}

func TestEventsMoveAndHideAsTheyShould(t *testing.T) {
	w := newEventsWorld(t)
	w.exec("INSERT INTO slug_history (kind, slug, object_id, created_at) SELECT 'event', 'old', id, ? FROM events WHERE slug = 'hack'", w.store.Now())
	for _, suffix := range []string{"", ".ics", "/register"} {
		answer := w.get("", "/events/old"+suffix)
		if got := answer.Header.Get("Location"); answer.StatusCode != http.StatusMovedPermanently || got != "/events/hack"+suffix {
			t.Errorf("old%s: %d %s", suffix, answer.StatusCode, got)
		}
	}
	w.leads(w.register("old", "typed-before@example.org", "learn"), "/registrations/")
	w.exec("UPDATE events SET status = 'draft' WHERE slug = 'abend'")
	for _, path := range []string{"/events/abend", "/events/abend.ics", "/events/abend/register", "/events/nope"} {
		if got := w.get("", path).StatusCode; got != 404 {
			t.Errorf("%s: %d", path, got)
		}
	}
	for _, path := range []string{"/events", "/events.ics", "/events/feed.atom"} {
		if strings.Contains(string(w.get("", path).body), "Ein Abend") {
			t.Errorf("%s shows a draft", path)
		}
	}
	w.exec("UPDATE events SET status = 'cancelled', sequence = 1 WHERE slug = 'small'")
	w.exec("INSERT INTO event_cancellations (event_id, reason, created_at) SELECT id, 'The room burned down.', ? FROM events WHERE slug = 'small'", w.store.Now())
	answer := w.get("", "/events/small")
	page := w.page(answer, 200)
	if got := page.Text(".event-notice"); !strings.Contains(got, "cancelled") || !strings.Contains(got, "burned down") {
		t.Errorf("notice %q", got)
	}
	if !strings.Contains(structuredData(answer), "EventCancelled") || page.Has(`a[href="/events/small/register"]`) {
		t.Error("machines are not told, or people may still register")
	}
	if body := string(w.get("", "/events.ics").body); !strings.Contains(body, "STATUS:CANCELLED") {
		t.Error("the calendar lost the cancelled event")
	}
}

func TestTheCalendarHoldsWhatIsNearAndAnswers304(t *testing.T) {
	w := newEventsWorld(t)
	answer := w.get("", "/events.ics")
	cal, err := ical.NewDecoder(strings.NewReader(string(answer.body))).Decode()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range cal.Events() {
		name, _ := e.Props.Text("SUMMARY")
		names = append(names, name)
	}
	if fmt.Sprint(names) != "[Live now Elsewhere Small evening Hack & mend Ein Abend]" {
		t.Errorf("events %q: the one of April is more than 30 days past", names)
	}
	for _, header := range []string{"ETag", "Last-Modified"} {
		conditional := map[string]string{"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[header]
		for _, path := range []string{"/events.ics", "/events/hack.ics", "/events/feed.xml", "/events/feed.atom", "/events/feed.json"} {
			first := w.get("", path)
			r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
			r.Header.Set(conditional, first.Header.Get(header))
			if second := w.do(r, ""); first.StatusCode != http.StatusOK || second.StatusCode != http.StatusNotModified || len(second.body) != 0 {
				t.Errorf("%s with %s: %d then %d", path, conditional, first.StatusCode, second.StatusCode)
			}
		}
	}
	if got := answer.Header.Get("Content-Type"); got != "text/calendar; charset=utf-8" {
		t.Errorf("type %q", got)
	}
}

func TestAnEventPageAsksAsOftenForManyRowsAsForFew(t *testing.T) {
	w := newEventsWorld(t)
	var asked atomic.Int64
	for _, name := range []string{"query", "row", "raw"} {
		count := func(*gorm.DB) { asked.Add(1) }
		var err error
		switch name {
		case "query":
			err = w.db.Reader.Callback().Query().Before("gorm:query").Register("count:query", count)
		case "row":
			err = w.db.Reader.Callback().Row().Before("gorm:row").Register("count:row", count)
		case "raw":
			err = w.db.Reader.Callback().Raw().Before("gorm:raw").Register("count:raw", count)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	paths := []string{"/events", "/events/hack", "/events/hack/register", "/events.ics", "/events/feed.xml"}
	few := make(map[string]int64)
	for _, path := range paths {
		asked.Store(0)
		w.page(w.get("", path), 200)
		few[path] = asked.Load()
	}
	for i := range 300 {
		e := newTestEvent(int64(1000+i), 1, fmt.Sprintf("more-%d", i), "More", w.store.Now().Add(time.Duration(i+1)*time.Hour))
		if err := w.db.Writer.Create(e).Error; err != nil {
			t.Fatal(err)
		}
		w.exec("INSERT INTO agenda_sessions (event_id, position, title) SELECT id, ?, 'More' FROM events WHERE slug = 'hack'", 100+i)
		w.exec("INSERT INTO ticket_types (event_id, slug, name, position) SELECT id, ?, 'More', ? FROM events WHERE slug = 'hack'", fmt.Sprintf("more-%d", i), 100+i)
	}
	for _, path := range paths {
		asked.Store(0)
		w.page(w.get("", path), 200)
		if got := asked.Load(); got != few[path] || got == 0 {
			t.Errorf("%s asks %d times for many rows and %d for few", path, got, few[path])
		}
	}
}

func TestPagesOfEventsAreSoundHTML(t *testing.T) {
	w := newEventsWorld(t)
	path := w.leads(w.register("hack", "ada@example.org", "learn"), "/registrations/")
	pages := map[string][]byte{
		"422": w.post("", "/events/hack/register", "name", "", "email", "x").body,
		"409": w.register("april", "a@example.org").body,
	}
	for _, p := range []string{"/events", "/events/past", "/events?kind=call", "/events/hack", "/events/live", "/events/april", "/events/abend", "/events/elsewhere", "/events/hack/register", "/events/small/register", path} {
		pages[strings.ReplaceAll(strings.Trim(p, "/"), "/", "-")] = w.get("", p).body
	}
	w.post("", path+"/cancellation")
	pages["cancelled"] = w.get("", path).body
	testkit.CheckHTML(t, pages)
}
