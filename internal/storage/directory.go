package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
)

// Directory keeps files in a directory, which nothing leads out of.
type Directory struct{ root *os.Root }

// OpenDirectory opens a directory, which is made where there is none.
func OpenDirectory(path string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Directory{root}, nil
}

// partialPrefix marks a file that is being written, and one whose writer ended amid it.
const partialPrefix = ".partial-"

// Put writes a file beside its place and moves it there when it is on the disk.
func (d *Directory) Put(_ context.Context, name string, content []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	dir := path.Dir(name)
	if err := d.root.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	partial := path.Join(dir, partialPrefix+rand.Text())
	file, err := d.root.OpenFile(partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = d.root.Rename(partial, name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep %s: %w", name, err), d.root.Remove(partial))
	}
	return nil
}

// Read reads a file.
func (d *Directory) Read(_ context.Context, name string) ([]byte, error) {
	return d.root.ReadFile(name)
}

// Remove removes a file.
func (d *Directory) Remove(_ context.Context, name string) error {
	if err := d.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Names walks the directory.
func (d *Directory) Names(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := fs.WalkDir(d.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
			if err = errors.Join(err, ctx.Err()); err != nil || !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), partialPrefix) {
				return err
			}
			if !yield(name, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield("", err)
		}
	}
}

// Close closes the directory.
func (d *Directory) Close() error { return d.root.Close() }
