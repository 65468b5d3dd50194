package models

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/auth"
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

// Register takes a seat. The registration, its seats, its consent, its mail and its audit entry are one transaction.
// The same nonce with the same address returns the registration that it made before. It refuses with FieldErrors,
// ErrNotFound, what Event.RegistrationRefusal says, ErrAlreadyRegistered when the address has a living registration, whose
// link is then mailed to it again, ErrTicketFull when a chosen ticket is gone and ErrEventFull when all are.
func (s *Store) Register(ctx context.Context, slug string, in RegisterInput) (Registration, error) {
	in, wrong := in.checked()
	r := &registrant{in: in, wrong: wrong, emailKey: EmailKey(in.Email)}
	r.nonce = nonceHash(in.Nonce, r.emailKey)
	before, err := s.ContentVersion(ctx)
	if err != nil {
		return Registration{}, err
	}
	if r.eventID, err = s.knownEventID(ctx, before, slug); err != nil {
		return Registration{}, err
	}
	if err := s.knownFull(ctx, before, r.eventID, r.emailKey); err != nil {
		return Registration{}, err
	}
	if err := s.txRegister(ctx, r); err != nil {
		return Registration{}, err
	}
	if errors.Is(r.refused, ErrEventFull) {
		s.full.Store(r.eventID, before)
	}
	if r.refused != nil {
		return Registration{}, r.refused
	}
	return r.made, nil
}

// registrant is somebody who asks for a place at an event, and what becomes of that.
type registrant struct {
	eventID  int64
	in       RegisterInput
	wrong    FieldErrors // with the input, whatever the event
	emailKey string
	nonce    string // its hash; empty without one
	tickets  []Ticket

	settled bool
	made    Registration
	refused error
}

func (r *registrant) refuse(err error) { r.settled, r.refused = true, err }

// registerAll registers people for one event: a statement reads or writes what belongs to all of them, for hundreds may wait.
// Refusing one of them undoes nothing; an error undoes everything.
func (s *Store) registerAll(ctx context.Context, eventID int64, people []*registrant) error {
	event, err := s.lockForRegistration(ctx, eventID)
	if err != nil {
		return err
	}
	found, err := s.ticketsOf(ctx, []int64{eventID})
	if err != nil {
		return err
	}
	for len(people) > 0 {
		// Who sends a form twice at a time finds the second time what the first made.
		seen := make(map[string]bool, len(people))
		var once, again []*registrant
		for _, r := range people {
			if seen[r.emailKey] {
				again = append(again, r)
				continue
			}
			seen[r.emailKey] = true
			once = append(once, r)
		}
		if err := s.registerOnce(ctx, event, found[eventID], once); err != nil {
			return err
		}
		people = again
	}
	return nil
}

// registerOnce is registerAll for people of different addresses. It keeps count in tickets.
func (s *Store) registerOnce(ctx context.Context, event Event, tickets []Ticket, people []*registrant) error {
	unsettled := func() []*registrant {
		people = slices.DeleteFunc(people, func(r *registrant) bool { return r.settled })
		return people
	}
	before, err := s.registeredEarlier(ctx, event.ID, people)
	if err != nil {
		return err
	}
	for _, r := range people {
		for _, e := range before[r.emailKey] {
			if r.nonce == "" || !strings.HasSuffix(e.nonce, r.nonce) {
				continue
			}
			r.settled = true
			if r.made, err = gorm.G[Registration](s.reader).Where("id = ?", e.id).Take(ctx); err != nil {
				return err
			}
		}
	}
	refusal := event.RegistrationRefusal(s.Now())
	for _, r := range unsettled() {
		var bad FieldErrors
		if r.tickets, bad = chosen(r.in.Tickets, tickets, event.Choose); refusal != nil {
			r.refuse(refusal)
		} else if wrong := slices.Concat(bad, r.wrong); len(wrong) > 0 {
			r.refuse(wrong)
		}
	}
	for _, r := range unsettled() {
		for _, e := range before[r.emailKey] {
			if !e.living {
				continue
			}
			r.refuse(ErrAlreadyRegistered)
			if err := s.remind(ctx, e.id); err != nil {
				return err
			}
		}
	}
	if err := s.refuseManyMails(ctx, unsettled()); err != nil {
		return err
	}
	taken := make(map[int64]int) // quota's ID → seats
	for _, r := range unsettled() {
		if refusal := takeSeats(r.tickets, tickets, taken); refusal != nil {
			r.refuse(refusal)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(taken)) {
		if _, err := s.exec(ctx, "UPDATE quotas SET taken = taken + $1 WHERE id = $2", taken[id], id); err != nil {
			return err
		}
	}
	return s.createRegistrations(ctx, unsettled())
}

// knownEvent is the ID of a public event while the content stays as it is.
type knownEvent struct {
	content uint64
	id      int64
}

// knownEventID is publicEventID, remembered until something changes.
func (s *Store) knownEventID(ctx context.Context, version ContentVersion, slug string) (int64, error) {
	if known, ok := s.events.Load(slug); ok && s.content.watched.Load() {
		if known := known.(knownEvent); known.content == version.Content { //nolint:errcheck // the map holds nothing else
			return known.id, nil
		}
	}
	id, err := s.publicEventID(ctx, slug)
	if err == nil {
		s.events.Store(slug, knownEvent{version.Content, id})
	}
	return id, err
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

// lockForRegistration reads what of an event decides who may register, and keeps others from registering and from changing its
// quotas until the transaction ends.
func (s *Store) lockForRegistration(ctx context.Context, id int64) (Event, error) {
	var e Event
	err := s.each(ctx, `SELECT id, status, registration, choose, starts_at, ends_at, opens_at, closes_at FROM events WHERE id = $1`+s.forUpdate(), []any{id},
		func(scan scanner) error {
			return scan(&e.ID, &e.Status, &e.Registration, &e.Choose, &e.StartsAt, &e.EndsAt, &e.OpensAt, &e.ClosesAt)
		})
	if err == nil && e.ID == 0 {
		err = fmt.Errorf("%w: event %d", ErrNotFound, id)
	}
	if err == nil && s.postgres() {
		// Whoever changes quotas locks them in this order, so that no two wait for each other.
		_, err = s.exec(ctx, "SELECT id FROM quotas WHERE event_id = $1 ORDER BY id FOR UPDATE", id)
	}
	return e, err
}

// nonceHash names a request: who copies a nonce gets nothing without the address, and another person's request sent
// from the same page is another.
func nonceHash(nonce, emailKey string) string {
	if nonce == "" {
		return ""
	}
	return auth.Hash(nonce + "\x00" + emailKey)
}

// earlier is a registration that somebody made for the same event before.
type earlier struct {
	id     int64
	nonce  string // ends with the hash
	living bool
}

// registeredEarlier are the registrations that people made for an event before, by their address.
func (s *Store) registeredEarlier(ctx context.Context, eventID int64, people []*registrant) (map[string][]earlier, error) {
	found := make(map[string][]earlier)
	// The plus keeps SQLite from looking through all of the event.
	err := s.eachOf(ctx, "SELECT id, email_key, coalesce(nonce, ''), status <> 'cancelled' FROM registrations WHERE +event_id = $1 AND email_key IN (%s)",
		[]any{eventID}, emailKeys(people), func(scan scanner) error {
			var e earlier
			var key string
			err := scan(&e.id, &key, &e.nonce, &e.living)
			found[key] = append(found[key], e)
			return err
		})
	return found, err
}

func emailKeys(people []*registrant) []any {
	keys := make([]any, len(people))
	for n, r := range people {
		keys[n] = r.emailKey
	}
	return keys
}

// remind mails the link of a registration again, at most once in a while.
func (s *Store) remind(ctx context.Context, id int64) error {
	found, err := gorm.G[Registration](s.reader).Where("id = ?", id).Take(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	if found.LinkMailedAt != nil && now.Sub(*found.LinkMailedAt) < linkMailPause {
		return nil
	}
	if many, err := s.manyRegistrationMails(ctx, []any{found.EmailKey}); err != nil || many[found.EmailKey] {
		return err
	}
	if err := changed(s.write(ctx).Model(&Registration{}).Where("id = ?", found.ID).Update("link_mailed_at", now), "registration", found.ID); err != nil {
		return err
	}
	return s.enqueue(ctx, registrationMail(MailRegistrationLink, found, now.UnixMicro()))
}

// refuseManyMails refuses those whose address got as many mails today as it may.
func (s *Store) refuseManyMails(ctx context.Context, people []*registrant) error {
	many, err := s.manyRegistrationMails(ctx, emailKeys(people))
	for _, r := range people {
		if many[r.emailKey] {
			r.refuse(FieldErrors{{"email", "This address got many mails from us today: try again tomorrow, or use another one"}})
		}
	}
	return err
}

// takeSeats takes one seat of each quota that the chosen tickets draw on, and counts it in all of the event's tickets and in
// taken. It refuses when one has none left.
func takeSeats(chosen, all []Ticket, taken map[int64]int) error {
	for _, t := range chosen {
		if left, limited := t.Left(); limited && left == 0 {
			if left, limited := SeatsLeft(all); limited && left == 0 {
				return ErrEventFull
			}
			return ErrTicketFull
		}
	}
	for _, id := range quotaIDs(chosen) {
		taken[id]++
		for _, t := range all {
			for n := range t.Quotas {
				if t.Quotas[n].ID == id {
					t.Quotas[n].Taken++
				}
			}
		}
	}
	return nil
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

// moment is three characters of base32 that are those of a tenth of a second, and come again after an hour. What begins with it stands
// in an index beside what was written at the same time, so that a crowd changes few of its pages.
func moment(now time.Time) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	tenths := now.UnixMilli() / 100
	return string([]byte{alphabet[tenths>>10&31], alphabet[tenths>>5&31], alphabet[tenths&31]})
}

// createRegistrations writes registrations with what belongs to them.
func (s *Store) createRegistrations(ctx context.Context, people []*registrant) error {
	if len(people) == 0 {
		return nil
	}
	version, err := s.conductVersion(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	at := moment(now)
	var rows, tickets, consents, mails, audit []any
	made := make(map[string]*Registration, len(people)) // by PublicID
	for _, r := range people {
		r.settled = true
		r.made = Registration{
			EventID: r.eventID, PublicID: at + auth.NewToken()[:publicIDLength-len(at)], LinkVersion: 1, Status: RegistrationConfirmed,
			Name: r.in.Name, Email: r.in.Email, EmailKey: r.emailKey, CreatedAt: now,
		}
		if r.nonce != "" {
			nonce := at + r.nonce
			r.made.Nonce = &nonce
		}
		made[r.made.PublicID] = &r.made
		rows = append(rows, r.made.EventID, r.made.PublicID, r.made.LinkVersion, r.made.Nonce, r.made.Status, r.made.Name, r.made.Email, r.made.EmailKey, now)
	}
	if err := s.insertAll(ctx, "registrations (event_id, public_id, link_version, nonce, status, name, email, email_key, created_at)", "RETURNING id, public_id", rows,
		func(scan scanner) error {
			var id int64
			var publicID string
			err := scan(&id, &publicID)
			made[publicID].ID = id
			return err
		}); err != nil {
		return err
	}
	for _, r := range people {
		for _, t := range r.tickets {
			tickets = append(tickets, r.made.ID, t.ID)
		}
		consents = append(consents, r.made.ID, ConsentConduct, version, now)
		m := registrationMail(MailRegistered, r.made, 1)
		mails = append(mails, m.Kind, m.DedupeKey, m.Recipient, m.RecipientName, r.made.ID, r.made.EventID, now, now)
		audit = append(audit, attendee.Role, "registration.create", "registrations", r.made.ID, RegistrationConfirmed, now)
	}
	for _, table := range []struct {
		into, conflict string
		rows           []any
	}{
		{"registration_tickets (registration_id, ticket_type_id)", "", tickets},
		{"consents (registration_id, purpose, version, given_at)", "", consents},
		{"mails (kind, dedupe_key, recipient, recipient_name, registration_id, event_id, next_at, created_at)", "ON CONFLICT DO NOTHING", mails},
		{"audit_entries (actor, action, subject, subject_id, after_value, created_at)", "", audit},
	} {
		if err := s.insertAll(ctx, table.into, table.conflict, table.rows, nil); err != nil {
			return err
		}
	}
	return nil
}

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
