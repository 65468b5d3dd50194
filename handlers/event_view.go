package handlers

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// DateTile is a leaf of a calendar: month, day or days, weekday. What it says stands in words beside it.
type DateTile struct {
	Month, Day, Weekday string
	Narrow              bool // the day is more than a number: a range, or a month's name
	Live, Past          bool
}

// newDateTile shows as much of an event's date as is known.
func newDateTile(e models.Event, now time.Time) DateTile {
	start, end := e.LocalStart(), e.LastDay()
	t := DateTile{Live: liveNow(e, now), Past: e.PastAt(now) || e.Status == models.EventCancelled}
	switch {
	case e.DatePrecision == models.PrecisionMonth:
		t.Month, t.Day, t.Narrow = start.Format("2006"), start.Format("Jan"), true
		if start.Month() != end.Month() {
			t.Day += "–" + end.Format("Jan")
		}
	case !e.SeveralDays():
		t.Month, t.Day, t.Weekday = start.Format("Jan"), start.Format("2"), start.Format("Mon")
	default:
		t.Month, t.Narrow = start.Format("Jan"), true
		if start.Month() != end.Month() {
			t.Month += "–" + end.Format("Jan")
		}
		t.Day = start.Format("2") + "–" + end.Format("2")
		t.Weekday = start.Format("Mon") + "–" + end.Format("Mon")
	}
	return t
}

// liveNow reports whether an event is known to be going on: where only the day or month is known, nobody can tell.
func liveNow(e models.Event, now time.Time) bool {
	return e.LiveAt(now) && (e.DatePrecision == models.PrecisionMinute || e.DatePrecision == models.PrecisionStart)
}

// EventState is how an event stands, as a dot and words. No words: nothing to say.
type EventState struct {
	Look    string // the badge: ok, warn, bad, live, plain
	Words   string
	Outside bool // it leads to another site
}

// newEventState tells what a visitor can do about an event now.
func newEventState(e models.Event, left int, limited bool, now time.Time) EventState {
	refusal := e.RegistrationRefusal(now)
	switch {
	case errors.Is(refusal, models.ErrEventCancelled):
		return EventState{Look: "bad", Words: "Cancelled"}
	case errors.Is(refusal, models.ErrEventPast), errors.Is(refusal, models.ErrNotFound):
		return EventState{}
	case liveNow(e, now):
		return EventState{Look: "live", Words: "Live now"}
	case errors.Is(refusal, models.ErrNotOpenYet):
		return EventState{Look: "plain", Words: "Opens " + shortDate(e.OpensAt.In(e.Location()), now)}
	case errors.Is(refusal, models.ErrClosed):
		return EventState{Look: "plain", Words: "Registration closed"}
	case errors.Is(refusal, models.ErrElsewhere) && e.Registration == models.RegistrationNone:
		return EventState{Look: "plain", Words: "No registration needed"}
	case errors.Is(refusal, models.ErrElsewhere):
		if host := siteName(e.RegistrationURL); host != "" {
			return EventState{Look: "plain", Words: "Registration on " + host, Outside: true}
		}
		return EventState{Look: "plain", Words: "Registration elsewhere"}
	case !limited:
		return EventState{Look: "ok", Words: "Registration open"}
	case left == 0:
		return EventState{Look: "warn", Words: "Full"}
	case left == 1:
		return EventState{Look: "ok", Words: "1 seat left"}
	}
	return EventState{Look: "ok", Words: strconv.Itoa(left) + " seats left"}
}

// shortDate is a day without its year when that is the present one.
func shortDate(t, now time.Time) string {
	if t.Year() == now.UTC().Year() { // as pages are made anew at midnight in UTC
		return t.Format("Mon 2 January")
	}
	return t.Format("Mon 2 January 2006")
}

// siteName is the host of an address as people say it.
func siteName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Hostname(), "www.")
}

// EventLine is an event as a row of a list.
type EventLine struct {
	Tile      DateTile
	URL       string
	Title     string
	Language  string // of the title; empty when it is the page's
	Date      string // in words
	DateShown bool   // not only for screen readers, where the tile does not tell the year
	Machine   string // the date for machines
	Meta      []string
	Sample    bool
	State     EventState
}

// newEventLine shows a row of a list at a moment.
func newEventLine(row models.EventRow, now time.Time) EventLine {
	e := row.Event
	line := EventLine{
		Tile: newDateTile(e, now), URL: links.Event(e.Slug), Title: e.Title, Language: foreign(e.TextLanguage),
		Date: e.DateText(), Machine: machineDate(e), Sample: e.Sample,
		DateShown: e.LocalStart().Year() != now.UTC().Year(),
		State:     newEventState(e, row.SeatsLeft, row.Limited, now),
	}
	if hours := e.TimeText(); hours != "" {
		line.Meta = append(line.Meta, hours)
	}
	line.Meta = append(line.Meta, e.PlaceText(), e.KindText())
	if hosts := hostNames(row.GroupName, e.Hosts); len(hosts) > 0 {
		line.Meta = append(line.Meta, listed(hosts))
	}
	return line
}

func newEventLines(rows []models.EventRow, now time.Time) []EventLine {
	lines := make([]EventLine, len(rows))
	for i, row := range rows {
		lines[i] = newEventLine(row, now)
	}
	return lines
}

// hostNames is the group, if there is one, and the further hosts.
func hostNames(group string, hosts []string) []string {
	if group == "" {
		return hosts
	}
	return append([]string{group}, hosts...)
}

// listed joins names as a sentence does: "A", "A and B", "A, B and C".
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// machineDate is an event's start for a time element, as exactly as it is known.
func machineDate(e models.Event) string {
	start := e.LocalStart()
	switch e.DatePrecision {
	case models.PrecisionMonth:
		return start.Format("2006-01")
	case models.PrecisionDay:
		return start.Format(time.DateOnly)
	case models.PrecisionMinute, models.PrecisionStart:
	}
	return start.Format(time.RFC3339)
}
