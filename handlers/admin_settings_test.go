package handlers_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/testkit"
)

// siteForm is what the form of the settings holds, with some fields set otherwise.
func siteForm(set ...string) []string {
	return with([]string{
		"version", "0", "name", "CDF Community", "short_name", "CDF", "organisation", "Continuous Delivery Foundation",
		"about", "A sentence.", "footer_heading", "Foundation", "footer_links", "About /about", "legal", "CC BY 4.0",
	}, set...)
}

func TestEverySettingIsSeenWhereItBelongs(t *testing.T) {
	w := newDeskWorld(t)
	w.event()
	w.exec("INSERT INTO pages (path, title, description, updated_at) VALUES ('code-of-conduct', 'Code of conduct', 'How we treat each other.', ?)", w.store.Now())
	before := w.page(w.get("", "/"), http.StatusOK)
	if got := before.Text("title"); !strings.HasSuffix(got, " · CDF Community") {
		t.Fatalf("the title is %q before anything is set", got)
	}
	for _, tt := range []struct {
		name    string
		set     []string
		path    string
		has     string // in the answer
		has2    string
		hasNot  string
		address string
	}{
		{name: "the name is in titles", set: []string{"name", "Rivermouth Makers"}, path: "/events", has: "· Rivermouth Makers</title>", hasNot: "CDF Community"},
		{name: "the name is in the header", set: []string{"name", "Rivermouth Makers"}, path: "/", has: "</svg>Rivermouth <span>Makers</span></a>"},
		{name: "a name of one word is in the header", set: []string{"name", "Rivermouth"}, path: "/", has: "</svg>Rivermouth</a>"},
		{name: "the name is in the blog's feed", set: []string{"name", "Rivermouth Makers"}, path: "/feed.xml", has: "<title>Rivermouth Makers blog</title>"},
		{name: "the name is in a group's feed", set: []string{"name", "Rivermouth Makers"}, path: "/groups/berlin/feed.atom", has: "CDF Berlin · Rivermouth Makers"},
		{name: "the name is in the manifest", set: []string{"name", "Rivermouth Makers", "short_name", "RM"}, path: "/manifest.webmanifest", has: `"name":"Rivermouth Makers","short_name":"RM"`},
		{name: "the name is in structured data", set: []string{"name", "Rivermouth Makers"}, path: "/", has: `"name":"Rivermouth Makers"`, has2: `<meta property="og:site_name" content="Rivermouth Makers">`},
		{name: "the short name is in the calendar", set: []string{"short_name", "RM"}, path: "/events.ics", has: "RM community events", hasNot: "CDF community"},
		{name: "the short name is in the titles of feeds", set: []string{"short_name", "RM"}, path: "/", has: `title="RM blog, RSS"`},
		{name: "the short name is in the feed of events", set: []string{"short_name", "RM"}, path: "/events/feed.json", has: "RM community: new events", hasNot: "CDF community"},
		{name: "the organisation is in structured data", set: []string{"organisation", "The Makers"}, path: "/", has: `"name":"The Makers"`, hasNot: "2019-03-12"},
		{name: "the organisation is the parent of groups", set: []string{"organisation", "The Makers"}, path: "/groups/berlin", has: `"name":"The Makers"`},
		{name: "the organisation is in descriptions", set: []string{"organisation", "Makers"}, path: "/blog", has: "from the people behind the Makers"},
		{name: "the sentence about the site is at the foot", set: []string{"about", "Made by hand & heart."}, path: "/events", has: "<p>Made by hand &amp; heart.</p>"},
		{name: "the links are at the foot", set: []string{"footer_heading", "Makers", "footer_links", "Where we meet /groups\nThe code https://code.example.org/"}, path: "/events", has: ">Makers</h2>", has2: `<li><a href="https://code.example.org/">The code</a></li>`, hasNot: `href="/about"`},
		{name: "no links leave no heading", set: []string{"footer_heading", "", "footer_links", ""}, path: "/events", hasNot: "foot-foundation"},
		{name: "the last line is at the foot", set: []string{"legal", "All rights shared."}, path: "/events", has: "<span>All rights shared.</span>", hasNot: "CC BY"},
		{name: "the contact is at the foot", set: []string{"contact", "hello@makers.example"}, path: "/events", has: `Contact, also for the code of conduct: <a href="mailto:hello@makers.example">`, hasNot: "community@example.org"},
		{name: "the contact is on error pages", set: []string{"contact", "hello@makers.example"}, path: "/blog/none-of-ours", has: "hello@makers.example"},
		{name: "the contact is in security.txt", set: []string{"contact", "hello@makers.example"}, path: "/.well-known/security.txt", has: "Contact: mailto:hello@makers.example\n"},
		{name: "without a contact the sender is it", set: []string{"sender_address", "post@makers.example"}, path: "/events", has: "mailto:post@makers.example"},
		{name: "the contact for the code of conduct is at the foot", set: []string{"conduct_contact", "care@makers.example"}, path: "/events", has: `Code of conduct: <a href="mailto:care@makers.example">`, has2: `Contact: <a href="mailto:community@example.org">`},
		{name: "the contact for the code of conduct is on its page", set: []string{"conduct_contact", "care@makers.example"}, path: "/code-of-conduct", has: `<dd>Write to <a class="link" href="mailto:care@makers.example">`},
		{name: "the contact for the code of conduct is where people register", set: []string{"conduct_contact", "care@makers.example"}, path: "/events/pipelines-as-a-product/register", has: "If something happens, write to care@makers.example"},
		{name: "the name of the desk follows", set: []string{"short_name", "RM"}, path: "/admin", has: "RM <span>Desk</span>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.exec("DELETE FROM settings WHERE key = 'site'")
			w.leads(w.post("ada", "/admin/settings", siteForm(tt.set...)...), "/admin/settings")
			person := ""
			if strings.HasPrefix(tt.path, "/admin") {
				person = "ada"
			}
			got := string(w.get(person, tt.path).body)
			for _, want := range []string{tt.has, tt.has2} {
				if !strings.Contains(got, want) {
					t.Errorf("%s lacks %q", tt.path, want)
				}
			}
			if tt.hasNot != "" && strings.Contains(got, tt.hasNot) {
				t.Errorf("%s still has %q", tt.path, tt.hasNot)
			}
			form := w.page(w.get("ada", "/admin/settings"), http.StatusOK)
			for i := 0; i < len(tt.set); i += 2 {
				field := form.Attr("#"+tt.set[i], "value")
				if tt.set[i] == "footer_links" {
					field = form.Text("#footer_links")
				}
				if strings.Join(strings.Fields(field), " ") != strings.Join(strings.Fields(tt.set[i+1]), " ") {
					t.Errorf("the form holds %q, want %q", field, tt.set[i+1])
				}
			}
		})
	}
	t.Run("the name is drawn on the pictures for sharing", func(t *testing.T) {
		w.exec("DELETE FROM settings WHERE key = 'site'")
		drawn := w.get("", "/share/home.png").body
		w.leads(w.post("ada", "/admin/settings", siteForm("name", "Rivermouth Makers")...), "/admin/settings")
		if again := w.get("", "/share/home.png").body; bytes.Equal(drawn, again) {
			t.Error("the picture is as before")
		}
	})
}

func TestALogoTakesThePlaceOfTheDrawnMark(t *testing.T) {
	w := newDeskWorld(t)
	var logo bytes.Buffer
	if err := png.Encode(&logo, image.NewNRGBA(image.Rect(0, 0, 80, 20))); err != nil {
		t.Fatal(err)
	}
	w.leads(w.upload("ada", "/admin/settings", "logo", logo.Bytes(), siteForm("name", "Rivermouth Makers")...), "/admin/settings")
	home := w.page(w.get("", "/"), http.StatusOK)
	if home.Attr(".site-head .brand img", "alt") != "Rivermouth Makers" || home.Attr(".site-head .brand img", "width") != "80" || home.Has(".site-head .brand svg") {
		t.Error("the header does not show it")
	}
	if a := w.get("", home.Attr(".site-head .brand img", "src")); a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the picture answers %d, %s", a.StatusCode, a.Header.Get("Content-Type"))
	}
	id := w.page(w.get("ada", "/admin/settings"), http.StatusOK).Attr("[name=logo_id]", "value")
	w.leads(w.post("ada", "/admin/settings", siteForm("version", "1", "name", "Makers", "logo_id", id)...), "/admin/settings")
	if got := w.page(w.get("", "/"), http.StatusOK).Attr(".brand img", "alt"); got != "Makers" {
		t.Errorf("after another save its words are %q", got)
	}
	w.leads(w.post("ada", "/admin/settings", siteForm("version", "2", "logo_id", id, "logo_remove", "yes")...), "/admin/settings")
	if w.page(w.get("", "/"), http.StatusOK).Has(".brand img") {
		t.Error("it cannot be taken away")
	}
	t.Run("a picture of somebody else is refused", func(t *testing.T) {
		w.leads(w.upload("ben", "/admin/profile", "photo", logo.Bytes(), "name", "Ben", "version", "1", "photo_alt", "Ben at a board"), "/admin/profile")
		var theirs string
		w.scan(&theirs, "SELECT id FROM media WHERE alt = 'Ben at a board'")
		if page := w.page(w.post("ada", "/admin/settings", siteForm("version", "3", "logo_id", theirs)...), http.StatusUnprocessableEntity); !page.Has("#logo-error") {
			t.Error("no error is told")
		}
	})
	for name, file := range map[string][]byte{"what is no picture": []byte("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")} {
		t.Run(name+" is refused, and what was typed is kept", func(t *testing.T) {
			page := w.page(w.upload("ada", "/admin/settings", "logo", file, siteForm("version", "3", "name", "Typed")...), http.StatusUnprocessableEntity)
			if !page.Has("#logo-error") || page.Attr("#name", "value") != "Typed" {
				t.Errorf("error %q, name %q", page.Text("#logo-error"), page.Attr("#name", "value"))
			}
		})
	}
}

func TestSettingsThatAreWrongAreToldAtTheirField(t *testing.T) {
	w := newDeskWorld(t)
	for field, value := range map[string]string{
		"name": " ", "short_name": strings.Repeat("x", 21), "organisation": "", "about": strings.Repeat("x", 301), "footer_heading": "", "legal": strings.Repeat("x", 301),
		"footer_links": "No address", "contact": "nobody", "conduct_contact": "a@b@c", "sender_name": strings.Repeat("x", 101), "sender_address": "x@example.org\nBcc: y@example.org",
	} {
		page := w.page(w.post("ada", "/admin/settings", siteForm(field, value)...), http.StatusUnprocessableEntity)
		if errs := page.All("[data-error-summary] a"); len(errs) != 1 || errs[0].Attr(":scope", "href") != "#"+field || !page.Has("#"+field+"-error") {
			t.Errorf("%s %q: %d errors", field, value, len(errs))
		}
	}
	for _, links := range []string{"Evil javascript:alert(1)", "Evil //evil.example", `Evil /\evil.example`, "/about"} {
		if page := w.page(w.post("ada", "/admin/settings", siteForm("footer_links", links)...), http.StatusUnprocessableEntity); !page.Has("#footer_links-error") {
			t.Errorf("the link %q is taken", links)
		}
	}
	var kept int
	if w.scan(&kept, "SELECT count(*) FROM settings WHERE key = 'site'"); kept != 0 {
		t.Error("something was saved")
	}
}

func TestHowLongDataIsKeptIsChosenAndHolds(t *testing.T) {
	w := newDeskWorld(t)
	page := w.page(w.get("ada", "/admin/settings"), http.StatusOK)
	for field, want := range map[string]string{"attendee_days": "365", "mail_days": "90", "audit_days": "730"} {
		if got := page.Attr("#"+field, "value"); got != want {
			t.Errorf("%s is %q at first, want %q", field, got, want)
		}
	}
	form := []string{"attendee_days", "30", "mail_days", "7", "audit_days", "400"}
	for _, wrong := range []struct{ field, value string }{{"attendee_days", "6"}, {"mail_days", ""}, {"mail_days", "a week"}, {"audit_days", "89"}, {"audit_days", "4000"}} {
		page := w.page(w.post("ada", "/admin/settings/retention", with(form, wrong.field, wrong.value)...), http.StatusUnprocessableEntity)
		if errs := page.All("[data-error-summary] a"); len(errs) != 1 || errs[0].Attr(":scope", "href") != "#"+wrong.field || !page.Has("#"+wrong.field+"-error") {
			t.Errorf("%s %q: %d errors", wrong.field, wrong.value, len(errs))
		}
		if got := page.Attr("#"+wrong.field, "value"); got != wrong.value || page.Attr("#name", "value") != "CDF Community" {
			t.Errorf("what was typed became %q", got)
		}
	}
	w.exec("INSERT INTO mails (kind, dedupe_key, recipient, next_at, created_at, sent_at) VALUES ('sign_in', 'old', 'ana@example.org', ?, ?, ?)",
		w.store.Now().AddDate(0, 0, -8), w.store.Now().AddDate(0, 0, -8), w.store.Now().AddDate(0, 0, -8))
	old := func() (n int) {
		if _, err := w.store.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.scan(&n, "SELECT count(*) FROM mails WHERE dedupe_key = 'old'")
		return n
	}
	if old() != 1 {
		t.Error("a mail of eight days is gone before anything was chosen")
	}
	w.leads(w.post("ada", "/admin/settings/retention", form...), "/admin/settings")
	if got := w.page(w.get("ada", "/admin/settings"), http.StatusOK).Attr("#mail_days", "value"); got != "7" {
		t.Errorf("the form shows %q", got)
	}
	if old() != 0 {
		t.Error("a mail of eight days is kept although seven were chosen")
	}
}

func TestStaffNeedASecondFactorWhenTheSettingsSaySo(t *testing.T) {
	w := newDeskWorld(t)
	w.addApp("ada")
	ticked := func() bool {
		return w.page(w.get("ada", "/admin/settings"), http.StatusOK).Has("[name=required][checked]")
	}
	if ticked() {
		t.Error("it is required at first")
	}
	w.leads(w.post("ada", "/admin/settings/second-factor", "required", "yes"), "/admin/settings")
	if !ticked() {
		t.Error("the form does not show it")
	}
	w.leads(w.get("sam", "/admin/people"), "/account/security")
	if text := w.page(w.get("ada", "/admin/people/5"), http.StatusOK).Text("main"); !strings.Contains(text, "By mailed links; no password is set. Second factor: none, so the desk is closed to them until they set one up.") {
		t.Errorf("Sam's page says %q", text)
	}
	w.leads(w.post("ada", "/admin/settings/second-factor"), "/admin/settings")
	w.page(w.get("sam", "/admin/people"), http.StatusOK)
	if text := w.page(w.get("sam", "/admin/people/6"), http.StatusOK).Text("main"); !strings.Contains(text, "Second factor: an authenticator app, with ") || !strings.Contains(text, "recovery codes left.") {
		t.Errorf("Ada's page says %q", text)
	}
}

func TestTwoAdminsWhoSaveTheSettingsSeeBothTexts(t *testing.T) {
	w := newDeskWorld(t)
	w.leads(w.post("ada", "/admin/settings", siteForm("name", "Theirs")...), "/admin/settings")
	page := w.page(w.post("ada", "/admin/settings", siteForm("name", "Mine")...), http.StatusConflict)
	if page.Attr("#name", "value") != "Mine" || !strings.Contains(page.Text(".stale"), "Theirs") {
		t.Errorf("the form holds %q beside %q", page.Attr("#name", "value"), page.Text(".stale"))
	}
	w.leads(w.post("ada", "/admin/settings", siteForm("name", "Both", "version", page.Attr("[name=version]", "value"))...), "/admin/settings")
	var entries int
	if w.scan(&entries, "SELECT count(*) FROM audit_entries WHERE action = 'site.save' AND after_value LIKE 'name%'"); entries != 2 {
		t.Errorf("%d entries in the audit log", entries)
	}
}

func TestTheHintOfTheContactNamesTheSenderAndNotTheContact(t *testing.T) {
	w := newDeskWorld(t)
	for _, saved := range []struct{ contact, sender, hint string }{
		{"hello@example.org", "", "community@example.org"}, {"hello@example.org", "post@example.org", "post@example.org"},
	} {
		page := w.page(w.get("ada", "/admin/settings"), http.StatusOK)
		w.leads(w.post("ada", "/admin/settings", siteForm("contact", saved.contact, "sender_address", saved.sender, "version", page.Attr("[name=version]", "value"))...), "/admin/settings")
		if said := w.page(w.get("ada", "/admin/settings"), http.StatusOK).Text("main"); !strings.Contains(said, "the sender of mails, "+saved.hint+".") {
			t.Errorf("with the sender %q the hint does not name %s", saved.sender, saved.hint)
		}
	}
}

func TestPagesStandWhileTheDatabaseIsAway(t *testing.T) {
	w := newDeskWorld(t)
	w.leads(w.post("ada", "/admin/settings", siteForm("name", "Rivermouth Makers")...), "/admin/settings")
	w.page(w.get("", "/events"), http.StatusOK)
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	if kept := w.get("", "/events"); kept.StatusCode != http.StatusOK {
		t.Errorf("a page that was kept answers %d", kept.StatusCode)
	}
	a := w.get("", "/groups")
	if a.StatusCode < 500 || !strings.Contains(testkit.Parse(t, a.body).Text("title"), "Rivermouth Makers") || !strings.Contains(string(a.body), "Write to us") {
		t.Errorf("%d %s", a.StatusCode, testkit.Parse(t, a.body).Text("title"))
	}
}
