package handlers_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// deskWorld is a site with one account of each kind.
type deskWorld struct {
	t       testing.TB
	app     *fiber.App
	store   *models.Store
	db      *database.DB
	clock   *clock.Fake
	kept    mail.File
	uploads storage.Storage
	backups string            // where they lie
	ready   error             // what keeps the portal from answering
	cookies map[string]string // by name of the person
	viewers map[string]models.Viewer
}

// The people of a deskWorld. Olu organises the group Berlin and is an attendee otherwise.
var deskPeople = []struct {
	name string
	role models.Role
}{
	{"ana", models.RoleAttendee},
	{"ben", models.RoleAmbassador},
	{"bob", models.RoleAmbassador},
	{"olu", models.RoleAttendee},
	{"sam", models.RoleStaff},
	{"ada", models.RoleAdmin},
}

// migratedFile is an empty database with the present schema, made once.
var migratedFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "portal-desk-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "portal.db")
	if _, err := database.Migrate(context.Background(), "sqlite:"+path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func newDeskWorld(t testing.TB, outside ...*auth.Outside) *deskWorld {
	t.Helper()
	ctx := context.Background()
	migrated, err := migratedFile()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "portal.db")
	if err := os.WriteFile(path, migrated, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(ctx, "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	uploads, err := storage.OpenDirectory(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = uploads.Close() })
	w := &deskWorld{
		t: t, db: db, clock: clock.NewFake(time.Date(2020, 6, 18, 16, 40, 0, 0, time.UTC)), kept: mail.File{Dir: t.TempDir()}, uploads: uploads, backups: t.TempDir(),
		cookies: map[string]string{}, viewers: map[string]models.Viewer{},
	}
	keys := auth.Keys{[]byte("a key for tests that is long enough")}
	w.store = models.NewStore(db.Reader, db.Writer, w.clock.Clock(), keys)
	w.exec("PRAGMA synchronous = OFF") // no test pulls the plug
	base, _ := url.Parse("http://community.example.org")
	w.app, err = handlers.New(handlers.Options{
		Store: w.store, Site: links.New(base), Log: slog.New(slog.DiscardHandler), Keys: keys, Uploads: uploads,
		KeptMail: &w.kept, Backups: storage.Backups{Dir: w.backups}, Ready: func(context.Context) error { return w.ready }, Contact: "community@example.org", Outside: outside,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.exec(`INSERT INTO groups (id, slug, status, name, city, country, latitude, longitude, timezone, created_at, updated_at)
		VALUES (1, 'berlin', 'listed', 'CDF Berlin', 'Berlin', 'DE', 52.5, 13.4, 'Europe/Berlin', ?, ?)`, w.store.Now(), w.store.Now())
	w.exec(`INSERT INTO categories (id, slug, name) VALUES (1, 'blog', 'Blog'), (2, 'community', 'Community')`)
	for _, p := range deskPeople {
		n := models.NewUser{Email: p.name + "@example.org", Name: strings.ToUpper(p.name[:1]) + p.name[1:] + " Example", Role: p.role}
		if p.name == "olu" {
			n.Groups = []string{"berlin"}
		}
		_, token, err := w.store.AddUser(ctx, models.Viewer{Role: "command"}, n)
		if err != nil {
			t.Fatal(err)
		}
		session, _, err := w.store.SignIn(ctx, models.Viewer{}, token, "Firefox/1 Linux")
		if err != nil {
			t.Fatal(err)
		}
		w.cookies[p.name] = session
		if w.viewers[p.name], err = w.store.ViewerBySession(ctx, session); err != nil {
			t.Fatal(err)
		}
	}
	w.exec("DELETE FROM settings WHERE key = 'setup'") // the portal is not new
	return w
}

// exec changes the database behind the rules' back, to bring about what a test starts from.
func (w *deskWorld) exec(sql string, args ...any) {
	w.t.Helper()
	if err := w.db.Writer.Exec(sql, args...).Error; err != nil {
		w.t.Fatal(err)
	}
	w.noticed()
}

// noticed lets the pages show what was written behind the store's back.
func (w *deskWorld) noticed() {
	w.t.Helper()
	if err := w.store.RaiseContentVersion(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// scan reads one value from the database.
func (w *deskWorld) scan(into any, sql string, args ...any) {
	w.t.Helper()
	if err := w.db.Reader.Raw(sql, args...).Scan(into).Error; err != nil {
		w.t.Fatal(err)
	}
}

// deskAnswer is what came back.
type deskAnswer struct {
	*http.Response
	body []byte
}

func (w *deskWorld) do(r *http.Request, person string) deskAnswer {
	w.t.Helper()
	if session := w.cookies[person]; session != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: session})
	}
	answer, err := w.app.Test(r, 20_000)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return deskAnswer{answer, body}
}

// get opens a page as somebody; an empty person is a visitor.
func (w *deskWorld) get(person, path string) deskAnswer {
	w.t.Helper()
	return w.do(httptest.NewRequest(http.MethodGet, path, http.NoBody), person)
}

// post sends a form: pairs of field and value.
func (w *deskWorld) post(person, path string, fields ...string) deskAnswer {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return w.do(r, person)
}

func (w *deskWorld) page(a deskAnswer, status int) *testkit.Doc {
	w.t.Helper()
	if a.StatusCode != status {
		w.t.Fatalf("status %d, want %d: %s", a.StatusCode, status, testkit.Parse(w.t, a.body).Text("main"))
	}
	return testkit.Parse(w.t, a.body)
}

// leads checks that an answer is 303 to a path and returns the path.
func (w *deskWorld) leads(a deskAnswer, prefix string) string {
	w.t.Helper()
	location := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, prefix) {
		w.t.Fatalf("answer %d to %q, want 303 to %s…: %s", a.StatusCode, location, prefix, testkit.Parse(w.t, a.body).Text("main"))
	}
	return location
}

func (w *deskWorld) cookie(a deskAnswer, name string) string {
	for _, c := range a.Cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// deskPassword is a password, and deskPasswordHash its hash, made once.
const deskPassword = "slow green trains at noon"

func deskPasswordHash(t testing.TB) string {
	t.Helper()
	hash, err := hashedOnce()
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

var hashedOnce = sync.OnceValues(func() (string, error) {
	return auth.HashSecret(context.Background(), deskPassword, auth.Salt())
})

// changes counts what was done: every change that matters leaves an entry, a mail or a row of its own.
func (w *deskWorld) changes() (n int) {
	w.t.Helper()
	w.scan(&n, `SELECT (SELECT count(*) FROM audit_entries) + (SELECT count(*) FROM mails) + (SELECT count(*) FROM users) + (SELECT count(*) FROM group_organisers)
		+ (SELECT count(*) FROM recovery_codes) + (SELECT count(*) FROM passwords) + (SELECT count(*) FROM authenticators)`)
	return n
}
