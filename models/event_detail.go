package models

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// EventDetail is a public event with everything that its page shows.
type EventDetail struct {
	EventHead
	Tickets   []Ticket
	Speakers  []Speaker
	Agenda    []AgendaSession
	Sponsors  []Sponsor
	Inviters  []EventPerson // ambassadors whom people meet there and who organise the group
	Posts     []EventPost   // public posts that announce it, the oldest first
	NextDates []EventRow    // of its series
}

// EventHead is an event with what one row says of it.
type EventHead struct {
	Event
	GroupSlug    string
	GroupName    string
	SeriesTitle  string
	CancelReason string
	Registered   int // people with a living registration
}

// Row is the event as a list shows it.
func (d EventDetail) Row() EventRow {
	row := EventRow{Event: d.Event, GroupSlug: d.GroupSlug, GroupName: d.GroupName}
	row.SeatsLeft, row.Limited = SeatsLeft(d.Tickets)
	return row
}

// EventPerson is an ambassador with a public profile.
type EventPerson struct {
	Slug  string
	Name  string
	Photo string // media name, or empty
}

// EventPost is a post that announces an event.
type EventPost struct {
	Slug      string
	Title     string
	Language  string
	PublishAt time.Time
}

// nextDates is how many further dates of a series an event's page shows.
const nextDates = 4

// EventBySlug finds a public event. Asked by a slug that it had before, it returns the event with its present one.
func (s *Store) EventBySlug(ctx context.Context, slug string) (EventDetail, error) {
	id, err := s.publicEventID(ctx, slug)
	if err != nil {
		return EventDetail{}, err
	}
	return s.eventDetail(ctx, id)
}

// publicEventID finds a public event by its slug, or by one that it had before.
func (s *Store) publicEventID(ctx context.Context, slug string) (int64, error) {
	var id int64
	err := s.each(ctx, `SELECT e.id FROM events e WHERE e.status <> 'draft' AND e.published_at <= $1 AND (e.slug = $2 OR
		e.id = (SELECT object_id FROM slug_history WHERE kind = 'event' AND slug = $2))
		ORDER BY CASE WHEN e.slug = $2 THEN 0 ELSE 1 END LIMIT 1`, []any{s.Now(), slug}, func(scan scanner) error { return scan(&id) })
	if err == nil && id == 0 {
		err = fmt.Errorf("%w: event %q", ErrNotFound, slug)
	}
	return id, err
}

// eventDetail reads an event with what belongs to it, a query for each kind of thing.
func (s *Store) eventDetail(ctx context.Context, id int64) (EventDetail, error) {
	readsSeats(ctx)
	var d EventDetail
	err := s.read(ctx).Raw(`SELECT e.*, COALESCE(g.slug, '') AS group_slug, COALESCE(g.name, '') AS group_name,
			COALESCE(s.title, '') AS series_title, COALESCE(c.reason, '') AS cancel_reason,
			(SELECT count(*) FROM registrations r WHERE r.event_id = e.id AND r.status <> 'cancelled') AS registered
		FROM events e LEFT JOIN groups g ON g.id = e.group_id AND g.status = 'listed'
		LEFT JOIN event_series s ON s.id = e.series_id LEFT JOIN event_cancellations c ON c.event_id = e.id
		WHERE e.id = ?`, id).Take(&d.EventHead).Error
	if d.EventHead, err = one(d.EventHead, err, "event", strconv.FormatInt(id, 10)); err != nil {
		return d, err
	}
	tickets, err := s.ticketsOf(ctx, []int64{id})
	if err != nil {
		return d, err
	}
	d.Tickets = tickets[id]
	db := s.read(ctx)
	if err := db.Where("event_id = ?", id).Order("position").Find(&d.Speakers).Error; err != nil {
		return d, translate(err)
	}
	// The order of the file counts where the hours are not known.
	if err := db.Where("event_id = ?", id).Order("day, position").Find(&d.Agenda).Error; err != nil {
		return d, translate(err)
	}
	if err := db.Where("event_id = ?", id).Order("position").Find(&d.Sponsors).Error; err != nil {
		return d, translate(err)
	}
	if err := db.Raw(`SELECT a.slug, a.name, COALESCE(m.name, '') AS photo FROM ambassadors a LEFT JOIN media m ON m.id = a.photo_id
		WHERE a.status = 'published' AND (a.id IN (SELECT ambassador_id FROM event_ambassadors WHERE event_id = ?)
			OR a.id IN (SELECT o.ambassador_id FROM group_organisers o WHERE o.group_id = ?)
			OR a.user_id IN (SELECT o.user_id FROM group_organisers o WHERE o.group_id = ?))
		ORDER BY a.name, a.id`, id, d.GroupID, d.GroupID).Scan(&d.Inviters).Error; err != nil {
		return d, translate(err)
	}
	now := s.Now()
	if err := db.Raw("SELECT p.slug, p.title, p.language, p.publish_at FROM posts p WHERE p.announces_id = ? AND "+publicPosts+
		" ORDER BY p.publish_at, p.id", id, now, now).Scan(&d.Posts).Error; err != nil {
		return d, translate(err)
	}
	if d.SeriesID != nil {
		d.NextDates, err = s.Events(ctx, EventFilter{SeriesID: *d.SeriesID, NotID: id, Living: true, Limit: nextDates})
	}
	return d, err
}
