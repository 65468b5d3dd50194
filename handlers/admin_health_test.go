package handlers_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// healthLines are the lines of the page by name: state, then facts and what to do.
func healthLines(page *testkit.Doc) map[string]string {
	lines := map[string]string{}
	for _, row := range page.All("dl.health > div") {
		lines[row.Text("dt")] = row.Text(".badge") + ": " + row.Text("dd:last-child")
	}
	return lines
}

// operated is a deskWorld as a process runs it: with a disk, a mail server and the figures of the process.
func (w *deskWorld) operated(disk handlers.Disk, diskErr error, outside ...*auth.Outside) (metrics *prometheus.Registry) {
	w.t.Helper()
	metrics = prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var err error
	w.app, err = handlers.New(handlers.Options{
		Store: w.store, Site: links.New(&url.URL{Scheme: "http", Host: "community.example.org"}), Log: slog.New(slog.DiscardHandler), Keys: testkit.Keys(),
		Ready: func(context.Context) error { return nil }, Contact: "community@example.org", Metrics: metrics, Version: "v1.2.3", Process: "lagoon, process 4711", Outside: outside,
		Disk: func() (handlers.Disk, error) { return disk, diskErr },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return metrics
}

// today sets the clock to the machine's, which is that of the database.
func (w *deskWorld) today() {
	w.t.Helper()
	var seconds int64
	w.scan(&seconds, "SELECT CAST(strftime('%s', 'now') AS integer)")
	w.clock.Set(time.Unix(seconds, 0).UTC())
	w.exec("UPDATE sessions SET seen_at = ?, expires_at = ?", w.store.Now(), w.store.Now().Add(48*time.Hour))
}

func (w *deskWorld) health() map[string]string {
	w.t.Helper()
	return healthLines(w.page(w.get("ada", "/admin/health"), http.StatusOK))
}

func TestTheHealthPageTellsHowThePortalIs(t *testing.T) {
	w := newDeskWorld(t)
	w.today()
	w.operated(handlers.Disk{Free: 40 << 30, Total: 100 << 30}, nil)
	for _, job := range []string{models.JobMail, models.JobForget} {
		if err := w.store.JobRan(t.Context(), job, w.store.Now(), time.Hour, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.Advance(3 * time.Second)
	page := w.page(w.get("ada", "/admin/health"), http.StatusOK)
	lines := healthLines(page)
	if got := page.Text("h1"); got != "All is well" {
		t.Errorf("the heading says %q: %q", got, lines)
	}
	for name, want := range map[string]string{
		"Program": "Well: portal v1.2.3, up for 3 seconds", "Disk": "Well: 42.9 GB of 107 GB free", "Clock": "Well: As the database has it",
		"Sending mail": "Well: Last 3 seconds ago, next in 59 minutes", "Mail": "Well: None waits",
	} {
		if lines[name] != want {
			t.Errorf("%s says %q, want %q", name, lines[name], want)
		}
	}
	for name, part := range map[string]string{"Database": "SQLite 3.", "Memory": " MB, in ", "Open files": " of "} {
		if !strings.HasPrefix(lines[name], "Well: ") || !strings.Contains(lines[name], part) {
			t.Errorf("%s says %q", name, lines[name])
		}
	}
}

func TestTheHealthPageSaysWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		name, line, want string
		do               func(w *deskWorld)
	}{
		{"a disk nearly full", "Disk", "Act now: 107 MB of 107 GB free Make room at once", func(w *deskWorld) { w.operated(handlers.Disk{Free: 107 << 20 * 95 / 100, Total: 100 << 30}, nil) }},
		{"a disk getting full", "Disk", "Look at it: 5.4 GB of 107 GB free Make room before", func(w *deskWorld) { w.operated(handlers.Disk{Free: 5 << 30, Total: 100 << 30}, nil) }},
		{"a disk that tells nothing", "Disk", "Not known: ", func(w *deskWorld) { w.operated(handlers.Disk{}, errors.ErrUnsupported) }},
		{"a clock that is off", "Clock", "Act now: 1h0m0s ahead of the database's clock Let both machines", func(w *deskWorld) { w.clock.Advance(time.Hour) }},
		{"nobody who works", "Background work", "Act now: Nobody has done any yet Run `portal serve`", func(*deskWorld) {}},
		{"nobody who works any more", "Sending mail", "Act now: Last 10 minutes ago Nobody does the background work", func(w *deskWorld) {
			if err := w.store.JobRan(w.t.Context(), models.JobMail, w.store.Now(), time.Minute, nil); err != nil {
				w.t.Fatal(err)
			}
			w.clock.Advance(10 * time.Minute)
		}},
		{"a job that failed", "Forgetting what was kept for its time", "Look at it: Last 0 seconds ago, next in 60 minutes. It failed: no table It is tried again", func(w *deskWorld) {
			if err := w.store.JobRan(w.t.Context(), models.JobForget, w.store.Now(), time.Hour, errors.New("no table")); err != nil {
				w.t.Fatal(err)
			}
		}},
		{"mails that wait long", "Mail", "Act now: 2 mails wait, one for 2 hours. The last error: refused by the server See whether", func(w *deskWorld) {
			w.exec("UPDATE mails SET error = 'refused by the server', next_at = ?", w.store.Now().Add(-2*time.Hour))
		}},
		{"mails given up", "Mail", "Look at it: None waits; 2 were given up Mend what the error says", func(w *deskWorld) { w.exec("UPDATE mails SET failed_at = ?", w.store.Now()) }},
		{"pages that lie ready", "Ready pages", "Well: ", func(w *deskWorld) {
			for range 4 {
				w.get("", "/groups")
			}
			if line := w.health()["Ready pages"]; !strings.HasSuffix(line, " KB of 67.1 MB taken; 75% of the public pages that were asked for lay ready") {
				w.t.Errorf("it says %q", line)
			}
		}},
		{"changes", "Changes", "Well: None yet", func(*deskWorld) {}},
		{"answers that failed", "Requests", "Act now: 2 answers in the last minutes, of which 1 failed Find their request", func(w *deskWorld) {
			w.exec("ALTER TABLE groups RENAME TO gone")
			w.get("", "/groups")
			w.exec("ALTER TABLE gone RENAME TO groups")
			w.get("", "/healthz")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newDeskWorld(t)
			w.today()
			for _, key := range []string{"a", "b"} {
				w.exec("INSERT INTO mails (kind, dedupe_key, recipient, next_at, created_at) VALUES ('sign_in', ?, 'ana@example.org', ?, ?)", key, w.store.Now(), w.store.Now())
			}
			w.operated(handlers.Disk{Free: 40 << 30, Total: 100 << 30}, nil)
			tt.do(w)
			if lines := w.health(); !strings.HasPrefix(lines[tt.line], tt.want) {
				t.Errorf("%s says %q, want %q…", tt.line, lines[tt.line], tt.want)
			}
		})
	}
}

func TestTheHealthPageTellsOfChangesThatWait(t *testing.T) {
	for _, tt := range []struct {
		waited  float64 // seconds
		waiting float64
		want    string
	}{
		{.001, 0, "Well: 2 changes in 1 commit; 95% of them waited at most 1.0 ms and took at most 1.0 ms"},
		{3, 0, "Look at it: 2 changes in 1 commit; 95% of them waited at most 4.0 s and took at most 1.0 ms People wait"},
		{.001, 600, "Look at it: 2 changes in 1 commit; 95% of them waited at most 1.0 ms and took at most 1.0 ms; 600 wait now People wait"},
		{.001, 3000, "Act now: 2 changes in 1 commit; 95% of them waited at most 1.0 ms and took at most 1.0 ms; 3,000 wait now More come"},
	} {
		w := newDeskWorld(t)
		w.today()
		metrics := w.operated(handlers.Disk{Free: 40 << 30, Total: 100 << 30}, nil)
		histogram := func(name string, value float64) {
			h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Buckets: prometheus.ExponentialBuckets(.0005, 2, 15)})
			metrics.MustRegister(h)
			h.Observe(value)
		}
		histogram("portal_commit_changes", 2)
		histogram("portal_commit_seconds", .001)
		histogram("portal_commit_wait_seconds", tt.waited)
		queue := prometheus.NewGauge(prometheus.GaugeOpts{Name: "portal_commit_queue_changes"})
		metrics.MustRegister(queue)
		queue.Set(tt.waiting)
		if line := w.health()["Changes"]; !strings.HasPrefix(line, tt.want) {
			t.Errorf("it says %q, want %q…", line, tt.want)
		}
	}
}

func TestTheHealthPageTellsHowOthersAnswerAndWhoSignsIn(t *testing.T) {
	w := newDeskWorld(t)
	w.today()
	metrics := w.operated(handlers.Disk{Free: 40 << 30, Total: 100 << 30}, nil, auth.NewOpenID("https://id.example.org", "portal", "hush", ""))
	calls := func(count, seconds string, labels ...string) (*prometheus.CounterVec, prometheus.Observer) {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: count}, append(labels, "outcome", "success"))
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: seconds, Buckets: []float64{.1, 1}}, labels)
		metrics.MustRegister(c, h)
		return c, h.WithLabelValues([]string{"openid"}[:len(labels)]...)
	}
	mails, mailSeconds := calls("portal_mail_attempts_total", "portal_mail_attempt_seconds")
	uploads, _ := calls("portal_storage_requests_total", "portal_storage_request_seconds")
	services, _ := calls("portal_outgoing_requests_total", "portal_outgoing_request_duration_seconds", "service")
	uploads.WithLabelValues("failed", "false")
	mails.WithLabelValues("failed", "false").Add(7) // before anybody looks
	says := func(want map[string]string) {
		t.Helper()
		lines := w.health()
		for name, line := range want {
			if !strings.HasPrefix(lines[name], line) {
				t.Errorf("%s says %q, want %q…", name, lines[name], line)
			}
		}
	}
	const none = "Well: Not called in the last minutes"
	w.get("", "/healthz") // the first of its minute
	says(map[string]string{"Mail server": none, "Bucket of uploads": none, "id.example.org": none, "Sign-ins": "Well: None in the last minutes"})

	mails.WithLabelValues("sent", "true").Add(3)
	for range 3 {
		mailSeconds.Observe(.05)
	}
	uploads.WithLabelValues("ok", "true").Inc()
	uploads.WithLabelValues("failed", "false").Inc()
	services.WithLabelValues("openid", "none", "false").Inc()
	services.WithLabelValues("another", "none", "false").Inc()
	w.post("", "/login/password", "email", "ana@example.org", "password", "not hers")
	says(map[string]string{
		"Mail server":       "Well: 3 calls in the last minutes, none failed; 95% took at most 94 ms",
		"Bucket of uploads": "Look at it: 2 calls in the last minutes, of which 1 failed Pictures are missing",
		"id.example.org":    "Look at it: 1 call in the last minutes, of which 1 failed Nobody can sign in with it",
		"Sign-ins":          "Well: 0 accepted, 1 refused and 0 failed in the last minutes",
	})
	w.exec("ALTER TABLE sign_in_links RENAME TO gone")
	w.post("", "/login/none")
	says(map[string]string{"Sign-ins": "Look at it: 0 accepted, 1 refused and 1 failed in the last minutes They broke off"})

	w.clock.Advance(10 * time.Minute)
	w.get("", "/healthz")
	says(map[string]string{"Mail server": none, "Bucket of uploads": none, "id.example.org": none, "Sign-ins": "Well: None in the last minutes"})
}

func TestTheHealthPageSaysWhoseFiguresItShowsAndWhatThereIs(t *testing.T) {
	w := newDeskWorld(t)
	w.today()
	w.operated(handlers.Disk{Free: 40 << 30, Total: 100 << 30}, nil)
	page := w.page(w.get("ada", "/admin/health"), http.StatusOK)
	if got := page.Text("#process + p"); !strings.HasPrefix(got, "lagoon, process 4711.") || strings.Contains(got, "Others may run") {
		t.Errorf("of the process it says %q", got)
	}
	there := page.Text(".health-more aside")
	for _, want := range []string{"Groups1", "Accounts6", "Registrations0"} {
		if !strings.Contains(there, want) {
			t.Errorf("it lacks %q: %s", want, there)
		}
	}
}

func TestAllPagesAreMadeAnewWhenAnAdminAsks(t *testing.T) {
	w := newDeskWorld(t)
	title := func() string { return w.page(w.get("", "/groups/berlin"), http.StatusOK).Text("h1") }
	w.exec("DROP TRIGGER groups_changed") // as when something changes and nobody notices
	was := title()
	if err := w.db.Writer.Exec("UPDATE groups SET name = 'CDF Spree' WHERE slug = 'berlin'").Error; err != nil {
		t.Fatal(err)
	}
	if got := title(); got != was {
		t.Fatalf("the page says %q before anybody asks", got)
	}
	page := w.page(w.get("ada", "/admin/health"), http.StatusOK)
	answer := w.post("ada", page.Attr(".health-more form", "action"))
	w.leads(answer, "/admin/health")
	if got := title(); got != "CDF Spree" {
		t.Errorf("the page still says %q", got)
	}
	if entry := w.page(w.get("ada", "/admin/audit?action=pages.renew"), http.StatusOK); !strings.Contains(entry.Text("main"), "Ada Examplelet all pages be made anew") {
		t.Errorf("the audit log says %q", entry.Text("main"))
	}
	if err := w.store.RenewPages(t.Context(), w.viewers["sam"]); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("staff do it too: %v", err)
	}
}

func TestRequestsOfLateAreThoseOfTheLastMinutes(t *testing.T) {
	w := newDeskWorld(t)
	count := func() (answered string, routes []string) {
		page := w.page(w.get("ada", "/admin/health"), http.StatusOK)
		for _, row := range page.All("table.figures tbody tr") {
			routes = append(routes, row.Text("td:first-child")+" "+row.Text("td:nth-child(2)"))
		}
		return page.Text("dl.kpi dd"), routes
	}
	if answered, routes := count(); answered != "0" || len(routes) != 0 {
		t.Errorf("before any: %s, %q", answered, routes)
	}
	for range 3 {
		w.get("", "/healthz")
	}
	if answered, routes := count(); answered != "4" || !strings.Contains(strings.Join(routes, ", "), "GET /healthz 3") {
		t.Errorf("at once: %s, %q", answered, routes)
	}
	w.clock.Advance(4 * time.Minute)
	w.get("", "/healthz")
	if answered, _ := count(); answered != "6" {
		t.Errorf("four minutes later: %s", answered)
	}
	w.clock.Advance(4 * time.Minute)
	if answered, routes := count(); answered != "2" || !strings.Contains(strings.Join(routes, ", "), "GET /healthz 1") {
		t.Errorf("another four minutes later: %s, %q", answered, routes)
	}
	w.clock.Advance(time.Hour)
	if answered, routes := count(); answered != "0" || len(routes) != 0 {
		t.Errorf("an hour later: %s, %q", answered, routes)
	}
}
