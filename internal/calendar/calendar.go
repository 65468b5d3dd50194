// Package calendar writes events as iCalendar (RFC 5545, RFC 5546, RFC 7986) and as links that
// open them in the calendars of Google, Outlook and Office.
//
// It knows the format and nothing of the site: the bytes depend on the given values alone, so
// that an unchanged calendar has an unchanged body.
package calendar

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Type is the media type under which a calendar is served. A mail adds the method as a
// parameter (RFC 6047, section 2.4).
const Type = "text/calendar; charset=utf-8"

// The methods of RFC 5546 that are used here. A calendar to subscribe to has none or
// MethodPublish; the other two go by mail to one attendee.
const (
	MethodPublish = "PUBLISH"
	MethodRequest = "REQUEST"
	MethodCancel  = "CANCEL"
)

// The values of an event's Status (RFC 5545, section 3.8.1.11).
const (
	StatusConfirmed = "CONFIRMED"
	StatusTentative = "TENTATIVE"
	StatusCancelled = "CANCELLED"
)

// Calendar is a list of events as one iCalendar object.
type Calendar struct {
	Name        string
	Description string
	URL         string // the page that shows the same events
	Method      string // empty or one of the methods above
	// RefreshInterval is how long a subscriber should wait before asking again, in whole
	// minutes; below one it is left to them.
	RefreshInterval time.Duration
	Events          []Event
}

// Event is one occurrence.
type Event struct {
	UID      string // the same for ever, such as uuid@host
	Sequence int    // raised by one with each material change

	Start time.Time
	End   time.Time // exclusive; when zero the event has no length, or is the one day
	// Zone is in which the event takes place, by its IANA name; nil for UTC. For an event that
	// lasts all day it says on which dates Start and End fall.
	Zone   *time.Location
	AllDay bool

	Summary     string
	Description string // plain text
	Place       string
	URL         string // left out when not an absolute address
	Latitude    *float64
	Longitude   *float64
	Categories  []string

	Organizer Person  // left out when it has no address
	Attendee  *Person // the recipient of a request or cancellation, and nobody else
	Status    string  // one of the statuses above; confirmed when empty

	Created      time.Time // left out when zero
	LastModified time.Time // left out when zero
	// Stamp is the moment of sending for a mail and that of the last change for a published
	// calendar (RFC 5545, section 3.8.7.2).
	Stamp time.Time
}

// Person is an organiser or attendee.
type Person struct {
	Name  string
	Email string
}

const (
	dateLayout  = "20060102"
	localLayout = "20060102T150405"
	utcLayout   = "20060102T150405Z"
)

// Encode writes the calendar with CRLF line ends and lines of at most 75 octets. It refuses an
// event without UID, start or stamp; a mail method without the people it is about; a published
// calendar that names an attendee; and a person whose address is not one.
func (c Calendar) Encode() ([]byte, error) {
	var w writer
	w.raw("BEGIN", "VCALENDAR")
	w.raw("VERSION", "2.0")
	w.raw("PRODID", "-//CD Foundation//Community Portal//EN")
	w.raw("CALSCALE", "GREGORIAN")
	switch c.Method {
	case "":
	case MethodPublish, MethodRequest, MethodCancel:
		w.raw("METHOD", c.Method)
	default:
		return nil, fmt.Errorf("calendar method %q is not one of ours", c.Method)
	}
	if c.Name != "" {
		w.text("NAME", c.Name)
		w.text("X-WR-CALNAME", c.Name)
	}
	if c.Description != "" {
		w.text("DESCRIPTION", c.Description)
		w.text("X-WR-CALDESC", c.Description)
	}
	w.uri("URL", c.URL)
	if minutes := int(c.RefreshInterval.Minutes()); minutes > 0 {
		every := fmt.Sprintf("PT%dM", minutes)
		if minutes%60 == 0 {
			every = fmt.Sprintf("PT%dH", minutes/60) // the form that subscribers see most
		}
		w.raw("REFRESH-INTERVAL;VALUE=DURATION", every)
		w.raw("X-PUBLISHED-TTL", every)
	}
	w.timezones(c.Events)
	for _, e := range c.Events {
		if err := e.check(c.Method); err != nil {
			return nil, fmt.Errorf("event %q: %w", e.UID, err)
		}
		w.event(e, c.Method)
	}
	w.raw("END", "VCALENDAR")
	return w.b.Bytes(), nil
}

func (e Event) check(method string) error {
	byMail := method == MethodRequest || method == MethodCancel
	switch {
	case e.UID == "":
		return errors.New("no UID")
	case e.Start.IsZero():
		return errors.New("no start")
	case e.Stamp.IsZero():
		return errors.New("no stamp")
	case e.Attendee != nil && !byMail:
		return errors.New("a published calendar must not name an attendee")
	case e.Attendee == nil && byMail:
		return errors.New("no attendee to send it to")
	case e.Organizer.Email == "" && method != "":
		return errors.New("no organiser") // RFC 5546, section 3.2
	}
	switch e.Status {
	case "", StatusConfirmed, StatusTentative, StatusCancelled:
	default:
		return fmt.Errorf("status %q is not one of ours", e.Status)
	}
	if e.Organizer.Email != "" {
		if err := e.Organizer.check(); err != nil {
			return fmt.Errorf("organiser: %w", err)
		}
	}
	if e.Attendee != nil {
		if err := e.Attendee.check(); err != nil {
			return fmt.Errorf("attendee: %w", err)
		}
	}
	return nil
}

func (p Person) check() error {
	a, err := mail.ParseAddress(p.Email)
	if err != nil || a.Address != p.Email || strings.ContainsAny(p.Email, "\" \t<>,;:\\") {
		return errors.New("not a plain e-mail address")
	}
	return nil
}

func (w *writer) event(e Event, method string) {
	w.raw("BEGIN", "VEVENT")
	w.text("UID", e.UID)
	w.raw("DTSTAMP", e.Stamp.UTC().Format(utcLayout))
	for _, when := range e.when() {
		w.raw(when.property, when.value)
	}
	w.raw("SEQUENCE", strconv.Itoa(e.Sequence))
	w.raw("STATUS", e.status(method))
	w.text("SUMMARY", e.Summary)
	if e.Description != "" {
		w.text("DESCRIPTION", e.Description)
	}
	if e.Place != "" {
		w.text("LOCATION", e.Place)
	}
	if e.Latitude != nil && e.Longitude != nil {
		w.raw("GEO", fmt.Sprintf("%.6f;%.6f", *e.Latitude, *e.Longitude))
	}
	w.uri("URL", e.URL)
	if len(e.Categories) > 0 {
		w.text("CATEGORIES", e.Categories...)
	}
	if e.Organizer.Email != "" {
		w.raw("ORGANIZER"+commonName(e.Organizer), mailto(e.Organizer))
	}
	if e.Attendee != nil {
		// They said yes on our pages, so their calendar need not ask them again.
		w.raw("ATTENDEE"+commonName(*e.Attendee)+";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE", mailto(*e.Attendee))
	}
	if !e.Created.IsZero() {
		w.raw("CREATED", e.Created.UTC().Format(utcLayout))
	}
	if !e.LastModified.IsZero() {
		w.raw("LAST-MODIFIED", e.LastModified.UTC().Format(utcLayout))
	}
	w.raw("END", "VEVENT")
}

func (e Event) status(method string) string {
	switch {
	case method == MethodCancel:
		return StatusCancelled // also when only this attendee's place is
	case e.Status == "":
		return StatusConfirmed
	default:
		return e.Status
	}
}

type moment struct{ property, value string }

// when gives DTSTART and DTEND: as dates, as local time with the zone's name, or in UTC.
func (e Event) when() []moment {
	if e.AllDay {
		first, after := e.dates()
		return []moment{
			{"DTSTART;VALUE=DATE", first.Format(dateLayout)},
			{"DTEND;VALUE=DATE", after.Format(dateLayout)},
		}
	}
	suffix, layout, zone := "", utcLayout, time.UTC
	if e.inLocalTime() {
		suffix, layout, zone = ";TZID="+e.Zone.String(), localLayout, e.Zone
	}
	moments := []moment{{"DTSTART" + suffix, e.Start.In(zone).Format(layout)}}
	if !e.End.IsZero() {
		moments = append(moments, moment{"DTEND" + suffix, e.End.In(zone).Format(layout)})
	}
	return moments
}

// dates gives the first day of an event that lasts all day and the day after its last, both at
// midnight UTC so that only their dates count.
func (e Event) dates() (first, after time.Time) {
	zone := time.UTC
	if e.Zone != nil {
		zone = e.Zone
	}
	day := func(t time.Time) time.Time {
		y, m, d := t.In(zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	first = day(e.Start)
	last := first
	if e.End.After(e.Start) {
		last = day(e.End.Add(-time.Nanosecond)) // the end is exclusive: midnight belongs to the day before
	}
	return first, last.AddDate(0, 0, 1)
}

// inLocalTime reports whether the event is written in local time with its zone. UTC needs no
// zone, and a wall time that comes twice means its first coming (RFC 5545, section 3.3.5), so
// an event that touches the second is written in UTC.
func (e Event) inLocalTime() bool {
	return !e.AllDay && named(e.Zone) && !secondComing(e.Start.In(e.Zone)) && !secondComing(e.End.In(e.Zone))
}

// named reports whether a calendar elsewhere can know the zone by its name.
func named(zone *time.Location) bool {
	return zone != nil && strings.Contains(zone.String(), "/") && zone.String() != "Etc/UTC"
}

// secondComing reports whether the clock showed the same time once before, as in the hour after
// it was set back.
func secondComing(t time.Time) bool {
	start, _ := t.ZoneBounds()
	if t.IsZero() || start.IsZero() {
		return false
	}
	_, before := start.Add(-time.Second).Zone()
	_, after := t.Zone()
	return t.Sub(start) < time.Duration(before-after)*time.Second
}

// mailto gives the bare address as a URI (RFC 6068).
func mailto(p Person) string {
	return "mailto:" + strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(p.Email)
}

// absolute gives the address as a URI that holds no space or control character, or "" when it
// is not an absolute one.
func absolute(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	return u.String()
}
