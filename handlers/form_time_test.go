package handlers_test

import (
	"context"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/testkit"
)

func TestAFormSentAtOnceIsAskedForAgainAndKeepsItsTime(t *testing.T) {
	w := newEventsWorld(t)
	var err error
	w.app, err = handlers.New(handlers.Options{
		Store: w.store, Site: links.New(&url.URL{Scheme: "https", Host: "community.example.org"}), Log: slog.New(slog.DiscardHandler),
		Keys: testkit.Keys(), Ready: func(context.Context) error { return nil }, RateLimit: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	const path, started = "/events/hack/register", `input[name="started"]`
	made := w.page(w.get("", path), 200).Attr(started, "value")
	send := func(started string) deskAnswer {
		return w.post("", path, "name", "Ada Example", "email", "ada@", "tickets", "build", "consent", "yes", "started", started)
	}
	quick := w.page(send(made), 422)
	if !quick.Has(`.summary a[href="#name"]`) || quick.Attr(started, "value") != made {
		t.Errorf("sent at once: %q, made at %q, want the time %q kept", quick.Text(".summary"), quick.Attr(started, "value"), made)
	}
	w.clock.Advance(2 * time.Second)
	for range 2 { // mended as quickly as one likes
		if later := w.page(send(made), 422); !later.Has(`.summary a[href="#email"]`) || later.Has(`.summary a[href="#name"]`) {
			t.Errorf("sent later: %q, want only the e-mail named", later.Text(".summary"))
		}
	}
	for _, sent := range []string{"1.forged", ""} {
		page := w.page(send(sent), 422)
		again := page.Attr(started, "value")
		if !page.Has(`.summary a[href="#name"]`) || again == sent || !page.Has(`input[name="name"][value="Ada Example"]`) {
			t.Errorf("the time %q is answered with %q and the time %q", sent, page.Text(".summary"), again)
		}
		w.clock.Advance(2 * time.Second)
		if later := w.page(send(again), 422); later.Has(`.summary a[href="#name"]`) {
			t.Errorf("who sends it again is told %q", later.Text(".summary"))
		}
	}
	before := w.changes()
	complete := []string{"name", "Ada Example", "email", "ada@example.org", "tickets", "build", "consent", "yes", "nonce", "n"}
	w.page(w.post("", path, complete...), 422)
	if w.changes() != before {
		t.Error("who leaves the time out is registered")
	}
	w.clock.Advance(3 * 24 * time.Hour) // a form may stay open for days
	w.leads(w.post("", path, append(complete, "started", made)...), "/registrations/")
}
