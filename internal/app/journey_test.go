package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/testkit"
)

// withAndWithoutScripts runs a journey twice: as most people's browsers are, and where no script runs.
func withAndWithoutScripts(t *testing.T, journey func(t *testing.T, p *portal, b *testkit.Browser)) {
	t.Helper()
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("scripts %t", scripts), func(t *testing.T) {
			t.Parallel()
			p := serve(t)
			b := testkit.NewBrowser(t)
			b.Resize(1440, 900)
			if !scripts {
				b.DisableScripts()
			}
			journey(t, p, b)
		})
	}
}

// shows fails unless the page's main part has the words.
func shows(t *testing.T, b *testkit.Browser, words string) {
	t.Helper()
	if text := b.Text("main"); !strings.Contains(text, words) {
		t.Errorf("%s does not say %q but:\n%s", b.URL(), words, text)
	}
}

func TestBrowserReadAndSearch(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, p *portal, b *testkit.Browser) {
		b.Open(p.URL + "/")
		b.Follow(`.site-nav a[href="/blog"]`)
		b.Follow(`a[href="/blog/kata-containers-in-screwdriver"]`)
		shows(t, b, "Lakshminarasimhan Parthasarathy")
		b.Follow(`main a[href^="/blog/author/"]`)
		shows(t, b, "Kata Containers in Screwdriver")
		b.Open(p.URL + "/")
		b.Fill(`main input[name="q"]`, "Gardening")
		b.Keys("\r")
		b.WaitFor(".results mark")
		shows(t, b, "Spinnaker Gardening Days")
	})
}

func TestBrowserRegisterAndCancel(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, p *portal, b *testkit.Browser) {
		b.AllowConsole("status of 422")
		b.Open(p.URL + "/events/krakow-supply-chain-hackathon")
		b.Follow(`.ticket-panel a[href$="/register"]`)
		b.Fill("#name", "Ana Ünal")
		b.Fill("#email", "ana@")
		if status := b.Submit("form.form-main button.btn-primary"); status != 422 {
			t.Errorf("a form with faults answers %d, want 422", status)
		}
		if name := b.Count(`#name[value="Ana Ünal"]`); name != 1 {
			t.Error("the name that was typed is gone")
		}
		for _, field := range []string{"tickets", "email", "consent"} {
			if b.Count(`.summary a[href="#`+field+`"]`) != 1 {
				t.Errorf("the summary does not lead to %s", field)
			}
		}
		b.Fill("#email", "ana.unal@example.org")
		b.Click(`input[value="build"]`)
		b.Click("#consent")
		b.Submit("form.form-main button.btn-primary")
		if !strings.Contains(b.URL(), "/registrations/") {
			t.Fatalf("registering led to %s:\n%s", b.URL(), b.Text("main"))
		}
		shows(t, b, "Ana Ünal")
		if b.Count(".qr svg") != 1 {
			t.Error("the ticket has no code to scan")
		}
		mail := p.kept(t, "ana.unal@example.org", 1)[0]
		for _, part := range []string{"text/plain", "text/html", "method=REQUEST"} {
			if !strings.Contains(mail, part) {
				t.Errorf("the mail has no part %s", part)
			}
		}
		b.Click(".give-up summary")
		b.Submit(`form[action$="/cancellation"] button`)
		if b.Count(".ticket-void") != 1 {
			t.Errorf("the ticket is not shown as void:\n%s", b.Text("main"))
		}
		if mails := p.kept(t, "ana.unal@example.org", 2); !strings.Contains(strings.Join(mails, ""), "method=CANCEL") {
			t.Error("no mail takes the event out of the calendar")
		}
	})
}

// signInFirstAdmin uses the printed link and says who the first admin is.
func signInFirstAdmin(t *testing.T, p *portal, b *testkit.Browser) {
	t.Helper()
	b.Open(p.FirstAdmin)
	b.Submit("main form button")
	b.Fill("#name", "Ada Example")
	b.Fill("#email", "ada@example.org")
	b.Submit("main form button.btn-primary")
	if !strings.HasSuffix(b.URL(), "/admin/setup") {
		t.Fatalf("after signing in: %s\n%s", b.URL(), b.Text("main"))
	}
}

func TestBrowserSignInAndPublish(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, p *portal, b *testkit.Browser) {
		signInFirstAdmin(t, p, b)
		b.Follow(`.rail a[href="/admin/posts"]`)
		b.Follow(`.desk-top a[href="/admin/posts/new"]`)
		b.Fill("#title", "Pipelines in the rain")
		b.Fill("#body", "## Wet\n\nIt **rained** on the runners.")
		b.Submit(`button[value="review"]`)
		b.Submit(`form[action$="/publication"] button`)
		if response, body := p.get(t, "/blog/pipelines-in-the-rain"); response.StatusCode != http.StatusOK || !strings.Contains(string(body), "<strong>rained</strong>") {
			t.Errorf("the published post answers %d", response.StatusCode)
		}
		if _, feed := p.get(t, "/feed.xml"); !strings.Contains(string(feed), "Pipelines in the rain") {
			t.Error("the feed does not have the new post")
		}
		if _, found := p.get(t, "/search?q=rained"); !strings.Contains(string(found), "Pipelines in the rain") {
			t.Error("the search does not find the new post")
		}
	})
}
