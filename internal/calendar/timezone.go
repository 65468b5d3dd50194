package calendar

import (
	"fmt"
	"time"
)

// timezones writes a VTIMEZONE for each zone that an event uses, in order of first use. Where
// none does and there is no event either, it writes that of UTC: an iCalendar object must hold
// at least one component (RFC 5545, section 3.6), and an empty calendar is no error.
func (w *writer) timezones(events []Event) {
	if len(events) == 0 {
		w.raw("BEGIN", "VTIMEZONE")
		w.raw("TZID", "Etc/UTC")
		w.observance("STANDARD", "UTC", epoch, 0, 0)
		w.raw("END", "VTIMEZONE")
		return
	}
	type span struct {
		zone        *time.Location
		first, last time.Time
	}
	var spans []*span
	byName := map[string]*span{}
	for _, e := range events {
		if !e.inLocalTime() {
			continue
		}
		s, ok := byName[e.Zone.String()]
		if !ok {
			s = &span{zone: e.Zone, first: e.Start, last: e.Start}
			byName[e.Zone.String()] = s
			spans = append(spans, s)
		}
		if e.Start.Before(s.first) {
			s.first = e.Start
		}
		if e.End.After(s.last) {
			s.last = e.End
		}
		if e.Start.After(s.last) {
			s.last = e.Start
		}
	}
	for _, s := range spans {
		w.timezone(s.zone, s.first, s.last)
	}
}

// epoch is where a zone's first observance begins when it began earlier or never began.
var epoch = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// timezone writes every change of the zone's clock from the year before first to two years
// after last, so that a calendar which moves the event a little still reads the right hour.
func (w *writer) timezone(zone *time.Location, first, last time.Time) {
	w.raw("BEGIN", "VTIMEZONE")
	w.raw("TZID", zone.String())
	until := last.AddDate(2, 0, 0)
	for t := time.Date(first.In(zone).Year()-1, 1, 1, 0, 0, 0, 0, zone); ; {
		onset, next := bounds(t)
		name, offset := t.Zone()
		kind := "STANDARD"
		if t.IsDST() {
			kind = "DAYLIGHT"
		}
		if onset.Before(epoch) {
			w.observance(kind, name, epoch, offset, offset)
		} else {
			_, before := onset.Add(-time.Second).Zone()
			w.observance(kind, name, onset.UTC().Add(time.Duration(before)*time.Second), before, offset)
		}
		if next.IsZero() || next.After(until) {
			break
		}
		t = next
	}
	w.raw("END", "VTIMEZONE")
}

// bounds tells when the zone's clock changed last before t and changes next after it; the zero time means never. Where a zone goes on
// by a rule, as all do in files without their later years, t.ZoneBounds ends a period with the year as well, and in a leap year a
// day before, which may be before t.
func bounds(t time.Time) (onset, next time.Time) {
	same := func(other time.Time) bool {
		name, offset := t.Zone()
		otherName, otherOffset := other.Zone()
		return name == otherName && offset == otherOffset && t.IsDST() == other.IsDST()
	}
	onset, next = t.ZoneBounds()
	for !onset.IsZero() && same(onset.Add(-time.Second)) {
		onset, _ = onset.Add(-time.Second).ZoneBounds()
	}
	for at := t; !next.IsZero(); _, next = at.ZoneBounds() {
		if !next.After(at) {
			next = at.AddDate(0, 0, 1)
		}
		if at = next; !same(at) {
			next, _ = at.ZoneBounds()
			break
		}
	}
	return onset, next
}

// observance writes one period of a zone: wall is what the clock showed when it began, before
// and after are the offsets east of UTC in seconds on both sides of that.
func (w *writer) observance(kind, name string, wall time.Time, before, after int) {
	w.raw("BEGIN", kind)
	w.raw("DTSTART", wall.Format(localLayout))
	w.raw("TZOFFSETFROM", utcOffset(before))
	w.raw("TZOFFSETTO", utcOffset(after))
	w.text("TZNAME", name)
	w.raw("END", kind)
}

func utcOffset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	if seconds%60 != 0 {
		return fmt.Sprintf("%c%02d%02d%02d", sign, seconds/3600, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
}
