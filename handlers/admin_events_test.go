package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// eventFields is what the form of an event of Berlin sends, with these pairs over it.
func eventFields(pairs ...string) []string {
	return with([]string{
		"title", "Pipelines as a product", "kind", "meetup", "group", "1", "language", "en", "text_language", "en", "body", "We **meet**.",
		"timezone", "Europe/Berlin", "starts", "2020-07-14T18:30", "ends", "2020-07-14T21:00", "precision", "minute", "mode", "in_person",
		"venue_city", "Berlin", "venue_country", "DE", "registration", "portal", "choose", "one",
		"quota-0-name", "Room", "quota-0-size", "20", "ticket-0-name", "Seat", "ticket-0-quotas", "0",
	}, pairs...)
}

// event is an event of Berlin, made by its organiser and published.
func (w *deskWorld) event() (path string) {
	w.t.Helper()
	path = w.leads(w.post("olu", "/admin/events", eventFields()...), "/admin/events/")
	w.leads(w.post("olu", path+"/publication"), path)
	return path
}

// fieldsOf are the fields of the editor's form as a browser would send them.
func fieldsOf(doc *testkit.Doc) []string {
	var fields []string
	for _, input := range doc.All(`#event-form input:not([type="checkbox"]), #event-form input[checked], #event-form textarea, #event-form select`) {
		name, value := input.Attr(":scope", "name"), input.Attr(":scope", "value")
		switch {
		case name == "":
			continue
		case input.Has("option"):
			value = input.Attr("option[selected]", "value")
		case value == "":
			value = input.Text(":scope")
		}
		fields = append(fields, name, value)
	}
	return fields
}

// with puts other values into fields.
func with(fields []string, pairs ...string) []string {
	out := append([]string{}, fields...)
	for i := 0; i < len(pairs); i += 2 {
		found := false
		for j := 0; j < len(out); j += 2 {
			if out[j] == pairs[i] {
				out[j+1], found = pairs[i+1], true
			}
		}
		if !found {
			out = append(out, pairs[i], pairs[i+1])
		}
	}
	return out
}

func (w *deskWorld) attend(slug, name, email string) {
	w.t.Helper()
	if _, err := w.store.Register(w.t.Context(), slug, models.RegisterInput{Name: name, Email: email, Consent: true}); err != nil {
		w.t.Fatal(err)
	}
}

func TestAnOrganiserTakesAnEventFromDraftToCancelled(t *testing.T) {
	w := newDeskWorld(t)
	page := w.page(w.get("olu", "/admin/events/new"), http.StatusOK)
	if got := page.Attr("#timezone", "value"); got != "Europe/Berlin" {
		t.Errorf("zone %q, want the group's", got)
	}
	w.exec("UPDATE users SET timezone = 'Asia/Tokyo' WHERE email = 'sam@example.org'")
	if got := w.page(w.get("sam", "/admin/events/new"), http.StatusOK).Attr("#timezone", "value"); got != "Asia/Tokyo" {
		t.Errorf("zone %q without a group, want that of who writes", got)
	}
	path := w.leads(w.post("olu", "/admin/events", eventFields()...), "/admin/events/")
	if a := w.get("", "/events/pipelines-as-a-product"); a.StatusCode != http.StatusNotFound {
		t.Errorf("a visitor sees the draft: %d", a.StatusCode)
	}
	preview := w.get("olu", path+"/preview")
	if doc := w.page(preview, http.StatusOK); doc.Text("h1") != "Pipelines as a product" || preview.Header.Get("Cache-Control") != "no-store" || !strings.Contains(preview.Header.Get("X-Robots-Tag"), "noindex") {
		t.Errorf("preview %q, %v", doc.Text("h1"), preview.Header)
	}
	if words := w.page(w.get("olu", path+"/publication"), http.StatusOK).Text(".confirm"); !strings.Contains(words, "No mail is sent") || !strings.Contains(words, "18:30 to 21:00 CEST") {
		t.Errorf("before publishing it says %q", words)
	}
	w.leads(w.post("olu", path+"/publication"), path)
	w.page(w.get("", "/events/pipelines-as-a-product"), http.StatusOK)
	if list := w.page(w.get("olu", "/admin/events"), http.StatusOK); list.Text(".seats .cap") != "0 of 20" || list.Count("tbody tr") != 1 {
		t.Errorf("list: %q", list.Texts("tbody tr"))
	}
	w.attend("pipelines-as-a-product", "Ada Example", "ada@example.net")
	w.attend("pipelines-as-a-product", "Ben Example", "ben@example.net")
	editor := w.page(w.get("olu", path), http.StatusOK)
	if !strings.Contains(editor.Text(".submit"), "mailed to the 2 people registered") {
		t.Errorf("beside Save it says %q", editor.Text(".submit"))
	}
	w.leads(w.post("olu", path, with(fieldsOf(editor), "starts", "2020-07-14T19:00")...), path)
	w.leads(w.post("olu", path, with(fieldsOf(w.page(w.get("olu", path), http.StatusOK)), "summary", "How teams do it")...), path)
	var changed int
	if w.scan(&changed, "SELECT count(*) FROM mails WHERE kind = 'event_changed'"); changed != 2 {
		t.Errorf("%d mails tell of the change, want 2", changed)
	}
	if words := w.page(w.get("olu", path+"/cancellation"), http.StatusOK).Text(".confirm"); !strings.Contains(words, "A mail goes to 2 people") {
		t.Errorf("before cancelling it says %q", words)
	}
	refused := w.page(w.post("olu", path+"/cancellation", "reason", " "), http.StatusUnprocessableEntity)
	if !refused.Has(`.summary a[href="#reason"]`) || !refused.Has("#reason[aria-invalid]") {
		t.Error("a missing reason is not asked for")
	}
	w.leads(w.post("olu", path+"/cancellation", "reason", "The room is flooded"), path)
	if doc := w.page(w.get("", "/events/pipelines-as-a-product"), http.StatusOK); !strings.Contains(doc.Text("main"), "The room is flooded") {
		t.Error("the page does not say why")
	}
	for _, step := range []string{"/publication", "/cancellation"} {
		w.page(w.post("olu", path+step, "reason", "Again"), http.StatusConflict)
	}
}

func TestWhatWasTypedIsKeptWhenAnEventIsRefused(t *testing.T) {
	w := newDeskWorld(t)
	doc := w.page(w.post("olu", "/admin/events", with(eventFields(), "title", "", "ends", "2020-07-14T17:00", "quota-0-size", "many",
		"agenda-0-title", "Doors", "agenda-0-starts", "18:30", "speaker-0-bio", "Builds pipelines", "venue_name", `c-base "Raum" <2>`)...), http.StatusUnprocessableEntity)
	if got := doc.Attr("#quota-0-size", "value"); got != "many" || !doc.Has(`.summary a[href="#quota-0-size"]`) || !doc.Has("#quota-0-size-error") {
		t.Errorf("seats %q, summary %q", got, doc.Texts(".summary li"))
	}
	doc = w.page(w.post("olu", "/admin/events", with(eventFields(), "title", "", "ends", "2020-07-14T17:00",
		"agenda-0-title", "Doors", "agenda-0-starts", "18:30", "speaker-0-bio", "Builds pipelines", "venue_name", `c-base "Raum" <2>`)...), http.StatusUnprocessableEntity)
	for _, field := range []string{"title", "ends", "speaker-0-name"} {
		if !doc.Has(`.summary a[href="#`+field+`"]`) || !doc.Has("#"+field+"[aria-invalid][aria-describedby]") || !doc.Has("#"+field+"-error") {
			t.Errorf("nothing is said at %s", field)
		}
	}
	for field, want := range map[string]string{
		"ends": "2020-07-14T17:00", "quota-0-size": "20", "agenda-0-title": "Doors", "agenda-0-starts": "18:30", "venue_name": `c-base "Raum" <2>`,
	} {
		if got := doc.Attr("#"+field, "value"); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if !doc.Has(`input[name="ticket-0-quotas"][checked]`) || doc.Text("#speaker-0-bio") != "Builds pipelines" || doc.Attr("#venue_country option[selected]", "value") != "DE" {
		t.Error("boxes, choices or texts are gone")
	}
}

func TestAButtonAddsARowWithoutScriptsAndSavesNothing(t *testing.T) {
	w := newDeskWorld(t)
	path := w.event()
	form := fieldsOf(w.page(w.get("olu", path), http.StatusOK))
	doc := w.page(w.post("olu", path, with(form, "title", "Half written", "add", "agenda")...), http.StatusOK)
	if !doc.Has("#agenda-0-title") || doc.Attr("#title", "value") != "Half written" {
		t.Error("no row was added, or what was typed is gone")
	}
	doc = w.page(w.post("olu", path, with(fieldsOf(doc), "agenda-0-title", "Doors", "add", "agenda")...), http.StatusOK)
	if !doc.Has("#agenda-1-title") || doc.Attr("#agenda-0-title", "value") != "Doors" {
		t.Error("no second row")
	}
	var titles []string
	if w.scan(&titles, "SELECT title FROM events"); titles[0] != "Pipelines as a product" {
		t.Errorf("something was saved: %q", titles)
	}
	w.leads(w.post("olu", path, fieldsOf(doc)...), path)
	if doc = w.page(w.get("olu", path), http.StatusOK); doc.Count(`[id^="agenda-"][id$="-title"]`) != 1 {
		t.Error("the empty row was saved")
	}
	w.leads(w.post("olu", path, with(fieldsOf(doc), "agenda-0-remove", "yes")...), path)
	if doc = w.page(w.get("olu", path), http.StatusOK); doc.Has("#agenda-0-title") {
		t.Error("the row is still there")
	}
	if first := doc.All("button[form=event-form], #event-form button")[0]; first.Attr(":scope", "name") != "" {
		t.Error("Enter in a field would add a row instead of saving")
	}
}

func TestAnEditThatSomebodyOvertookShowsBothVersions(t *testing.T) {
	w := newDeskWorld(t)
	path := w.event()
	mine := fieldsOf(w.page(w.get("olu", path), http.StatusOK))
	w.leads(w.post("sam", path, with(mine, "venue_name", "Betahaus")...), path)
	doc := w.page(w.post("olu", path, with(mine, "title", "Mine")...), http.StatusConflict)
	if doc.Attr("#title", "value") != "Mine" {
		t.Errorf("title %q is not what was typed", doc.Attr("#title", "value"))
	}
	rows := strings.Join(doc.Texts(".stale tbody tr"), "|")
	if !strings.Contains(rows, "TitleMinePipelines as a product") || !strings.Contains(rows, "VenueBetahaus") || doc.Count(".stale tbody tr") != 2 {
		t.Errorf("beside each other: %q", rows)
	}
	w.leads(w.post("olu", path, fieldsOf(doc)...), path)
	if got := w.page(w.get("olu", path), http.StatusOK).Attr("#title", "value"); got != "Mine" {
		t.Errorf("title %q after saving again", got)
	}
}

func TestFewerSeatsThanAreTakenAreRefusedWithTheNumber(t *testing.T) {
	w := newDeskWorld(t)
	path := w.event()
	w.attend("pipelines-as-a-product", "Ada Example", "ada@example.net")
	w.attend("pipelines-as-a-product", "Ben Example", "ben@example.net")
	form := fieldsOf(w.page(w.get("olu", path), http.StatusOK))
	doc := w.page(w.post("olu", path, with(form, "quota-0-size", "1")...), http.StatusConflict)
	if got := doc.Text("#quota-0-size-error"); !strings.Contains(got, "at least 2") || doc.Attr("#quota-0-size", "value") != "1" {
		t.Errorf("it says %q", got)
	}
	doc = w.page(w.post("olu", path, with(form, "ticket-0-remove", "yes")...), http.StatusConflict)
	if got := doc.Text(".summary"); !strings.Contains(got, "stands on 2 registrations") || doc.Attr("#ticket-0-name", "value") != "Seat" {
		t.Errorf("a held ticket: %q", got)
	}
}

func TestTheEditorSaysWhatAChangeOfClocksDoes(t *testing.T) {
	w := newDeskWorld(t)
	a := w.post("olu", "/admin/events", with(eventFields(), "starts", "2021-03-28T02:30", "ends", "2021-03-28T06:00")...)
	path := w.leads(a, "/admin/events/")
	if got := w.cookie(a, "flash"); got != "event-skipped" {
		t.Errorf("flash %q", got)
	}
	if got := w.page(w.get("olu", path), http.StatusOK).Attr("#starts", "value"); got != "2021-03-28T03:30" {
		t.Errorf("starts %q", got)
	}
	path = w.leads(w.post("olu", "/admin/events", with(eventFields(), "starts", "2021-10-31T02:30", "ends", "2021-10-31T06:00")...), "/admin/events/")
	if got := w.page(w.get("olu", path), http.StatusOK).Text("#starts-hint"); !strings.Contains(got, "comes twice") {
		t.Errorf("hint %q", got)
	}
}

func TestACopyOfAnEventIsANewOneWithItsTickets(t *testing.T) {
	w := newDeskWorld(t)
	path := w.event()
	doc := w.page(w.get("olu", w.page(w.get("olu", path), http.StatusOK).Attr(`a[href*="from="]`, "href")), http.StatusOK)
	if doc.Attr("#title", "value") != "Pipelines as a product" || doc.Attr("#starts", "value") != "" || doc.Has(`input[name="quota-0-id"]`) || doc.Attr("#event-form", "action") != "/admin/events" {
		t.Error("not a form of a new event like it")
	}
	other := w.leads(w.post("olu", "/admin/events", with(fieldsOf(doc), "starts", "2020-08-14T18:30", "ends", "2020-08-14T21:00")...), "/admin/events/")
	if other == path {
		t.Error("the event itself was written over")
	}
}

func TestAttendeesAreListedSearchedAndTakenOff(t *testing.T) {
	w := newDeskWorld(t)
	path := w.event()
	if doc := w.page(w.get("olu", path+"/attendees"), http.StatusOK); !strings.Contains(doc.Text("main"), "Nobody yet") {
		t.Errorf("of nobody it says %q", doc.Text("main"))
	}
	w.attend("pipelines-as-a-product", "Ada Example", "ada@example.net")
	w.attend("pipelines-as-a-product", "阿里 样本", "ali@example.cn")
	doc := w.page(w.get("olu", path+"/attendees"), http.StatusOK)
	if doc.Count("tbody tr") != 2 || !strings.Contains(doc.Text(".nums"), "2confirmed") && !strings.Contains(doc.Text(".nums"), "2 confirmed") {
		t.Errorf("list %q, numbers %q", doc.Texts("tbody tr"), doc.Text(".nums"))
	}
	doc = w.page(w.get("olu", path+"/attendees?q=example.cn"), http.StatusOK)
	if doc.Count("tbody tr") != 1 || doc.Attr("input[type=search]", "value") != "example.cn" {
		t.Errorf("found %q", doc.Texts("tbody tr"))
	}
	ask := doc.Attr("tbody a", "href")
	if words := w.page(w.get("olu", ask), http.StatusOK).Text(".confirm"); !strings.Contains(words, "One mail goes to ali@example.cn") {
		t.Errorf("before cancelling it says %q", words)
	}
	w.leads(w.post("olu", ask), path+"/attendees")
	if doc = w.page(w.get("olu", path+"/attendees?show=.cancelled"), http.StatusOK); doc.Count("tbody tr") != 1 || doc.Has("tbody a") {
		t.Errorf("cancelled: %q", doc.Texts("tbody tr"))
	}
	w.page(w.get("olu", path+"/attendees?show=nonsense"), http.StatusNotFound)
	w.page(w.get("olu", path+"/attendees?page=2"), http.StatusNotFound)
}

func TestTheTableOfAttendeesIsHarmlessToSpreadsheets(t *testing.T) {
	w := newDeskWorld(t)
	path := w.event()
	for i, name := range []string{"Ada Example", `=HYPERLINK("http://x")`, "+49 Ben", "-Cy", "@Dee", "阿里, 样本", `Eve;=1+1`, `Fay; "=1+1`, "＝1+1", "Gil -1; x"} {
		w.attend("pipelines-as-a-product", name, string(rune('a'+i))+"@example.net")
	}
	w.exec("UPDATE registrations SET public_id = substr('AAAABBBBCCCCDDDD', 1, 15) || id, name = CASE name WHEN 'Ada Example' THEN char(9) || 'Ada' WHEN '-Cy' THEN char(13) || 'Cy' ELSE name END")
	w.exec("UPDATE registrations SET status = 'cancelled', cancelled_at = '2020-06-18 17:00:00' WHERE email = 'f@example.net'")
	a := w.get("olu", path+"/attendees.csv")
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Disposition") != `attachment; filename="pipelines-as-a-product-attendees.csv"` ||
		!strings.HasPrefix(a.Header.Get("Content-Type"), "text/csv; charset=utf-8") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %v", a.StatusCode, a.Header)
	}
	testkit.Golden(t, "attendees.csv", a.body)
	var logged int
	if w.scan(&logged, "SELECT count(*) FROM audit_entries WHERE action = 'attendees.export' AND user_id = ?", w.viewers["olu"].UserID); logged != 1 {
		t.Errorf("%d entries in the audit log", logged)
	}
}

// state is what must stay as it is when everything is refused.
func (w *deskWorld) state() (state string) {
	w.t.Helper()
	w.scan(&state, `SELECT (SELECT group_concat(id || status || version || title) FROM events) || (SELECT group_concat(id || status) FROM registrations)
		|| (SELECT count(*) FROM mails) || ' ' || (SELECT count(*) FROM audit_entries) || (SELECT group_concat(name || version) FROM groups)`)
	return state
}

func TestEventsOfOtherGroupsDoNotExistForAnOrganiser(t *testing.T) {
	w := newDeskWorld(t)
	path := w.event()
	w.attend("pipelines-as-a-product", "Ada Example", "ada@example.net")
	// Bob runs another group.
	w.exec(`INSERT INTO groups (id, slug, status, name, city, country, latitude, longitude, timezone, created_at, updated_at)
		SELECT 2, 'lagos', status, 'CDF Lagos', 'Lagos', 'NG', 6.5, 3.4, 'Africa/Lagos', created_at, updated_at FROM groups WHERE id = 1`)
	w.exec("INSERT INTO group_organisers (group_id, user_id, created_at) VALUES (2, ?, ?)", w.viewers["bob"].UserID, w.store.Now())
	before := w.state()
	for _, person := range []string{"bob", "ben"} {
		for _, rest := range []string{"", "/preview", "/publication", "/cancellation", "/attendees", "/attendees.csv", "/attendees/1/cancellation"} {
			w.page(w.get(person, path+rest), http.StatusNotFound)
		}
		for _, rest := range []string{"", "/publication", "/cancellation", "/attendees/1/cancellation"} {
			w.page(w.post(person, path+rest, eventFields("reason", "No", "version", "2")...), http.StatusNotFound)
		}
		w.page(w.post(person, "/admin/events", eventFields()...), http.StatusNotFound)
		w.page(w.get(person, "/admin/groups/1"), http.StatusNotFound)
		w.page(w.post(person, "/admin/groups/1", "name", "X"), http.StatusNotFound)
	}
	for _, rest := range []string{"", "/attendees", "/attendees.csv"} {
		w.leads(w.get("", path+rest), "/login")
		w.page(w.get("ana", path+rest), http.StatusNotFound)
	}
	if doc := w.page(w.get("bob", "/admin/events"), http.StatusOK); doc.Has("tbody tr") || !doc.Has(`a[href="/admin/events/new"]`) {
		t.Errorf("Bob sees %q", doc.Texts("tbody tr"))
	}
	if doc := w.page(w.get("ben", "/admin/events"), http.StatusOK); doc.Has(`a[href="/admin/events/new"]`) {
		t.Error("Ben, who runs no group, is led to a form that is not for him")
	}
	if after := w.state(); after != before {
		t.Error("something changed all the same")
	}
}

// groupForm is what the form of a group sends.
var groupForm = []string{
	"name", "CD Zürich", "city", "Zürich", "country", "CH", "latitude", "47.37", "longitude", "8.54", "timezone", "Europe/Zurich", "language", "de",
	"topics", "Tekton, Jenkins", "body", "Wir treffen uns.",
}

func TestStaffMakesAGroupAndNamesItsOrganisers(t *testing.T) {
	w := newDeskWorld(t)
	fields := groupForm
	doc := w.page(w.post("sam", "/admin/groups", with(fields, "latitude", "north")...), http.StatusUnprocessableEntity)
	if !doc.Has(`.summary a[href="#latitude"]`) || doc.Attr("#latitude", "value") != "north" || doc.Text("#body") != "Wir treffen uns." {
		t.Error("a wrong coordinate is not said, or what was typed is gone")
	}
	path := w.leads(w.post("sam", "/admin/groups", fields...), "/admin/groups/")
	w.page(w.get("", "/groups/cd-zurich"), http.StatusOK)
	doc = w.page(w.post("sam", path+"/organisers", "organiser", "nobody@example.org"), http.StatusUnprocessableEntity)
	if !doc.Has("#organiser-error") || doc.Attr("#organiser", "value") != "nobody@example.org" {
		t.Error("an unknown address is not said")
	}
	w.leads(w.post("sam", path+"/organisers", "organiser", "BOB@example.org"), path)
	if doc = w.page(w.get("bob", path), http.StatusOK); doc.Has(".organiser-list form") || !strings.Contains(doc.Text(".organiser-list"), "Bob Example") {
		t.Error("Bob cannot edit his group, or can remove its organisers")
	}
	w.page(w.post("bob", path+"/organisers", "organiser", "ben@example.org"), http.StatusNotFound)
	w.page(w.post("bob", path+"/status", "status", "delisted"), http.StatusNotFound)
	w.page(w.get("bob", "/admin/groups/new"), http.StatusNotFound)
	stale := with(fields, "version", "7", "name", "Mine")
	if doc = w.page(w.post("bob", path, stale...), http.StatusConflict); doc.Attr("#name", "value") != "Mine" || !strings.Contains(doc.Text(".stale"), "CD Zürich") {
		t.Error("an overtaken edit is not shown beside the other")
	}
	w.leads(w.post("sam", path+"/status", "status", "delisted"), path)
	w.page(w.get("", "/groups/cd-zurich"), http.StatusGone)
	w.leads(w.post("sam", doc.Attr("#group-form", "action")+"/organisers/2/removal"), path)
	w.page(w.get("bob", path), http.StatusNotFound)
}

func TestPagesOfEventsAndGroupsInTheDeskAreWellFormed(t *testing.T) {
	w := newDeskWorld(t)
	path := w.event()
	w.attend("pipelines-as-a-product", "Ada Example", "ada@example.net")
	pages := map[string][]byte{}
	for _, page := range []string{
		"/admin/events", "/admin/events?view=drafts", "/admin/events/new", path, path + "/cancellation", path + "/attendees", path + "/attendees/1/cancellation",
		"/admin/groups", "/admin/groups/new", "/admin/groups/1",
	} {
		a := w.get("sam", page)
		w.page(a, http.StatusOK)
		pages[page] = a.body
	}
	pages["refused"] = w.post("sam", path, "version", "1", "quota-0-size", "x", "agenda-0-track", "A").body
	pages["stale"] = w.post("sam", path, eventFields("version", "1")...).body
	testkit.CheckHTML(t, pages)
}
