package models

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// EventView is a part of the desk's list of events.
type EventView string

// The views.
const (
	ViewComing    EventView = "coming"
	ViewDrafts    EventView = "drafts"
	ViewPast      EventView = "past"
	ViewCancelled EventView = "cancelled"
)

// EventViews lists the views in the order of their tabs.
var EventViews = []EventView{ViewComing, ViewDrafts, ViewPast, ViewCancelled}

// DeskEventFilter chooses among the events of the desk.
type DeskEventFilter struct {
	View          EventView
	Search        string // in title, city, address and group
	Limit, Offset int
}

// DeskEventRow is an event as the desk's list shows it.
type DeskEventRow struct {
	EventRow
	Registered int // people
	Taken      int // seats
	Seats      int // without those kept back; 0: some ticket has no limit
}

// condition is a view as a condition on events e.
func (v EventView) condition(now time.Time) (condition string, args []any) {
	switch v {
	case ViewDrafts:
		return "e.status = 'draft'", nil
	case ViewPast:
		return "e.status = 'published' AND e.ends_at <= ?", []any{now}
	case ViewCancelled:
		return "e.status = 'cancelled'", nil
	case ViewComing:
	}
	return "e.status = 'published' AND e.ends_at > ?", []any{now}
}

// ownEvents are the events that a viewer may edit, as a condition on events e.
func (v Viewer) ownEvents() (condition string, args []any) {
	switch {
	case v.Can(EditEvent, Object{}):
		return "1 = 1", nil
	case len(v.GroupIDs) == 0:
		return "1 = 0", nil
	}
	return "e.group_id IN ?", []any{v.GroupIDs}
}

// likeAll is a pattern of LIKE, with ESCAPE '!', that finds typed text anywhere in what LOWER makes of a column.
func (s *Store) likeAll(typed string) string {
	typed = oneLine(typed)
	if s.postgres() {
		typed = strings.ToLower(typed)
	} else {
		// SQLite's LOWER knows the letters of ASCII only.
		typed = strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}, typed)
	}
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(typed) + "%"
}

// DeskEvents lists the events that the viewer may edit: of the view and search asked for, and counts all of them by view.
func (s *Store) DeskEvents(ctx context.Context, by Viewer, f DeskEventFilter) (rows []DeskEventRow, counts map[EventView]int, err error) {
	now := s.Now()
	own, args := by.ownEvents()
	from := " FROM events e LEFT JOIN groups g ON g.id = e.group_id WHERE " + own
	if oneLine(f.Search) != "" {
		pattern := s.likeAll(f.Search)
		from += ` AND (LOWER(e.title) LIKE ? ESCAPE '!' OR LOWER(e.venue_city) LIKE ? ESCAPE '!' OR e.slug LIKE ? ESCAPE '!'
			OR LOWER(COALESCE(g.name, '')) LIKE ? ESCAPE '!')`
		args = append(args, pattern, pattern, pattern, pattern)
	}
	var tally struct{ Coming, Drafts, Past, Cancelled int }
	parts := make([]string, len(EventViews))
	var viewArgs []any
	for i, v := range EventViews {
		condition, values := v.condition(now)
		parts[i] = fmt.Sprintf("count(CASE WHEN %s THEN 1 END) AS %s", condition, v)
		viewArgs = append(viewArgs, values...)
	}
	if err := s.read(ctx).Raw("SELECT "+strings.Join(parts, ", ")+from, append(viewArgs, args...)...).Scan(&tally).Error; err != nil {
		return nil, nil, translate(err)
	}
	counts = map[EventView]int{ViewComing: tally.Coming, ViewDrafts: tally.Drafts, ViewPast: tally.Past, ViewCancelled: tally.Cancelled}
	condition, values := f.View.condition(now)
	order := "e.starts_at DESC, e.id DESC"
	if f.View == ViewComing || f.View == ViewDrafts {
		order = "e.starts_at, e.id"
	}
	query := "SELECT " + eventRowColumns + `,
		(SELECT count(*) FROM registrations r WHERE r.event_id = e.id AND r.status <> 'cancelled') AS registered,
		(SELECT COALESCE(sum(q.taken), 0) FROM quotas q WHERE q.event_id = e.id) AS taken,
		CASE WHEN EXISTS (SELECT 1 FROM ticket_types t WHERE t.event_id = e.id AND NOT EXISTS (
				SELECT 1 FROM ticket_type_quotas l JOIN quotas q ON q.id = l.quota_id WHERE l.ticket_type_id = t.id AND q.size IS NOT NULL))
			THEN 0 ELSE (SELECT COALESCE(sum(q.size - q.held), 0) FROM quotas q WHERE q.event_id = e.id) END AS seats` +
		from + " AND " + condition + " ORDER BY " + order + " LIMIT ? OFFSET ?"
	args = append(append(args, values...), f.Limit, f.Offset)
	err = s.read(ctx).Raw(query, args...).Scan(&rows).Error
	return rows, counts, translate(err)
}

// GroupChoice is a group in a form's list of choices.
type GroupChoice struct {
	ID                       int64
	Name, Timezone, Language string
	City, Country            string
}

// OwnGroups lists the groups for which the viewer may create events, by name.
func (s *Store) OwnGroups(ctx context.Context, by Viewer) ([]GroupChoice, error) {
	var choices []GroupChoice
	db := s.read(ctx).Model(&Group{}).Select("id, name, timezone, language, city, country").Order("name, id")
	if !by.Can(CreateEvent, Object{}) {
		db = db.Where("id IN ?", append([]int64{0}, by.GroupIDs...))
	}
	err := db.Scan(&choices).Error
	return choices, translate(err)
}
