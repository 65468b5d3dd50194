package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/auth"
)

// FileRemoval is a file, or several, that a change in the database wants to be gone. The change writes it, a worker does it.
type FileRemoval struct {
	ID        int64
	Kind      FileKind
	Name      string
	BeforeAt  *time.Time // of a mailbox: mails of an earlier second
	DueAt     time.Time
	CreatedAt time.Time
}

// FileKind is what kind of files are to be removed, and how they are named.
type FileKind string

// The kinds of files to remove.
const (
	FileUpload  FileKind = "upload"  // the picture of that name
	FileMail    FileKind = "mail"    // the kept mail with that Message-ID
	FileMailbox FileKind = "mailbox" // kept mails to the address with that MailboxHash
)

// MailboxHash names a mailbox, in whatever spelling, without telling it.
func MailboxHash(address string) string { return auth.Hash(EmailKey(address)) }

// removeFile wants a file to be gone from a moment on.
func (s *Store) removeFile(ctx context.Context, kind FileKind, name string, due time.Time, before *time.Time) error {
	return s.write(ctx).Create(&FileRemoval{Kind: kind, Name: name, BeforeAt: before, DueAt: due, CreatedAt: s.Now()}).Error
}

// DueFileRemovals are the files to remove now, at most limit of them.
func (s *Store) DueFileRemovals(ctx context.Context, limit int) ([]FileRemoval, error) {
	due, err := gorm.G[FileRemoval](s.reader).Where("due_at <= ?", s.Now()).Order("due_at, id").Limit(limit).Find(ctx)
	return due, translate(err)
}

// FilesRemoved forgets removals that were done. Doing one twice is no harm.
func (s *Store) FilesRemoved(ctx context.Context, ids []int64) error {
	return s.tx(ctx, func(tx *Store) error {
		return tx.write(ctx).Where("id IN ?", ids).Delete(&FileRemoval{}).Error
	})
}
