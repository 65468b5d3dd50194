package handlers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

func TestFiguresNameRoutesAndNothingThatSomebodyTyped(t *testing.T) {
	w := newDeskWorld(t)
	w.get("", "/blog")
	w.get("", "/blog")
	w.get("sam", "/blog")
	w.get("", "/blog/no-such-post")
	w.get("", "/a/made/up/address")
	w.post("", "/a/made/up/address")
	w.post("", "/login", "email", "nobody@example.org")
	text := w.get("", "/metrics")
	if text.StatusCode != http.StatusOK || text.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, %q", text.StatusCode, text.Header.Get("Cache-Control"))
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text.body))
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, m := range families["portal_http_requests_total"].GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetValue())
		}
		counted[strings.Join(labels, " ")] = m.GetCounter().GetValue()
	}
	// By name: method, route, signed in, status, success.
	for labels, want := range map[string]float64{
		"GET /blog false 2xx true": 2, "GET /blog true 2xx true": 1, "GET /blog/:slug false 4xx true": 1, "GET /* false 4xx true": 1, "any none false 4xx true": 1, "POST /login false 2xx true": 1,
	} {
		if counted[labels] != want {
			t.Errorf("%q is counted %v times, want %v; all: %v", labels, counted[labels], want, counted)
		}
	}
	for _, typed := range []string{"made/up", "no-such-post", "nobody@example.org", "sam@example.org"} {
		if bytes.Contains(text.body, []byte(typed)) {
			t.Errorf("the figures name %q", typed)
		}
	}
	accounts := 0.0
	for _, m := range families["portal_rows"].GetMetric() {
		if m.GetLabel()[0].GetValue() == "accounts" {
			accounts = m.GetGauge().GetValue()
		}
	}
	if accounts != 6 {
		t.Errorf("%v accounts, want 6", accounts)
	}
}

func TestSignInsAreCountedByWayAndOutcome(t *testing.T) {
	s := newService(t)
	w := newDeskWorld(t, auth.NewOpenID(s.URL, "portal", "hush", "http://community.example.org/login/with/openid/callback"))
	counted := func(way, outcome string, want int) {
		t.Helper()
		line := fmt.Sprintf("portal_sign_ins_total{outcome=%q,way=%q} %d\n", outcome, way, want)
		if text := string(w.get("", "/metrics").body); !strings.Contains(text, line) {
			t.Errorf("the figures lack %s", line)
		}
	}
	link := func(email string) deskAnswer {
		token, err := w.store.NewSignInLink(t.Context(), email)
		if err != nil {
			t.Fatal(err)
		}
		return w.post("", "/login/"+token)
	}
	counted("password", "accepted", 0)
	link("ana@example.org")
	w.post("", "/login/none")
	counted("link", "accepted", 1)
	counted("link", "refused", 1)
	w.post("", "/login/password", "email", "ana@example.org", "password", "not hers")
	w.post("", "/login/password", "email", "nobody@example.org", "password", "not theirs")
	counted("password", "refused", 2)
	w.post("", "/login/passkey", "challenge", "none", "passkey", "{}")
	counted("passkey", "refused", 1)

	back, cookie := w.visit("openid", "")
	w.back(back, cookie)
	s.email = "nobody@example.org"
	back, cookie = w.visit("openid", "")
	w.back(back, cookie)
	counted("outside", "accepted", 1)
	counted("outside", "refused", 1)
	back, cookie = w.visit("openid", "")
	s.Close()
	w.back(back, cookie)
	counted("outside", "failed", 1)

	w.addApp("ana")
	link("ana@example.org")
	counted("link", "second_factor", 1)
	w.exec("ALTER TABLE sign_in_links RENAME TO gone")
	w.post("", "/login/none")
	counted("link", "failed", 1)
}

func TestFiguresTellHowOldJobsAndBackupsAre(t *testing.T) {
	w := newDeskWorld(t)
	has := func(lines ...string) {
		t.Helper()
		text := string(w.get("", "/metrics").body)
		for _, line := range lines {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("the figures lack %s", line)
			}
		}
	}
	has("portal_backup_age_seconds 0", "portal_backup_every_seconds 86400", "portal_backup_failed 0")
	if err := w.store.JobRan(t.Context(), models.JobMail, w.store.Now(), time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.store.JobRan(t.Context(), models.JobForget, w.store.Now(), time.Hour, errors.New("no table")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.work(); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(10 * time.Minute)
	has(`portal_job_age_seconds{job="mail"} 600`, `portal_job_overdue_seconds{job="mail"} 540`, `portal_job_failed{job="mail"} 0`,
		`portal_job_overdue_seconds{job="forget"} 0`, `portal_job_failed{job="forget"} 1`, "portal_backup_age_seconds 600")

	w.leads(w.post("ada", "/admin/backups"), "/admin/backups")
	if made, err := w.work(); !made || err != nil {
		t.Fatal(made, err)
	}
	w.clock.Advance(time.Minute)
	has("portal_backup_age_seconds 60", "portal_backup_failed 0")
	w.exec("INSERT INTO backups (state, file, note, created_at) VALUES ('failed', '', 'no room', ?)", w.store.Now())
	w.leads(w.post("ada", "/admin/backups/plan", "every", "0", "hour", "3", "daily", "7", "weekly", "4"), "/admin/backups")
	has("portal_backup_age_seconds 60", "portal_backup_failed 1", "portal_backup_every_seconds 0")
}

func TestFiguresAreForTheOwnNetwork(t *testing.T) {
	w := newEventsWorld(t)
	ask := func(proxies []netip.Prefix, header, forwarded string) int {
		t.Helper()
		var err error
		w.app, err = handlers.New(handlers.Options{
			Store: w.store, Site: links.New(&url.URL{Scheme: "https", Host: "community.example.org"}), Log: slog.New(slog.DiscardHandler),
			Keys: testkit.Keys(), Ready: func(context.Context) error { return nil }, TrustedProxies: proxies,
		})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
		if forwarded != "" {
			r.Header[header] = strings.Split(forwarded, "\n")
		}
		return w.do(r, "").StatusCode
	}
	proxy := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")} // whence requests of a test come
	for _, tt := range []struct {
		name      string
		proxies   []netip.Prefix
		header    string
		forwarded string
		want      int
	}{
		{"straight from the machine", nil, "", "", http.StatusOK},
		{"through a proxy that nobody named", nil, "X-Forwarded-For", "10.0.0.7", http.StatusNotFound},
		{"through one that tells it otherwise", nil, "X-Real-Ip", "10.0.0.7", http.StatusNotFound},
		{"through a named proxy that tells it otherwise", proxy, "Forwarded", "for=10.0.0.7", http.StatusNotFound},
		{"through a named proxy, from the own network", proxy, "X-Forwarded-For", "10.0.0.7", http.StatusOK},
		{"through a named proxy, from IPv6's own network", proxy, "X-Forwarded-For", "fd00::7", http.StatusOK},
		{"through a named proxy, from outside", proxy, "X-Forwarded-For", "203.0.113.9", http.StatusNotFound},
		{"through a named proxy, pretending", proxy, "X-Forwarded-For", "10.0.0.7, 203.0.113.9", http.StatusNotFound},
		{"through one that adds a line, pretending", proxy, "X-Forwarded-For", "10.0.0.7\n203.0.113.9", http.StatusNotFound},
		{"through one that adds a line, saying nothing", proxy, "X-Forwarded-For", "\n203.0.113.9", http.StatusNotFound},
	} {
		if got := ask(tt.proxies, tt.header, tt.forwarded); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
