package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/cdfoundation/portal/internal/testkit"
)

// logWitness sends requests that tell a lot, and remembers what no line of a log may tell.
type logWitness struct {
	t      *testing.T
	p      *portal
	hidden []string
	cookie string
}

// hide notes what was typed, sent or given out.
func (w *logWitness) hide(all ...string) {
	for _, one := range all {
		if len(one) < 4 {
			w.t.Fatalf("%q is too short to be looked for", one)
		}
		w.hidden = append(w.hidden, strings.ToLower(one))
	}
}

// ask sends a request, with a form if there are fields, and returns the status, where it leads and what it says.
func (w *logWitness) ask(method, path string, fields ...string) (status int, location, body string) {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.p.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", "Cookie": w.cookie,
		"User-Agent": "Quuxbrowser/9.1", "Referer": "https://elsewhere.example.org/zelda-was-here", "X-Forwarded-For": "203.0.113.77",
	} {
		request.Header.Set(name, value)
	}
	answer, err := stranger.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range answer.Cookies() {
		if len(c.Value) > 8 {
			w.hide(c.Value)
			w.cookie = c.Name + "=" + c.Value
		}
	}
	return answer.StatusCode, strings.TrimPrefix(answer.Header.Get("Location"), w.p.URL), string(said)
}

// wants asks and checks the status.
func (w *logWitness) wants(want int, method, path string, fields ...string) (location string) {
	w.t.Helper()
	status, location, _ := w.ask(method, path, fields...)
	if status != want {
		w.t.Errorf("%s %s answers %d, want %d", method, path, status, want)
	}
	return location
}

// tells fails for a line that tells what is hidden, and unless there are lines that say each of what is given.
func (w *logWitness) tells(of ...string) {
	w.t.Helper()
	w.p.stop()
	lines := strings.Split(w.p.logs.String(), "\n")
	for _, line := range lines {
		for _, hidden := range w.hidden {
			if strings.Contains(strings.ToLower(line), hidden) {
				w.t.Errorf("a line tells %q:\n%s", hidden, line)
			}
		}
	}
	for _, words := range of {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, words) }) {
			w.t.Errorf("no line says %q", words)
		}
	}
}

func TestNoLineOfTheLogTellsOfPeopleOrSecrets(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(t *testing.T) string{
		"SQLite":     func(*testing.T) string { return "" },
		"PostgreSQL": func(t *testing.T) string { t.Helper(); return testkit.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mailbox := testkit.NewSecureMailbox(t, "mailer", "hunter2-of-the-mailer")
			// A server repeats whom it refuses, in its own spelling, and sometimes the part before the @ alone.
			mailbox.Refuse(func(to string) error {
				if !strings.HasPrefix(to, "Refused.") {
					return nil
				}
				box, _, _ := strings.Cut(strings.ToLower(to), "@")
				return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "<" + strings.ToLower(to) + ">: the mailbox of " + box + " is full"}
			})
			outside := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
				http.Error(answer, "down for "+request.URL.RawQuery, http.StatusInternalServerError)
			}))
			t.Cleanup(outside.Close)
			settings := []string{
				"PORTAL_LOG_LEVEL", "debug", "PORTAL_SMTP_URL", mailbox.URL, "PORTAL_TRUSTED_PROXIES", "127.0.0.0/8",
				"PORTAL_OIDC_ISSUER", outside.URL, "PORTAL_OIDC_CLIENT_ID", "portal", "PORTAL_OIDC_CLIENT_SECRET", "hunter3-of-the-issuer",
			}
			if address := at(t); address != "" {
				settings = append(settings, "PORTAL_DATABASE_URL", address)
			}
			p := serve(t, settings...)
			w := &logWitness{t: t, p: p}
			w.hide("zelda", "quux", "203.0.113.77", "Refused.Person", "@example", "hunter2", "hunter3", "hunter4")
			if secret, err := os.ReadFile(filepath.Join(p.DataDir, "secret")); err == nil {
				w.hide(strings.TrimSpace(string(secret)))
			}
			code, link, errOut := p.run("user", "add", "--email", "zelda@example.org", "--name", "Zelda Quux", "--role", "admin")
			if code != 0 {
				t.Fatal(errOut)
			}
			invitation := path.Base(strings.TrimSpace(link))
			w.hide(invitation)

			// What people read, misspell and search for.
			for _, path := range []string{"/", "/events", "/blog", "/search?q=zelda+quux", "/search?q=%22zelda%22+OR+NEAR(quux*", "/events?city=Zeldaville&q=zelda"} {
				w.ask(http.MethodGet, path)
			}
			for path, want := range map[string]int{
				"/zelda/was/here": 404, "/blog/by-zelda-quux": 404, "/registrations/zelda-guesses": 404, "/login/zelda-guesses": 404, "/events?from=zelda": 404,
				"/admin/people?q=zelda": 303, "/media/zelda.webp": 404,
			} {
				if status, _, _ := w.ask(http.MethodGet, path); status >= 500 || status/100 != want/100 && status != 200 {
					t.Errorf("%s answers %d", path, status)
				}
			}
			w.wants(405, http.MethodDelete, "/events?by=zelda")
			w.wants(503, http.MethodGet, "/login/with/openid?next=/zelda")

			// Who registers, gives up, and is refused a mail.
			const register = "/events/krakow-supply-chain-hackathon/register"
			seat := func(email string) []string {
				return []string{"name", "Zelda Quux", "email", email, "tickets", "build", "consent", "yes", "nonce", "nonce-of-" + email}
			}
			w.wants(422, http.MethodPost, register, "name", "Zelda Quux", "email", "zelda@example")
			ticket := w.wants(303, http.MethodPost, register, seat("zelda@example.org")...)
			token := path.Base(ticket)
			w.hide(token)
			w.wants(200, http.MethodGet, ticket)
			w.wants(409, http.MethodPost, register, append(seat("Zelda@Example.org"), "nonce", "another")...)
			w.wants(303, http.MethodPost, register, seat("Refused.Person@Example.Org")...)
			w.wants(303, http.MethodPost, ticket+"/cancellation")

			// Who signs in, and in vain.
			w.wants(422, http.MethodPost, "/login/password", "email", "zelda@example.org", "password", "hunter4-of-zelda")
			w.wants(200, http.MethodPost, "/login", "email", "zelda@example.org", "next", "/admin/people?q=quux")
			w.wants(303, http.MethodPost, "/login/"+invitation)
			for _, path := range []string{"/account", "/account/security", "/admin", "/admin/people?q=zelda", "/admin/audit?q=zelda", "/admin/mail", "/admin/health"} {
				w.wants(200, http.MethodGet, path)
			}
			w.wants(303, http.MethodPost, "/account", "name", "Zelda Quux the Second", "timezone", "Europe/Berlin")
			for _, m := range mailbox.Wait(3) {
				for _, word := range strings.FieldsFunc(m.Text, func(r rune) bool { return r == '/' || r == ' ' || r == '\n' || r == '?' }) {
					if len(word) >= 40 {
						w.hide(word)
					}
				}
			}
			until(t, "a mail is refused", func() bool { return strings.Contains(p.logs.String(), "mail was not sent") })

			// What goes wrong beneath.
			address := p.env["PORTAL_DATABASE_URL"]
			if address == "" {
				address = "sqlite:" + filepath.Join(p.DataDir, "portal.db")
			}
			beneath := testkit.DB(t, testkit.Open(t, address, testkit.Clock()))
			if name == "SQLite" {
				lock := beneath.Begin()
				w.wants(503, http.MethodPost, register, seat("zelda.waits@example.org")...)
				lock.Rollback()
			}
			for _, statement := range []string{"ALTER TABLE consents RENAME TO elsewhere", "ALTER TABLE sign_in_links RENAME TO nowhere"} {
				if err := beneath.Exec(statement).Error; err != nil {
					t.Fatal(err)
				}
			}
			w.wants(500, http.MethodPost, register, seat("zelda.falls@example.org")...)
			w.wants(500, http.MethodPost, "/login/"+token)
			of := []string{"msg=request ", `msg="request failed"`, "level=ERROR", `msg="mail was not sent"`, `msg="an outside service does not answer"`, "status=404", "status=422", "status=409"}
			if name == "SQLite" {
				of = append(of, "database is locked")
			}
			w.tells(of...)

			for _, statement := range []string{"ALTER TABLE elsewhere RENAME TO consents", "ALTER TABLE nowhere RENAME TO sign_in_links"} {
				if err := beneath.Exec(statement).Error; err != nil {
					t.Fatal(err)
				}
			}

			// With a password that is wrong, and with a server that is gone.
			for n, server := range []string{strings.Replace(mailbox.URL, "hunter2", "hunter4", 1), "smtp://mailer:hunter4@127.0.0.1:1"} {
				p.env["PORTAL_SMTP_URL"] = server
				p.start(t)
				w.wants(303, http.MethodPost, register, seat(fmt.Sprintf("zelda.later%d@example.org", n))...)
				until(t, "a mail fails", func() bool { return strings.Contains(p.logs.String(), "mail was not sent") })
				w.tells(`msg="mail was not sent"`)
			}
			if len(w.hidden) < 12 {
				t.Errorf("only %d things were looked for", len(w.hidden))
			}
		})
	}
}
