package models

import (
	"context"
	"fmt"
	"time"
)

// NextEvent is an event in the desk's lists, with how many come.
type NextEvent struct {
	Event

	GroupName string
	Confirmed int // registrations that live
	Seats     int // that its quotas give, 0 when any of them has no limit or there are none
}

// NextEvents lists the published events that the viewer may edit and that are not over, the next first.
func (s *Store) NextEvents(ctx context.Context, by Viewer, limit int) ([]NextEvent, error) {
	condition, args := by.ownEvents()
	var rows []NextEvent
	err := s.read(ctx).Raw(`SELECT e.*, COALESCE(g.name, '') AS group_name,
			(SELECT count(*) FROM registrations r WHERE r.event_id = e.id AND r.status = 'confirmed') AS confirmed,
			COALESCE((SELECT CASE WHEN count(*) = count(q.size) THEN sum(q.size - q.held) ELSE 0 END FROM quotas q WHERE q.event_id = e.id), 0) AS seats
		FROM events e LEFT JOIN groups g ON g.id = e.group_id
		WHERE e.status = 'published' AND e.ends_at > ? AND `+condition+" ORDER BY e.starts_at, e.id LIMIT ?",
		append(append([]any{s.Now()}, args...), limit)...).Scan(&rows).Error
	return rows, translate(err)
}

// Happening is a line of the audit log with the names that it speaks of.
type Happening struct {
	Action    string
	Person    string // empty: not an account, or one that is gone
	Subject   string // title or name, empty where there is none any more
	CreatedAt time.Time
}

// LatestHappenings reads the newest lines of the audit log that tell of something done, for who may read it.
func (s *Store) LatestHappenings(ctx context.Context, by Viewer, limit int) ([]Happening, error) {
	if !by.Can(ReadAudit, Object{}) {
		return nil, fmt.Errorf("%w: audit log", ErrNotFound)
	}
	var rows []Happening
	err := s.read(ctx).Raw(`SELECT x.action, x.created_at, COALESCE(u.name, '') AS person,
			COALESCE(p.title, e.title, a.name, g.name, o.name, '') AS subject
		FROM audit_entries x`+auditSubjects+`WHERE x.subject IN ('posts', 'events', 'ambassadors', 'groups', 'users') ORDER BY x.id DESC LIMIT ?`, limit).Scan(&rows).Error
	return rows, translate(err)
}
