package models

import (
	"context"
	"fmt"
	"iter"
	"strconv"
)

// AttendeeFilter chooses among an event's registrations. What is zero does not narrow the list.
type AttendeeFilter struct {
	TicketID      int64
	Status        RegistrationStatus
	Search        string // in name, e-mail and code
	Limit, Offset int
}

// Attendee is a registration with the tickets that it holds.
type Attendee struct {
	Registration
	TicketIDs []int64 // in the order of the event's tickets
}

// AttendeeCounts are the numbers over an event's registrations, whatever is searched for.
type AttendeeCounts struct {
	Confirmed int
	Cancelled int
	Tickets   map[int64]int // confirmed registrations of each ticket type by id
}

// attendeesWhere is a filter as a condition on registrations r.
func (s *Store) attendeesWhere(eventID int64, f AttendeeFilter) (condition string, args []any) {
	condition, args = "r.event_id = ?", []any{eventID}
	if f.TicketID != 0 {
		condition += " AND EXISTS (SELECT 1 FROM registration_tickets t WHERE t.registration_id = r.id AND t.ticket_type_id = ?)"
		args = append(args, f.TicketID)
	}
	if f.Status != "" {
		condition += " AND r.status = ?"
		args = append(args, string(f.Status))
	}
	if oneLine(f.Search) != "" {
		condition += " AND (LOWER(r.name) LIKE ? ESCAPE '!' OR LOWER(r.email) LIKE ? ESCAPE '!' OR LOWER(r.public_id) LIKE ? ESCAPE '!')"
		pattern := s.likeAll(f.Search)
		args = append(args, pattern, pattern, code(pattern))
	}
	return condition, args
}

// code is a searched code as it is stored: people read it with a hyphen in the middle.
func code(pattern string) string {
	if len(pattern) > 6 && pattern[5] == '-' {
		return pattern[:5] + pattern[6:]
	}
	return pattern
}

// Attendees lists the registrations of an event whose attendees the viewer may see, the latest first, and how many the
// filter lets through whatever its limit. Another's event is ErrNotFound.
func (s *Store) Attendees(ctx context.Context, by Viewer, eventID int64, f AttendeeFilter) (rows []Attendee, total int, err error) {
	if err := s.mayAttend(ctx, by, eventID); err != nil {
		return nil, 0, err
	}
	condition, args := s.attendeesWhere(eventID, f)
	if err := s.read(ctx).Raw("SELECT count(*) FROM registrations r WHERE "+condition, args...).Scan(&total).Error; err != nil {
		return nil, 0, translate(err)
	}
	rows, err = s.attendees(ctx, condition+" ORDER BY r.id DESC LIMIT ? OFFSET ?", append(args, f.Limit, f.Offset)...)
	return rows, total, err
}

// mayAttend refuses viewers who may not see an event's attendees.
func (s *Store) mayAttend(ctx context.Context, by Viewer, eventID int64) error {
	var event Event
	err := s.read(ctx).Select("id, group_id").Where("id = ?", eventID).Take(&event).Error
	if event, err = one(event, err, "event", strconv.FormatInt(eventID, 10)); err != nil {
		return err
	}
	if !by.Can(SeeAttendees, event.organisedBy()) {
		return fmt.Errorf("%w: event %d", ErrNotFound, eventID)
	}
	return nil
}

// attendees reads registrations r by a condition, with their tickets, in two queries.
func (s *Store) attendees(ctx context.Context, condition string, args ...any) ([]Attendee, error) {
	var registrations []Registration
	if err := s.read(ctx).Raw("SELECT r.* FROM registrations r WHERE "+condition, args...).Scan(&registrations).Error; err != nil || len(registrations) == 0 {
		return nil, translate(err)
	}
	rows, ids, at := make([]Attendee, len(registrations)), make([]int64, len(registrations)), map[int64]int{}
	for i, r := range registrations {
		rows[i].Registration, ids[i], at[r.ID] = r, r.ID, i
	}
	var held []RegistrationTicket
	err := s.read(ctx).Raw(`SELECT h.* FROM registration_tickets h JOIN ticket_types t ON t.id = h.ticket_type_id
		WHERE h.registration_id IN ? ORDER BY t.position, t.id`, ids).Scan(&held).Error
	for _, h := range held {
		row := &rows[at[h.RegistrationID]]
		row.TicketIDs = append(row.TicketIDs, h.TicketTypeID)
	}
	return rows, translate(err)
}

// CountAttendees counts the registrations of an event whose attendees the viewer may see.
func (s *Store) CountAttendees(ctx context.Context, by Viewer, eventID int64) (AttendeeCounts, error) {
	c := AttendeeCounts{Tickets: map[int64]int{}}
	if err := s.mayAttend(ctx, by, eventID); err != nil {
		return c, err
	}
	err := s.read(ctx).Raw(`SELECT count(CASE WHEN status = 'confirmed' THEN 1 END) AS confirmed, count(CASE WHEN status = 'cancelled' THEN 1 END) AS cancelled
		FROM registrations WHERE event_id = ?`, eventID).Row().Scan(&c.Confirmed, &c.Cancelled)
	if err != nil {
		return c, translate(err)
	}
	var tickets []struct {
		ID int64
		N  int
	}
	err = s.read(ctx).Raw(`SELECT t.ticket_type_id AS id, count(*) AS n FROM registration_tickets t JOIN registrations r ON r.id = t.registration_id
		WHERE r.event_id = ? AND r.status = 'confirmed' GROUP BY t.ticket_type_id`, eventID).Scan(&tickets).Error
	for _, t := range tickets {
		c.Tickets[t.ID] = t.N
	}
	return c, translate(err)
}

// exportBatch is how many registrations are read at once.
const exportBatch = 500

// ExportAttendees notes in the audit log that the viewer takes an event's attendees along, and returns them in the order
// of their registration. They are read in batches while they are ranged over, so that no list is too long. An error ends
// the sequence. Another's event is ErrNotFound.
func (s *Store) ExportAttendees(ctx context.Context, by Viewer, eventID int64) (iter.Seq2[Attendee, error], error) {
	if err := s.mayAttend(ctx, by, eventID); err != nil {
		return nil, err
	}
	err := s.tx(ctx, func(tx *Store) error {
		var n int
		if err := tx.read(ctx).Raw("SELECT count(*) FROM registrations WHERE event_id = ?", eventID).Scan(&n).Error; err != nil {
			return err
		}
		return tx.audit(ctx, by, "attendees.export", "events", eventID, "", strconv.Itoa(n)+" registrations")
	})
	if err != nil {
		return nil, err
	}
	return func(yield func(Attendee, error) bool) {
		after := int64(0)
		for {
			rows, err := s.attendees(ctx, "r.event_id = ? AND r.id > ? ORDER BY r.id LIMIT ?", eventID, after, exportBatch)
			if err != nil {
				yield(Attendee{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = row.ID
			}
			if len(rows) < exportBatch {
				return
			}
		}
	}, nil
}

// AttendeeOf finds a registration of an event whose attendees the viewer may see.
func (s *Store) AttendeeOf(ctx context.Context, by Viewer, eventID, registrationID int64) (Attendee, error) {
	if err := s.mayAttend(ctx, by, eventID); err != nil {
		return Attendee{}, err
	}
	rows, err := s.attendees(ctx, "r.event_id = ? AND r.id = ?", eventID, registrationID)
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%w: registration %d", ErrNotFound, registrationID)
	}
	if err != nil {
		return Attendee{}, err
	}
	return rows[0], nil
}

// CancelAttendee takes a person off an event: the seats are free at once and a mail tells the person. Doing it twice
// changes nothing. It refuses with ErrNotFound, and with ErrEventPast once the event is over.
func (s *Store) CancelAttendee(ctx context.Context, by Viewer, eventID, registrationID int64) error {
	return s.tx(ctx, func(tx *Store) error {
		event, err := tx.lockEvent(ctx, eventID)
		if err != nil {
			return err
		}
		if !by.Can(SeeAttendees, event.organisedBy()) {
			return fmt.Errorf("%w: event %d", ErrNotFound, eventID)
		}
		var r Registration
		err = tx.read(ctx).Where("id = ? AND event_id = ?", registrationID, eventID).Take(&r).Error
		if r, err = one(r, err, "registration", strconv.FormatInt(registrationID, 10)); err != nil || r.Status == RegistrationCancelled {
			return err
		}
		if event.PastAt(tx.Now()) {
			return ErrEventPast
		}
		return tx.cancelRegistration(ctx, by, &r)
	})
}
