// Package jobs runs the background work: short loops that call models. It writes no SQL and decides nothing.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/cdfoundation/portal/internal/backup"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

// Options is what the background work needs.
type Options struct {
	Store  *models.Store
	Site   links.Site
	Sender mail.Sender
	From   *netmail.Address
	Log    *slog.Logger
	Backup *backup.Keeper // nil: this process makes none

	Uploads  storage.Storage // where uploaded pictures lie
	KeptMail mail.File       // where mails lie that were kept instead of sent

	Metrics prometheus.Registerer // nil: nobody asks for figures
	Tracer  trace.Tracer          // nil: nobody asks for traces
}

// Worker does the background work of one process.
type Worker struct {
	Options
	writing sync.Mutex // one mail is written at a time, so that a core is left; many are on their way
	mails   *prometheus.CounterVec
	seconds prometheus.Histogram
}

// New returns a worker.
func New(o Options) *Worker {
	return &Worker{
		Options: o,
		mails: promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
			Name: "portal_mail_attempts_total", Help: "Attempts to send a mail, by its kind, by outcome (sent, failed for now, given_up, dropped because who it was for may not read it any more) and by success (no fault of ours or of the mail server: sent, dropped, or the recipient's address was refused for good).",
		}, []string{"kind", "outcome", "success"}),
		seconds: promauto.With(o.Metrics).NewHistogram(prometheus.HistogramOpts{
			Name: "portal_mail_attempt_seconds", Help: "How long an attempt took, the mail's writing included.", Buckets: prometheus.ExponentialBuckets(.005, 2, 12),
		}),
	}
}

const (
	mailPoll   = 500 * time.Millisecond // between two looks for mails that are due
	crowdPause = 250 * time.Millisecond // between two batches of mails while a crowd is served, which waits for the same processor and disk
	mailBatch  = 8                      // mails sent at the same time, each to another person
	mailPause  = 5 * time.Millisecond   // after each mail of a batch before the next batch, so that thousands of mails leave the processor to visitors
	forgetEach = time.Hour              // between two looks for what was kept for its time
	backupPoll = 5 * time.Second        // between two looks for a backup that is due
	removePoll = 500 * time.Millisecond // between two looks for files to remove
	removeRest = 5 * time.Second        // after one that failed
	seenEach   = time.Minute            // between two notes that somebody sends mails
	mailLimit  = 15 * time.Second       // for one mail, shorter than its lease and than a shutdown may take
)

// Run works until the context ends, then finishes what it has in hand.
func (w *Worker) Run(ctx context.Context) {
	letters, err := newLetters()
	if err != nil {
		w.Log.LogAttrs(ctx, slog.LevelError, "no mail can be written", slog.String("error", err.Error()))
		return
	}
	var aside sync.WaitGroup
	defer aside.Wait()
	aside.Go(func() { w.removeDue(ctx) })
	if w.Backup != nil {
		aside.Go(func() { w.backUp(ctx) })
	}
	var forgot, seen time.Time
	for ctx.Err() == nil {
		now := w.Store.Now()
		if now.Sub(seen) >= seenEach { // also amid many mails
			w.did(ctx, models.JobMail, now, seenEach, nil)
			seen = now
		}
		if now.Sub(forgot) >= forgetEach {
			w.did(ctx, models.JobForget, now, forgetEach, w.forget(ctx))
			forgot = now
		}
		sent, err := w.sendDue(ctx, letters)
		if err != nil && ctx.Err() == nil {
			w.Log.LogAttrs(ctx, slog.LevelWarn, "mails were not claimed", slog.String("error", err.Error()))
		}
		pause := mailPoll
		switch {
		case sent > 0 && w.Store.Crowded():
			pause = crowdPause
		case sent > 0:
			pause = time.Duration(sent) * mailPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// backUp makes the backups that are due, beside the mails: one of much data takes minutes.
func (w *Worker) backUp(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.Backup.Remove(ctx); err != nil && ctx.Err() == nil {
			w.Log.LogAttrs(ctx, slog.LevelWarn, "backups were not removed", slog.String("error", err.Error()))
		}
		did, err := w.Backup.Run(ctx)
		if err != nil && ctx.Err() == nil {
			w.Log.LogAttrs(ctx, slog.LevelError, "no good backup was made", slog.String("error", err.Error()))
		} else if did {
			w.Log.LogAttrs(ctx, slog.LevelInfo, "a backup was made and tested")
		}
		select {
		case <-ctx.Done():
		case <-time.After(backupPoll):
		}
	}
}

// did notes that a part of the work was done.
func (w *Worker) did(ctx context.Context, job string, began time.Time, pause time.Duration, failure error) {
	if ctx.Err() != nil {
		return
	}
	if err := w.Store.JobRan(ctx, job, began, pause, failure); err != nil && ctx.Err() == nil {
		w.Log.LogAttrs(ctx, slog.LevelWarn, "a job was not noted", slog.String("job", job), slog.String("error", err.Error()))
	}
}

// sendDue sends the mails that are due, up to a batch, and returns how many it took in hand.
func (w *Worker) sendDue(ctx context.Context, letters letters) (int, error) {
	mails, err := w.Store.ClaimMails(ctx, mailBatch)
	if err != nil {
		return 0, err
	}
	var hands sync.WaitGroup
	for _, m := range mails {
		hands.Go(func() {
			// A mail that was begun is finished, also when the program ends.
			sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailLimit)
			defer cancel()
			w.send(sending, letters, m)
		})
	}
	hands.Wait()
	return len(mails), nil
}

// send writes and sends one mail and notes what became of it.
func (w *Worker) send(ctx context.Context, letters letters, m models.Mail) {
	began := w.Store.Now()
	if w.Tracer != nil {
		var span trace.Span
		ctx, span = w.Tracer.Start(ctx, "mail "+string(m.Kind), trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(attribute.Int("portal.mail.attempt", m.Attempts)))
		defer span.End()
	}
	permanent, err := w.deliver(ctx, letters, m)
	w.seconds.Observe(w.Store.Now().Sub(began).Seconds())
	outcome := "sent"
	switch {
	case errors.Is(err, errRevoked):
		outcome = "dropped"
	case err != nil && permanent:
		outcome = "given_up"
	case err != nil:
		outcome = "failed"
	}
	w.mails.WithLabelValues(string(m.Kind), outcome, strconv.FormatBool(err == nil || outcome == "dropped" || mail.Permanent(err))).Inc()
	if span := trace.SpanFromContext(ctx); err != nil && outcome != "dropped" && span.IsRecording() {
		span.SetStatus(codes.Error, outcome)
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailLimit)
	defer cancel()
	switch {
	case err == nil:
		err = w.Store.MailSent(noting, m.ID)
	case errors.Is(err, errRevoked):
		w.Log.LogAttrs(ctx, slog.LevelInfo, "mail was dropped", slog.Int64("mail", m.ID), slog.String("kind", string(m.Kind)), slog.String("reason", err.Error()))
		err = w.Store.DropMail(noting, m.ID)
	default:
		w.Log.LogAttrs(ctx, slog.LevelWarn, "mail was not sent", slog.Int64("mail", m.ID), slog.String("kind", string(m.Kind)),
			slog.Int("attempt", m.Attempts), slog.Bool("permanent", permanent), slog.String("error", err.Error()))
		err = w.Store.MailFailed(noting, m, err, permanent)
	}
	if err != nil {
		w.Log.LogAttrs(ctx, slog.LevelError, "mail was not noted", slog.Int64("mail", m.ID), slog.String("error", err.Error()))
	}
}

// errRevoked is for a mail to somebody who lost the right to read it while it waited.
var errRevoked = errors.New("who it was for may not read it any more")

// deliver writes and sends one mail. permanent tells that a failure will not pass by itself.
func (w *Worker) deliver(ctx context.Context, letters letters, m models.Mail) (permanent bool, err error) {
	defer func() {
		// One mail that cannot be written must not end the program, and at every start anew.
		if r := recover(); r != nil {
			permanent, err = true, fmt.Errorf("panic: %v", r)
			w.Log.LogAttrs(ctx, slog.LevelError, "a mail broke its writing", slog.Int64("mail", m.ID), slog.String("stack", string(debug.Stack())))
		}
	}()
	may, err := w.Store.MayRead(ctx, m)
	if err == nil && !may {
		err = errRevoked
	}
	if err != nil {
		return !isMoment(err), err
	}
	message, err := w.compose(ctx, letters, m)
	if err != nil {
		return !isMoment(err), err
	}
	err = w.Sender.Send(ctx, message)
	return mail.Permanent(err), err
}
