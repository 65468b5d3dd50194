package models

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"
)

// MailState is where a mail of the outbox stands.
type MailState string

// The states of a mail.
const (
	MailWaiting MailState = "waiting"
	MailDone    MailState = "sent"
	MailGivenUp MailState = "failed"
)

var mailStates = map[MailState]string{
	MailWaiting: "sent_at IS NULL AND failed_at IS NULL",
	MailDone:    "sent_at IS NOT NULL",
	MailGivenUp: "failed_at IS NOT NULL",
}

// DeskMails lists mails of the outbox in a state, the newest first, for who runs the site. total counts them all.
func (s *Store) DeskMails(ctx context.Context, by Viewer, state MailState, limit, offset int) (mails []Mail, total int, err error) {
	if !by.Can(ManageSite, Object{}) {
		return nil, 0, fmt.Errorf("%w: mails", ErrNotFound)
	}
	query := s.read(ctx).Model(&Mail{}).Where(mailStates[state])
	var count int64
	if err := query.Session(&gorm.Session{}).Count(&count).Error; err != nil {
		return nil, 0, translate(err)
	}
	err = query.Order("id DESC").Limit(limit).Offset(offset).Find(&mails).Error
	return mails, int(count), translate(err)
}

// CountMails counts the mails of each state.
func (s *Store) CountMails(ctx context.Context) (map[MailState]int, error) {
	var row struct{ Waiting, Sent, Failed int }
	err := s.read(ctx).Raw(`SELECT COALESCE(sum(CASE WHEN sent_at IS NULL AND failed_at IS NULL THEN 1 ELSE 0 END), 0) AS waiting,
		COALESCE(sum(CASE WHEN sent_at IS NOT NULL THEN 1 ELSE 0 END), 0) AS sent,
		COALESCE(sum(CASE WHEN failed_at IS NOT NULL THEN 1 ELSE 0 END), 0) AS failed FROM mails`).Scan(&row).Error
	return map[MailState]int{MailWaiting: row.Waiting, MailDone: row.Sent, MailGivenUp: row.Failed}, translate(err)
}

// ResendMail gives a mail that was given up another round of tries, beginning now. Another state is ErrTransition.
func (s *Store) ResendMail(ctx context.Context, by Viewer, id int64) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: mail %d", ErrNotFound, id)
	}
	return s.tx(ctx, func(tx *Store) error {
		m, err := gorm.G[Mail](tx.reader).Where("id = ?", id).Take(ctx)
		if m, err = one(m, err, "mail", strconv.FormatInt(id, 10)); err != nil {
			return err
		}
		if m.FailedAt == nil {
			return ErrTransition
		}
		var never *time.Time
		if err := changed(tx.write(ctx).Model(&Mail{}).Where("id = ? AND failed_at IS NOT NULL", id).
			Updates(map[string]any{"failed_at": never, "attempts": 0, "next_at": tx.Now(), "leased_until": never}), "mail", id); err != nil {
			return err
		}
		return tx.audit(ctx, by, "mail.resend", "mails", id, "", "")
	})
}
