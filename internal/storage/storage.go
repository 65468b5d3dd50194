// Package storage keeps what people upload, and backups, in a directory of this machine or in a bucket that several machines share.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
)

// Storage keeps files under their names, which may have slashes. Its methods may be called at the same time.
type Storage interface {
	// Put keeps a file whole or not at all, in the place of what had its name.
	Put(ctx context.Context, name string, content []byte) error
	// Read returns a file, or fs.ErrNotExist.
	Read(ctx context.Context, name string) ([]byte, error)
	// Remove lets go of a file. One that is not there is gone already.
	Remove(ctx context.Context, name string) error
	// Names are those of all files, in no order; an error is the last of them.
	Names(ctx context.Context) iter.Seq2[string, error]
	// Close ends the use of it.
	Close() error
}

// ErrUnavailable is for a bucket that does not answer at the moment, or refuses to.
var ErrUnavailable = errors.New("storage unavailable")

func checkName(name string) error {
	if name == "." || !fs.ValidPath(name) || strings.HasPrefix(name, backupFolder) {
		return fmt.Errorf("%q is no name of a file: %w", name, fs.ErrInvalid)
	}
	return nil
}
