package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

// removeBatch is how many removals of files are read at once.
const removeBatch = 1000

// forget lets go of what was kept for its time, in the database and of mails in files.
func (w *Worker) forget(ctx context.Context) error {
	before, err := w.Store.Forget(ctx)
	if err == nil {
		err = w.KeptMail.Remove(func(_ string, date time.Time, _ func() string) bool { return date.Before(before) })
	}
	if err != nil && ctx.Err() == nil {
		w.Log.LogAttrs(ctx, slog.LevelWarn, "what was kept for its time was not forgotten", slog.String("error", err.Error()))
	}
	return err
}

// removeDue removes the files that are to go, beside the mails: a bucket that is away is waited for.
func (w *Worker) removeDue(ctx context.Context) {
	for ctx.Err() == nil {
		pause := removePoll
		if err := w.removeFiles(ctx); err != nil && ctx.Err() == nil {
			w.Log.LogAttrs(ctx, slog.LevelWarn, "files were not removed", slog.String("error", err.Error()))
			pause = removeRest
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// removeFiles removes the files that the database wants to be gone, and notes that they are.
func (w *Worker) removeFiles(ctx context.Context) error {
	due, err := w.Store.DueFileRemovals(ctx, removeBatch)
	if err != nil || len(due) == 0 {
		return err
	}
	var ids []int64
	var errs []error
	away := false // the bucket of uploads: to ask it for each of them would take hours
	mails, mailboxes := map[string]int64{}, map[string]models.FileRemoval{}
	for _, r := range due {
		switch r.Kind {
		case models.FileUpload:
			if away {
				continue
			}
			if err := w.Uploads.Remove(ctx, r.Name); err != nil {
				away = errors.Is(err, storage.ErrUnavailable)
				errs = append(errs, err)
				continue
			}
			ids = append(ids, r.ID)
		case models.FileMail:
			mails[r.Name] = r.ID
		case models.FileMailbox:
			mailboxes[r.Name] = r
		}
	}
	if len(mails)+len(mailboxes) > 0 {
		err := w.KeptMail.Remove(func(id string, date time.Time, to func() string) bool {
			if _, ok := mails[id]; ok || len(mailboxes) == 0 {
				return ok
			}
			box, ok := mailboxes[models.MailboxHash(to())]
			return ok && (box.BeforeAt == nil || date.Before(*box.BeforeAt))
		})
		if err != nil {
			errs = append(errs, err)
		} else {
			for _, r := range due {
				if r.Kind != models.FileUpload {
					ids = append(ids, r.ID)
				}
			}
		}
	}
	if len(ids) > 0 {
		slices.Sort(ids)
		errs = append(errs, w.Store.FilesRemoved(ctx, ids))
	}
	return errors.Join(errs...)
}
