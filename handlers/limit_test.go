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

func TestALimitCountsAnAddressOfIPv4AndANetworkOfIPv6(t *testing.T) {
	w := newEventsWorld(t)
	w.app = limitedApp(t, w.store)
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

func TestProcessesOnOnePostgreSQLShareTheirLimits(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		shared := testkit.DB(t, store).Name() == "postgres"
		first, second := limitedApp(t, store), limitedApp(t, testkit.Beside(t, store))
		asked := 0
		ask := func(app *fiber.App, address string, want int) {
			t.Helper()
			asked++
			r := httptest.NewRequest(http.MethodGet, "/login/nothing"+strconv.Itoa(asked), http.NoBody)
			r.Header.Set("X-Forwarded-For", address)
			answer, err := app.Test(r, -1)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close() //nolint:errcheck // only the status counts
			if limited := answer.StatusCode == http.StatusTooManyRequests; limited != (want == http.StatusTooManyRequests) {
				t.Fatalf("request %d, of %s: %s, want %d", asked, address, answer.Status, want)
			}
		}
		const limit = 30
		for range limit / 2 {
			ask(first, "198.51.100.7", http.StatusOK)
			ask(second, "198.51.100.7", http.StatusOK)
		}
		over := http.StatusOK
		if shared {
			over = http.StatusTooManyRequests
		}
		ask(first, "198.51.100.7", over)
		ask(second, "198.51.100.7", over)
		ask(second, "198.51.100.8", http.StatusOK)
		if !shared {
			return
		}
		now.Advance(time.Minute)
		ask(first, "198.51.100.7", http.StatusOK)

		var kept []string
		count := func() int {
			t.Helper()
			kept = nil
			if err := testkit.DB(t, store).Raw("SELECT client FROM request_counts").Scan(&kept).Error; err != nil {
				t.Fatal(err)
			}
			return len(kept)
		}
		if n := count(); n != 3 || strings.Contains(strings.Join(kept, " "), "198.51") {
			t.Errorf("kept: %q, want three clients' minutes without an address", kept)
		}
		now.Advance(time.Hour)
		if _, err := store.Forget(t.Context()); err != nil || count() != 0 {
			t.Errorf("an hour later %d are kept: %v", len(kept), err)
		}

		// A database that cannot count refuses nobody, and what a process counts itself holds.
		if err := testkit.DB(t, store).Exec("DROP TABLE request_counts").Error; err != nil {
			t.Fatal(err)
		}
		for range limit {
			ask(first, "198.51.100.9", http.StatusOK)
		}
		ask(first, "198.51.100.9", http.StatusTooManyRequests)
	})
}

// limitedApp is a site with limits, whose tests' requests come through a proxy.
func limitedApp(t *testing.T, store *models.Store) *fiber.App {
	t.Helper()
	app, err := handlers.New(handlers.Options{
		Store: store, Site: links.New(&url.URL{Scheme: "https", Host: "community.example.org"}), Log: slog.New(slog.DiscardHandler),
		Keys: testkit.Keys(), Ready: func(context.Context) error { return nil }, RateLimit: true,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")}, // whence requests of a test come
	})
	if err != nil {
		t.Fatal(err)
	}
	return app
}
