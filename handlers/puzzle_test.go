package handlers_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// limit makes the world one whose requests are limited, by the address that X-Forwarded-For names.
func (w *deskWorld) limit() {
	w.t.Helper()
	var err error
	w.app, err = handlers.New(handlers.Options{
		Store: w.store, Site: links.New(&url.URL{Scheme: "http", Host: "community.example.org"}), Log: slog.New(slog.DiscardHandler),
		Keys: testkit.Keys(), Ready: func(context.Context) error { return nil }, RateLimit: true,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")}, // whence requests of a test come
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// from gets a path or, with fields, posts them to it, from an address.
func (w *deskWorld) from(address, path string, fields ...string) deskAnswer {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	if len(fields) > 0 {
		form := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			form.Add(fields[i], fields[i+1])
		}
		r = httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("X-Forwarded-For", address)
	return w.do(r, "")
}

// puzzle is what a page asks the browser to solve.
func (w *deskWorld) puzzle(page *testkit.Doc) (p models.Puzzle) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(page.Attr("form [data-puzzle]", "data-puzzle")), &p); err != nil {
		w.t.Fatalf("no puzzle: %v: %s", err, page.Text("main"))
	}
	return p
}

func TestACrowdRegistersWithAProofOfWorkPastHalfOfTheLimit(t *testing.T) {
	w := newEventsWorld(t)
	w.limit()
	const path, crowd, other = "/events/hack/register", "198.51.100.7", "198.51.100.8"
	started := w.page(w.from(other, path), http.StatusOK).Attr(`input[name="started"]`, "value")
	w.clock.Advance(2 * time.Second)
	send := func(from, email string, more ...string) deskAnswer {
		fields := []string{"name", "Ada Example", "email", email, "tickets", "build", "consent", "yes", "nonce", "of " + email, "started", started}
		return w.from(from, path, append(fields, more...)...)
	}
	for n := range 60 {
		if page := w.page(send(crowd, "ada@"), http.StatusUnprocessableEntity); page.Has("[data-puzzle]") != (n == 59) {
			t.Fatalf("the answer to form number %d asks for a puzzle: %t", n+1, n != 59)
		}
	}
	form := w.from(crowd, path)
	if cache := form.Header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("a form with a puzzle may be kept: %q", cache)
	}
	first := w.puzzle(w.page(form, http.StatusOK))
	if w.page(w.from(other, path), http.StatusOK).Has("[data-puzzle]") {
		t.Error("another network is asked as well")
	}

	before := w.changes()
	refused := send(crowd, "ada@example.org")
	page := w.page(refused, http.StatusTooManyRequests)
	if wait, err := strconv.Atoi(refused.Header.Get("Retry-After")); err != nil || wait < 1 || wait > 60 {
		t.Errorf("who sends no solution is told to wait %q seconds", refused.Header.Get("Retry-After"))
	}
	for _, kept := range []string{`input[name="name"][value="Ada Example"]`, `input[name="email"][value="ada@example.org"]`, `input[value="build"][checked]`, `#consent[checked]`, `.summary a[href="#puzzle"]`, "#puzzle"} {
		if !page.Has(kept) {
			t.Errorf("the form comes back without %s", kept)
		}
	}
	again := w.puzzle(page)
	if again.Challenge == first.Challenge {
		t.Error("the same puzzle is given twice")
	}
	if refusedFor := w.page(send(crowd, "ada@example.org", "puzzle", "guessed"), http.StatusTooManyRequests); !refusedFor.Has("[data-puzzle]") {
		t.Error("after a wrong solution there is no further puzzle")
	}
	if w.changes() != before {
		t.Error("what is refused changes something")
	}

	solution := testkit.Solve(t, again)
	w.leads(send(crowd, "ada@example.org", "puzzle", solution), "/registrations/")
	w.page(send(crowd, "grace@example.org", "puzzle", solution), http.StatusTooManyRequests)
	if w.page(send(other, "ada@"), http.StatusUnprocessableEntity).Has("[data-puzzle]") {
		t.Error("another network is asked after its first form")
	}

	// The nearer the limit, the more is asked for.
	for range 50 {
		send(crowd, "ada@")
	}
	if near := w.puzzle(w.page(w.from(crowd, path), http.StatusOK)); near.Max < 3*first.Max {
		t.Errorf("near the limit numbers go up to %d, past its half to %d", near.Max, first.Max)
	}
	for range 20 {
		refused = send(crowd, "ada@")
	}
	if refused.StatusCode != http.StatusTooManyRequests || testkit.Parse(t, refused.body).Has("form.form-main") {
		t.Error("a proof of work is asked for past the limit")
	}

	// After a minute nobody is asked, and who has no script goes on.
	w.clock.Advance(61 * time.Second)
	if w.page(w.from(crowd, path), http.StatusOK).Has("[data-puzzle]") {
		t.Error("a minute later the form still asks for a puzzle")
	}
}

func TestACrowdAsksForLinksWithAProofOfWorkPastHalfOfTheLimit(t *testing.T) {
	w := newEventsWorld(t)
	w.limit()
	const crowd, other = "2001:db8:1:2::1", "198.51.100.8"
	mails := func() (n int) { w.scan(&n, "SELECT count(*) FROM mails WHERE kind = 'sign_in'"); return n }
	for range 2 { // whatever is kept of the page for others
		if page := w.from(other, "/login"); w.page(page, http.StatusOK).Has("[data-puzzle]") || page.Header.Get("Cache-Control") != "no-store" {
			t.Error("the form may be kept, or asks for a puzzle")
		}
	}
	for range 5 {
		w.page(w.from(crowd, "/login", "email", "nobody@example.org"), http.StatusOK)
	}
	puzzle := w.puzzle(w.page(w.from("2001:db8:1:2:ffff::9", "/login"), http.StatusOK))
	if page := w.page(w.from(crowd, "/login", "email", "sam@example.org", "next", "/events"), http.StatusTooManyRequests); !page.Has(`#email[value="sam@example.org"]`) ||
		!page.Has(`.summary a[href="#puzzle"]`) || page.Attr(`input[name="next"]`, "value") != "/events" {
		t.Error("the form does not come back as it was")
	}
	if mails() != 0 {
		t.Error("a link is mailed without a solution")
	}
	ofAnother, err := w.store.NewPuzzle("/events/:slug/register", 100)
	if err != nil {
		t.Fatal(err)
	}
	w.page(w.from(crowd, "/login", "email", "sam@example.org", "puzzle", testkit.Solve(t, ofAnother)), http.StatusTooManyRequests)
	w.page(w.from(crowd, "/login", "email", "sam@example.org", "puzzle", testkit.Solve(t, puzzle)), http.StatusOK)
	if mails() != 1 {
		t.Errorf("%d links are mailed with a solution", mails())
	}
	if page := w.page(w.from(other, "/login"), http.StatusOK); page.Has("[data-puzzle]") {
		t.Error("another network is asked as well")
	}
}

func TestACrowdIsOneForAllProcesses(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		if testkit.DB(t, store).Name() != "postgres" {
			return // one process serves
		}
		apps := []*fiber.App{limitedApp(t, store), limitedApp(t, testkit.Beside(t, store)), limitedApp(t, testkit.Beside(t, store))}
		const crowd, other = "198.51.100.7", "198.51.100.8"
		ask := func(app *fiber.App, from string, form url.Values) (int, *testkit.Doc) {
			t.Helper()
			r := httptest.NewRequest(http.MethodGet, "/login", http.NoBody)
			if form != nil {
				r = httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(form.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			r.Header.Set("X-Forwarded-For", from)
			answer, err := app.Test(r, -1)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close() //nolint:errcheck // read to its end
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			return answer.StatusCode, testkit.Parse(t, body)
		}
		for n := range 5 { // of ten a minute: no process sees half of them
			if status, _ := ask(apps[n%3], crowd, url.Values{"email": {"nobody@example.org"}}); status != http.StatusOK {
				t.Fatalf("form number %d is answered %d", n+1, status)
			}
		}
		for n, app := range apps {
			if _, page := ask(app, other, nil); page.Has("[data-puzzle]") {
				t.Errorf("process %d asks another network as well", n)
			}
			_, page := ask(app, crowd, nil)
			var puzzle models.Puzzle
			if err := json.Unmarshal([]byte(page.Attr("form [data-puzzle]", "data-puzzle")), &puzzle); err != nil {
				t.Fatalf("process %d asks for no proof of work: %v", n, err)
			}
			sentTo, form := apps[(n+1)%3], url.Values{"email": {"nobody@example.org"}}
			if n == 0 {
				if status, again := ask(sentTo, crowd, form); status != http.StatusTooManyRequests || !again.Has("[data-puzzle]") {
					t.Errorf("without a proof of work it is answered %d", status)
				}
			}
			form.Set("puzzle", testkit.Solve(t, puzzle))
			if status, _ := ask(sentTo, crowd, form); status != http.StatusOK {
				t.Errorf("what process %d asked for is answered %d by the next", n, status)
			}
		}
	})
}

func TestWhereNothingIsLimitedNobodyIsAskedForAProofOfWork(t *testing.T) {
	w := newEventsWorld(t)
	for range 130 {
		if page := w.page(w.post("", "/events/hack/register", "name", "Ada Example", "email", "ada@"), http.StatusUnprocessableEntity); page.Has("[data-puzzle]") {
			t.Fatal("a puzzle is asked for")
		}
	}
}
