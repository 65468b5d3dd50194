package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

// Keeper makes the backups that are due, tests them, puts them where backups lie, and removes those that the plan does not keep or
// somebody deleted. It may run in several processes.
type Keeper struct {
	Store   *models.Store
	Portal  Portal
	Backups storage.Backups
}

const (
	renewEach = 30 * time.Second // between two renewals of a lease
	noteLimit = 15 * time.Second // for writing down what became of a backup
)

// Run makes one backup if one is due, and reports whether it did. A backup that could not be made, or not be restored, is noted
// as such and is an error too.
func (k Keeper) Run(ctx context.Context) (did bool, err error) {
	b, err := k.Store.ClaimBackup(ctx)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	working, stop := context.WithCancel(ctx)
	var renewal sync.WaitGroup
	renewal.Go(func() { k.renew(working, b.ID) })
	failure := k.make(working, &b)
	stop()
	renewal.Wait()

	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteLimit)
	defer cancel()
	if ctx.Err() != nil {
		return false, k.Store.ReleaseBackup(noting, b.ID)
	}
	if failure != nil {
		b.State, b.Note = models.BackupFailed, failure.Error()
	}
	if err := k.Store.BackupMade(noting, b); err != nil {
		return true, errors.Join(failure, err)
	}
	return true, errors.Join(failure, k.prune(ctx))
}

// renew keeps the lease while a backup is made.
func (k Keeper) renew(ctx context.Context, id int64) {
	each := time.NewTicker(renewEach)
	defer each.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-each.C:
			// What fails now is tried again before the lease ends.
			_ = k.Store.RenewBackup(ctx, id)
		}
	}
}

// make writes a backup, tests it and puts it where backups lie. A file that cannot be restored is kept there too, so that somebody can
// find out why. Until then it is named as what tidy removes.
func (k Keeper) make(ctx context.Context, b *models.Backup) error {
	if err := os.MkdirAll(k.Backups.Dir, 0o700); err != nil {
		return err
	}
	if err := k.tidy(); err != nil {
		return err
	}
	taken := k.Store.Now()
	name := fmt.Sprintf("portal-%s-%d.zip", taken.Format("20060102T150405Z"), b.ID)
	path := filepath.Join(k.Backups.Dir, name+partSuffix+"whole")
	wrote, err := k.Portal.WriteFile(ctx, path)
	if err != nil {
		return err
	}
	b.File, b.TakenAt, b.RowCount, b.UploadCount = name, &taken, wrote.Rows, wrote.Uploads
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	b.Size = info.Size()
	read, findings, err := Test(ctx, path, k.Backups.Dir)
	if ctx.Err() != nil {
		return errors.Join(err, os.Remove(path))
	}
	kept := k.Backups.Keep(ctx, name, path)
	switch {
	case err != nil:
		return errors.Join(fmt.Errorf("it cannot be restored: %w", err), kept)
	case kept != nil:
		return fmt.Errorf("it was made, and stays on the machine that made it: %w", kept)
	case read != wrote:
		return fmt.Errorf("it cannot be restored: %d rows and %d uploads were written, and %d and %d read", wrote.Rows, wrote.Uploads, read.Rows, read.Uploads)
	}
	tested := k.Store.Now()
	b.State, b.TestedAt, b.Note = models.BackupGood, &tested, strings.Join(findings, "; ")
	return nil
}

// tidy removes what a process left that ended amid a backup. Only who has the claim may: nobody else is at it.
func (k Keeper) tidy() error {
	entries, err := os.ReadDir(k.Backups.Dir)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), testPrefix) || strings.Contains(entry.Name(), ".zip"+partSuffix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(k.Backups.Dir, entry.Name())))
		}
	}
	return err
}

// prune forgets the backups that the plan does not keep, and removes their files.
func (k Keeper) prune(ctx context.Context) error {
	spent, err := k.Store.SpentBackups(ctx)
	for _, b := range spent {
		err = errors.Join(err, k.Store.ForgetBackup(ctx, b))
	}
	return errors.Join(err, k.Remove(ctx))
}

// Remove removes the files of backups that are forgotten; those on another machine are left to that one.
func (k Keeper) Remove(ctx context.Context) error {
	return k.Store.RemoveBackups(ctx, func(file string) (bool, error) { return k.Backups.Remove(ctx, file) })
}
