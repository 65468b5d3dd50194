package models

import (
	"context"
	"strings"
	"time"
)

// EventPeriod is which part of the calendar a list shows.
type EventPeriod int

// The periods of a list of events.
const (
	ComingEvents EventPeriod = iota // running and coming, the next first
	PastEvents                      // over, the latest first
	NewEvents                       // all, the latest published first
)

// EventFilter chooses among the public events. What is zero does not narrow the list.
type EventFilter struct {
	Period       EventPeriod
	Kind         EventKind
	Mode         EventMode
	Country      string // ISO 3166-1 alpha-2, of the venue
	GroupID      int64
	AmbassadorID int64
	SeriesID     int64
	ID           int64 // this event alone
	NotID        int64 // leaves one event out
	Living       bool  // leaves cancelled events out
	Limit        int   // 0: all
	Offset       int
}

// EventRow is an event as lists show it, without its text.
type EventRow struct {
	Event
	GroupSlug string
	GroupName string
	SeatsLeft int  // over all tickets, while one can register
	Limited   bool // false: some ticket has no limit, or nobody can register
}

// publicEvents is the one condition under which events are public, for a table called e. It takes the time once.
const publicEvents = "e.status <> 'draft' AND e.published_at <= ?"

// eventRowColumns are the columns of an EventRow from events e and groups g: all but the text.
const eventRowColumns = `e.id, e.slug, e.uid, e.sequence, e.series_id, e.group_id, e.status, e.kind, e.mode, e.title, e.summary,
	e.language, e.text_language, e.timezone, e.starts_local, e.ends_local, e.starts_at, e.ends_at, e.date_precision, e.hosts,
	e.venue_name, e.venue_address, e.venue_city, e.venue_country, e.online_place, e.registration, e.registration_url,
	e.registration_note, e.opens_at, e.closes_at, e.choose, e.sample, e.published_at, e.created_at, e.updated_at,
	COALESCE(g.slug, '') AS group_slug, COALESCE(g.name, '') AS group_name`

// where is the filter as a condition on events e, with its values.
func (f EventFilter) where(now time.Time) (condition string, args []any) {
	parts := []string{publicEvents}
	args = []any{now}
	add := func(part string, values ...any) { parts, args = append(parts, part), append(args, values...) }
	switch f.Period {
	case ComingEvents:
		add("e.ends_at > ?", now)
	case PastEvents:
		// What is over has begun: the list is read from its own end.
		add("e.ends_at <= ? AND e.starts_at <= ?", now, now)
	case NewEvents:
	}
	if f.Kind != "" {
		add("e.kind = ?", f.Kind)
	}
	if f.Mode != "" {
		add("e.mode = ?", f.Mode)
	}
	if f.Country != "" {
		add("e.venue_country = ?", f.Country)
	}
	if f.GroupID != 0 {
		add("e.group_id = ?", f.GroupID)
	}
	if f.AmbassadorID != 0 {
		add("e.id IN (SELECT event_id FROM event_ambassadors WHERE ambassador_id = ?)", f.AmbassadorID)
	}
	if f.SeriesID != 0 {
		add("e.series_id = ?", f.SeriesID)
	}
	if f.ID != 0 {
		add("e.id = ?", f.ID)
	}
	if f.NotID != 0 {
		add("e.id <> ?", f.NotID)
	}
	if f.Living {
		add("e.status = 'published'")
	}
	return strings.Join(parts, " AND "), args
}

func (f EventFilter) order() string {
	switch f.Period {
	case PastEvents:
		return "e.starts_at DESC, e.id DESC"
	case NewEvents:
		return "e.published_at DESC, e.id DESC"
	case ComingEvents:
	}
	return "e.starts_at, e.id"
}

// Events lists public events, with the seats that are left of those that one can register for. It asks the database twice at most,
// however long the list is.
func (s *Store) Events(ctx context.Context, f EventFilter) ([]EventRow, error) {
	now := s.Now()
	condition, args := f.where(now)
	// The page is cut out by an index before its rows are read, which are long. SQLite keeps to the order of a CROSS JOIN.
	order := f.order()
	if f.Period == ComingEvents {
		// What is coming is a short end of the index by ends. In the order of starts it lies behind all that is over.
		order = strings.Replace(order, "e.starts_at", "coalesce(e.starts_at, e.ends_at)", 1)
	}
	page := "SELECT e.id FROM events e WHERE " + condition + " ORDER BY " + order
	if f.Limit > 0 {
		page += " LIMIT ? OFFSET ?"
		args = append(args, f.Limit, f.Offset)
	}
	query := "SELECT " + eventRowColumns + " FROM (" + page + `) AS page CROSS JOIN events e
		LEFT JOIN groups g ON g.id = e.group_id AND g.status = 'listed' WHERE e.id = page.id ORDER BY ` + f.order()
	var rows []EventRow
	if err := s.read(ctx).Raw(query, args...).Scan(&rows).Error; err != nil || len(rows) == 0 {
		return nil, translate(err)
	}
	var open []int64
	for _, row := range rows {
		if row.RegistrationRefusal(now) == nil {
			open = append(open, row.ID)
		}
	}
	if len(open) == 0 {
		return rows, nil
	}
	tickets, err := s.ticketsOf(ctx, open)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].SeatsLeft, rows[i].Limited = SeatsLeft(tickets[rows[i].ID])
	}
	return rows, nil
}

// CountEvents counts the public events that a filter lets through, whatever its limit.
func (s *Store) CountEvents(ctx context.Context, f EventFilter) (int, error) {
	condition, args := f.where(s.Now())
	var n int64
	err := s.read(ctx).Raw("SELECT count(*) FROM events e WHERE "+condition, args...).Scan(&n).Error
	return int(n), translate(err)
}

// The reach of a calendar to subscribe to.
const (
	calendarBefore = 30 * 24 * time.Hour
	calendarMonths = 12
)

// CalendarEvents lists the public events that a calendar carries, cancelled ones among them: those of a group, of an
// ambassador, or all when both are 0, from 30 days before this day to 12 months after it, in the order of their start.
func (s *Store) CalendarEvents(ctx context.Context, groupID, ambassadorID int64) ([]EventRow, error) {
	now := s.Now()
	day := now.Truncate(24 * time.Hour)
	condition, args := EventFilter{Period: NewEvents, GroupID: groupID, AmbassadorID: ambassadorID}.where(now)
	var rows []EventRow
	err := s.read(ctx).Raw("SELECT "+eventRowColumns+` FROM events e LEFT JOIN groups g ON g.id = e.group_id AND g.status = 'listed'
		WHERE `+condition+" AND e.ends_at > ? AND e.starts_at < ? ORDER BY e.starts_at, e.id",
		append(args, day.Add(-calendarBefore), day.AddDate(0, calendarMonths, 0))...).Scan(&rows).Error
	return rows, translate(err)
}

// EventChoices are the values by which a list of events can be narrowed.
type EventChoices struct {
	Countries []string // ISO 3166-1 alpha-2
	Groups    []EventGroup
}

// EventGroup is a group that hosts an event.
type EventGroup struct {
	ID         int64
	Slug, Name string
}

// maxGroupChoices is among how many groups somebody is let choose.
const maxGroupChoices = 100

// EventChoices finds the countries of the events of a period, and the listed groups of those that are in a country, "" for
// any. Where these groups are more than somebody looks through, they are none.
func (s *Store) EventChoices(ctx context.Context, period EventPeriod, country string) (EventChoices, error) {
	condition, args := EventFilter{Period: period}.where(s.Now())
	var c EventChoices
	// From each country on, the next is the first of an index.
	if err := s.read(ctx).Raw(`WITH RECURSIVE countries (code) AS (
			SELECT min(venue_country) FROM events WHERE venue_country > ''
			UNION ALL SELECT (SELECT min(x.venue_country) FROM events x WHERE x.venue_country > countries.code) FROM countries WHERE countries.code IS NOT NULL)
		SELECT code FROM countries WHERE EXISTS (SELECT 1 FROM events e WHERE e.venue_country = countries.code AND `+condition+`) ORDER BY code`,
		args...).Scan(&c.Countries).Error; err != nil {
		return c, translate(err)
	}
	hosts := "EXISTS (SELECT 1 FROM events e WHERE e.group_id = g.id AND " + condition + ")"
	if country != "" {
		hosts = "g.id IN (SELECT e.group_id FROM events e WHERE e.venue_country = ? AND " + condition + ")"
		args = append([]any{country}, args...)
	}
	err := s.read(ctx).Raw("SELECT g.id, g.slug, g.name FROM groups g WHERE g.status = 'listed' AND "+hosts+" ORDER BY g.name, g.id LIMIT ?",
		append(args, maxGroupChoices+1)...).Scan(&c.Groups).Error
	if len(c.Groups) > maxGroupChoices {
		c.Groups = nil
	}
	return c, translate(err)
}
