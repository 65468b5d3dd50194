package models

import (
	"context"
	"time"
)

// AuditEntry says who changed what. The schema lets nobody change it, so it holds no name and no address: people are in it by
// the number of their account, which leaves it when the account is erased.
type AuditEntry struct {
	ID          int64
	UserID      *int64
	Actor       string // attendee, command, or the account's role
	Action      string // noun and verb: registration.cancel
	Subject     string // the table
	SubjectID   int64
	BeforeValue string
	AfterValue  string
	CreatedAt   time.Time
}

// audit writes an entry in the transaction of the change it tells of.
func (s *Store) audit(ctx context.Context, by Viewer, action, subject string, id int64, before, after string) error {
	entry := AuditEntry{
		Actor: string(by.Role), Action: action, Subject: subject, SubjectID: id,
		BeforeValue: before, AfterValue: after, CreatedAt: s.Now(),
	}
	if by.SignedIn() {
		entry.UserID = &by.UserID
	}
	if entry.Actor == "" {
		entry.Actor = "visitor"
	}
	return s.write(ctx).Create(&entry).Error
}
