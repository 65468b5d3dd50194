package handlers_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/importer"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/testkit"
)

func TestNobodyIsToldThatNothingWasKeptWhenNobodyKnows(t *testing.T) {
	store := testkit.PostgreSQL(t, testkit.Clock())
	content, err := importer.ReadContent(fstest.MapFS{
		"pages/code-of-conduct.md": {Data: []byte("---\ntitle: Code\ndescription: Of conduct.\n---\n\nBe kind.\n")},
		"events/evening.md": {Data: []byte("---\ntitle: Evening\nsummary: An evening.\nkind: meetup\nmode: online\ntimezone: Europe/Berlin\nstart: 2027-06-02T18:30\n" +
			"end: 2027-06-02T20:00\ntickets:\n  - {name: Seat}\n---\n\nCome.\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.ImportContent(t.Context(), content, "community.example.org"); err != nil {
		t.Fatal(err)
	}
	app, err := handlers.New(handlers.Options{
		Store: store, Site: links.New(&url.URL{Scheme: "https", Host: "community.example.org"}), Log: slog.New(slog.DiscardHandler),
		Keys: testkit.Keys(), Ready: func(context.Context) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ when, heading, words string }{
		{"BEFORE INSERT ON registrations", "We are short of breath", "nothing was changed"},
		{"AFTER INSERT ON registrations DEFERRABLE INITIALLY DEFERRED", "We cannot tell whether that was kept", "before you send it again"},
	} {
		constraint := ""
		if strings.Contains(tt.when, "DEFERRED") {
			constraint = "CONSTRAINT "
		}
		for _, statement := range []string{
			"DROP TRIGGER IF EXISTS ends ON registrations",
			"CREATE OR REPLACE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(60); RETURN NEW; END $$",
			"CREATE " + constraint + "TRIGGER ends " + tt.when + " FOR EACH ROW EXECUTE FUNCTION ends()",
		} {
			if err := testkit.DB(t, store).Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		form := url.Values{"name": {"Ada Example"}, "email": {"ada@example.org"}, "consent": {"yes"}, "tickets": {"seat"}, "nonce": {"n"}}
		request := httptest.NewRequest(http.MethodPost, "/events/evening/register", strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		answer, err := app.Test(request, -1)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("%s: %s, %v\n%s", tt.when, answer.Status, err, body)
		}
		page := testkit.Parse(t, body)
		if got := page.Text("h1"); got != tt.heading || !strings.Contains(page.Text("main"), tt.words) {
			t.Errorf("%s: %q, %q", tt.when, got, page.Text("main"))
		}
	}
}
