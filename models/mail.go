package models

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// MailKind names a mail and its templates.
type MailKind string

// The kinds of mail.
const (
	MailRegistered       MailKind = "registered"        // a seat is taken: ticket, calendar, link
	MailRegistrationLink MailKind = "registration_link" // the same address registered again: the link once more
	MailUnregistered     MailKind = "unregistered"      // the attendee cancelled
	MailEventCancelled   MailKind = "event_cancelled"   // the organiser cancelled
	MailEventChanged     MailKind = "event_changed"     // time or place changed
	MailSignIn           MailKind = "sign_in"           // a one-time link
	MailInvitation       MailKind = "invitation"        // a one-time link, to who did not ask for it
	MailSecurity         MailKind = "security"          // how an account signs in was changed
	MailPostSubmitted    MailKind = "post_submitted"    // to staff
	MailPostReviewed     MailKind = "post_reviewed"     // to the author: published, changes asked, declined
	MailErased           MailKind = "erased"            // the last: an account or a registration is erased; its row goes when it is sent
	MailTest             MailKind = "test"              // to an admin who asked whether mails arrive
)

// Value refuses a kind that is not one of ours.
func (k MailKind) Value() (driver.Value, error) {
	return oneOf("mail kind", k, MailRegistered, MailRegistrationLink, MailUnregistered, MailEventCancelled, MailEventChanged,
		MailSignIn, MailInvitation, MailSecurity, MailPostSubmitted, MailPostReviewed, MailErased, MailTest)
}

// Mail is a row of the outbox: whom to tell what, never the words, which are made from the rows it points to when it
// is sent.
type Mail struct {
	ID             int64
	Kind           MailKind
	DedupeKey      string // asking twice sends once
	Recipient      string
	RecipientName  string
	UserID         *int64
	RegistrationID *int64
	EventID        *int64
	PostID         *int64
	ReviewID       *int64
	SignInLinkID   *int64
	Note           string // what its rows do not tell any more: when and where a changed event was to be before, what changed of an account, what was erased
	Attempts       int
	Error          string
	NextAt         time.Time
	LeasedUntil    *time.Time
	SentAt         *time.Time
	FailedAt       *time.Time
	CreatedAt      time.Time
}

// MessageID names the mail wherever it goes: the same at every attempt, and another in a database that was restored.
func (m Mail) MessageID() string { return fmt.Sprintf("%d.%d.portal", m.CreatedAt.UnixMicro(), m.ID) }

// mailLease is how long a worker may take to send a mail before another may claim it.
const mailLease = 2 * time.Minute

// mailAttempts is how often a mail is tried before it is given up and shown as failed.
const mailAttempts = 10

// enqueue writes a mail in the transaction of the change it tells of. A mail with a key that is there already is left
// as it is.
func (s *Store) enqueue(ctx context.Context, m Mail) error {
	m.CreatedAt = s.Now()
	if m.NextAt.IsZero() {
		m.NextAt = m.CreatedAt
	}
	return s.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&m).Error
}

// ClaimMails leases up to limit mails that are due, the oldest of each recipient only, so that a later mail never
// overtakes an earlier one to the same address. Those with a link to sign in come first: somebody waits for them, also while thousands
// are told of their seats.
func (s *Store) ClaimMails(ctx context.Context, limit int) ([]Mail, error) {
	var mails []Mail
	err := s.tx(ctx, func(tx *Store) error {
		now := tx.Now()
		lock := ""
		if tx.postgres() {
			lock = " FOR UPDATE SKIP LOCKED"
		}
		var ids []int64
		for _, which := range []string{"m.sign_in_link_id > 0 AND COALESCE(m.next_at, m.created_at)", "m.sign_in_link_id IS NULL AND m.next_at"} { // each by its own index
			var due []int64
			if err := tx.read(ctx).Raw(`SELECT m.id FROM mails m
				WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND `+which+` <= ? AND (m.leased_until IS NULL OR m.leased_until <= ?)
				AND NOT EXISTS (SELECT 1 FROM mails o WHERE o.recipient = m.recipient AND o.id < m.id AND o.sent_at IS NULL AND o.failed_at IS NULL)
				ORDER BY m.next_at, m.id LIMIT ?`+lock, now, now, limit-len(ids)).Scan(&due).Error; err != nil {
				return err
			}
			ids = append(ids, due...)
		}
		if len(ids) == 0 {
			return nil
		}
		until := now.Add(mailLease)
		if err := tx.write(ctx).Model(&Mail{}).Where("id IN ?", ids).
			Updates(map[string]any{"leased_until": until, "attempts": gorm.Expr("attempts + 1")}).Error; err != nil {
			return err
		}
		return tx.read(ctx).Where("id IN ?", ids).Order("id").Find(&mails).Error
	})
	return mails, err
}

// MayRead reports whether whom a mail is for may know what it tells, now that it is written: a role or a group may have been taken
// from them since the mail was queued.
func (s *Store) MayRead(ctx context.Context, m Mail) (bool, error) {
	needs := map[MailKind]Action{MailPostSubmitted: ReviewPosts, MailPostReviewed: EditPost, MailTest: ManageSite}[m.Kind]
	if needs == "" {
		return true, nil // it is about what is their own, or to an address without an account
	}
	var on Object
	if m.PostID != nil {
		p, err := gorm.G[Post](s.reader).Where("id = ?", *m.PostID).Take(ctx)
		if p, err = one(p, err, "post", strconv.FormatInt(*m.PostID, 10)); err != nil {
			return false, err
		}
		if m.Kind == MailPostReviewed && p.PublicAt(s.Now()) {
			return true, nil
		}
		on = p.object()
	}
	var v Viewer
	err := s.read(ctx).Raw(`SELECT u.id AS user_id, u.role, COALESCE(a.id, 0) AS ambassador_id
		FROM users u LEFT JOIN ambassadors a ON a.user_id = u.id WHERE u.id = ?`, m.UserID).Scan(&v).Error
	if err == nil {
		v.GroupIDs, err = s.organisedGroups(ctx, v)
	}
	return v.Can(needs, on), translate(err)
}

// DropMail forgets a claimed mail that is not to be sent any more.
func (s *Store) DropMail(ctx context.Context, id int64) error {
	return s.tx(ctx, func(tx *Store) error {
		return changed(tx.write(ctx).Where("id = ?", id).Delete(&Mail{}), "mail", id)
	})
}

// MailSent marks a claimed mail as sent, and forgets one that tells somebody that they are forgotten.
func (s *Store) MailSent(ctx context.Context, id int64) error {
	return s.tx(ctx, func(tx *Store) error {
		sent, err := tx.exec(ctx, "UPDATE mails SET sent_at = $1, leased_until = NULL, error = '' WHERE id = $2 AND kind <> 'erased'", tx.Now(), id)
		if err != nil || sent > 0 {
			return err
		}
		return changed(tx.write(ctx).Where("id = ? AND kind = ?", id, MailErased).Delete(&Mail{}), "mail", id)
	})
}

// MailFailed notes why a claimed mail was not sent. It is tried again later, each time after a longer pause, unless
// the refusal is permanent or it was tried often enough.
func (s *Store) MailFailed(ctx context.Context, m Mail, reason error, permanent bool) error {
	return s.tx(ctx, func(tx *Store) error {
		columns := map[string]any{"error": reason.Error(), "leased_until": nil}
		if m.Kind == MailErased && (permanent || m.Attempts >= mailAttempts) {
			return tx.write(ctx).Where("id = ?", m.ID).Delete(&Mail{}).Error
		}
		if permanent || m.Attempts >= mailAttempts {
			columns["failed_at"] = tx.Now()
		} else {
			columns["next_at"] = tx.Now().Add(mailPause(m))
		}
		return changed(tx.write(ctx).Model(&Mail{}).Where("id = ?", m.ID).Updates(columns), "mail", m.ID)
	})
}

// mailPause doubles from 30 seconds to an hour, spread by the row's number so that a crowd does not come back at once.
func mailPause(m Mail) time.Duration {
	pause := min(30*time.Second<<min(m.Attempts, 10), time.Hour)
	return pause + pause*time.Duration(m.ID%100)/400
}

// registrationKey is the dedupe key of a mail about a registration.
func registrationKey(kind MailKind, registrationID int64, version any) string {
	return fmt.Sprintf("%s/registration/%d/%v", kind, registrationID, version)
}
