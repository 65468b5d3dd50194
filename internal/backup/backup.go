// Package backup writes the portal into one file while it runs, reads such files, tests them, and makes them when they are due.
package backup

import (
	"archive/zip"
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
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

// What a backup, which is a ZIP archive, holds: every row, the key that signs links, and the uploads, each in a file of its
// own under a folder.
const (
	rowsEntry    = "database.jsonl"
	keyEntry     = "key.json"
	uploadFolder = "media/"
)

// Portal is what a backup is made of.
type Portal struct {
	DB      *database.DB
	Uploads storage.Storage
	Key     []byte // that signs links
	KeepKey bool   // the backup is to hold it: the settings name none
	Clock   clock.Clock
}

// Counts is how much a backup holds.
type Counts struct{ Rows, Uploads int }

// Key tells of the key that signs links. One that the settings name is not in a backup: its fingerprint tells whether
// a restored portal has it.
type Key struct {
	Fingerprint string `json:"fingerprint"`
	Secret      string `json:"secret,omitempty"`
}

// Fingerprint tells keys apart without giving them away.
func Fingerprint(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("portal backup"))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// WriteFile makes a backup beside its place and moves it there when it is whole and on the disk. What is there already is left.
func (p Portal) WriteFile(ctx context.Context, path string) (counts Counts, err error) {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return counts, fmt.Errorf("%s is there already", path)
	case !errors.Is(err, os.ErrNotExist):
		return counts, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+partSuffix+"*")
	if err != nil {
		return counts, fmt.Errorf("%s cannot be written: %w", path, err)
	}
	counts, err = p.write(ctx, file)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(file.Name()))
	}
	return counts, err
}

// partSuffix marks a file that is being written.
const partSuffix = ".part-"

func (p Portal) write(ctx context.Context, file io.Writer) (counts Counts, err error) {
	archive := zip.NewWriter(file)
	create := func(name string, method uint16) (io.Writer, error) {
		return archive.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: p.Clock.Now()})
	}
	// The rows come first: an upload is kept before a row names it, so none can lack that the rows name.
	entry, err := create(rowsEntry, zip.Deflate)
	if err != nil {
		return counts, err
	}
	if counts.Rows, err = p.DB.Dump(ctx, entry, p.Clock.Now()); err != nil {
		return counts, err
	}
	key := Key{Fingerprint: Fingerprint(p.Key)}
	if p.KeepKey {
		key.Secret = string(p.Key)
	}
	if entry, err = create(keyEntry, zip.Deflate); err != nil {
		return counts, err
	}
	if err := json.NewEncoder(entry).Encode(key); err != nil { //nolint:gosec // it is to be there
		return counts, err
	}
	for name, err := range p.Uploads.Names(ctx) {
		if err != nil {
			return counts, err
		}
		upload, err := p.Uploads.Read(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was removed meanwhile
		}
		if err != nil {
			return counts, err
		}
		if len(upload) > maxUpload {
			return counts, fmt.Errorf("upload %s: %w", name, errLarge)
		}
		if entry, err = create(uploadFolder+name, zip.Store); err != nil { // pictures are compressed already
			return counts, err
		}
		if _, err := entry.Write(upload); err != nil {
			return counts, err
		}
		counts.Uploads++
	}
	return counts, archive.Close()
}

// Archive is a backup that is read.
type Archive struct {
	Schema int64     // the migration that its rows are at
	Taken  time.Time // the moment that it shows
	Key    Key

	zip *zip.ReadCloser
}

// Open reads what a file says of itself, or fails when it is no backup.
func Open(path string) (*Archive, error) {
	file, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s is no backup: %w", path, err)
	}
	a := &Archive{zip: file}
	err = a.unpack(rowsEntry, func(dump io.Reader) (err error) {
		a.Schema, a.Taken, err = database.DumpSchema(dump)
		return err
	})
	if err == nil {
		err = a.unpack(keyEntry, func(text io.Reader) error { return json.NewDecoder(text).Decode(&a.Key) })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s is no backup: %w", path, err), file.Close())
	}
	return a, nil
}

// Close closes the file.
func (a *Archive) Close() error { return a.zip.Close() }

// Load reads the rows into an empty database whose schema is at the archive's; all of them or none.
func (a *Archive) Load(ctx context.Context, db *database.DB) (rows int, err error) {
	err = a.unpack(rowsEntry, func(dump io.Reader) (err error) {
		rows, err = db.Load(ctx, dump)
		return err
	})
	return rows, err
}

// maxUpload is far more than any picture has that the portal wrote anew, and little enough to be held in memory.
const maxUpload = 64 << 20

var errLarge = fmt.Errorf("it has more than %d MB, as no upload has", maxUpload>>20)

// Uploads hands every upload to read, and returns how many there are. One that is larger than any can be is an error.
func (a *Archive) Uploads(read func(name string, upload io.Reader) error) (n int, err error) {
	for _, entry := range a.zip.File {
		name, ok := strings.CutPrefix(entry.Name, uploadFolder)
		if !ok || !filepath.IsLocal(name) {
			continue
		}
		if entry.UncompressedSize64 > maxUpload { // more than it says of itself is not unpacked
			return n, fmt.Errorf("upload %s: %w", name, errLarge)
		}
		if err := a.unpack(entry.Name, func(upload io.Reader) error { return read(name, upload) }); err != nil {
			return n, fmt.Errorf("upload %s: %w", name, err)
		}
		n++
	}
	return n, nil
}

// unpack hands one file of the archive to read, or returns fs.ErrNotExist.
func (a *Archive) unpack(name string, read func(io.Reader) error) (err error) {
	file, err := a.zip.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return read(file)
}

// Test restores a backup into a SQLite database of its own under a folder, and takes it away again. It fails when the backup
// cannot be restored; findings are what is not as it should be in what was restored, which was so when it was copied.
func Test(ctx context.Context, path, folder string) (counts Counts, findings []string, err error) {
	a, err := Open(path)
	if err != nil {
		return counts, nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	dir, err := os.MkdirTemp(folder, testPrefix)
	if err != nil {
		return counts, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	uploads := map[string]bool{}
	counts.Uploads, err = a.Uploads(func(name string, upload io.Reader) error {
		uploads[name] = true
		_, err := io.Copy(io.Discard, upload) // reading to the end compares the checksum
		return errors.Join(err, ctx.Err())
	})
	if err != nil {
		return counts, nil, err
	}
	url := "sqlite:" + filepath.Join(dir, "test.db")
	if err := database.MigrateTo(ctx, url, a.Schema); err != nil {
		return counts, nil, err
	}
	db, err := database.Open(ctx, url)
	if err != nil {
		return counts, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if counts.Rows, err = a.Load(ctx, db); err != nil {
		return counts, nil, err
	}
	store := models.NewStore(db.Reader, db.Writer, func() time.Time { return a.Taken }, nil)
	if findings, err = store.Invariants(ctx); err != nil {
		return counts, nil, err
	}
	names, err := store.MediaNames(ctx)
	lacking := 0
	for _, name := range names {
		if !uploads[name] {
			lacking++
		}
	}
	if lacking > 0 {
		findings = append(findings, fmt.Sprintf("pictures without a file: %d", lacking))
	}
	return counts, findings, err
}

// testPrefix marks the folder of a test.
const testPrefix = ".test-"
