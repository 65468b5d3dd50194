package models

import "context"

// Quota is a number of seats that tickets draw on.
type Quota struct {
	ID      int64
	EventID int64
	Slug    string
	Name    string
	Size    *int // nil: without limit
	Held    int  // places that the organiser keeps back
	Taken   int  // by living registrations, kept in the same transaction as they
}

// TableName is quotas: the library takes the word for its own plural.
func (Quota) TableName() string { return "quotas" }

// Left is how many seats are free; limited is false when there is no limit.
func (q Quota) Left() (left int, limited bool) {
	if q.Size == nil {
		return 0, false
	}
	return max(0, *q.Size-q.Held-q.Taken), true
}

// TicketType is what people register for. It draws one seat from each of its quotas; a person with several tickets
// takes one seat of a quota that they share.
type TicketType struct {
	ID          int64
	EventID     int64
	Slug        string
	Name        string
	Description string
	Position    int
}

// TicketTypeQuota says which ticket draws on which quota.
type TicketTypeQuota struct {
	TicketTypeID int64 `gorm:"primaryKey;autoIncrement:false"`
	QuotaID      int64 `gorm:"primaryKey;autoIncrement:false"`
}

// TableName is ticket_type_quotas: the library takes the word for its own plural.
func (TicketTypeQuota) TableName() string { return "ticket_type_quotas" }

// Ticket is a ticket type with the quotas that it draws on.
type Ticket struct {
	TicketType
	Quotas []Quota
}

// Left is how many people can still take this ticket: the least that any of its quotas has left.
func (t Ticket) Left() (left int, limited bool) {
	q, limited := t.tightest()
	if !limited {
		return 0, false
	}
	return q.Left()
}

// Seats is how many places the quota has that decides how many are left, those kept back included.
func (t Ticket) Seats() int {
	q, limited := t.tightest()
	if !limited {
		return 0
	}
	return *q.Size
}

func (t Ticket) tightest() (q Quota, limited bool) {
	least := 0
	for _, candidate := range t.Quotas {
		if left, ok := candidate.Left(); ok && (!limited || left < least) {
			q, least, limited = candidate, left, true
		}
	}
	return q, limited
}

// SeatsLeft is how many people can still come when each takes one ticket; limited is false when some ticket has no
// limit, or there are none. Seats of a quota that tickets share are counted once.
func SeatsLeft(tickets []Ticket) (left int, limited bool) {
	drawn := make(map[int64]int)
	for _, t := range tickets {
		free, bounded := 0, false
		for _, q := range t.Quotas {
			if n, ok := q.Left(); ok && (!bounded || n-drawn[q.ID] < free) {
				free, bounded = n-drawn[q.ID], true
			}
		}
		if !bounded {
			return 0, false
		}
		for _, q := range t.Quotas {
			drawn[q.ID] += free
		}
		left += free
	}
	return left, len(tickets) > 0
}

// ticketsOf are the tickets of some events, in the order of their positions.
func (s *Store) ticketsOf(ctx context.Context, eventIDs []int64) (map[int64][]Ticket, error) {
	readsSeats(ctx)
	args := make([]any, len(eventIDs))
	for n, id := range eventIDs {
		args[n] = id
	}
	tickets := make(map[int64][]Ticket)
	err := s.each(ctx, `SELECT t.id, t.event_id, t.slug, t.name, t.description, t.position,
			q.id, COALESCE(q.slug, ''), COALESCE(q.name, ''), q.size, COALESCE(q.held, 0), COALESCE(q.taken, 0)
		FROM ticket_types t LEFT JOIN ticket_type_quotas tq ON tq.ticket_type_id = t.id LEFT JOIN quotas q ON q.id = tq.quota_id
		WHERE t.event_id IN (`+placeholders(1, len(args))+") ORDER BY t.event_id, t.position, t.id, q.id", args, func(scan scanner) error {
		var t Ticket
		var q Quota
		var quotaID *int64
		if err := scan(&t.ID, &t.EventID, &t.Slug, &t.Name, &t.Description, &t.Position, &quotaID, &q.Slug, &q.Name, &q.Size, &q.Held, &q.Taken); err != nil {
			return err
		}
		of := tickets[t.EventID]
		if len(of) == 0 || of[len(of)-1].ID != t.ID {
			of = append(of, t)
		}
		if quotaID != nil {
			q.ID, q.EventID = *quotaID, t.EventID
			last := &of[len(of)-1]
			last.Quotas = append(last.Quotas, q)
		}
		tickets[t.EventID] = of
		return nil
	})
	return tickets, err
}
