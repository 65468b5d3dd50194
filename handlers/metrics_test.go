package handlers_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/testkit"
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
	for _, typed := range []string{"made", "no-such-post", "nobody@example.org", "sam@example.org"} {
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
