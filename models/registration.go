package models

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/auth"
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
	PublicID     string  // random, names the registration outside
	LinkVersion  int     // raising it revokes the links made before
	Nonce        *string // hash of the form's nonce and the address
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
	publicIDLength = 16               // characters of base32: 80 bits
	linkMailPause  = 10 * time.Minute // between two mails of the link to one registration
	maxName        = 200              // characters
	maxNonce       = 100              // bytes
)

// RegisterInput is what a person sends to register.
type RegisterInput struct {
	Name    string
	Email   string
	Tickets []string // slugs
	Consent bool     // to the code of conduct
	Nonce   string   // the same for a repeated request; may be empty
}

// checked returns the input with its text trimmed, and what is wrong with it whatever the event.
func (in RegisterInput) checked() (RegisterInput, FieldErrors) {
	var wrong FieldErrors
	in.Name = oneLine(in.Name)
	switch {
	case in.Name == "":
		wrong.add("name", "Write your name, as it should stand on your ticket")
	case tooLong(in.Name, maxName):
		wrong.add("name", fmt.Sprintf("Shorten your name to %d characters", maxName))
	}
	in.Email = strings.TrimSpace(in.Email)
	switch _, err := ParseEmail(in.Email); {
	case in.Email == "":
		wrong.add("email", "Write your e-mail address: your ticket goes there")
	case err != nil && !strings.Contains(in.Email, "@"):
		wrong.add("email", "Write the whole address, like ada@example.org")
	case err != nil && strings.HasSuffix(in.Email, "@"):
		wrong.add("email", "Add the part after the @, like ada@example.org")
	case err != nil:
		wrong.add("email", "Check the address: we could not send mail to it as it stands")
	}
	if !in.Consent {
		wrong.add("consent", "Agree to the code of conduct: it holds for everybody who comes")
	}
	if len(in.Nonce) > maxNonce {
		in.Nonce = auth.Hash(in.Nonce)
	}
	return in, wrong
}

// chosen finds the tickets that were asked for among an event's, each once, in the event's order. A single ticket
// needs no choosing, and an event without tickets gives none.
func chosen(slugs []string, among []Ticket, choose Choose) ([]Ticket, FieldErrors) {
	var wrong FieldErrors
	if len(among) == 0 || len(slugs) == 0 && len(among) == 1 {
		return among, nil
	}
	var tickets []Ticket
	for _, t := range among {
		if slices.Contains(slugs, t.Slug) {
			tickets = append(tickets, t)
		}
	}
	unknown := slices.ContainsFunc(slugs, func(slug string) bool {
		return !slices.ContainsFunc(among, func(t Ticket) bool { return t.Slug == slug })
	})
	switch {
	case unknown:
		wrong.add("tickets", "Choose among the tickets below: what you asked for is not one of them")
	case len(tickets) == 0:
		wrong.add("tickets", "Choose what you will join")
	case len(tickets) > 1 && choose == ChooseOne:
		wrong.add("tickets", "Choose one: this event gives one ticket to a person")
	}
	return tickets, wrong
}

// HasRegistrations reports whether anybody ever registered for anything.
func (s *Store) HasRegistrations(ctx context.Context) (bool, error) {
	var has bool
	err := s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM registrations)").Scan(&has).Error
	return has, translate(err)
}

// Register takes a seat. The registration, its seats, its consent, its mail and its audit entry are one transaction.
// The same nonce with the same address returns the registration that it made before. It refuses with FieldErrors,
// ErrNotFound, what Event.RegistrationRefusal says, ErrAlreadyRegistered when the address has a living registration, whose
// link is then mailed to it again, ErrTicketFull when a chosen ticket is gone and ErrEventFull when all are.
func (s *Store) Register(ctx context.Context, slug string, in RegisterInput) (Registration, error) {
	in, wrong := in.checked()
	key := EmailKey(in.Email)
	id, err := s.publicEventID(ctx, slug)
	if err != nil {
		return Registration{}, err
	}
	before, err := s.ContentVersion(ctx)
	if err != nil {
		return Registration{}, err
	}
	if err := s.knownFull(ctx, before, id, key); err != nil {
		return Registration{}, err
	}
	var made Registration
	var refused error
	err = s.txOn(ctx, id, func(tx *Store) error {
		event, err := tx.lockForRegistration(ctx, id)
		if err != nil {
			return err
		}
		nonce := nonceHash(in.Nonce, key)
		if found, err := tx.registrationByNonce(ctx, id, nonce); err != nil || found.ID != 0 {
			made = found
			return err
		}
		if err := event.RegistrationRefusal(tx.Now()); err != nil {
			return err
		}
		all, err := tx.ticketsOf(ctx, []int64{id})
		if err != nil {
			return err
		}
		tickets, bad := chosen(in.Tickets, all[id], event.Choose)
		if wrong := slices.Concat(bad, wrong); len(wrong) > 0 {
			return wrong
		}
		if refused, err = tx.remindOfRegistration(ctx, id, key); err != nil || refused != nil {
			return err
		}
		if many, err := tx.manyRegistrationMails(ctx, key); many {
			return FieldErrors{{"email", "This address got many mails from us today: try again tomorrow, or use another one"}}
		} else if err != nil {
			return err
		}
		if err := tx.takeSeats(ctx, tickets, all[id]); err != nil {
			return err
		}
		made = Registration{
			EventID: id, PublicID: auth.NewToken()[:publicIDLength], LinkVersion: 1, Nonce: nonce, Status: RegistrationConfirmed,
			Name: in.Name, Email: in.Email, EmailKey: key, CreatedAt: tx.Now(),
		}
		return tx.createRegistration(ctx, &made, tickets)
	})
	if errors.Is(err, ErrEventFull) {
		s.full.Store(id, before)
	}
	if err == nil {
		err = refused
	}
	if err != nil {
		return Registration{}, err
	}
	return made, nil
}

// knownFull refuses with ErrEventFull when an event was full at the present version, so that a crowd which comes too late
// keeps nobody waiting. Who has a place there is not refused.
func (s *Store) knownFull(ctx context.Context, version ContentVersion, eventID int64, emailKey string) error {
	if at, known := s.full.Load(eventID); !known || at != version || !s.content.watched.Load() {
		return nil
	}
	found := false
	err := s.each(ctx, "SELECT 1 FROM registrations WHERE event_id = $1 AND email_key = $2 AND status <> 'cancelled'", []any{eventID, emailKey},
		func(scanner) error { found = true; return nil })
	if err != nil || found {
		return err
	}
	return ErrEventFull
}

// lockForRegistration reads what of an event decides who may register, and keeps others from registering until the transaction
// ends.
func (s *Store) lockForRegistration(ctx context.Context, id int64) (Event, error) {
	var e Event
	err := s.each(ctx, `SELECT id, status, registration, choose, starts_at, ends_at, opens_at, closes_at FROM events WHERE id = $1`+s.forUpdate(), []any{id},
		func(scan scanner) error {
			return scan(&e.ID, &e.Status, &e.Registration, &e.Choose, &e.StartsAt, &e.EndsAt, &e.OpensAt, &e.ClosesAt)
		})
	if err == nil && e.ID == 0 {
		err = fmt.Errorf("%w: event %d", ErrNotFound, id)
	}
	return e, err
}

// lockEvent reads an event and keeps others from registering for it until the transaction ends.
func (s *Store) lockEvent(ctx context.Context, id int64) (Event, error) {
	var event Event
	err := s.read(ctx).Raw("SELECT * FROM events WHERE id = ?"+s.forUpdate(), id).Take(&event).Error
	return one(event, err, "event", strconv.FormatInt(id, 10))
}

// nonceHash names a request: who copies a nonce gets nothing without the address, and another person's request sent
// from the same page is another.
func nonceHash(nonce, emailKey string) *string {
	if nonce == "" {
		return nil
	}
	hash := auth.Hash(nonce + "\x00" + emailKey)
	return &hash
}

func (s *Store) registrationByNonce(ctx context.Context, eventID int64, nonce *string) (Registration, error) {
	if nonce == nil {
		return Registration{}, nil
	}
	var id int64
	if err := s.each(ctx, "SELECT id FROM registrations WHERE event_id = $1 AND nonce = $2", []any{eventID, *nonce},
		func(scan scanner) error { return scan(&id) }); err != nil || id == 0 {
		return Registration{}, err
	}
	return gorm.G[Registration](s.reader).Where("id = ?", id).Take(ctx)
}

// remindOfRegistration refuses an address that has a living registration and mails its link again, at most once in a
// while.
func (s *Store) remindOfRegistration(ctx context.Context, eventID int64, emailKey string) (refused, err error) {
	var id int64
	if err := s.each(ctx, "SELECT id FROM registrations WHERE event_id = $1 AND email_key = $2 AND status <> 'cancelled'", []any{eventID, emailKey},
		func(scan scanner) error { return scan(&id) }); err != nil || id == 0 {
		return nil, err
	}
	found, err := gorm.G[Registration](s.reader).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	if found.LinkMailedAt != nil && now.Sub(*found.LinkMailedAt) < linkMailPause {
		return ErrAlreadyRegistered, nil
	}
	if many, err := s.manyRegistrationMails(ctx, emailKey); many {
		return ErrAlreadyRegistered, nil
	} else if err != nil {
		return nil, err
	}
	if err := changed(s.write(ctx).Model(&Registration{}).Where("id = ?", found.ID).Update("link_mailed_at", now), "registration", found.ID); err != nil {
		return nil, err
	}
	return ErrAlreadyRegistered, s.enqueue(ctx, registrationMail(MailRegistrationLink, found, now.UnixMicro()))
}

// takeSeats takes one seat of each quota that the tickets draw on.
func (s *Store) takeSeats(ctx context.Context, tickets, all []Ticket) error {
	full := func() error {
		if left, limited := SeatsLeft(all); limited && left == 0 {
			return ErrEventFull
		}
		return ErrTicketFull
	}
	ids := quotaIDs(tickets)
	if len(ids) == 0 {
		return nil
	}
	in := "(" + placeholders(1, len(ids)) + ")"
	args := make([]any, len(ids))
	for n, id := range ids {
		args[n] = id
	}
	// Whoever changes quotas locks them in this order, so that no two wait for each other.
	if s.postgres() {
		if _, err := s.exec(ctx, "SELECT id FROM quotas WHERE id IN "+in+" ORDER BY id FOR UPDATE", args...); err != nil {
			return err
		}
	}
	for _, t := range tickets {
		if left, limited := t.Left(); limited && left == 0 {
			return full()
		}
	}
	taken, err := s.exec(ctx, "UPDATE quotas SET taken = taken + 1 WHERE id IN "+in, args...)
	if errors.Is(err, gorm.ErrCheckConstraintViolated) || err == nil && int(taken) != len(ids) {
		return full()
	}
	return err
}

// quotaIDs are the distinct quotas of some tickets, in ascending order.
func quotaIDs(tickets []Ticket) []int64 {
	var ids []int64
	for _, t := range tickets {
		for _, q := range t.Quotas {
			ids = append(ids, q.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// createRegistration writes a registration with what belongs to it. Hundreds of them may wait for it, so its statements are written
// by hand: GORM takes three times as long.
func (s *Store) createRegistration(ctx context.Context, r *Registration, tickets []Ticket) (err error) {
	if r.ID, err = s.insert(ctx, `INSERT INTO registrations (event_id, public_id, link_version, nonce, status, name, email, email_key, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.EventID, r.PublicID, r.LinkVersion, r.Nonce, r.Status, r.Name, r.Email, r.EmailKey, r.CreatedAt); err != nil {
		return err
	}
	for _, t := range tickets {
		if _, err := s.exec(ctx, "INSERT INTO registration_tickets (registration_id, ticket_type_id) VALUES ($1, $2)", r.ID, t.ID); err != nil {
			return err
		}
	}
	version, err := s.conductVersion(ctx)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, "INSERT INTO consents (registration_id, purpose, version, given_at) VALUES ($1, $2, $3, $4)", r.ID, ConsentConduct, version, s.Now()); err != nil {
		return err
	}
	m := registrationMail(MailRegistered, *r, 1)
	if _, err := s.exec(ctx, `INSERT INTO mails (kind, dedupe_key, recipient, recipient_name, registration_id, event_id, next_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		m.Kind, m.DedupeKey, m.Recipient, m.RecipientName, r.ID, r.EventID, s.Now(), s.Now()); err != nil {
		return err
	}
	_, err = s.exec(ctx, "INSERT INTO audit_entries (actor, action, subject, subject_id, after_value, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
		attendee.Role, "registration.create", "registrations", r.ID, RegistrationConfirmed, s.Now())
	return err
}

// attendee is who acts by a registration's link.
var attendee = Viewer{Role: RoleAttendee}

// conductVersion is the day on which the code of conduct last changed.
func (s *Store) conductVersion(ctx context.Context) (string, error) {
	version := "none"
	err := s.each(ctx, "SELECT updated_at FROM pages WHERE path = $1", []any{ConsentConduct}, func(scan scanner) error {
		var at time.Time
		err := scan(&at)
		version = at.UTC().Format(time.DateOnly)
		return err
	})
	return version, err
}

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
