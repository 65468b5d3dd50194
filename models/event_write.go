package models

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cdfoundation/portal/internal/slug"
)

// putProgramme rewrites the speakers, the agenda and the sponsors of an event in the order given.
func (s *Store) putProgramme(ctx context.Context, eventID int64, speakers []Speaker, agenda []AgendaSession, sponsors []Sponsor) error {
	for _, row := range []any{&Speaker{}, &AgendaSession{}, &Sponsor{}} {
		if err := s.write(ctx).Where("event_id = ?", eventID).Delete(row).Error; err != nil {
			return err
		}
	}
	for n, row := range speakers {
		row.ID, row.EventID, row.Position = 0, eventID, n+1
		if err := s.write(ctx).Create(&row).Error; err != nil {
			return err
		}
	}
	for n, row := range agenda {
		row.ID, row.EventID, row.Position, row.SpeakerNames = 0, eventID, n+1, full(row.SpeakerNames)
		if err := s.write(ctx).Create(&row).Error; err != nil {
			return err
		}
	}
	for n, row := range sponsors {
		row.ID, row.EventID, row.Position = 0, eventID, n+1
		if err := s.write(ctx).Create(&row).Error; err != nil {
			return err
		}
	}
	return nil
}

// ticketSet is the seats of an event as they shall be. Rows with an id are written over those that have it.
type ticketSet struct {
	quotas []Quota
	types  []TicketType
	draws  [][]int // of each type: the positions in quotas of those that it draws on
}

func (t *ticketSet) add(row TicketType, draws []int) {
	t.types, t.draws = append(t.types, row), append(t.draws, draws)
}

// BelowTakenError refuses a quota with fewer seats than are taken and held back. It is ErrBelowTaken.
type BelowTakenError struct {
	Quota             string
	Position          int // among the quotas given, from 0
	Taken, Held, Size int
}

// Error states the numbers.
func (e *BelowTakenError) Error() string {
	return fmt.Sprintf("%v: quota %s: %d are taken and %d held back, so it cannot have %d seats", ErrBelowTaken, e.Quota, e.Taken, e.Held, e.Size)
}

// Unwrap is ErrBelowTaken.
func (e *BelowTakenError) Unwrap() error { return ErrBelowTaken }

// TicketHeldError refuses to take away a ticket that people hold. It is ErrConflict.
type TicketHeldError struct {
	Ticket  string
	Holders int // registrations, cancelled ones among them
}

// Error states the number.
func (e *TicketHeldError) Error() string {
	return fmt.Sprintf("%v: ticket %s stands on %d registrations", ErrConflict, e.Ticket, e.Holders)
}

// Unwrap is ErrConflict.
func (e *TicketHeldError) Unwrap() error { return ErrConflict }

// putTickets makes an event's quotas and ticket types those of the set. A type that is not in it goes; one that stands
// on a registration stays behind the others where keepHeld, and is a *TicketHeldError otherwise. Quotas that nothing
// draws on any more go as well. What is taken is counted anew, because tickets may have come to draw on other quotas;
// fewer seats than that are a *BelowTakenError. Nobody else may register meanwhile: the caller has locked the event.
func (s *Store) putTickets(ctx context.Context, eventID int64, set ticketSet, keepHeld bool) error {
	var oldQuotas []Quota
	if err := s.read(ctx).Where("event_id = ?", eventID).Order("id").Find(&oldQuotas).Error; err != nil {
		return err
	}
	var oldTypes []TicketType
	if err := s.read(ctx).Where("event_id = ?", eventID).Order("position, id").Find(&oldTypes).Error; err != nil {
		return err
	}
	if err := set.settle(oldQuotas, oldTypes); err != nil {
		return err
	}
	// Until all is counted again no quota has a limit, so that the order of the changes does not matter.
	if err := s.write(ctx).Exec("UPDATE quotas SET size = NULL, held = 0 WHERE event_id = ?", eventID).Error; err != nil {
		return err
	}
	quotaIDs := make([]int64, len(set.quotas))
	for n, q := range set.quotas {
		row := Quota{ID: q.ID, EventID: eventID, Slug: q.Slug, Name: q.Name}
		if err := put(s.write(ctx), stepFor(row.ID), &row, []string{"Name"}); err != nil {
			return err
		}
		quotaIDs[n] = row.ID
	}
	typeIDs := make([]int64, len(set.types))
	for n, row := range set.types {
		row.EventID, row.Position = eventID, n+1
		if err := put(s.write(ctx), stepFor(row.ID), &row, []string{"Name", "Description", "Position"}); err != nil {
			return err
		}
		typeIDs[n] = row.ID
		if err := s.write(ctx).Where("ticket_type_id = ?", row.ID).Delete(&TicketTypeQuota{}).Error; err != nil {
			return err
		}
		for _, position := range set.draws[n] {
			if err := s.write(ctx).Create(&TicketTypeQuota{TicketTypeID: row.ID, QuotaID: quotaIDs[position]}).Error; err != nil {
				return err
			}
		}
	}
	for n, t := range oldTypes {
		if slices.Contains(typeIDs, t.ID) {
			continue
		}
		if err := s.dropTicket(ctx, t, len(set.types)+1+n, keepHeld); err != nil {
			return err
		}
	}
	if err := s.recountQuotas(ctx, eventID); err != nil {
		return err
	}
	for n, q := range set.quotas {
		if err := s.limitQuota(ctx, quotaIDs[n], q, n); err != nil {
			return err
		}
	}
	for _, q := range oldQuotas {
		if slices.Contains(quotaIDs, q.ID) {
			continue
		}
		gone := s.write(ctx).Where("id = ? AND NOT EXISTS (SELECT 1 FROM ticket_type_quotas l WHERE l.quota_id = quotas.id)", q.ID).Delete(&Quota{})
		if gone.Error != nil {
			return gone.Error
		}
		if gone.RowsAffected == 0 {
			// A ticket that stays draws on it, so it keeps its seats.
			if err := s.limitQuota(ctx, q.ID, q, -1); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle checks that rows with an id are among the event's own and gives new rows a slug that none of them has.
func (t *ticketSet) settle(quotas []Quota, types []TicketType) error {
	used := map[string]bool{}
	for _, q := range quotas {
		used[q.Slug] = true
	}
	for n := range t.quotas {
		q := &t.quotas[n]
		if q.ID != 0 && !slices.ContainsFunc(quotas, func(old Quota) bool { return old.ID == q.ID }) {
			return fmt.Errorf("%w: quota %d", ErrNotFound, q.ID)
		}
		if q.ID == 0 {
			q.Slug = unusedSlug(used, q.Slug, q.Name)
		}
	}
	clear(used)
	for _, t := range types {
		used[t.Slug] = true
	}
	for n := range t.types {
		row := &t.types[n]
		if row.ID != 0 && !slices.ContainsFunc(types, func(old TicketType) bool { return old.ID == row.ID }) {
			return fmt.Errorf("%w: ticket %d", ErrNotFound, row.ID)
		}
		if row.ID == 0 {
			row.Slug = unusedSlug(used, row.Slug, row.Name)
		}
	}
	return nil
}

// unusedSlug is the wanted slug, or one made of the name, or that with the first free number behind it.
func unusedSlug(used map[string]bool, wanted, name string) string {
	if wanted == "" {
		wanted = cmp.Or(slug.Make(name), "x")
	}
	candidate := wanted
	for n := 2; used[candidate]; n++ {
		candidate = fmt.Sprintf("%s-%d", wanted, n)
	}
	used[candidate] = true
	return candidate
}

func stepFor(id int64) contentStep {
	if id == 0 {
		return contentCreated
	}
	return contentUpdated
}

// dropTicket takes a ticket type away unless it stands on a registration.
func (s *Store) dropTicket(ctx context.Context, t TicketType, position int, keepHeld bool) error {
	var holders int64
	if err := s.read(ctx).Model(&RegistrationTicket{}).Where("ticket_type_id = ?", t.ID).Count(&holders).Error; err != nil {
		return err
	}
	switch {
	case holders == 0:
		return s.write(ctx).Delete(&t).Error
	case keepHeld:
		return s.write(ctx).Model(&t).Update("position", position).Error
	}
	return &TicketHeldError{Ticket: t.Name, Holders: int(holders)}
}

// limitQuota sets how many seats a quota has and how many of them are held back.
func (s *Store) limitQuota(ctx context.Context, id int64, q Quota, position int) error {
	var taken int
	if err := s.read(ctx).Raw("SELECT taken FROM quotas WHERE id = ?", id).Scan(&taken).Error; err != nil {
		return err
	}
	if q.Size != nil && taken+q.Held > *q.Size {
		return &BelowTakenError{Quota: q.Name, Position: position, Taken: taken, Held: q.Held, Size: *q.Size}
	}
	return s.write(ctx).Model(&Quota{ID: id}).Select("Size", "Held").UpdateColumns(&q).Error
}

// needTicket gives an event that takes registrations a ticket without limit when it has none.
func (s *Store) needTicket(ctx context.Context, event Event) error {
	var n int64
	if event.Registration != RegistrationPortal {
		return nil
	}
	if err := s.read(ctx).Model(&TicketType{}).Where("event_id = ?", event.ID).Count(&n).Error; err != nil || n > 0 {
		return err
	}
	return s.write(ctx).Create(&TicketType{EventID: event.ID, Slug: "ticket", Name: "Ticket", Position: 1}).Error
}

// recountQuotas sets what is taken of an event's quotas to what its living registrations take.
func (s *Store) recountQuotas(ctx context.Context, eventID int64) error {
	return s.write(ctx).Exec("UPDATE quotas SET taken = "+livingOfQuota+" WHERE event_id = ?", eventID).Error
}
