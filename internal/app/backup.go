package app

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/models"
)

// What a backup, which is a ZIP archive, holds: every row, the key that signs links unless the settings name it, and the
// uploads, each in a file of its own under a folder.
const (
	backupRows    = "database.jsonl"
	backupSecret  = "secret"
	backupUploads = "media/"
)

type backupCommand struct {
	File string `arg:"" help:"The file to write, such as portal.zip; it must not be there yet."`
}

// Help is the command's example.
func (backupCommand) Help() string {
	return "The server may run meanwhile. Whoever holds the file holds every address and every ticket: keep it as safe as the database.\n\nExample:\n  portal backup /var/backups/portal-2026-11-22.zip"
}

// Run writes the backup beside its place and moves it there when it is whole and on the disk.
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
	switch _, err := os.Lstat(b.File); {
	case err == nil:
		return fmt.Errorf("%s is there already", b.File)
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(b.File), filepath.Base(b.File)+".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}()
	rows, uploads, err := writeBackup(w.ctx, file, c, db)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), b.File); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "wrote %s\nrows: %d\nuploads: %d\n", b.File, rows, uploads)
	return nil
}

func writeBackup(ctx context.Context, file io.Writer, c config.Config, db *database.DB) (rows, uploads int, err error) {
	archive := zip.NewWriter(file)
	// The rows come first: an upload is on the disk before a row names it, so none can lack that the rows name.
	entry, err := archive.Create(backupRows)
	if err != nil {
		return 0, 0, err
	}
	if rows, err = db.Dump(ctx, entry, clock.System(c.Offset()).Now()); err != nil {
		return 0, 0, err
	}
	if len(c.Keys()) == 0 {
		keys, err := secretKeys(ctx, c, db, clock.System(c.Offset()))
		if err != nil {
			return 0, 0, err
		}
		if entry, err = archive.Create(backupSecret); err != nil {
			return 0, 0, err
		}
		if _, err := entry.Write(keys[0]); err != nil {
			return 0, 0, err
		}
	}
	media := os.DirFS(c.MediaDir())
	err = fs.WalkDir(media, ".", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == "." {
			return fs.SkipAll // nothing was uploaded yet
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		uploads++
		return pack(archive, media, name)
	})
	return rows, uploads, errors.Join(err, archive.Close())
}

// pack adds an upload as it is: pictures are compressed already.
func pack(archive *zip.Writer, media fs.FS, name string) (err error) {
	upload, err := media.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, upload.Close()) }()
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: backupUploads + name, Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = io.Copy(entry, upload)
	return err
}

type restoreCommand struct {
	File string `arg:"" type:"existingfile" help:"A file that portal backup wrote."`
}

// Help is the command's example.
func (restoreCommand) Help() string {
	return "The database that the settings name must not be there yet, or be empty; it may be of the other kind than the one that was copied.\n\nExample:\n  portal restore /var/backups/portal-2026-11-22.zip"
}

// Run fills an empty database from a backup, brings its schema up to date and makes the index of the search anew.
func (r restoreCommand) Run(w *world) (err error) {
	c, err := config.Load(w.getenv)
	if err != nil {
		return err
	}
	archive, err := zip.OpenReader(r.File)
	if err != nil {
		return fmt.Errorf("%s is no backup: %w", r.File, err)
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	var schema int64
	var taken time.Time
	err = unpack(&archive.Reader, backupRows, func(dump io.Reader) (err error) {
		schema, taken, err = database.DumpSchema(dump)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s is no backup: %w", r.File, err)
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("PORTAL_DATA_DIR: %w", err)
	}
	if err := database.MigrateTo(w.ctx, c.Database(), schema); err != nil {
		return err
	}
	rows, err := restoreRows(w.ctx, &archive.Reader, c)
	if err != nil {
		return err
	}
	if _, err := database.Migrate(w.ctx, c.Database()); err != nil {
		return err
	}
	uploads, err := restoreUploads(&archive.Reader, c.MediaDir())
	if err != nil {
		return err
	}
	err = w.withStore(func(_ config.Config, store *models.Store) error { return store.Reindex(w.ctx) })
	if err == nil {
		fmt.Fprintf(w.out, "restored what was there at %s\nrows: %d\nuploads: %d\n", taken.Format(time.RFC3339), rows, uploads)
	}
	return err
}

func restoreRows(ctx context.Context, archive *zip.Reader, c config.Config) (rows int, err error) {
	db, err := database.Open(ctx, c.Database())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	keep := func() error {
		err := unpack(archive, backupSecret, func(kept io.Reader) error {
			secret, err := io.ReadAll(io.LimitReader(kept, 1<<10))
			if err != nil {
				return err
			}
			return keepSecret(ctx, c, db, strings.TrimSpace(string(secret)))
		})
		if errors.Is(err, fs.ErrNotExist) { // the settings named it
			return nil
		}
		return err
	}
	// Before the rows, so that none are there when another key is; but PostgreSQL keeps the key among its rows.
	if db.SQLite() {
		if err := keep(); err != nil {
			return 0, err
		}
	}
	err = unpack(archive, backupRows, func(dump io.Reader) (err error) {
		rows, err = db.Load(ctx, dump)
		return err
	})
	if errors.Is(err, database.ErrNotEmpty) {
		return 0, fmt.Errorf("%w, and a restore overwrites nothing: name another one or move it away", err)
	}
	if err == nil && !db.SQLite() {
		err = keep()
	}
	return rows, err
}

// restoreUploads writes the uploads that are not there yet: their names are made of what they hold.
func restoreUploads(archive *zip.Reader, dir string) (uploads int, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	media, err := os.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, media.Close()) }()
	for _, entry := range archive.File {
		name, ok := strings.CutPrefix(entry.Name, backupUploads)
		if !ok || !filepath.IsLocal(name) {
			continue
		}
		if err := restoreUpload(media, entry, name); err != nil {
			return uploads, fmt.Errorf("upload %s: %w", name, err)
		}
		uploads++
	}
	return uploads, nil
}

func restoreUpload(media *os.Root, entry *zip.File, name string) (err error) {
	if dir := filepath.Dir(name); dir != "." {
		if err := media.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	from, err := entry.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := media.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from) //nolint:gosec // the operator's own archive
	return errors.Join(err, to.Close())
}

// unpack hands one file of an archive to read, or returns fs.ErrNotExist.
func unpack(archive *zip.Reader, name string, read func(io.Reader) error) (err error) {
	file, err := archive.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return read(file)
}
