package models

import (
	"context"
	"strconv"
	"time"
)

// RegistrationLetter is what a mail about a registration tells of.
type RegistrationLetter struct {
	Registration Registration
	Event        Event
	GroupName    string
	CancelReason string
	Tickets      []string // names
	TakenOff     bool     // somebody else gave the place up
}

// RegistrationLetter reads what a mail about a registration tells of.
func (s *Store) RegistrationLetter(ctx context.Context, id int64) (RegistrationLetter, error) {
	var r Registration
	err := s.read(ctx).Where("id = ?", id).Take(&r).Error
	if r, err = one(r, err, "registration", strconv.FormatInt(id, 10)); err != nil {
		return RegistrationLetter{}, err
	}
	var head EventHead
	err = s.read(ctx).Raw(`SELECT e.*, COALESCE(g.name, '') AS group_name, COALESCE(c.reason, '') AS cancel_reason
		FROM events e LEFT JOIN groups g ON g.id = e.group_id AND g.status = 'listed'
		LEFT JOIN event_cancellations c ON c.event_id = e.id WHERE e.id = ?`, r.EventID).Take(&head).Error
	if head, err = one(head, err, "event", strconv.FormatInt(r.EventID, 10)); err != nil {
		return RegistrationLetter{}, err
	}
	letter := RegistrationLetter{Registration: r, Event: head.Event, GroupName: head.GroupName, CancelReason: head.CancelReason}
	err = s.read(ctx).Raw(`SELECT t.name FROM registration_tickets rt JOIN ticket_types t ON t.id = rt.ticket_type_id
		WHERE rt.registration_id = ? ORDER BY t.position, t.id`, id).Scan(&letter.Tickets).Error
	if err != nil || r.Status != RegistrationCancelled {
		return letter, translate(err)
	}
	// Who holds a ticket acts by its link, without an account.
	err = s.read(ctx).Raw(`SELECT EXISTS (SELECT 1 FROM audit_entries WHERE action = 'registration.cancel' AND subject = 'registrations'
		AND subject_id = ? AND user_id IS NOT NULL)`, id).Scan(&letter.TakenOff).Error
	return letter, translate(err)
}

// PostLetter is what a mail about a post tells of.
type PostLetter struct {
	ID        int64
	Slug      string
	Title     string
	Status    PostStatus
	PublishAt *time.Time
	Author    string     // name of the account that wrote it
	Verdict   PostStatus // what the review made of it
	Comment   string
	Reviewer  string
}

// PostLetter reads what a mail about a post tells of; reviewID is 0 for a mail that tells of none.
func (s *Store) PostLetter(ctx context.Context, postID, reviewID int64) (PostLetter, error) {
	var letter PostLetter
	err := s.read(ctx).Raw(`SELECT p.id, p.slug, p.title, p.status, p.publish_at, COALESCE(u.name, '') AS author,
			COALESCE(r.status, p.status) AS verdict, COALESCE(r.comment, '') AS comment, COALESCE(w.name, '') AS reviewer
		FROM posts p LEFT JOIN users u ON u.id = p.user_id LEFT JOIN reviews r ON r.post_id = p.id AND r.id = ?
		LEFT JOIN users w ON w.id = r.user_id WHERE p.id = ?`, reviewID, postID).Take(&letter).Error
	return one(letter, err, "post", strconv.FormatInt(postID, 10))
}
