package models

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// OwnData is what the portal holds about a person, but for the texts of their posts and the bytes of their pictures.
type OwnData struct {
	User          User
	Profile       *Ambassador // nil: none
	Bylines       []Byline
	Groups        []string // names of those that they organise
	Events        []Event  // that they made: what names them
	Registrations []OwnDataRegistration
	Factors       Factors
	Sessions      []Session
	Mails         []Mail
	Reviews       []Review // their words about posts
	Pictures      []Medium
	Audit         []AuditEntry // what they did, and what was done to their account and registrations
}

// OwnDataRegistration is a registration with what belongs to it.
type OwnDataRegistration struct {
	OwnRegistration
	Tickets  []string // names
	Consents []Consent
}

// ownAudit is the condition for the entries of the audit log about a person: account, account, since when there is that
// account, address key.
const ownAudit = `user_id = ? OR subject = 'users' AND subject_id = ? AND created_at >= ?
	OR subject = 'registrations' AND subject_id IN (SELECT id FROM registrations WHERE email_key = ?)`

// ExportOwnData reads what the portal holds about the viewer and notes in the audit log that it was taken.
func (s *Store) ExportOwnData(ctx context.Context, by Viewer) (d OwnData, err error) {
	if !by.SignedIn() {
		return d, fmt.Errorf("%w: account", ErrNotFound)
	}
	err = s.tx(ctx, func(tx *Store) error { return tx.audit(ctx, by, "user.export", "users", by.UserID, "", "") })
	if err != nil {
		return d, err
	}
	if d.User, err = s.UserByID(ctx, by.UserID); err != nil {
		return d, err
	}
	var profiles []Ambassador
	key, id := d.User.EmailKey, d.User.ID
	for _, part := range []struct {
		into any
		sql  string
		args []any
	}{
		{&profiles, "SELECT * FROM ambassadors WHERE user_id = ?", []any{id}},
		{&d.Bylines, "SELECT * FROM bylines WHERE user_id = ? OR ambassador_id IN (SELECT id FROM ambassadors WHERE user_id = ?) ORDER BY id", []any{id, id}},
		{&d.Groups, `SELECT DISTINCT g.name FROM group_organisers o JOIN groups g ON g.id = o.group_id
			WHERE o.user_id = ? OR o.ambassador_id IN (SELECT id FROM ambassadors WHERE user_id = ?) ORDER BY g.name`, []any{id, id}},
		{&d.Events, "SELECT id, slug, title, status, created_at FROM events WHERE created_by = ? ORDER BY id", []any{id}},
		{&d.Sessions, "SELECT * FROM sessions WHERE user_id = ? ORDER BY id", []any{id}},
		{&d.Mails, "SELECT * FROM mails WHERE user_id = ? OR recipient = ? OR registration_id IN (SELECT id FROM registrations WHERE email_key = ?) ORDER BY id", []any{id, d.User.Email, key}},
		{&d.Reviews, "SELECT * FROM reviews WHERE user_id = ? ORDER BY id", []any{id}},
		{&d.Pictures, "SELECT * FROM media WHERE user_id = ? ORDER BY id", []any{id}},
		{&d.Audit, "SELECT * FROM audit_entries WHERE " + ownAudit + " ORDER BY id", []any{id, id, d.User.CreatedAt, key}},
	} {
		if err := s.read(ctx).Raw(part.sql, part.args...).Scan(part.into).Error; err != nil {
			return d, translate(err)
		}
	}
	if d.Factors, err = s.factorsOf(ctx, id); err != nil {
		return d, err
	}
	if len(profiles) > 0 {
		d.Profile = &profiles[0]
	}
	d.Registrations, err = s.ownDataRegistrations(ctx, key)
	return d, err
}

func (s *Store) ownDataRegistrations(ctx context.Context, emailKey string) ([]OwnDataRegistration, error) {
	rows, err := s.registrationsOf(ctx, emailKey, -1)
	if err != nil {
		return nil, err
	}
	all := make([]OwnDataRegistration, len(rows))
	at := map[int64]*OwnDataRegistration{}
	for i, row := range rows {
		all[i].OwnRegistration = row
		at[row.Registration.ID] = &all[i]
	}
	var tickets []struct {
		RegistrationID int64
		Name           string
	}
	err = s.read(ctx).Raw(`SELECT rt.registration_id, t.name FROM registration_tickets rt JOIN ticket_types t ON t.id = rt.ticket_type_id
		JOIN registrations r ON r.id = rt.registration_id WHERE r.email_key = ? ORDER BY rt.registration_id, t.position, t.id`, emailKey).Scan(&tickets).Error
	if err != nil {
		return nil, translate(err)
	}
	for _, t := range tickets {
		at[t.RegistrationID].Tickets = append(at[t.RegistrationID].Tickets, t.Name)
	}
	var consents []Consent
	err = s.read(ctx).Raw("SELECT c.* FROM consents c JOIN registrations r ON r.id = c.registration_id WHERE r.email_key = ? ORDER BY c.id", emailKey).Scan(&consents).Error
	for _, c := range consents {
		at[*c.RegistrationID].Consents = append(at[*c.RegistrationID].Consents, c)
	}
	return all, translate(err)
}

// ownPostsBatch is how many posts are read at once.
const ownPostsBatch = 20

// OwnPosts reads the posts that the viewer's account wrote, the oldest first, in batches while they are ranged over. An
// error ends the sequence.
func (s *Store) OwnPosts(ctx context.Context, by Viewer) iter.Seq2[Post, error] {
	return func(yield func(Post, error) bool) {
		after := int64(0)
		for by.SignedIn() {
			var posts []Post
			err := s.read(ctx).Where("user_id = ? AND id > ?", by.UserID, after).Order("id").Limit(ownPostsBatch).Find(&posts).Error
			if err != nil {
				yield(Post{}, translate(err))
				return
			}
			for _, p := range posts {
				if !yield(p, nil) {
					return
				}
				after = p.ID
			}
			if len(posts) < ownPostsBatch {
				return
			}
		}
	}
}

// OwnConsent is something that the viewer agreed to.
type OwnConsent struct {
	Consent Consent `gorm:"embedded"`

	PublicID    string // of the registration
	LinkVersion int
	Status      RegistrationStatus
	EventTitle  string
	EventStatus EventStatus
	EndsAt      time.Time
}

// Held reports whether the place is still held that the consent belongs to: giving it up is how it is withdrawn.
func (c OwnConsent) Held(t time.Time) bool {
	return c.Status != RegistrationCancelled && c.EventStatus != EventCancelled && t.Before(c.EndsAt)
}

// OwnConsents lists what the viewer agreed to with registrations that name them, the latest first.
func (s *Store) OwnConsents(ctx context.Context, by Viewer) ([]OwnConsent, error) {
	var rows []OwnConsent
	err := s.read(ctx).Raw(`SELECT c.*, r.public_id, r.link_version, r.status, e.title AS event_title, e.status AS event_status, e.ends_at
		FROM consents c JOIN registrations r ON r.id = c.registration_id JOIN events e ON e.id = r.event_id
		WHERE r.email_key = ? ORDER BY c.given_at DESC, c.id DESC LIMIT 200`, EmailKey(by.Email)).Scan(&rows).Error
	return rows, translate(err)
}
