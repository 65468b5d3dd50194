package models

import (
	"database/sql/driver"
	"fmt"
	"sync"
	"time"
)

// EventStatus is what is stored of an event's state. Done is not stored: it is an end that has passed.
type EventStatus string

// The states of an event.
const (
	EventDraft     EventStatus = "draft"
	EventPublished EventStatus = "published"
	EventCancelled EventStatus = "cancelled"
)

// Value refuses a state that is not one of ours.
func (s EventStatus) Value() (driver.Value, error) {
	return oneOf("event status", s, EventDraft, EventPublished, EventCancelled)
}

// EventKind is what sort of event it is.
type EventKind string

// The kinds of event.
const (
	KindMeetup     EventKind = "meetup"
	KindConference EventKind = "conference"
	KindHackathon  EventKind = "hackathon"
	KindCall       EventKind = "call"
)

// EventKinds lists the kinds as forms offer them.
var EventKinds = []EventKind{KindMeetup, KindConference, KindHackathon, KindCall}

// Value refuses a kind that is not one of ours.
func (k EventKind) Value() (driver.Value, error) { return oneOf("event kind", k, EventKinds...) }

// EventMode is where people meet.
type EventMode string

// The modes of an event.
const (
	ModeInPerson EventMode = "in_person"
	ModeOnline   EventMode = "online"
	ModeHybrid   EventMode = "hybrid"
)

// EventModes lists the modes as forms offer them.
var EventModes = []EventMode{ModeInPerson, ModeOnline, ModeHybrid}

// Value refuses a mode that is not one of ours.
func (m EventMode) Value() (driver.Value, error) { return oneOf("event mode", m, EventModes...) }

// DatePrecision is how much of an event's date is known.
type DatePrecision string

// The precisions of a date.
const (
	PrecisionMinute DatePrecision = "minute"
	PrecisionStart  DatePrecision = "start" // when it begins, not when it ends
	PrecisionDay    DatePrecision = "day"
	PrecisionMonth  DatePrecision = "month"
)

// Value refuses a precision that is not one of ours.
func (p DatePrecision) Value() (driver.Value, error) {
	return oneOf("date precision", p, PrecisionMinute, PrecisionStart, PrecisionDay, PrecisionMonth)
}

// RegistrationPlace is where people register for an event.
type RegistrationPlace string

// The places of registration.
const (
	RegistrationPortal  RegistrationPlace = "portal"
	RegistrationOutside RegistrationPlace = "outside"
	RegistrationNone    RegistrationPlace = "none"
)

// Value refuses a place that is not one of ours.
func (p RegistrationPlace) Value() (driver.Value, error) {
	return oneOf("registration place", p, RegistrationPortal, RegistrationOutside, RegistrationNone)
}

// Choose is how many of an event's tickets a person takes.
type Choose string

// The choices.
const (
	ChooseOne     Choose = "one"
	ChooseSeveral Choose = "several"
)

// Value refuses a choice that is not one of ours.
func (c Choose) Value() (driver.Value, error) { return oneOf("choice", c, ChooseOne, ChooseSeveral) }

// Event is a meetup, conference, hackathon or call.
type Event struct {
	ID               int64
	Slug             string
	UID              string `gorm:"column:uid"` // iCalendar UID with its host, fixed when the event is made
	Sequence         int    // iCalendar SEQUENCE: raised by each change of time, place or status
	SeriesID         *int64
	GroupID          *int64
	Status           EventStatus
	Kind             EventKind
	Mode             EventMode
	Title            string
	Summary          string
	Language         string // BCP 47, what is spoken
	TextLanguage     string // BCP 47, of title, summary, agenda and text
	Timezone         string // IANA name
	StartsLocal      string // wall time in Timezone, LocalLayout
	EndsLocal        string
	StartsAt         time.Time // the same moments in UTC
	EndsAt           time.Time
	DatePrecision    DatePrecision
	Hosts            List[string] // beside the group
	VenueName        string
	VenueAddress     string
	VenueCity        string
	VenueCountry     string // ISO 3166-1 alpha-2
	OnlineLink       string // for confirmed people only
	OnlinePlace      string // public words about where online
	Registration     RegistrationPlace
	RegistrationURL  string `gorm:"column:registration_url"`
	RegistrationNote string
	OpensAt          *time.Time // nil: from publishing on
	ClosesAt         *time.Time // nil: at the start
	Choose           Choose
	Links            List[Link]
	Markdown         string
	HTML             string `gorm:"column:html"`
	PlainText        string
	RendererVersion  int
	Sample           bool
	CreatedBy        *int64
	Version          int64
	PublishedAt      *time.Time
	CreatedAt        time.Time
	UpdatedAt        time.Time `gorm:"autoUpdateTime:false"`
}

// LocalLayout is how an event's wall time is stored and typed: 2006-01-02T15:04.
const LocalLayout = "2006-01-02T15:04"

// LocalTime is the moment of a wall time in a zone. A time that a clock change skips is moved forward by the gap, one
// that happens twice is the first of the two. Errors wrap ErrInvalid.
func LocalTime(local, timezone string) (time.Time, error) {
	zone, err := time.LoadLocation(timezone)
	if err != nil || timezone == "" || timezone == "Local" {
		return time.Time{}, fmt.Errorf("%w: time zone %q", ErrInvalid, timezone)
	}
	wall, err := time.Parse(LocalLayout, local)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: local time %q", ErrInvalid, local)
	}
	return momentOf(wall, zone), nil
}

// momentOf is LocalTime of a wall time that is written as if it were UTC's.
func momentOf(wall time.Time, zone *time.Location) time.Time {
	// The offset in force a day before and a day after bracket any change: the earlier moment of a doubled time has the
	// offset before it, and a skipped time read with that offset lands behind the gap.
	_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
	_, after := wall.Add(24 * time.Hour).In(zone).Zone()
	shown := func(at time.Time) bool { return at.In(zone).Format(LocalLayout) == wall.Format(LocalLayout) }
	early, late := wall.Add(-time.Duration(before)*time.Second), wall.Add(-time.Duration(after)*time.Second)
	if !shown(early) && shown(late) {
		return late.UTC()
	}
	return early.UTC()
}

// Location is the event's zone; UTC when the stored name is unknown to this program.
func (e Event) Location() *time.Location { return Zone(e.Timezone) }

// zones are the time zones that rows named so far: to read one from its file takes longer than to show an event.
var zones sync.Map

// Zone is a time zone by the name that a row holds; UTC when it is unknown to this program.
func Zone(name string) *time.Location {
	known, _ := zones.Load(name)
	if zone, ok := known.(*time.Location); ok {
		return zone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	zones.Store(name, zone)
	return zone
}

// RegistrationClosesAt is the moment from which nobody can register.
func (e Event) RegistrationClosesAt() time.Time {
	if e.ClosesAt != nil && e.ClosesAt.Before(e.EndsAt) {
		return *e.ClosesAt
	}
	return e.StartsAt
}

// LiveAt reports whether the event is going on at t.
func (e Event) LiveAt(t time.Time) bool {
	return e.Status == EventPublished && !t.Before(e.StartsAt) && t.Before(e.EndsAt)
}

// PastAt reports whether the event is over at t.
func (e Event) PastAt(t time.Time) bool { return !t.Before(e.EndsAt) }

// RegistrationRefusal is why nobody can register at t whatever seats are free, or nil: ErrEventCancelled, ErrEventPast,
// ErrElsewhere (also where no registration is needed), ErrNotOpenYet, ErrClosed.
func (e Event) RegistrationRefusal(t time.Time) error {
	switch {
	case e.Status == EventCancelled:
		return ErrEventCancelled
	case e.Status != EventPublished:
		return ErrNotFound
	case e.PastAt(t):
		return ErrEventPast
	case e.Registration != RegistrationPortal:
		return ErrElsewhere
	case e.OpensAt != nil && t.Before(*e.OpensAt):
		return ErrNotOpenYet
	case !t.Before(e.RegistrationClosesAt()):
		return ErrClosed
	}
	return nil
}

// EventSeries joins events that repeat by one rule.
type EventSeries struct {
	ID        int64
	Slug      string
	Title     string
	Rule      string // RFC 5545 RRULE
	CreatedAt time.Time
}

// TableName is event_series: the word has no other plural.
func (EventSeries) TableName() string { return "event_series" }

// EventCancellation says who cancelled an event, when and why.
type EventCancellation struct {
	EventID   int64 `gorm:"primaryKey;autoIncrement:false"`
	UserID    *int64
	Reason    string
	CreatedAt time.Time
}

// EventAmbassador names an ambassador whom people meet at an event.
type EventAmbassador struct {
	EventID      int64 `gorm:"primaryKey;autoIncrement:false"`
	AmbassadorID int64 `gorm:"primaryKey;autoIncrement:false"`
}
