package models

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
)

// RegistrationStatus is the state of a registration.
type RegistrationStatus string

// The states of a registration.
const (
	RegistrationConfirmed RegistrationStatus = "confirmed"
	RegistrationCancelled RegistrationStatus = "cancelled"
)

// Value refuses a state that is not one of ours.
func (s RegistrationStatus) Value() (driver.Value, error) {
	return oneOf("registration status", s, RegistrationConfirmed, RegistrationCancelled)
}

// Registration is a person's place at an event.
type Registration struct {
	ID           int64
	EventID      int64
	PublicID     string  // names the registration outside; begins with the moment of its making, the rest is random
	LinkVersion  int     // raising it revokes the links made before
	Nonce        *string // moment, and hash of the form's nonce and the address
	Status       RegistrationStatus
	Name         string
	Email        string // as typed, used for sending
	EmailKey     string // normalised, used for comparing
	LinkMailedAt *time.Time
	Sample       bool // generated, of nobody
	CreatedAt    time.Time
	CancelledAt  *time.Time
	ErasedAt     *time.Time // when name and address went; the row is counted for ever
}

// RegistrationTicket is a ticket of a registration.
type RegistrationTicket struct {
	RegistrationID int64 `gorm:"primaryKey;autoIncrement:false"`
	TicketTypeID   int64 `gorm:"primaryKey;autoIncrement:false"`
}

// Consent is what a person agreed to, in which version of its words, and when.
type Consent struct {
	ID             int64
	RegistrationID *int64
	UserID         *int64
	Purpose        string
	Version        string
	GivenAt        time.Time
	WithdrawnAt    *time.Time
}

// ConsentConduct is the purpose of agreeing to the code of conduct; its version is the day when its words last changed.
const ConsentConduct = "code-of-conduct"

const (
	publicIDLength = 16               // characters of base32
	linkMailPause  = 10 * time.Minute // between two mails of the link to one registration
	maxName        = 200              // characters
	maxNonce       = 100              // bytes
)

// HasRegistrations reports whether anybody ever registered for anything.
func (s *Store) HasRegistrations(ctx context.Context) (bool, error) {
	var has bool
	err := s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM registrations)").Scan(&has).Error
	return has, translate(err)
}

// lockEvent reads an event and keeps others from registering for it until the transaction ends.
func (s *Store) lockEvent(ctx context.Context, id int64) (Event, error) {
	var event Event
	err := s.read(ctx).Raw("SELECT * FROM events WHERE id = ?"+s.forUpdate(), id).Take(&event).Error
	return one(event, err, "event", strconv.FormatInt(id, 10))
}

// attendee is who acts by a registration's link.
var attendee = Viewer{Role: RoleAttendee}

// registrationMail is a mail about a registration to whom it belongs.
func registrationMail(kind MailKind, r Registration, version any) Mail {
	return Mail{
		Kind: kind, DedupeKey: registrationKey(kind, r.ID, version), Recipient: r.Email, RecipientName: r.Name,
		RegistrationID: &r.ID, EventID: &r.EventID,
	}
}

// The purposes for which a registration's links and codes are derived.
const (
	registrationPurpose = "registration"
	ticketPurpose       = "ticket"
)

// RegistrationToken is what opens a registration's page. It is derived, never stored.
func (s *Store) RegistrationToken(r Registration) string {
	return r.PublicID + s.keys.Sign(registrationPurpose, r.PublicID, strconv.Itoa(r.LinkVersion))
}

// TicketCode is what the QR code of a ticket holds: it proves the ticket and opens nothing.
func (s *Store) TicketCode(r Registration) string {
	return r.PublicID + s.keys.Sign(ticketPurpose, r.PublicID, strconv.Itoa(r.LinkVersion))
}

// Code is a registration's name for people to read out: 7KQ4-M2XP.
func (r Registration) Code() string {
	if len(r.PublicID) < 8 {
		return r.PublicID
	}
	return r.PublicID[:4] + "-" + r.PublicID[4:8]
}

// registrationByToken finds the registration that a token opens, or ErrNotFound.
func (s *Store) registrationByToken(ctx context.Context, token string) (Registration, error) {
	if len(token) <= publicIDLength {
		return Registration{}, fmt.Errorf("%w: registration", ErrNotFound)
	}
	found, err := gorm.G[Registration](s.reader).Where("public_id = ?", token[:publicIDLength]).Take(ctx)
	// The address names the registration to nobody else, so an error does not repeat it.
	if found, err = one(found, err, "registration", "of the link"); err != nil {
		return found, err
	}
	if !s.keys.Verify(token[publicIDLength:], registrationPurpose, found.PublicID, strconv.Itoa(found.LinkVersion)) {
		return Registration{}, fmt.Errorf("%w: registration", ErrNotFound)
	}
	return found, nil
}

// RegistrationDetail is a registration with its event and tickets.
type RegistrationDetail struct {
	Registration
	Event   EventDetail
	Tickets []TicketType
}

// RegistrationByToken finds the registration that a token opens. An unknown or revoked token is ErrNotFound.
func (s *Store) RegistrationByToken(ctx context.Context, token string) (RegistrationDetail, error) {
	found, err := s.registrationByToken(ctx, token)
	if err != nil {
		return RegistrationDetail{}, err
	}
	return s.registrationDetail(ctx, found)
}

func (s *Store) registrationDetail(ctx context.Context, r Registration) (RegistrationDetail, error) {
	d := RegistrationDetail{Registration: r}
	var err error
	if d.Event, err = s.eventDetail(ctx, r.EventID); err != nil {
		return d, err
	}
	err = s.read(ctx).Raw(`SELECT t.* FROM registration_tickets rt JOIN ticket_types t ON t.id = rt.ticket_type_id
		WHERE rt.registration_id = ? ORDER BY t.position, t.id`, r.ID).Scan(&d.Tickets).Error
	return d, translate(err)
}

// Cancel gives up the place that a token opens: its seats are free at once and a mail takes it out of the person's
// calendar. Cancelling twice changes nothing. It refuses with ErrNotFound, and with ErrEventPast once the event is over.
func (s *Store) Cancel(ctx context.Context, token string) (Registration, error) {
	var r Registration
	err := s.tx(ctx, func(tx *Store) error {
		found, err := tx.registrationByToken(ctx, token)
		if err != nil {
			return err
		}
		event, err := tx.lockEvent(ctx, found.EventID)
		if err != nil {
			return err
		}
		// Read again: another request may have cancelled it before the event was locked.
		if r, err = tx.registrationByToken(ctx, token); err != nil || r.Status == RegistrationCancelled {
			return err
		}
		if event.PastAt(tx.Now()) {
			return ErrEventPast
		}
		return tx.cancelRegistration(ctx, attendee, &r)
	})
	return r, err
}

func (s *Store) cancelRegistration(ctx context.Context, by Viewer, r *Registration) error {
	if err := s.giveUp(ctx, by, r); err != nil {
		return err
	}
	return s.enqueue(ctx, registrationMail(MailUnregistered, *r, 1))
}

// giveUp cancels a living registration: its seats are free and its consents withdrawn.
func (s *Store) giveUp(ctx context.Context, by Viewer, r *Registration) error {
	now := s.Now()
	r.Status, r.CancelledAt = RegistrationCancelled, &now
	if err := changed(s.write(ctx).Model(&Registration{}).Where("id = ? AND status <> ?", r.ID, RegistrationCancelled).
		Updates(map[string]any{"status": r.Status, "cancelled_at": now}), "registration", r.ID); err != nil {
		return err
	}
	if err := s.write(ctx).Exec(`UPDATE quotas SET taken = taken - 1 WHERE id IN (SELECT DISTINCT tq.quota_id
		FROM registration_tickets rt JOIN ticket_type_quotas tq ON tq.ticket_type_id = rt.ticket_type_id WHERE rt.registration_id = ?)`, r.ID).Error; err != nil {
		return err
	}
	if err := s.write(ctx).Model(&Consent{}).Where("registration_id = ? AND withdrawn_at IS NULL", r.ID).Update("withdrawn_at", now).Error; err != nil {
		return err
	}
	return s.audit(ctx, by, "registration.cancel", "registrations", r.ID, string(RegistrationConfirmed), string(RegistrationCancelled))
}

// livingOfQuota counts the living registrations that take a seat of a row of quotas.
const livingOfQuota = `(SELECT count(DISTINCT r.id) FROM registrations r
	JOIN registration_tickets rt ON rt.registration_id = r.id JOIN ticket_type_quotas tq ON tq.ticket_type_id = rt.ticket_type_id
	WHERE tq.quota_id = quotas.id AND r.status <> 'cancelled')`

// sampleOfQuota counts those of them that were generated.
var sampleOfQuota = strings.Replace(livingOfQuota, "r.status", "r.sample AND r.status", 1)

// Invariants checks what must hold of registrations in every state and names what does not.
func (s *Store) Invariants(ctx context.Context) ([]string, error) {
	var broken []string
	for _, rule := range []struct{ words, query string }{
		{"seats counted otherwise than registered: quota", `SELECT id FROM quotas WHERE taken <> ` + livingOfQuota},
		{"more seats given than there are: quota", `SELECT id FROM quotas WHERE size IS NOT NULL AND taken + held > size`},
		{"one person registered twice: event", `SELECT event_id FROM registrations WHERE status <> 'cancelled' GROUP BY event_id, email_key HAVING count(*) > 1`},
		{"a ticket of another event: registration", `SELECT r.id FROM registrations r JOIN registration_tickets rt ON rt.registration_id = r.id
			JOIN ticket_types t ON t.id = rt.ticket_type_id WHERE t.event_id <> r.event_id`},
		{"no ticket though the event has some: registration", `SELECT r.id FROM registrations r WHERE EXISTS (SELECT 1 FROM ticket_types t WHERE t.event_id = r.event_id)
			AND NOT EXISTS (SELECT 1 FROM registration_tickets rt WHERE rt.registration_id = r.id)`},
	} {
		var ids []int64
		if err := s.read(ctx).Raw(rule.query + " ORDER BY 1 LIMIT 20").Scan(&ids).Error; err != nil {
			return nil, translate(err)
		}
		for _, id := range ids {
			broken = append(broken, fmt.Sprintf("%s %d", rule.words, id))
		}
	}
	return broken, nil
}
