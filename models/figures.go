package models

import (
	"context"
	"time"
)

// Figures is what an operator watches beside the requests.
type Figures struct {
	Posts         int64 // public
	Groups        int64 // listed
	Events        int64 // published, to come
	Accounts      int64
	Registrations int64 // confirmed
	Cancellations int64 // of registrations
	MailsWaiting  int64
	MailsFailed   int64         // given up
	OldestMail    time.Duration // how long the mail is due that has waited longest, 0 without one
}

// Figures counts them in one query.
func (s *Store) Figures(ctx context.Context) (Figures, error) {
	now := s.Now()
	var row struct {
		Figures
		OldestDue *time.Time
	}
	err := s.read(ctx).Raw(`SELECT (SELECT coalesce(sum(posts), 0) FROM post_counts WHERE list = 'all') - (SELECT count(*) FROM `+hiddenPosts+` AS hidden) AS posts,
		(SELECT count(*) FROM groups WHERE status = 'listed') AS groups,
		(SELECT count(*) FROM events WHERE status = 'published' AND ends_at > ?) AS events,
		(SELECT count(*) FROM users) AS accounts,
		(SELECT count(*) FROM registrations) - (SELECT count(*) FROM registrations WHERE status = 'cancelled') AS registrations,
		(SELECT count(*) FROM registrations WHERE status = 'cancelled') AS cancellations,
		(SELECT count(*) FROM mails WHERE sent_at IS NULL AND failed_at IS NULL) AS mails_waiting,
		(SELECT count(*) FROM mails WHERE failed_at IS NOT NULL) AS mails_failed,
		(SELECT next_at FROM mails WHERE sent_at IS NULL AND failed_at IS NULL ORDER BY next_at LIMIT 1) AS oldest_due`, now, now, now).Scan(&row).Error
	if row.OldestDue != nil {
		row.OldestMail = max(0, now.Sub(*row.OldestDue))
	}
	return row.Figures, translate(err)
}
