package handlers_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/static"
)

func TestSigningIn(t *testing.T) {
	ctx := context.Background()

	t.Run("the answer is the same for a known and an unknown address", func(t *testing.T) {
		w := newDeskWorld(t)
		known := w.page(w.post("", "/login", "email", "sam@example.org"), http.StatusOK).Text("h1")
		unknown := w.page(w.post("", "/login", "email", "who@example.org"), http.StatusOK).Text("h1")
		if known != unknown {
			t.Errorf("known %q, unknown %q", known, unknown)
		}
		var mails int
		w.scan(&mails, "SELECT count(*) FROM mails WHERE kind = 'sign_in'")
		if mails != 1 {
			t.Errorf("%d mails, want 1", mails)
		}
	})

	t.Run("what is no address is said so and kept", func(t *testing.T) {
		w := newDeskWorld(t)
		page := w.page(w.post("", "/login", "email", "sam at example", "next", "/admin/posts"), http.StatusUnprocessableEntity)
		if page.Attr("#email", "value") != "sam at example" || page.Attr("[name=next]", "value") != "/admin/posts" || !page.Has("[data-error-summary]") {
			t.Error("what was typed is lost, or the error is not told")
		}
	})

	t.Run("opening the link does nothing, the button signs in, once", func(t *testing.T) {
		w := newDeskWorld(t)
		token, err := w.store.NewSignInLink(ctx, "ana@example.org")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if page := w.page(w.get("", "/login/"+token), http.StatusOK); page.Text("main button") != "Sign in as Ana Example" {
				t.Errorf("button says %q", page.Text("main button"))
			}
		}
		answer := w.post("", "/login/"+token)
		w.leads(answer, "/account")
		w.cookies["new"] = w.cookie(answer, "session")
		w.page(w.get("new", "/account"), http.StatusOK)
		w.page(w.post("", "/login/"+token), http.StatusGone)
		w.page(w.get("", "/login/"+token), http.StatusGone)
	})

	t.Run("what stands in the address of a form was not typed", func(t *testing.T) {
		w := newDeskWorld(t)
		for _, path := range []string{"/login?email=sam@example.org", "/login/password?email=sam@example.org&password=x"} {
			if page := w.page(w.post("", path), http.StatusUnprocessableEntity); page.Attr("#email", "value") != "" {
				t.Errorf("%s fills in %q", path, page.Attr("#email", "value"))
			}
		}
	})

	t.Run("a link ends after its time", func(t *testing.T) {
		w := newDeskWorld(t)
		token, err := w.store.NewSignInLink(ctx, "ana@example.org")
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(25 * time.Hour)
		w.page(w.post("", "/login/"+token), http.StatusGone)
	})

	t.Run("signing in again ends the browser's session before", func(t *testing.T) {
		w := newDeskWorld(t)
		token, err := w.store.NewSignInLink(ctx, "sam@example.org")
		if err != nil {
			t.Fatal(err)
		}
		w.leads(w.post("sam", "/login/"+token), "/admin")
		w.leads(w.get("sam", "/account"), "/login")
	})

	t.Run("signing out ends the session on the server", func(t *testing.T) {
		w := newDeskWorld(t)
		w.leads(w.post("ana", "/logout"), "/")
		w.leads(w.get("ana", "/account"), "/login?next=%2Faccount")
	})

	t.Run("nobody is led to another site", func(t *testing.T) {
		w := newDeskWorld(t)
		for _, next := range []string{"https://evil.example", "//evil.example", "//@/evil.example", "/\\evil.example", "/%2F/..//evil", "javascript:alert(1)", "/\t/evil.example", "/.//evil.example", "/..//evil.example", "/%5Cevil.example", "/%09/evil.example", "/a/../logout"} {
			form := w.post("", "/login", "email", "x", "next", next)
			if page := w.page(form, http.StatusUnprocessableEntity); page.Attr("[name=next]", "value") != "" {
				t.Errorf("%q is kept", next)
			}
		}
		if err := w.store.RequestSignIn(ctx, "sam@example.org", "//evil.example"); err != nil {
			t.Fatal(err)
		}
		var id int64
		w.scan(&id, "SELECT sign_in_link_id FROM mails WHERE kind = 'sign_in'")
		token, err := w.store.SignInToken(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		w.leads(w.post("", "/login/"+token), "/admin")
	})

	t.Run("who registered without an account gets one with the link", func(t *testing.T) {
		w := newDeskWorld(t)
		w.exec(`INSERT INTO events (id, slug, uid, status, kind, mode, title, timezone, starts_local, ends_local, starts_at, ends_at, created_at, updated_at)
			VALUES (1, 'tekton', 'u1', 'published', 'meetup', 'online', 'Tekton by example', 'Europe/Berlin', '2020-07-01T18:30', '2020-07-01T20:30', ?, ?, ?, ?)`,
			time.Date(2020, 7, 1, 16, 30, 0, 0, time.UTC), time.Date(2020, 7, 1, 18, 30, 0, 0, time.UTC), w.store.Now(), w.store.Now())
		w.exec(`INSERT INTO registrations (event_id, public_id, status, name, email, email_key, created_at)
			VALUES (1, 'P1', 'confirmed', 'Rita Example', 'Rita@example.org', 'rita@example.org', ?)`, w.store.Now())
		w.page(w.post("", "/login", "email", "rita+cdf@example.org"), http.StatusOK)
		user, err := w.store.UserByEmail(ctx, "rita@example.org")
		if err != nil || user.Role != models.RoleAttendee || user.Email != "Rita@example.org" {
			t.Fatalf("account %+v, %v", user, err)
		}
		var id int64
		w.scan(&id, "SELECT sign_in_link_id FROM mails WHERE kind = 'sign_in'")
		token, err := w.store.SignInToken(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		answer := w.post("", "/login/"+token)
		w.leads(answer, "/account")
		w.cookies["rita"] = w.cookie(answer, "session")
		page := w.page(w.get("rita", "/account"), http.StatusOK)
		if page.Text(".lines b") != "Tekton by example" || page.Text(".lines time") != "Wed 1 July 2020, 18:30 CEST" {
			t.Errorf("registrations %q", page.Texts(".lines li"))
		}
		if answer := w.get("ana", "/account"); w.page(answer, http.StatusOK).Text(".lines b") == "Tekton by example" {
			t.Error("another sees it too")
		}
	})

	t.Run("the first admin says who they are before anything else", func(t *testing.T) {
		w := newDeskWorld(t)
		w.exec("DELETE FROM users WHERE role = 'admin'")
		first, err := w.store.FirstAdminLink(ctx)
		if err != nil {
			t.Fatal(err)
		}
		second, err := w.store.FirstAdminLink(ctx)
		if err != nil || second == "" {
			t.Fatalf("the next start prints %q, %v", second, err)
		}
		w.page(w.post("", "/login/"+first), http.StatusGone)
		answer := w.post("", "/login/"+second)
		w.leads(answer, "/account/welcome")
		w.cookies["first"] = w.cookie(answer, "session")
		w.leads(w.get("first", "/admin"), "/account/welcome")
		w.leads(w.post("first", "/account", "name", "x", "timezone", "UTC"), "/account/welcome")
		page := w.page(w.post("first", "/account/welcome", "name", "Ada", "email", "sam@example.org", "timezone", "Mars/Olympus"), http.StatusUnprocessableEntity)
		if page.Attr("#name", "value") != "Ada" || page.Attr("#timezone", "aria-invalid") != "true" {
			t.Error("what was typed is lost, or the error is not told")
		}
		w.page(w.post("first", "/account/welcome", "name", "Ada", "email", "sam@example.org", "timezone", "UTC"), http.StatusUnprocessableEntity)
		w.leads(w.post("first", "/account/welcome", "name", "Ada Real", "email", "ada@example.com", "timezone", "Europe/Berlin"), "/admin")
		if token, err := w.store.FirstAdminLink(ctx); token != "" || err != nil {
			t.Errorf("there is an admin, yet the next start prints %q, %v", token, err)
		}
		var admins int
		w.scan(&admins, "SELECT count(*) FROM users WHERE role = 'admin'")
		if admins != 1 {
			t.Errorf("%d admins", admins)
		}
	})

	t.Run("sessions can be ended one by one and all at once", func(t *testing.T) {
		w := newDeskWorld(t)
		for _, name := range []string{"one", "two"} {
			token, err := w.store.NewSignInLink(ctx, "ana@example.org")
			if err != nil {
				t.Fatal(err)
			}
			w.cookies[name] = w.cookie(w.post("", "/login/"+token), "session")
		}
		page := w.page(w.get("ana", "/account"), http.StatusOK)
		if n := page.Count(`form[action^="/account/sessions/"]`); n != 4 {
			t.Fatalf("%d forms to end sessions, want 3 and one for all others", n)
		}
		w.page(w.post("ben", page.Attr(`form[action^="/account/sessions/"]`, "action")), http.StatusNotFound)
		w.leads(w.post("ana", "/account/sessions/end"), "/account")
		w.leads(w.get("one", "/account"), "/login")
		w.leads(w.get("two", "/account"), "/login")
		w.page(w.get("ana", "/account"), http.StatusOK)
	})

	t.Run("what everybody may keep takes nobody's cookie away", func(t *testing.T) {
		w := newDeskWorld(t)
		w.cookies["gone"] = "a token of a session that has ended"
		page := w.get("gone", "/blog")
		if page.Header.Get("Set-Cookie") == "" || page.Header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("a page: %q, kept %q", page.Header.Get("Set-Cookie"), page.Header.Get("Cache-Control"))
		}
		for _, path := range []string{"/feed.xml", "/events.ics", "/sitemap.xml", "/manifest.webmanifest", static.Path("img/icon.svg")} {
			answer := w.get("gone", path)
			if answer.StatusCode != http.StatusOK || answer.Header.Get("Set-Cookie") != "" || !strings.HasPrefix(answer.Header.Get("Cache-Control"), "public") {
				t.Errorf("%s: %d, %q, kept %q", path, answer.StatusCode, answer.Header.Get("Set-Cookie"), answer.Header.Get("Cache-Control"))
			}
		}
	})

	t.Run("the cookie outlives a month of use", func(t *testing.T) {
		w := newDeskWorld(t)
		token, err := w.store.NewSignInLink(ctx, "ana@example.org")
		if err != nil {
			t.Fatal(err)
		}
		answer := w.post("", "/login/"+token)
		for _, cookie := range answer.Cookies() {
			if cookie.Name == "session" && cookie.Expires.Before(w.store.Now().AddDate(1, 0, 0)) {
				t.Errorf("it ends on %s, whatever is done meanwhile", cookie.Expires)
			}
		}
		w.cookies["ana"] = w.cookie(answer, "session")
		for range 3 {
			w.clock.Advance(20 * 24 * time.Hour)
			w.page(w.get("ana", "/account"), http.StatusOK)
		}
		w.clock.Advance(31 * 24 * time.Hour)
		w.leads(w.get("ana", "/account"), "/login")
	})

	t.Run("another site's page cannot sign anybody in or out", func(t *testing.T) {
		w := newDeskWorld(t)
		r := httptest.NewRequest(http.MethodPost, "/logout", http.NoBody)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w.page(w.do(r, "ana"), http.StatusForbidden)
		w.page(w.get("ana", "/account"), http.StatusOK)
	})
}

func TestCookiesAreForThisHostAloneAndHiddenFromScripts(t *testing.T) {
	w := newDeskWorld(t)
	var err error
	w.app, err = handlers.New(handlers.Options{
		Store: w.store, Site: links.New(&url.URL{Scheme: "https", Host: "community.example.org"}), Log: slog.New(slog.DiscardHandler),
		Keys: testkit.Keys(), Ready: func(context.Context) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := w.store.NewSignInLink(t.Context(), "ana@example.org")
	if err != nil {
		t.Fatal(err)
	}
	told := httptest.NewRequest(http.MethodGet, "/login", http.NoBody)
	told.AddCookie(&http.Cookie{Name: "__Host-flash", Value: "signed-out"})
	answers := []deskAnswer{w.post("", "/login/"+token), w.post("", "/logout"), w.do(told, "")}
	if !strings.Contains(string(answers[2].body), "You are signed out.") {
		t.Error("the message of the page before is not shown")
	}
	for _, answer := range answers {
		if len(answer.Cookies()) == 0 {
			t.Errorf("no cookie with status %d", answer.StatusCode)
		}
		for _, c := range answer.Cookies() {
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
				t.Errorf("cookie %s", c)
			}
		}
	}
}
