package handlers_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"testing"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/testkit"
)

func TestALimitCountsAnAddressOfIPv4AndANetworkOfIPv6(t *testing.T) {
	w := newEventsWorld(t)
	var err error
	w.app, err = handlers.New(handlers.Options{
		Store: w.store, Site: links.New(&url.URL{Scheme: "https", Host: "community.example.org"}), Log: slog.New(slog.DiscardHandler),
		Keys: testkit.Keys(), Ready: func(context.Context) error { return nil }, RateLimit: true,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")}, // whence requests of a test come
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	ask := func(address string, want int) {
		t.Helper()
		asked++ // what was answered before costs nothing and is not counted
		r := httptest.NewRequest(http.MethodGet, "/search?q="+strconv.Itoa(asked), http.NoBody)
		r.Header.Set("X-Forwarded-For", address)
		answer := w.do(r, "")
		if answer.StatusCode != want {
			t.Errorf("%s gets %d, want %d", address, answer.StatusCode, want)
		}
		if want == http.StatusTooManyRequests && answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s is not told when to come again", address)
		}
	}
	for i := range 60 {
		ask(fmt.Sprintf("2001:db8:1:2::%x", i), http.StatusOK)
		ask("198.51.100.7", http.StatusOK)
	}
	ask("2001:db8:1:2:ffff::1", http.StatusTooManyRequests)
	ask("2001:db8:1:3::1", http.StatusOK)
	ask("198.51.100.7", http.StatusTooManyRequests)
	ask("::ffff:198.51.100.8", http.StatusOK)
}
