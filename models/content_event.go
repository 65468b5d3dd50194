package models

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/cdfoundation/portal/internal/slug"
)

var eventStated = []string{
	"GroupID", "Kind", "Mode", "Title", "Summary", "Language", "TextLanguage", "Timezone", "StartsLocal", "EndsLocal", "StartsAt", "EndsAt",
	"DatePrecision", "Hosts", "VenueName", "VenueAddress", "VenueCity", "VenueCountry", "OnlineLink", "OnlinePlace", "Registration",
	"RegistrationURL", "RegistrationNote", "OpensAt", "ClosesAt", "Choose", "Links", "Sample", "Sequence", "Version", "UpdatedAt",
}

func (i *contentImport) events(ctx context.Context) error {
	for _, e := range i.content.Events {
		load, table, kind := i.event, "events", "event"
		if e.Recurrence != nil {
			load, table, kind = i.eventSeries, "event_series", ""
		}
		step, id, err := i.begin(ctx, table, kind, e.ContentSource)
		if err != nil {
			return err
		}
		if step != contentUnchanged {
			if id, err = load(ctx, step, id, e); err != nil {
				return e.wrap(err)
			}
		}
		if err := i.end(ctx, table, step, id, e.ContentSource); err != nil {
			return err
		}
	}
	return nil
}

// event writes an event that stands alone.
func (i *contentImport) event(ctx context.Context, step contentStep, id int64, e ContentEvent) (int64, error) {
	row := e.Event
	row.ID, row.Slug = id, e.Slug
	if e.Next != nil && step == contentCreated {
		day := e.Next.day(i.now.In(row.Location()))
		if err := row.setTimes(day+"T"+e.Next.Time, e.Next.Duration); err != nil {
			return 0, err
		}
	}
	return i.putEvent(ctx, step, row, e)
}

// day is the local day of a sample event that is first loaded at now.
func (n ContentNext) day(now time.Time) string {
	day := time.Date(now.Year(), now.Month(), now.Day()+n.InDays, 0, 0, 0, 0, time.UTC)
	for n.Weekday != nil && day.Weekday() != *n.Weekday {
		day = day.AddDate(0, 0, 1)
	}
	return day.Format(time.DateOnly)
}

// setTimes lets the event begin at a wall time of its zone and last for a duration.
func (e *Event) setTimes(local string, duration time.Duration) error {
	start, err := LocalTime(local, e.Timezone)
	if err != nil {
		return err
	}
	e.StartsAt, e.EndsAt = start, start.Add(duration)
	e.StartsLocal, e.EndsLocal = start.In(e.Location()).Format(LocalLayout), e.EndsAt.In(e.Location()).Format(LocalLayout)
	return nil
}

// eventSeries makes a series with its events, or writes a changed file over the words of the events that it has.
func (i *contentImport) eventSeries(ctx context.Context, step contentStep, id int64, e ContentEvent) (int64, error) {
	if step == contentUpdated {
		var rows []Event
		if err := i.read(ctx).Where("series_id = ?", id).Order("starts_at, id").Find(&rows).Error; err != nil {
			return 0, err
		}
		for _, old := range rows {
			row := e.Event
			row.ID, row.Slug = old.ID, old.Slug
			if _, err := i.putEvent(ctx, step, row, e); err != nil {
				return 0, err
			}
		}
		return id, i.write(ctx).Model(&EventSeries{ID: id}).Update("title", e.Event.Title).Error
	}
	series := EventSeries{Slug: e.Slug, Title: e.Event.Title, Rule: e.Recurrence.Rule, CreatedAt: i.now}
	if err := i.write(ctx).Create(&series).Error; err != nil {
		return 0, err
	}
	starts, err := e.Recurrence.Starts(i.now, e.Event.Timezone)
	if err != nil {
		return 0, err
	}
	for _, local := range starts {
		row := e.Event
		row.Slug, row.SeriesID = e.Slug+"-"+local[:len("2006-01")], &series.ID
		if err := row.setTimes(local, e.Recurrence.Duration); err != nil {
			return 0, err
		}
		if _, err := i.putEvent(ctx, step, row, e); err != nil {
			return 0, err
		}
	}
	return series.ID, nil
}

// Starts are the wall times, LocalLayout, at which the events of a series begin that come after now. The rule is
// followed in the zone's wall time, so that the hour stays the same when the clocks change. Errors wrap ErrInvalid: a
// rule that RFC 5545 does not know, that comes more than once a month or ends before Count.
func (r ContentRecurrence) Starts(now time.Time, timezone string) ([]string, error) {
	options, err := rrule.StrToROption(r.Rule)
	if err != nil {
		return nil, fmt.Errorf("%w: rule: %w", ErrInvalid, err)
	}
	if options.Freq > rrule.MONTHLY {
		return nil, fmt.Errorf("%w: rule: monthly at most often", ErrInvalid)
	}
	if options.Count != 0 || !options.Until.IsZero() || !options.Dtstart.IsZero() {
		return nil, fmt.Errorf("%w: rule: count says how many; no COUNT, UNTIL or DTSTART", ErrInvalid)
	}
	zone, err := time.LoadLocation(timezone)
	if err != nil {
		return nil, fmt.Errorf("%w: time zone %q", ErrInvalid, timezone)
	}
	// The rule runs on wall times that are written as if they were UTC.
	if options.Dtstart, err = time.Parse(LocalLayout, now.In(zone).Format(time.DateOnly)+"T"+r.Time); err != nil {
		return nil, fmt.Errorf("%w: time %q", ErrInvalid, r.Time)
	}
	rule, err := rrule.NewRRule(*options)
	if err != nil {
		return nil, fmt.Errorf("%w: rule: %w", ErrInvalid, err)
	}
	var starts []string
	for next := rule.Iterator(); len(starts) < r.Count; {
		wall, ok := next()
		if !ok {
			return nil, fmt.Errorf("%w: rule: ends after %d of %d events", ErrInvalid, len(starts), r.Count)
		}
		local := wall.Format(LocalLayout)
		at, err := LocalTime(local, timezone)
		if err != nil {
			return nil, err
		}
		if !at.After(now) {
			continue
		}
		if n := len(starts); n > 0 && starts[n-1][:len("2006-01")] == local[:len("2006-01")] {
			return nil, fmt.Errorf("%w: rule: monthly at most often", ErrInvalid)
		}
		starts = append(starts, local)
	}
	return starts, nil
}

// putEvent creates an event whose times are set, or writes a file over an event that exists. One that was dated when
// it was first loaded keeps its date.
func (i *contentImport) putEvent(ctx context.Context, step contentStep, row Event, e ContentEvent) (int64, error) {
	row.Status, row.PublishedAt, row.Version, row.CreatedAt, row.UpdatedAt = EventPublished, &i.now, 1, i.now, i.now
	row.UID = contentUUID("events", row.Slug) + "@" + i.host
	if step == contentUpdated {
		var old Event
		if err := i.locked(ctx, &old, row.ID); err != nil {
			return 0, err
		}
		if e.Next != nil || e.Recurrence != nil {
			row.Timezone, row.StartsLocal, row.EndsLocal, row.StartsAt, row.EndsAt = old.Timezone, old.StartsLocal, old.EndsLocal, old.StartsAt, old.EndsAt
		}
		row.Version, row.Sequence = old.Version+1, old.Sequence
		if old.Status != EventDraft && row.movedFrom(old) {
			row.Sequence++
		}
	}
	if e.ClosesBefore > 0 {
		closes := row.StartsAt.Add(-e.ClosesBefore)
		row.ClosesAt = &closes
	}
	rendered, err := i.render(ctx, e.Markdown, "")
	if err != nil {
		return 0, err
	}
	row.setText(e.Markdown, rendered)
	if row.GroupID, err = i.reference(ctx, "groups", "group", e.Group); err != nil {
		return 0, err
	}
	row.Hosts, row.Links = full(row.Hosts), full(row.Links)
	if err := put(i.write(ctx), step, &row, eventStated, plainText); err != nil {
		return 0, err
	}
	if err := i.programme(ctx, row.ID, e); err != nil {
		return 0, err
	}
	return row.ID, i.tickets(ctx, row, e)
}

// movedFrom reports whether people's calendars must be told: of another time, place or status.
func (e Event) movedFrom(old Event) bool {
	type material struct {
		starts, ends                                                time.Time
		zone, name, address, city, country, onlineLink, onlineWords string
		mode                                                        EventMode
		precision                                                   DatePrecision
	}
	of := func(e Event) material {
		return material{
			e.StartsAt.UTC(), e.EndsAt.UTC(), e.Timezone, e.VenueName, e.VenueAddress, e.VenueCity, e.VenueCountry, e.OnlineLink, e.OnlinePlace,
			e.Mode, e.DatePrecision,
		}
	}
	return of(e) != of(old)
}

// programme rewrites the people and the agenda of an event.
func (i *contentImport) programme(ctx context.Context, eventID int64, e ContentEvent) error {
	for _, row := range []any{&EventAmbassador{}, &Speaker{}, &AgendaSession{}, &Sponsor{}} {
		if err := i.write(ctx).Where("event_id = ?", eventID).Delete(row).Error; err != nil {
			return err
		}
	}
	for _, ref := range e.Ambassadors {
		id, err := i.reference(ctx, "ambassadors", "ambassador", ref)
		if err != nil {
			return err
		}
		if err := i.write(ctx).Create(&EventAmbassador{EventID: eventID, AmbassadorID: *id}).Error; err != nil {
			return err
		}
	}
	for n, row := range e.Speakers {
		row.EventID, row.Position = eventID, n+1
		if err := i.write(ctx).Create(&row).Error; err != nil {
			return err
		}
	}
	for n, row := range e.Agenda {
		row.EventID, row.Position, row.SpeakerNames = eventID, n+1, full(row.SpeakerNames)
		if err := i.write(ctx).Create(&row).Error; err != nil {
			return err
		}
	}
	for n, row := range e.Sponsors {
		row.EventID, row.Position = eventID, n+1
		if err := i.write(ctx).Create(&row).Error; err != nil {
			return err
		}
	}
	return nil
}

// tickets writes an event's quotas and ticket types over those with the same slug. Others go, save those that somebody
// holds. A file without tickets leaves them as they are, but people can register for a portal event in any case.
func (i *contentImport) tickets(ctx context.Context, event Event, e ContentEvent) error {
	var quotas []Quota
	if err := i.read(ctx).Table("quotas").Where("event_id = ?", event.ID).Order("id").Find(&quotas).Error; err != nil {
		return err
	}
	var types []TicketType
	if err := i.read(ctx).Where("event_id = ?", event.ID).Order("id").Find(&types).Error; err != nil {
		return err
	}
	stated := e.Tickets
	if len(stated) == 0 {
		if event.Registration != RegistrationPortal || len(types) > 0 {
			return nil
		}
		stated = []ContentTicket{{TicketType: TicketType{Name: "Ticket"}}}
	}
	quotaIDs := map[string]int64{} // by slug
	for _, row := range e.Quotas {
		row.Slug, row.EventID = slug.Make(row.Name), event.ID
		step := contentCreated
		if n := slices.IndexFunc(quotas, func(q Quota) bool { return q.Slug == row.Slug }); n >= 0 {
			step, row.ID, row.Taken = contentUpdated, quotas[n].ID, quotas[n].Taken
			if row.Size != nil && row.Taken+row.Held > *row.Size {
				return fmt.Errorf("%w: quota %s: %d are taken and %d held back, so it cannot have %d seats", ErrBelowTaken, row.Name, row.Taken, row.Held, *row.Size)
			}
		}
		if err := put(i.write(ctx).Table("quotas"), step, &row, []string{"Name", "Size", "Held"}); err != nil {
			return err
		}
		quotaIDs[row.Slug] = row.ID
	}
	keep := map[string]bool{}
	for n, t := range stated {
		row := t.TicketType
		row.Slug, row.EventID, row.Position = slug.Make(row.Name), event.ID, n+1
		keep[row.Slug] = true
		step := contentCreated
		if n := slices.IndexFunc(types, func(t TicketType) bool { return t.Slug == row.Slug }); n >= 0 {
			step, row.ID = contentUpdated, types[n].ID
		}
		if err := put(i.write(ctx), step, &row, []string{"Name", "Description", "Position"}); err != nil {
			return err
		}
		if err := i.write(ctx).Table("ticket_type_quotas").Where("ticket_type_id = ?", row.ID).Delete(&TicketTypeQuota{}).Error; err != nil {
			return err
		}
		for _, name := range t.Quotas {
			if err := i.write(ctx).Table("ticket_type_quotas").Create(&TicketTypeQuota{TicketTypeID: row.ID, QuotaID: quotaIDs[slug.Make(name)]}).Error; err != nil {
				return err
			}
		}
	}
	for n, t := range types {
		if keep[t.Slug] {
			continue
		}
		gone := i.write(ctx).Where("id = ? AND NOT EXISTS (SELECT 1 FROM registration_tickets r WHERE r.ticket_type_id = ticket_types.id)", t.ID).Delete(&TicketType{})
		if gone.Error != nil {
			return gone.Error
		}
		if gone.RowsAffected == 0 {
			// It stays behind those of the file, in the order that it had.
			if err := i.write(ctx).Model(&TicketType{ID: t.ID}).Update("position", len(stated)+1+n).Error; err != nil {
				return err
			}
		}
	}
	for _, q := range quotas {
		if quotaIDs[q.Slug] == 0 {
			if err := i.write(ctx).Table("quotas").Where("id = ? AND NOT EXISTS (SELECT 1 FROM ticket_type_quotas l WHERE l.quota_id = quotas.id)", q.ID).Delete(&Quota{}).Error; err != nil {
				return err
			}
		}
	}
	return i.recount(ctx, event.ID)
}

// recount sets how many seats are taken after tickets may have come to draw on other quotas.
func (i *contentImport) recount(ctx context.Context, eventID int64) error {
	type seats struct {
		Quota
		Counted int
	}
	var all []seats
	err := i.read(ctx).Raw(`
		SELECT q.*, (
			SELECT count(DISTINCT r.id) FROM registrations r
			JOIN registration_tickets t ON t.registration_id = r.id
			JOIN ticket_type_quotas l ON l.ticket_type_id = t.ticket_type_id
			WHERE l.quota_id = q.id AND r.status <> 'cancelled') AS counted
		FROM quotas q WHERE q.event_id = ? ORDER BY q.id`, eventID).Scan(&all).Error
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b seats) int { return cmp.Compare(a.ID, b.ID) })
	for _, q := range all {
		if q.Counted == q.Taken {
			continue
		}
		if q.Size != nil && q.Counted+q.Held > *q.Size {
			return fmt.Errorf("%w: quota %s: the tickets that draw on it now take %d, and %d are held back, of %d seats", ErrBelowTaken, q.Name, q.Counted, q.Held, *q.Size)
		}
		if err := i.write(ctx).Table("quotas").Where("id = ?", q.ID).Update("taken", q.Counted).Error; err != nil {
			return err
		}
	}
	return nil
}
