// Package jobs runs the background work: short loops that call models. It writes no SQL and decides nothing.
package jobs

import (
	"context"
	"log/slog"
	netmail "net/mail"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/models"
)

// Options is what the background work needs.
type Options struct {
	Store  *models.Store
	Site   links.Site
	Sender mail.Sender
	From   *netmail.Address
	Log    *slog.Logger
}

// Worker does the background work of one process.
type Worker struct {
	Options
}

// New returns a worker.
func New(o Options) *Worker { return &Worker{Options: o} }

// Run works until the context ends, then finishes what it has in hand.
func (w *Worker) Run(ctx context.Context) {
	<-ctx.Done()
}
