package models

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// LocalStart is the start in the event's zone.
func (e Event) LocalStart() time.Time { return e.StartsAt.In(e.Location()) }

// LocalEnd is the end in the event's zone.
func (e Event) LocalEnd() time.Time { return e.EndsAt.In(e.Location()) }

// LastDay is midnight of the event's last day in its zone. An evening that ends after midnight has one day.
func (e Event) LastDay() time.Time {
	start, end := e.LocalStart(), e.LocalEnd()
	if end.Sub(start) <= 12*time.Hour {
		return midnight(start)
	}
	return midnight(end.Add(-time.Minute))
}

// SeveralDays reports whether the event has more than one day.
func (e Event) SeveralDays() bool { return e.LastDay().After(midnight(e.LocalStart())) }

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// DateText is the event's date in its zone as far as it is known: "Thu 18 June 2020", "Wed 15 – Fri 17 April 2020" or
// "April 2020".
func (e Event) DateText() string {
	const full = "Mon 2 January 2006"
	start, end := e.LocalStart(), e.LastDay()
	if e.DatePrecision == PrecisionMonth {
		switch {
		case start.Year() != end.Year():
			return start.Format("January 2006") + " – " + end.Format("January 2006")
		case start.Month() != end.Month():
			return start.Format("January") + " – " + end.Format("January 2006")
		}
		return start.Format("January 2006")
	}
	switch {
	case !e.SeveralDays():
		return start.Format(full)
	case start.Year() != end.Year():
		return start.Format(full) + " – " + end.Format(full)
	case start.Month() != end.Month():
		return start.Format("Mon 2 January") + " – " + end.Format(full)
	}
	return start.Format("Mon 2") + " – " + end.Format(full)
}

// TimeText is the event's hours in its zone as far as they are known: "18:30 to 21:00 CEST", of several days
// "from 09:00 PDT", or nothing.
func (e Event) TimeText() string {
	start := e.LocalStart()
	switch {
	case e.DatePrecision == PrecisionDay, e.DatePrecision == PrecisionMonth:
		return ""
	case e.DatePrecision == PrecisionStart, e.SeveralDays():
		return "from " + start.Format("15:04 ") + ZoneText(start)
	}
	return start.Format("15:04") + " to " + e.LocalEnd().Format("15:04 ") + ZoneText(start)
}

// ZoneText is the zone of a moment as people write it: CEST, or UTC+8 where the zone has no letters.
func ZoneText(t time.Time) string {
	name, offset := t.Zone()
	if name == "" || name[0] == '+' || name[0] == '-' {
		return utcText(offset)
	}
	return name
}

func utcText(offset int) string {
	sign := "+"
	if offset < 0 {
		sign, offset = "−", -offset
	}
	text := fmt.Sprintf("UTC%s%d", sign, offset/3600)
	if minutes := offset % 3600 / 60; minutes > 0 {
		text += fmt.Sprintf(":%02d", minutes)
	}
	return text
}

// PlaceText is where people meet, in a word or two: "Berlin", "Online", "Berlin and online".
func (e Event) PlaceText() string {
	place := e.VenueCity
	for _, other := range []string{e.VenueName, CountryName(e.VenueCountry)} {
		if place == "" {
			place = other
		}
	}
	switch {
	case e.Mode == ModeOnline:
		return "Online"
	case e.Mode == ModeHybrid && place == "":
		return "In a room and online"
	case e.Mode == ModeHybrid:
		return place + " and online"
	case place == "":
		return "In person"
	}
	return place
}

// AddressParts are what is known of the venue: its name, street, city and country. Of a city that is its own country the
// name is said once.
func (e Event) AddressParts() []string {
	return slices.Compact(nonEmpty(e.VenueName, e.VenueAddress, e.VenueCity, CountryName(e.VenueCountry)))
}

// AddressText is the venue with its address on one line, as a calendar shows it; empty when nothing of it is known.
func (e Event) AddressText() string { return strings.Join(e.AddressParts(), ", ") }

// WhereText is the place as precisely as people need it to get there, without the second place of a hybrid event.
func (e Event) WhereText() string {
	switch {
	case e.Mode == ModeOnline && e.OnlinePlace != "":
		return e.PlaceText() + ", " + e.OnlinePlace
	case e.Mode != ModeOnline && e.AddressText() != "":
		return e.AddressText()
	}
	return e.PlaceText()
}

// KindText names the kind of event for people.
func (e Event) KindText() string {
	switch e.Kind {
	case KindMeetup:
		return "Meetup"
	case KindConference:
		return "Conference"
	case KindHackathon:
		return "Hackathon"
	case KindCall:
		return "Community call"
	}
	return "Event"
}
