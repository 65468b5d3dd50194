package models

import (
	"context"
	"errors"
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
	Jobs          []JobRun      `gorm:"-"`
	Backups       BackupFigures `gorm:"-"`
}

// BackupFigures is how safe the data is.
type BackupFigures struct {
	Age    time.Duration // of the last good backup; without one, for how long backups could have been made
	Every  time.Duration // that the plan leaves between two, 0 when they are made by hand only
	Failed bool          // the last that was tried
}

// Figures counts the rows in one query, and asks for the rest.
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
	if err != nil {
		return row.Figures, translate(err)
	}
	if err := s.read(ctx).Order("name").Find(&row.Jobs).Error; err != nil {
		return row.Figures, translate(err)
	}
	row.Backups, err = s.backupFigures(ctx)
	return row.Figures, err
}

func (s *Store) backupFigures(ctx context.Context) (f BackupFigures, err error) {
	plan, err := s.BackupPlan(ctx)
	if err != nil {
		return f, err
	}
	f.Every = time.Duration(plan.EveryHours) * time.Hour
	var last Backup
	err = s.read(ctx).Where("state IN ?", []BackupState{BackupGood, BackupFailed}).Order("id DESC").Limit(1).Find(&last).Error
	if err != nil {
		return f, translate(err)
	}
	f.Failed = last.State == BackupFailed
	var good Backup
	if err := s.read(ctx).Where("state = ?", BackupGood).Order("taken_at DESC").Limit(1).Find(&good).Error; err != nil {
		return f, translate(err)
	}
	since := s.Now()
	if good.TakenAt != nil {
		since = *good.TakenAt
	} else if kept, err := s.Setting(ctx, backupSinceSetting); err == nil {
		if since, err = time.Parse(time.RFC3339, kept); err != nil {
			return f, err
		}
	} else if !errors.Is(err, ErrNotFound) {
		return f, err
	}
	f.Age = max(0, s.Now().Sub(since))
	return f, nil
}
