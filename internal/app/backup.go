package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdfoundation/portal/internal/backup"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

// uploadsOf opens what keeps the uploads. Figures about a bucket are shown in metrics, which may be nil.
func uploadsOf(c config.Config, metrics prometheus.Registerer) (uploads storage.Storage, err error) {
	if address := c.Bucket(); address != nil {
		uploads, err = storage.NewBucket(address, metrics)
	} else {
		uploads, err = storage.OpenDirectory(c.MediaDir())
	}
	if err != nil {
		return nil, fmt.Errorf("PORTAL_STORAGE_URL: %w", err)
	}
	return uploads, nil
}

// backupsOf is where backups lie: in the bucket of the uploads, where there is one.
func backupsOf(c config.Config, uploads storage.Storage) storage.Backups {
	bucket, _ := uploads.(*storage.Bucket)
	return storage.Backups{Dir: c.BackupDir(), Bucket: bucket}
}

// portalOf is what a backup of the portal is made of whose settings are given.
func portalOf(ctx context.Context, c config.Config, db *database.DB, uploads storage.Storage) (backup.Portal, error) {
	tick := clock.System(c.Offset())
	keys, err := secretKeys(ctx, c, db, tick)
	if err != nil {
		return backup.Portal{}, err
	}
	return backup.Portal{DB: db, Uploads: uploads, Key: keys[0], KeepKey: len(c.Keys()) == 0, Clock: tick}, nil
}

type backupCommand struct {
	File string `arg:"" help:"The file to write, such as portal.zip; it must not be there yet."`
}

// Help is the command's example.
func (backupCommand) Help() string {
	return "The server may run meanwhile. Whoever holds the file holds every address and every ticket: keep it as safe as the database.\n\nExample:\n  portal backup /var/backups/portal-2026-11-22.zip"
}

// Run makes the backup and says what it holds.
func (b backupCommand) Run(w *world) (err error) {
	c, err := config.Load(w.getenv)
	if err != nil {
		return err
	}
	_, db, err := w.openStore(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	uploads, err := uploadsOf(c, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, uploads.Close()) }()
	portal, err := portalOf(w.ctx, c, db, uploads)
	if err != nil {
		return err
	}
	counts, err := portal.WriteFile(w.ctx, b.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.out, "wrote %s\nrows: %d\nuploads: %d\n", b.File, counts.Rows, counts.Uploads)
	if len(c.Keys()) > 0 {
		fmt.Fprintln(w.out, "the key that signs links is not in it: keep PORTAL_SECRET_KEY as well, or tickets and links end with a restore")
	}
	return nil
}

type restoreCommand struct {
	File string `arg:"" type:"existingfile" help:"A file that portal backup wrote."`
}

// Help is the command's example.
func (restoreCommand) Help() string {
	return "The database that the settings name must be empty: for SQLite a file that is not there yet, for PostgreSQL one that CREATE DATABASE has made. " +
		"It may be of the other kind than the one that was copied.\n\nExample:\n  portal restore /var/backups/portal-2026-11-22.zip"
}

// Run fills an empty database from a backup, brings its schema up to date and makes the index of the search anew.
// The uploads come first and the rows all at once, so that a restore that broke off can be repeated.
func (r restoreCommand) Run(w *world) (err error) {
	c, err := config.Load(w.getenv)
	if err != nil {
		return err
	}
	archive, err := backup.Open(r.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("PORTAL_DATA_DIR: %w", err)
	}
	if err := database.MigrateTo(w.ctx, c.Database(), archive.Schema); err != nil {
		return err
	}
	rows, uploads, err := r.fill(w.ctx, archive, c)
	switch {
	case errors.Is(err, database.ErrNotEmpty):
		return fmt.Errorf("%w, and a restore overwrites nothing: name another one or move it away", err)
	case err != nil:
		return fmt.Errorf("nothing was restored from %s: %w", r.File, err)
	}
	// The rows are there: whoever stops the program now would have to begin anew.
	finishing := *w
	finishing.ctx = context.WithoutCancel(w.ctx)
	if _, err := database.Migrate(finishing.ctx, c.Database()); err != nil {
		return err
	}
	return finishing.withStore(func(_ config.Config, store *models.Store) error {
		sessions, links, err := store.EndAllSessions(finishing.ctx, models.Viewer{Role: "command"})
		if err == nil {
			err = store.Reindex(finishing.ctx)
		}
		if err == nil {
			fmt.Fprintf(w.out, "restored what was there at %s\nrows: %d\nuploads: %d\n", archive.Taken.Format(time.RFC3339), rows, uploads)
			fmt.Fprintf(w.out, "everybody has to sign in anew; ended were sessions: %d, unused sign-in links and invitations: %d\n", sessions, links)
		}
		return err
	})
}

// fill puts uploads, key and rows where a portal looks for them.
func (restoreCommand) fill(ctx context.Context, archive *backup.Archive, c config.Config) (rows, uploads int, err error) {
	db, err := database.Open(ctx, c.Database())
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Empty(ctx); err != nil {
		return 0, 0, err
	}
	keep, err := restoredKey(ctx, c, db, archive.Key)
	if err != nil {
		return 0, 0, err
	}
	if uploads, err = restoreUploads(ctx, archive, c); err != nil {
		return 0, 0, err
	}
	if rows, err = archive.Load(ctx, db); err == nil && keep {
		_, err = keepSecret(context.WithoutCancel(ctx), c, db, models.NewStore(db.Reader, db.Writer, clock.System(c.Offset()), nil), archive.Key.Secret)
	}
	return rows, uploads, err
}

// restoredKey checks that the restored portal will have the key with which links were signed, and reports whether it is to be
// kept: the settings name none.
func restoredKey(ctx context.Context, c config.Config, db *database.DB, key backup.Key) (keep bool, err error) {
	if given := c.Keys(); len(given) > 0 {
		if !slices.ContainsFunc(given, func(k string) bool { return backup.Fingerprint([]byte(k)) == key.Fingerprint }) {
			return false, errors.New("its links are signed with a key that PORTAL_SECRET_KEY does not name: put that one first, or behind the new one with a comma")
		}
		return false, nil
	}
	if key.Secret == "" {
		return false, errors.New("its links are signed with a key that is not in it: name it in PORTAL_SECRET_KEY")
	}
	kept, err := keptSecret(ctx, c, db, models.NewStore(db.Reader, db.Writer, clock.System(c.Offset()), nil))
	if err == nil && kept != "" && kept != key.Secret {
		err = fmt.Errorf("another key is kept in %s: move it away", filepath.Join(c.DataDir, "secret"))
	}
	return true, err
}

// restoreUploads writes the uploads that are not there yet.
func restoreUploads(ctx context.Context, archive *backup.Archive, c config.Config) (n int, err error) {
	uploads, err := uploadsOf(c, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, uploads.Close()) }()
	return archive.Uploads(func(name string, upload io.Reader) error { return restoreUpload(ctx, uploads, name, upload) })
}

// restoreUpload writes one upload. One that is there stays if it is the same, as after a restore that broke off.
func restoreUpload(ctx context.Context, uploads storage.Storage, name string, from io.Reader) error {
	upload, err := io.ReadAll(from) // which the archive limits
	if err != nil {
		return err
	}
	there, err := uploads.Read(ctx, name)
	switch {
	case err == nil && bytes.Equal(there, upload):
		return nil
	case err == nil:
		return errors.New("another file has its place, and a restore overwrites nothing")
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return uploads.Put(ctx, name, upload)
}
