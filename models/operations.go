package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm/clause"
)

// JobRun is when a part of the background work was done last, by whichever process.
type JobRun struct {
	Name    string `gorm:"primaryKey"`
	BeganAt time.Time
	EndedAt time.Time
	NextAt  time.Time // when it is to be done again
	Error   string    // empty: it went well
}

// The parts of the background work.
const (
	JobMail   = "mail"   // looks for mails to send
	JobForget = "forget" // lets go of what was kept for its time
)

// JobRan notes that a part of the background work was done, which began at the given time and is done again after pause.
func (s *Store) JobRan(ctx context.Context, name string, began time.Time, pause time.Duration, failure error) error {
	return s.tx(ctx, func(tx *Store) error {
		run := JobRun{Name: name, BeganAt: began, EndedAt: tx.Now(), NextAt: tx.Now().Add(pause)}
		if failure != nil {
			run.Error = failure.Error()
		}
		return tx.write(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&run).Error
	})
}

// Health is what the database tells an operator.
type Health struct {
	Database   string // its kind and version
	Size       int64  // bytes
	Schema     int64  // the last migration that was applied
	ClockAhead time.Duration
	MailError  string // of the last attempt that failed
	Shared     bool   // by several processes, if that is wanted

	Figures
}

// Health reads it for who runs the site.
func (s *Store) Health(ctx context.Context, by Viewer) (Health, error) {
	if !by.Can(ManageSite, Object{}) {
		return Health{}, fmt.Errorf("%w: health", ErrNotFound)
	}
	h := Health{Database: "SQLite "}
	query := "SELECT sqlite_version() AS version, (SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()) AS size"
	if s.postgres() {
		h.Database, h.Shared = "PostgreSQL ", true
		query = "SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size"
	}
	var facts struct {
		Version string
		Size    int64
	}
	if err := s.read(ctx).Raw(query).Scan(&facts).Error; err != nil {
		return h, translate(err)
	}
	h.Database, h.Size = h.Database+facts.Version, facts.Size
	var err error
	if h.ClockAhead, err = s.ClockAhead(ctx); err != nil {
		return h, err
	}
	if err := s.read(ctx).Raw("SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&h.Schema).Error; err != nil {
		return h, translate(err)
	}
	if h.Figures, err = s.Figures(ctx); err != nil {
		return h, err
	}
	if err := s.read(ctx).Raw("SELECT error FROM mails WHERE error <> '' AND sent_at IS NULL ORDER BY id DESC LIMIT 1").Scan(&h.MailError).Error; err != nil {
		return h, translate(err)
	}
	return h, nil
}

// ClockAhead is by how much our clock is ahead of the database's.
func (s *Store) ClockAhead(ctx context.Context) (time.Duration, error) {
	query := "SELECT strftime('%s', 'now')"
	if s.postgres() {
		query = "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint"
	}
	var seconds int64
	err := s.read(ctx).Raw(query).Scan(&seconds).Error
	return s.Now().Sub(time.Unix(seconds, 0)), translate(err)
}

// LastChange is when the audit log got its last entry, by the clock of whoever made it; without one it is zero.
func (s *Store) LastChange(ctx context.Context) (time.Time, error) {
	var last AuditEntry
	err := s.read(ctx).Order("id DESC").Limit(1).Find(&last).Error
	return last.CreatedAt, translate(err)
}
