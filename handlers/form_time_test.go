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
	forged := w.page(send("1.forged"), 422)
	if got := forged.Attr(started, "value"); !forged.Has(`.summary a[href="#name"]`) || got == "1.forged" || got == "" {
		t.Errorf("a forged time is answered with %q and the time %q", forged.Text(".summary"), got)
	}
}
