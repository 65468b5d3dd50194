package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/testkit"
)

// crowd sends a form from this machine's network so often that it is past half of its limit.
func (p *portal) crowd(t *testing.T, path string, times int) {
	t.Helper()
	for range times {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+path, strings.NewReader(url.Values{"email": {"ada@"}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := stranger.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("a form with faults answers %d", response.StatusCode)
		}
	}
}

// madeAt is when the form on a page was made, as the page says it.
var madeAt = regexp.MustCompile(`name="started" value="([^"]+)"`)

// solves waits until the browser has found the number that the form asks for.
func solves(b *testkit.Browser) {
	testkit.Eval[bool](b, `new Promise(done => {
		const look = () => document.querySelector("[data-puzzle] input").value ? done(true) : setTimeout(look, 20)
		look()
	})`)
}

// A crowd is one for a minute of the clock only, so this does not share the machine and begins with a minute.
func TestBrowserProvesItsWorkInACrowd(t *testing.T) {
	const path = "/events/krakow-supply-chain-hackathon/register"
	p := newPortal(t)
	p.fill(t)
	p.env["PORTAL_RATE_LIMIT"] = "on"
	began := time.Now()
	p.env["PORTAL_CLOCK_OFFSET"] = began.Truncate(time.Minute).Add(time.Minute).Sub(began).String()
	p.start(t)
	_, page := p.get(t, path)
	early := string(madeAt.FindSubmatch(page)[1]) // so that nobody has to wait until a person may have filled the form in
	unhurried := func(b *testkit.Browser) {
		testkit.Eval[string](b, fmt.Sprintf("document.querySelector('[name=started]').value = %q", early))
	}
	p.crowd(t, path, 60)
	p.crowd(t, "/login", 5)
	for _, at := range []string{path, "/login"} {
		_, page := p.get(t, at)
		if !strings.Contains(string(page), "data-puzzle=") {
			t.Fatalf("%s asks for no proof of work", at)
		}
		testkit.CheckHTML(t, map[string][]byte{at: page})
	}
	fill := func(b *testkit.Browser, name, email string) {
		b.Fill("#name", name)
		b.Fill("#email", email)
		b.Click(`input[value="build"]`)
		b.Click("#consent")
		unhurried(b)
	}
	const button = "form.form-main button.btn-primary"

	t.Run("as people are", func(t *testing.T) {
		b := testkit.NewBrowser(t)
		b.Resize(1440, 900)
		b.Open(p.URL + path)
		for _, violation := range b.Axe() {
			t.Error(violation)
		}
		fill(b, "Ana Ünal", "ana.unal@example.org")
		solves(b)
		if said := b.Text("[data-puzzle-said]"); !strings.Contains(said, "ready") {
			t.Errorf("with the number found the form says %q", said)
		}
		b.Submit(button)
		if !strings.Contains(b.URL(), "/registrations/") {
			t.Fatalf("registering led to %s:\n%s", b.URL(), b.Text("main"))
		}
		b.Open(p.URL + "/login")
		solves(b)
		for _, violation := range b.Axe() {
			t.Error(violation)
		}
		b.Fill("#email", "ana.unal@example.org")
		b.Submit("form[action='/login'] button")
		shows(t, b, "ana.unal@example.org")
		p.kept(t, "ana.unal@example.org", 2)
	})
	t.Run("in haste", func(t *testing.T) {
		b := testkit.NewBrowser(t)
		b.Resize(1440, 900)
		b.Open(p.URL + path)
		unhurried(b)
		// Filled in and sent before a number can be found.
		testkit.Eval[bool](b, `(form => {
			form.name.value = "Grace Example"; form.email.value = "grace@example.org"; form.consent.click()
			form.querySelector("[value=build]").click()
			return true
		})(document.querySelector("form.form-main"))`)
		b.Submit(button)
		if !strings.Contains(b.URL(), "/registrations/") {
			t.Fatalf("registering led to %s:\n%s", b.URL(), b.Text("main"))
		}
	})
	t.Run("without scripts", func(t *testing.T) {
		b := testkit.NewBrowser(t)
		b.AllowConsole("status of 429")
		b.Resize(1440, 900)
		b.DisableScripts()
		b.Open(p.URL + path)
		if said := b.Text("#puzzle"); !strings.Contains(said, "Wait a minute") {
			t.Errorf("who has no scripts is told %q", said)
		}
		fill(b, "Lin Example", "lin@example.org")
		if status := b.Submit(button); status != http.StatusTooManyRequests {
			t.Errorf("without a solution the answer is %d", status)
		}
		if b.Count(`#name[value="Lin Example"]`) != 1 || b.Count(`.summary a[href="#puzzle"]`) != 1 {
			t.Errorf("the form does not come back as it was:\n%s", b.Text("main"))
		}
	})
}
