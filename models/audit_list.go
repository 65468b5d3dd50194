package models

import (
	"context"
	"fmt"
	"time"
)

// AuditFilter chooses entries of the audit log. What is zero does not narrow the list.
type AuditFilter struct {
	Who       string // words of the name or the address of an account, or an actor: attendee, command
	Actions   []string
	Subject   string // the table
	SubjectID int64
	From, To  time.Time // since, and before
	Before    int64     // the number of an entry: only older ones
	Limit     int
}

// AuditLine is an entry of the audit log with what it speaks of, as far as that is there.
type AuditLine struct {
	AuditEntry

	Person       string // the account's name; empty: not an account, or one that is erased
	SubjectName  string // title or name
	SubjectThere bool
	EventID      int64 // of a registration
}

// auditSubjects joins what an entry of audit_entries x speaks of. SQLite gives the number of a row that is gone to a later
// one, which the entry does not speak of.
const auditSubjects = ` LEFT JOIN users u ON u.id = x.user_id
	LEFT JOIN posts p ON x.subject = 'posts' AND p.id = x.subject_id AND p.created_at <= x.created_at
	LEFT JOIN events e ON x.subject = 'events' AND e.id = x.subject_id AND e.created_at <= x.created_at
	LEFT JOIN ambassadors a ON x.subject = 'ambassadors' AND a.id = x.subject_id AND a.created_at <= x.created_at
	LEFT JOIN groups g ON x.subject = 'groups' AND g.id = x.subject_id AND g.created_at <= x.created_at
	LEFT JOIN users o ON x.subject = 'users' AND o.id = x.subject_id AND o.created_at <= x.created_at
	LEFT JOIN registrations r ON x.subject = 'registrations' AND r.id = x.subject_id
	LEFT JOIN events re ON re.id = r.event_id `

// AuditLog lists entries of the audit log, the newest first. Who may not read it is told ErrNotFound.
func (s *Store) AuditLog(ctx context.Context, by Viewer, f AuditFilter) ([]AuditLine, error) {
	if !by.Can(ReadAudit, Object{}) {
		return nil, fmt.Errorf("%w: audit log", ErrNotFound)
	}
	condition, args := "1 = 1", []any{}
	narrow := func(sql string, values ...any) {
		condition += " AND " + sql
		args = append(args, values...)
	}
	if who := oneLine(f.Who); who != "" {
		pattern := s.likeAll(who)
		narrow("(x.actor = ? OR x.user_id IN (SELECT id FROM users WHERE LOWER(name) LIKE ? ESCAPE '!' OR LOWER(email) LIKE ? ESCAPE '!'))", who, pattern, pattern)
	}
	if len(f.Actions) > 0 {
		narrow("x.action IN ?", f.Actions)
	}
	if f.Subject != "" {
		narrow("x.subject = ?", f.Subject)
	}
	if f.SubjectID != 0 {
		narrow("x.subject_id = ?", f.SubjectID)
	}
	if !f.From.IsZero() {
		narrow("x.created_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		narrow("x.created_at < ?", f.To)
	}
	if f.Before != 0 {
		narrow("(x.created_at, x.id) < (SELECT created_at, id FROM audit_entries WHERE id = ?)", f.Before)
	}
	var lines []AuditLine
	err := s.read(ctx).Raw(`SELECT x.*, COALESCE(u.name, '') AS person, COALESCE(p.title, e.title, a.name, g.name, o.name, re.title, '') AS subject_name,
			COALESCE(p.id, e.id, a.id, g.id, o.id, r.id, 0) > 0 AS subject_there, COALESCE(r.event_id, 0) AS event_id
		FROM audit_entries x`+auditSubjects+"WHERE "+condition+" ORDER BY x.created_at DESC, x.id DESC LIMIT ?", append(args, f.Limit)...).Scan(&lines).Error
	return lines, translate(err)
}
