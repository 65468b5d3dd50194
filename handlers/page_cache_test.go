package handlers_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/andybalholm/brotli"
	"gorm.io/gorm"

	"github.com/cdfoundation/portal/static"
)

// countQueries counts what the world's pages ask the database by GORM.
func (w *deskWorld) countQueries() *atomic.Int64 {
	w.t.Helper()
	asked := new(atomic.Int64)
	count := func(*gorm.DB) { asked.Add(1) }
	callbacks := w.db.Reader.Callback()
	for _, err := range []error{
		callbacks.Query().Before("gorm:query").Register("count:query", count),
		callbacks.Row().Before("gorm:row").Register("count:row", count),
		callbacks.Raw().Before("gorm:raw").Register("count:raw", count),
	} {
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return asked
}

// ask gets a page with header lines as pairs.
func (w *deskWorld) ask(method, path string, header ...string) deskAnswer {
	w.t.Helper()
	r := httptest.NewRequest(method, path, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return w.do(r, "")
}

func TestAPageIsMadeOnceAndSentInEveryFormFromTheCache(t *testing.T) {
	w := newEventsWorld(t)
	asked := w.countQueries()
	plain := w.get("", "/events")
	if asked.Load() == 0 {
		t.Fatal("the first request asks nothing, so this test counts nothing")
	}
	asked.Store(0)
	tags := map[string]bool{}
	for coding, decode := range map[string]func([]byte) (io.Reader, error){
		"":     func(b []byte) (io.Reader, error) { return bytes.NewReader(b), nil },
		"gzip": func(b []byte) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(b)) },
		"br":   func(b []byte) (io.Reader, error) { return brotli.NewReader(bytes.NewReader(b)), nil },
	} {
		answer := w.ask(http.MethodGet, "/events", "Accept-Encoding", coding)
		if got := answer.Header.Get("Content-Encoding"); got != coding {
			t.Errorf("asked for %q, got %q", coding, got)
		}
		reader, err := decode(answer.body)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(reader); err != nil || !bytes.Equal(body, plain.body) {
			t.Errorf("the page in %q is another: %v", coding, err)
		}
		for name, want := range map[string]string{
			"Vary": "Accept-Encoding", "Cache-Control": "public, max-age=0, must-revalidate", "Content-Type": "text/html; charset=utf-8",
			"Content-Security-Policy": plain.Header.Get("Content-Security-Policy"),
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s of the page in %q: %q, want %q", name, coding, got, want)
			}
		}
		if id := answer.Header.Get("X-Request-Id"); id == "" || id == plain.Header.Get("X-Request-Id") {
			t.Errorf("the request is called %q, and another %q", id, plain.Header.Get("X-Request-Id"))
		}
		tag := answer.Header.Get("ETag")
		if tags[tag] || !strings.HasPrefix(tag, `"`) {
			t.Errorf("the tag of %q is %s", coding, tag)
		}
		tags[tag] = true
		unchanged := w.ask(http.MethodGet, "/events", "Accept-Encoding", coding, "If-None-Match", tag)
		if unchanged.StatusCode != http.StatusNotModified || len(unchanged.body) > 0 || unchanged.Header.Get("ETag") != tag || unchanged.Header.Get("Content-Encoding") != "" {
			t.Errorf("who has it in %q is answered %d, %d bytes, %v", coding, unchanged.StatusCode, len(unchanged.body), unchanged.Header)
		}
		for _, name := range []string{"Cache-Control", "Vary"} {
			if got := unchanged.Header.Get(name); got != answer.Header.Get(name) {
				t.Errorf("%s for who has it: %q, want %q", name, got, answer.Header.Get(name))
			}
		}
		if policy := unchanged.Header.Get("Content-Security-Policy"); policy != "" || unchanged.Header.Get("X-Request-Id") == "" {
			t.Errorf("who has it is told again what is kept with the page: %v", unchanged.Header)
		}
		head := w.ask(http.MethodHead, "/events", "Accept-Encoding", coding)
		if head.StatusCode != http.StatusOK || len(head.body) > 0 || head.ContentLength != answer.ContentLength || head.Header.Get("ETag") != tag {
			t.Errorf("HEAD in %q: %d, %d bytes, length %d", coding, head.StatusCode, len(head.body), head.ContentLength)
		}
	}
	if refused := w.ask(http.MethodGet, "/events", "Accept-Encoding", "br;q=0, gzip;q=0.5"); refused.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("who refuses br gets %q", refused.Header.Get("Content-Encoding"))
	}
	for _, path := range []string{"/events?utm_source=mail&utm_medium=x", "/events?fbclid=1"} {
		if answer := w.get("", path); !bytes.Equal(answer.body, plain.body) {
			t.Errorf("%s is another page", path)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("what is in the cache took %d queries", n)
	}
}

func TestWhatIsRefusedIsRefusedAlsoWhereThePageIsInTheCache(t *testing.T) {
	w := newEventsWorld(t)
	for range 2 {
		for _, path := range []string{"/events", "/events?utm_source=mail"} {
			w.page(w.get("", path), http.StatusOK)
		}
		for what, query := range map[string]string{
			"a parameter that comes twice": "utm_source=a&utm_source=b", "a long parameter": "utm_term=" + strings.Repeat("x", 4000), "no text": "gclid=%ff", "NUL": "fbclid=%00",
		} {
			if answer := w.get("", "/events?"+query); answer.StatusCode != http.StatusBadRequest {
				t.Errorf("%s is answered %d, want 400", what, answer.StatusCode)
			}
		}
	}
}

func TestPublicPagesNameInAHeaderWhatTheirHeadAsksFor(t *testing.T) {
	w := newEventsWorld(t)
	for _, path := range []string{"/", "/events", "/blog"} {
		answer := w.get("", path)
		page := w.page(answer, 200)
		for hint := range strings.SplitSeq(answer.Header.Get("Link"), ", ") {
			address, rest, _ := strings.Cut(strings.TrimPrefix(hint, "<"), ">")
			if len(page.All(`link[href="`+address+`"]`)) != 1 || !strings.HasPrefix(rest, "; rel=preload; as=") {
				t.Errorf("%s names %s", path, hint)
			}
			if asset := w.get("", address); asset.StatusCode != http.StatusOK {
				t.Errorf("%s answers %d", address, asset.StatusCode)
			}
		}
	}
	for person, path := range map[string]string{"": "/login", "ada": "/events"} {
		if hints := w.get(person, path).Header.Get("Link"); hints != "" {
			t.Errorf("%s, which no network keeps, names %s", path, hints)
		}
	}
}

func TestWhatIsOnesOwnIsNeverInTheCache(t *testing.T) {
	w := newEventsWorld(t)
	paths := []string{"/", "/events", "/events/hack", "/blog", "/about", "/groups/berlin"}
	for _, first := range []string{"", "ada"} {
		w.noticed()
		for _, person := range []string{first, "ada", "", "sam", ""} {
			for _, path := range paths {
				answer := w.get(person, path)
				named := bytes.Contains(answer.body, []byte(`href="/admin">Desk`))
				if answer.StatusCode == http.StatusOK && named != (person != "") {
					t.Errorf("%s as %q shows somebody signed in: %t", path, person, named)
				}
				if public := strings.HasPrefix(answer.Header.Get("Cache-Control"), "public"); public && person != "" || answer.Header.Get("Set-Cookie") != "" {
					t.Errorf("%s as %q: %q, cookies %q", path, person, answer.Header.Get("Cache-Control"), answer.Header.Get("Set-Cookie"))
				}
			}
		}
	}
	// A form carries a number of its own, a message shows once, an address that is old leads on.
	if one, two := w.get("", "/events/hack/register"), w.get("", "/events/hack/register"); bytes.Equal(one.body, two.body) {
		t.Error("two people get one number for their forms")
	}
	w.get("", "/login")
	if told := w.ask(http.MethodGet, "/login", "Cookie", "flash=signed-out"); !bytes.Contains(told.body, []byte("You are signed out.")) {
		t.Error("the message is not shown")
	}
	if again := w.get("", "/login"); bytes.Contains(again.body, []byte("You are signed out.")) {
		t.Error("one person's message is shown to another")
	}
	if old := w.get("", "/?feed=rss2"); old.StatusCode != http.StatusMovedPermanently {
		t.Errorf("the old feed answers %d after the home page was kept", old.StatusCode)
	}
	if missing := w.get("", "/?p=4711"); missing.StatusCode != http.StatusNotFound {
		t.Errorf("an old post answers %d after the home page was kept", missing.StatusCode)
	}
}

func TestWhatIsNotKeptIsCompressedAndComparedAllTheSame(t *testing.T) {
	w := newEventsWorld(t)
	for _, path := range []string{"/events/hack/register", "/login", static.Path("main.css")} {
		plain := w.get("", path)
		answer := w.ask(http.MethodGet, path, "Accept-Encoding", "br")
		body, err := io.ReadAll(brotli.NewReader(bytes.NewReader(answer.body)))
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Encoding") != "br" || err != nil || len(body) < len(plain.body)*9/10 {
			t.Errorf("%s: %d in %q, %d bytes for %d, %v", path, answer.StatusCode, answer.Header.Get("Content-Encoding"), len(body), len(plain.body), err)
		}
		if tag := answer.Header.Get("ETag"); tag != "" {
			if again := w.ask(http.MethodGet, path, "Accept-Encoding", "br", "If-None-Match", tag); again.StatusCode != http.StatusNotModified {
				t.Errorf("%s: %d for who has it", path, again.StatusCode)
			}
		}
	}
}

func TestASeatThatIsTakenShowsAtOnceAndLeavesOtherPagesInTheCache(t *testing.T) {
	w := newEventsWorld(t)
	seats := func() string { return w.page(w.get("", "/events/small"), 200).Text("main") }
	before, blog := seats(), w.get("", "/blog")
	w.leads(w.register("small", "ada@example.org"), "/registrations/")
	if after := seats(); after == before {
		t.Error("the page does not show that a seat is gone")
	}
	asked := w.countQueries()
	if again := w.get("", "/blog"); asked.Load() > 0 || again.Header.Get("ETag") != blog.Header.Get("ETag") {
		t.Errorf("the blog was made anew with %d queries", asked.Load())
	}
	if w.get("", "/events/small"); asked.Load() > 0 {
		t.Errorf("the event's page was made twice with %d queries", asked.Load())
	}
}

func TestManyWhoAskAtOnceLetAPageBeMadeOnce(t *testing.T) {
	w := newEventsWorld(t)
	asked := w.countQueries()
	w.get("", "/groups/berlin")
	once := asked.Load()
	w.noticed()
	asked.Store(0)
	var everybody sync.WaitGroup
	for range 20 {
		everybody.Go(func() { w.get("", "/groups/berlin") })
	}
	everybody.Wait()
	if got := asked.Load(); got > once+1 { // one more says until when pages hold
		t.Errorf("twenty requests at once asked %d times, one asks %d times", got, once)
	}
}
