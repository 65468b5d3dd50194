package app

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/models"
)

// What a backup, which is a ZIP archive, holds: every row, the key that signs links, and the uploads, each in a file of its
// own under a folder.
const (
	backupRows    = "database.jsonl"
	backupKey     = "key.json"
	backupUploads = "media/"
)

// keyCopy tells of the key that signs links. One that the settings name is not copied: its fingerprint tells whether
// a restored portal has it.
type keyCopy struct {
	Fingerprint string `json:"fingerprint"`
	Secret      string `json:"secret,omitempty"`
}

func fingerprint(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("portal backup"))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

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
		return fmt.Errorf("%s cannot be written: %w", b.File, err)
	}
	rows, uploads, err := writeBackup(w.ctx, file, c, db)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), b.File)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	fmt.Fprintf(w.out, "wrote %s\nrows: %d\nuploads: %d\n", b.File, rows, uploads)
	if len(c.Keys()) > 0 {
		fmt.Fprintln(w.out, "the key that signs links is not in it: keep PORTAL_SECRET_KEY as well, or tickets and links end with a restore")
	}
	return nil
}

func writeBackup(ctx context.Context, file io.Writer, c config.Config, db *database.DB) (rows, uploads int, err error) {
	tick := clock.System(c.Offset())
	archive := zip.NewWriter(file)
	create := func(name string, method uint16) (io.Writer, error) {
		return archive.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: tick.Now()})
	}
	// The rows come first: an upload is on the disk before a row names it, so none can lack that the rows name.
	entry, err := create(backupRows, zip.Deflate)
	if err != nil {
		return 0, 0, err
	}
	if rows, err = db.Dump(ctx, entry, tick.Now()); err != nil {
		return 0, 0, err
	}
	keys, err := secretKeys(ctx, c, db, tick)
	if err != nil {
		return 0, 0, err
	}
	key := keyCopy{Fingerprint: fingerprint(keys[0])}
	if len(c.Keys()) == 0 {
		key.Secret = string(keys[0])
	}
	if entry, err = create(backupKey, zip.Deflate); err != nil {
		return 0, 0, err
	}
	if err := json.NewEncoder(entry).Encode(key); err != nil { //nolint:gosec // it is to be there
		return 0, 0, err
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
		entry, err := create(backupUploads+name, zip.Store) // pictures are compressed already
		if err != nil {
			return err
		}
		upload, err := media.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(entry, upload)
		return errors.Join(err, upload.Close())
	})
	return rows, uploads, errors.Join(err, archive.Close())
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
	var key keyCopy
	if err == nil {
		err = unpack(&archive.Reader, backupKey, func(text io.Reader) error { return json.NewDecoder(text).Decode(&key) })
	}
	if err != nil {
		return fmt.Errorf("%s is no backup: %w", r.File, err)
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("PORTAL_DATA_DIR: %w", err)
	}
	if err := database.MigrateTo(w.ctx, c.Database(), schema); err != nil {
		return err
	}
	rows, uploads, err := r.fill(w.ctx, &archive.Reader, c, key)
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
	err = finishing.withStore(func(_ config.Config, store *models.Store) error { return store.Reindex(finishing.ctx) })
	if err == nil {
		fmt.Fprintf(w.out, "restored what was there at %s\nrows: %d\nuploads: %d\n", taken.Format(time.RFC3339), rows, uploads)
	}
	return err
}

// fill puts uploads, key and rows where a portal looks for them.
func (restoreCommand) fill(ctx context.Context, archive *zip.Reader, c config.Config, key keyCopy) (rows, uploads int, err error) {
	db, err := database.Open(ctx, c.Database())
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Empty(ctx); err != nil {
		return 0, 0, err
	}
	keep, err := restoredKey(ctx, c, db, key)
	if err != nil {
		return 0, 0, err
	}
	if uploads, err = restoreUploads(archive, c.MediaDir()); err != nil {
		return 0, 0, err
	}
	err = unpack(archive, backupRows, func(dump io.Reader) (err error) {
		rows, err = db.Load(ctx, dump)
		return err
	})
	if err == nil && keep {
		_, err = keepSecret(context.WithoutCancel(ctx), c, db, models.NewStore(db.Reader, db.Writer, clock.System(c.Offset()), nil), key.Secret)
	}
	return rows, uploads, err
}

// restoredKey checks that the restored portal will have the key with which links were signed, and reports whether it is to be
// kept: the settings name none.
func restoredKey(ctx context.Context, c config.Config, db *database.DB, key keyCopy) (keep bool, err error) {
	if given := c.Keys(); len(given) > 0 {
		if !slices.ContainsFunc(given, func(k string) bool { return fingerprint([]byte(k)) == key.Fingerprint }) {
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
func restoreUploads(archive *zip.Reader, dir string) (uploads int, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, fmt.Errorf("uploads: %w", err)
	}
	media, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fmt.Errorf("uploads: %w", err)
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

// restoreUpload writes one upload. One that is there stays if it is the same, as after a restore that broke off.
func restoreUpload(media *os.Root, entry *zip.File, name string) (err error) {
	from, err := entry.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	upload, err := io.ReadAll(from) // none is larger than what can be uploaded
	if err != nil {
		return err
	}
	there, err := media.ReadFile(name)
	switch {
	case err == nil && bytes.Equal(there, upload):
		return nil
	case err == nil:
		return errors.New("another file has its place, and a restore overwrites nothing")
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if dir := filepath.Dir(name); dir != "." {
		if err := media.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return media.WriteFile(name, upload, 0o600)
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
