package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/minio/minio-go/v7"
)

// Backups keeps the files of backups: in the bucket of uploads where there is one, so that every process reaches them, else in a
// folder of this machine. Files that lie in the folder from before there was a bucket are found as well.
type Backups struct {
	Dir    string  // where they are made, and where they lie without a bucket
	Bucket *Bucket // nil: there is none
}

// backupFolder is where they lie in the bucket, below its prefix: no upload is named so, and nothing there is served as one.
const backupFolder = ".backups/"

// transferLimit is how long sending or fetching a backup may take.
const transferLimit = time.Hour

// Keep takes a file, which is whole and lies in Dir, to where it stays. What the bucket does not take stays in Dir under its name.
func (b Backups) Keep(ctx context.Context, name, path string) error {
	if b.Bucket == nil {
		return os.Rename(path, b.path(name))
	}
	sending, stop := context.WithTimeout(ctx, transferLimit)
	defer stop()
	err := b.Bucket.judged(sending, "put", name, func(ctx context.Context) error {
		_, err := b.Bucket.s3.FPutObject(ctx, b.Bucket.name, b.object(name), path, minio.PutObjectOptions{})
		return err
	})
	if err != nil {
		return errors.Join(err, os.Rename(path, b.path(name)))
	}
	return os.Remove(path)
}

// Sizes are those of all files that can be reached from here, by their names.
func (b Backups) Sizes(ctx context.Context) (map[string]int64, error) {
	sizes := map[string]int64{}
	entries, err := os.ReadDir(b.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			sizes[entry.Name()] = info.Size()
		}
	}
	if b.Bucket == nil {
		return sizes, nil
	}
	return sizes, b.Bucket.call(ctx, "list", backupFolder, func(ctx context.Context) error {
		for object := range b.Bucket.s3.ListObjectsIter(ctx, b.Bucket.name, minio.ListObjectsOptions{Prefix: b.object(""), Recursive: true}) {
			if object.Err != nil {
				return object.Err
			}
			sizes[filepath.Base(object.Key)] = object.Size
		}
		return ctx.Err()
	})
}

// Open returns a file and its size, or fs.ErrNotExist. It is read until it is closed, also when ctx has ended.
func (b Backups) Open(ctx context.Context, name string) (file io.ReadCloser, size int64, err error) {
	local, err := os.Open(b.path(name))
	if err == nil {
		info, err := local.Stat()
		if err != nil {
			return nil, 0, errors.Join(err, local.Close())
		}
		return local, info.Size(), nil
	}
	if b.Bucket == nil || !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, err
	}
	reading, stop := context.WithTimeout(context.WithoutCancel(ctx), transferLimit)
	err = b.Bucket.judged(reading, "read", name, func(ctx context.Context) error {
		object, info, _, err := b.Bucket.s3.GetObject(ctx, b.Bucket.name, b.object(name), minio.GetObjectOptions{})
		file, size = object, info.Size
		return err
	})
	if err != nil {
		stop()
		return nil, 0, err
	}
	return stopped{file, stop}, size, nil
}

// stopped is a file whose closing ends its fetching.
type stopped struct {
	io.ReadCloser
	stop context.CancelFunc
}

// Close closes it.
func (s stopped) Close() error {
	defer s.stop()
	return s.ReadCloser.Close()
}

// Remove lets go of a file, and reports whether it was found: one that was not may lie on another machine.
func (b Backups) Remove(ctx context.Context, name string) (found bool, err error) {
	err = os.Remove(b.path(name))
	if !errors.Is(err, fs.ErrNotExist) {
		return err == nil, err
	}
	if b.Bucket == nil {
		return false, nil
	}
	err = b.Bucket.call(ctx, "remove", name, func(ctx context.Context) error {
		if _, err := b.Bucket.s3.StatObject(ctx, b.Bucket.name, b.object(name), minio.StatObjectOptions{}); err != nil {
			return err
		}
		return b.Bucket.s3.RemoveObject(ctx, b.Bucket.name, b.object(name), minio.RemoveObjectOptions{})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (b Backups) path(name string) string { return filepath.Join(b.Dir, filepath.Base(name)) }

func (b Backups) object(name string) string { return b.Bucket.prefix + backupFolder + name }
