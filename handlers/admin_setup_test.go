package handlers_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

func TestTheFirstAdminWhomACommandMadeIsRemindedOfSettingUp(t *testing.T) {
	w := newDeskWorld(t)
	w.exec("DELETE FROM users WHERE email = 'ada@example.org'")
	for _, tt := range []struct {
		name string
		want bool
	}{{"eve", true}, {"flo", false}} {
		_, token, err := w.store.AddUser(t.Context(), models.Viewer{Role: "command"}, models.NewUser{Email: tt.name + "@example.org", Name: tt.name, Role: models.RoleAdmin})
		if err != nil {
			t.Fatal(err)
		}
		session, _, err := w.store.SignIn(t.Context(), models.Viewer{}, token, "")
		if err != nil {
			t.Fatal(err)
		}
		w.cookies[tt.name] = session
		if got := w.page(w.get(tt.name, "/admin"), http.StatusOK).Text("main"); strings.Contains(got, "Set it up") != tt.want {
			t.Errorf("%s reads %q", tt.name, got)
		}
		w.exec("DELETE FROM settings WHERE key = 'setup'") // the portal runs for long
	}
}

func TestANewPortalIsSetUpStepByStep(t *testing.T) {
	w := newDeskWorld(t)
	setUp := func() string {
		t.Helper()
		return w.page(w.get("ada", "/admin"), http.StatusOK).Text("main")
	}
	if strings.Contains(setUp(), "Set it up") {
		t.Error("who runs a portal for long is asked to set it up")
	}
	if err := w.store.BeginSetup(t.Context(), w.viewers["ada"]); err != nil {
		t.Fatal(err)
	}
	w.exec("UPDATE groups SET sample = true")
	// The address of the tests is not their own machine, and has no encryption; people there are, as all have accounts.
	if got := setUp(); !strings.Contains(got, "5 steps left to set up the portal") || !strings.Contains(got, "To do: name and contacts, mail, address and proxy, backups and content") {
		t.Errorf("the desk says %q", got)
	}
	if strings.Contains(w.page(w.get("sam", "/admin"), http.StatusOK).Text("main"), "Set it up") {
		t.Error("staff are reminded, who cannot")
	}

	w.leads(w.post("ada", "/admin/settings", siteForm("contact", "hello@makers.example")...), "/admin/settings")
	w.leads(w.post("ada", "/admin/backups"), "/admin/backups")
	if made, err := w.work(); !made || err != nil {
		t.Fatal(made, err)
	}
	w.leads(w.post("ada", "/admin/setup/sample"), "/admin/setup")
	page := w.page(w.get("ada", "/admin/setup"), http.StatusOK)
	if page.Text("h1") != "2 steps left to set up the portal" || !strings.Contains(page.Text("#site"), "hello@makers.example") || page.Count(".step-done") != 4 {
		t.Errorf("after three steps: %q", page.Text("main"))
	}
	var groups int
	if w.scan(&groups, "SELECT count(*) FROM groups"); groups != 0 {
		t.Error("the sample content is there")
	}
	for _, step := range []models.SetupStep{models.SetupMail, models.SetupAddress} {
		w.leads(w.post("ada", "/admin/setup", "step", string(step)), "/admin/setup")
	}
	if page := w.page(w.get("ada", "/admin/setup"), http.StatusOK); page.Text("h1") != "The portal is set up" || page.Has(`#mail [name=step]`) || page.Text("#mail h2 .badge") != "Later" || page.Has("[value=all]") {
		t.Errorf("at the end: %q", page.Text("main"))
	}
	if strings.Contains(setUp(), "Set it up") {
		t.Error("the desk still reminds")
	}
	if a := w.post("ada", "/admin/setup", "step", "nonsense"); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a step that is none answers %d", a.StatusCode)
	}
}

func TestSettingUpCanBeLeft(t *testing.T) {
	w := newDeskWorld(t)
	if err := w.store.BeginSetup(t.Context(), w.viewers["ada"]); err != nil {
		t.Fatal(err)
	}
	w.leads(w.post("ada", "/admin/setup", "step", "all"), "/admin")
	if page := w.page(w.get("ada", "/admin"), http.StatusOK); strings.Contains(page.Text("main"), "Set it up") {
		t.Error("the desk still reminds")
	}
	if page := w.page(w.get("ada", "/admin/setup"), http.StatusOK); page.Has(`[value=all]`) || !page.Has("#mail form") {
		t.Error("the steps are gone, or offer to leave again")
	}
}

func TestATestMailTellsWhatBecameOfIt(t *testing.T) {
	w := newDeskWorld(t)
	test := func() string { return w.page(w.get("ada", "/admin/setup"), http.StatusOK).Text("#mail .health") }
	w.leads(w.post("ada", "/admin/setup/mail"), "/admin/setup#mail")
	if got := test(); !strings.Contains(got, "WaitsOn its way to ada@example.org") {
		t.Errorf("at first: %q", got)
	}
	w.exec("UPDATE mails SET error = '535 wrong password', attempts = 1")
	if got := test(); !strings.Contains(got, "Look at itIt did not work yet: 535 wrong password It is tried again.") {
		t.Errorf("after a try: %q", got)
	}
	w.exec("UPDATE mails SET failed_at = ?", w.store.Now())
	if got := test(); !strings.Contains(got, "Act nowIt was given up: 535 wrong password Mend") {
		t.Errorf("given up: %q", got)
	}
	w.clock.Advance(1)
	w.leads(w.post("ada", "/admin/setup/mail"), "/admin/setup#mail")
	var mails int
	if w.scan(&mails, "SELECT count(*) FROM mails WHERE kind = 'test'"); mails != 1 {
		t.Errorf("%d mails are there", mails)
	}
	w.exec("UPDATE mails SET sent_at = ?", w.store.Now())
	if got := test(); !strings.Contains(got, "Kept on this machine") {
		t.Errorf("kept: %q", got)
	}
	w.operated(handlers.Disk{}, nil)
	if page := w.page(w.get("ada", "/admin/setup"), http.StatusOK); !strings.Contains(page.Text("#mail .health"), "WellThe server took the mail to ada@example.org") || !page.Has("#mail.step-done") {
		t.Errorf("sent: %q", page.Text("#mail"))
	}
}

func TestTheRequestIsComparedWithTheAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")} // whence requests of a test come
	for _, tt := range []struct {
		name, base string
		host       string
		proxies    []netip.Prefix
		headers    []string
		want       string
	}{
		{"all as it should be behind a proxy", "https://community.example.org", "community.example.org", proxies, []string{"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https"}, "Well Well Well"},
		{"on one's own machine", "http://localhost:8080", "localhost:8080", nil, nil, "Well Well Well"},
		{"another host than was told", "http://127.0.0.1:8080", "community.example.org", nil, nil, "Act now Well Well"},
		{"without encryption", "http://community.example.org", "community.example.org", nil, nil, "Well Act now Well"},
		{"a proxy that nobody named", "https://community.example.org", "community.example.org", nil, []string{"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https"}, "Well Look at it Look at it"},
		{"a proxy that does not tell of encryption", "https://community.example.org", "community.example.org", proxies, []string{"X-Forwarded-For", "203.0.113.9"}, "Well Look at it Well"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newDeskWorld(t)
			base, err := url.Parse(tt.base)
			if err != nil {
				t.Fatal(err)
			}
			w.app, err = handlers.New(handlers.Options{
				Store: w.store, Site: links.New(base), Log: slog.New(slog.DiscardHandler), Keys: testkit.Keys(),
				Ready: func(context.Context) error { return nil }, Contact: "community@example.org", TrustedProxies: tt.proxies,
			})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "/admin/setup", http.NoBody)
			r.Host = tt.host
			for i := 0; i < len(tt.headers); i += 2 {
				r.Header.Set(tt.headers[i], tt.headers[i+1])
			}
			if base.Scheme == "https" {
				r.AddCookie(&http.Cookie{Name: "__Host-session", Value: w.cookies["ada"]})
			}
			page := w.page(w.do(r, "ada"), http.StatusOK)
			if got := strings.Join(page.Texts("#address .health .badge"), " "); got != tt.want {
				t.Errorf("it says %q, want %q: %s", got, tt.want, page.Text("#address .health"))
			}
		})
	}
}
