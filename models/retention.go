package models

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Retention is how long the portal keeps what names people, in days.
type Retention struct {
	AttendeeDays int // names and addresses of registrations, after the end of their event
	MailDays     int // mails that were sent or given up
	AuditDays    int // entries of the audit log
}

// DefaultRetention holds until somebody chooses otherwise.
var DefaultRetention = Retention{AttendeeDays: 365, MailDays: 90, AuditDays: 730}

// The settings that hold a Retention.
const (
	SettingAttendeeDays = "retention_attendee_days"
	SettingMailDays     = "retention_mail_days"
	SettingAuditDays    = "retention_audit_days"
)

const (
	maxRetentionDays = 3650
	minAttendeeDays  = 7  // the hosts thank who came, and answer them
	minMailDays      = 1  // a failed one wants to be seen
	minAuditDays     = 90 // the schema itself refuses to delete entries of 60 days
)

// fields are the parts of a Retention: the setting, the field of a form, and what it may be.
func (r *Retention) fields() []struct {
	key, field string
	days       *int
	least      int
} {
	return []struct {
		key, field string
		days       *int
		least      int
	}{
		{SettingAttendeeDays, "attendee_days", &r.AttendeeDays, minAttendeeDays},
		{SettingMailDays, "mail_days", &r.MailDays, minMailDays},
		{SettingAuditDays, "audit_days", &r.AuditDays, minAuditDays},
	}
}

// Retention returns how long what names people is kept.
func (s *Store) Retention(ctx context.Context) (Retention, error) {
	r := DefaultRetention
	for _, f := range r.fields() {
		kept, err := s.Setting(ctx, f.key)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return r, err
		}
		days, err := strconv.Atoi(kept)
		if err != nil {
			return r, fmt.Errorf("setting %s: %w", f.key, err)
		}
		*f.days = days
	}
	return r, nil
}

// SetRetention changes how long what names people is kept; it is done within the hour. Who may not change the site's
// settings is told ErrNotFound. It refuses with FieldErrors for attendee_days, mail_days and audit_days.
func (s *Store) SetRetention(ctx context.Context, by Viewer, r Retention) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: settings", ErrNotFound)
	}
	var wrong FieldErrors
	for _, f := range r.fields() {
		if *f.days < f.least || *f.days > maxRetentionDays {
			wrong.add(f.field, fmt.Sprintf("Enter a number of days from %d to %d", f.least, maxRetentionDays))
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return s.tx(ctx, func(tx *Store) error {
		before, err := tx.Retention(ctx)
		if err != nil || before == r {
			return err
		}
		for _, f := range r.fields() {
			err := tx.write(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "key"}}, DoUpdates: clause.AssignmentColumns([]string{"value"})}).
				Create(&Setting{Key: f.key, Value: strconv.Itoa(*f.days)}).Error
			if err != nil {
				return err
			}
		}
		return tx.audit(ctx, by, "settings.retention", "settings", 0, before.auditText(), r.auditText())
	})
}

func (r Retention) auditText() string {
	return fmt.Sprintf("attendees %d, mails %d, audit log %d days", r.AttendeeDays, r.MailDays, r.AuditDays)
}

// retentionBatch is how much one transaction forgets, so that it holds up nobody.
const retentionBatch = 500

// retaining is who acts when time alone does.
var retaining = Viewer{Role: "retention"}

// Forget erases what has been kept for its time: names and addresses of registrations, mails, entries of the audit log,
// sessions and one-time links that have ended, counts of requests. It is done in transactions of a bounded size, so another process may do the
// same beside it. It returns the moment before which mails were forgotten, for those that lie in files.
func (s *Store) Forget(ctx context.Context) (mailsBefore time.Time, err error) {
	if err := s.ForgetSessions(ctx); err != nil {
		return mailsBefore, err
	}
	if err := s.forgetRequests(ctx); err != nil {
		return mailsBefore, err
	}
	r, err := s.Retention(ctx)
	if err != nil {
		return mailsBefore, err
	}
	now := s.Now()
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	mailsBefore = ago(r.MailDays)
	if err := s.forgetAttendees(ctx, ago(r.AttendeeDays)); err != nil {
		return mailsBefore, err
	}
	if err := inBatches(func() (int, error) { return s.forgetMails(ctx, mailsBefore) }); err != nil {
		return mailsBefore, err
	}
	// By whole days, so that the entries that tell of it are few.
	day := ago(r.AuditDays).Truncate(24 * time.Hour)
	return mailsBefore, inBatches(func() (int, error) { return s.forgetAudit(ctx, day) })
}

// inBatches does a step again until it does less than a batch.
func inBatches(step func() (int, error)) error {
	for {
		if n, err := step(); err != nil || n < retentionBatch {
			return err
		}
	}
}

// forgetAttendees erases registrations of events that ended before a moment.
func (s *Store) forgetAttendees(ctx context.Context, before time.Time) error {
	var events []int64
	err := s.read(ctx).Raw(`SELECT e.id FROM events e WHERE e.ends_at < ? AND EXISTS (SELECT 1 FROM registrations r WHERE r.event_id = e.id AND r.erased_at IS NULL)
		ORDER BY e.id`, before).Scan(&events).Error
	if err != nil {
		return translate(err)
	}
	for _, id := range events {
		if err := inBatches(func() (int, error) { return s.forgetAttendeesOf(ctx, id) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) forgetAttendeesOf(ctx context.Context, eventID int64) (n int, err error) {
	err = s.tx(ctx, func(tx *Store) error {
		if _, err := tx.lockEvent(ctx, eventID); err != nil {
			return err
		}
		var ids []int64
		err = tx.read(ctx).Model(&Registration{}).Where("event_id = ? AND erased_at IS NULL", eventID).Order("id").Limit(retentionBatch).Pluck("id", &ids).Error
		if n = len(ids); err != nil || n == 0 {
			return err
		}
		if err := tx.dropMails(ctx, "registration_id IN ?", ids); err != nil {
			return err
		}
		if err := tx.write(ctx).Where("registration_id IN ?", ids).Delete(&Consent{}).Error; err != nil {
			return err
		}
		if err := tx.write(ctx).Model(&Registration{}).Where("id IN ?", ids).Updates(tx.erasedRegistration()).Error; err != nil {
			return err
		}
		return tx.audit(ctx, retaining, "attendees.erase", "events", eventID, "", strconv.Itoa(n)+" registrations")
	})
	return n, err
}

// erasedRegistration is what stands in a registration that names nobody any more.
func (s *Store) erasedRegistration() map[string]any {
	return map[string]any{
		"name": "", "email": "", "email_key": gorm.Expr("'erased ' || public_id"), "nonce": nil, "link_mailed_at": nil,
		"link_version": gorm.Expr("link_version + 1"), "erased_at": s.Now(),
	}
}

// forgetMails deletes mails that were sent or given up and are older than a moment.
func (s *Store) forgetMails(ctx context.Context, before time.Time) (n int, err error) {
	err = s.tx(ctx, func(tx *Store) error {
		// The numbers of mails rise with their time, so nothing is read behind the first that is younger.
		result := tx.write(ctx).Exec(`DELETE FROM mails WHERE id IN (SELECT id FROM mails
			WHERE id < COALESCE((SELECT id FROM mails WHERE created_at >= ? ORDER BY id LIMIT 1), (SELECT max(id) + 1 FROM mails))
			AND (sent_at IS NOT NULL OR failed_at IS NOT NULL) ORDER BY id LIMIT ?)`, before, retentionBatch)
		n = int(result.RowsAffected)
		return result.Error
	})
	return n, err
}

// forgetAudit deletes entries of the audit log that are older than a moment, and leaves one that tells how many.
func (s *Store) forgetAudit(ctx context.Context, before time.Time) (n int, err error) {
	err = s.tx(ctx, func(tx *Store) error {
		var ids []int64
		err := tx.read(ctx).Raw("SELECT id FROM audit_entries WHERE created_at < ? ORDER BY created_at, id LIMIT ?", before, retentionBatch).Scan(&ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		// First, because the schema judges the age of an entry by the newest.
		if err := tx.audit(ctx, retaining, "audit.forget", "audit_entries", ids[len(ids)-1], strconv.Itoa(len(ids))+" entries before "+before.Format(time.DateOnly), ""); err != nil {
			return err
		}
		n = len(ids)
		return tx.write(ctx).Where("id IN ?", ids).Delete(&AuditEntry{}).Error
	})
	return n, err
}
