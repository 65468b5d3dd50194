package models

import (
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
	if err := i.write(ctx).Where("event_id = ?", eventID).Delete(&EventAmbassador{}).Error; err != nil {
		return err
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
	return i.putProgramme(ctx, eventID, e.Speakers, e.Agenda, e.Sponsors)
}

// tickets writes an event's quotas and ticket types over those with the same slug. Others go, save those that somebody
// holds. A file without tickets leaves them as they are.
func (i *contentImport) tickets(ctx context.Context, event Event, e ContentEvent) error {
	var quotas []Quota
	if err := i.read(ctx).Where("event_id = ?", event.ID).Find(&quotas).Error; err != nil {
		return err
	}
	var types []TicketType
	if err := i.read(ctx).Where("event_id = ?", event.ID).Order("position, id").Find(&types).Error; err != nil {
		return err
	}
	if len(e.Tickets) == 0 {
		return i.needTicket(ctx, event)
	}
	set := ticketSet{quotas: slices.Clone(e.Quotas)}
	at := map[string]int{} // quotas by slug
	for n := range set.quotas {
		row := &set.quotas[n]
		row.Slug = slug.Make(row.Name)
		at[row.Slug] = n
		if old := slices.IndexFunc(quotas, func(q Quota) bool { return q.Slug == row.Slug }); old >= 0 {
			row.ID = quotas[old].ID
		}
	}
	for _, t := range e.Tickets {
		row := t.TicketType
		row.Slug = slug.Make(row.Name)
		if old := slices.IndexFunc(types, func(t TicketType) bool { return t.Slug == row.Slug }); old >= 0 {
			row.ID = types[old].ID
		}
		var draws []int
		for _, name := range t.Quotas {
			draws = append(draws, at[slug.Make(name)])
		}
		set.add(row, draws)
	}
	return i.putTickets(ctx, event.ID, set, true)
}
