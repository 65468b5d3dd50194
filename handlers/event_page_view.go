package handlers

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/calendar"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// EventNotice says above everything else how an event stands.
type EventNotice struct {
	Look, Words, Reason string
}

// EventWhen is when an event is, in its own zone; a script adds the viewer's.
type EventWhen struct {
	Date, Hours string
	Start       string // RFC 3339 in UTC, when the hour is known
	Zone        string // IANA name
	Machine     string
	Online      bool // the viewer's own zone counts first
}

// EventWhere is where people meet.
type EventWhere struct {
	Place, Details, Note string
}

// EventHost is who hosts, with what stands before the name in the sentence.
type EventHost struct {
	Before, Name, URL string
}

// EventSpeaker is a speaker with a face.
type EventSpeaker struct {
	Face
	Role, Bio, URL string
}

// EventSponsor is a sponsor with what they give.
type EventSponsor struct {
	Name, URL, Contribution string
}

// EventPostLink leads to a post that announces the event.
type EventPostLink struct {
	URL, Title, Language, Date, Machine string
}

// TicketPanel is what stands beside an event: what it costs, what is left, what to do.
type TicketPanel struct {
	Heading string
	State   EventState
	Lines   []TicketLine
	Action  *PanelAction // nil: nothing to do
	Hint    string
	Short   string // for the bar on phones
}

// PanelAction is the one button of an event.
type PanelAction struct {
	URL, Label string
	Outside    bool
}

// TicketLine is a ticket with what is left of it.
type TicketLine struct {
	Name, Left string
	Limited    bool
	Taken      int // hundredths of the seats
	Full       bool
}

// newEventShow shows an event at a moment.
func newEventShow(d models.EventDetail, site links.Site, now time.Time) EventShow {
	e := d.Event
	page := EventShow{
		Cover: blessed(artwork.Cover("events/"+e.Slug, 1000, 338, "")), Tile: newDateTile(e, now), Kicker: kicker(e),
		Heading: e.Title, LongWords: hasLongWord(e.Title), Words: foreign(e.TextLanguage), Summary: e.Summary, Sample: e.Sample, Notice: newEventNotice(d, now),
		When: newEventWhen(e), Where: newEventWhere(e, now), Hosts: newEventHosts(d), Body: blessed(e.HTML), Agenda: newAgenda(d, now),
		Panel: newTicketPanel(d, now), Over: e.PastAt(now),
	}
	if page.Over {
		page.When.Start = "" // nobody asks at what hour of theirs it was
	}
	if e.Language != "en" {
		page.Spoken = models.LanguageName(e.Language)
	}
	for _, person := range d.Inviters {
		page.Inviters = append(page.Inviters, newFace(person.Name, person.Photo))
	}
	page.Invitation = invitation(d)
	for _, s := range d.Speakers {
		page.Speakers = append(page.Speakers, EventSpeaker{Face: newFace(s.Name, ""), Role: joined(s.Title, s.Employer), Bio: s.Bio, URL: s.URL})
	}
	for _, s := range d.Sponsors {
		page.Sponsors = append(page.Sponsors, EventSponsor{Name: s.Name, URL: s.URL, Contribution: s.Contribution})
	}
	for _, l := range e.Links {
		page.Links = append(page.Links, NavLink{URL: l.URL, Label: l.Label})
	}
	for _, p := range d.Posts {
		page.Posts = append(page.Posts, EventPostLink{
			URL: links.Post(p.Slug), Title: p.Title, Language: foreign(p.Language),
			Date: p.PublishAt.UTC().Format("2 January 2006"), Machine: p.PublishAt.UTC().Format(time.DateOnly),
		})
	}
	page.Next = newEventLines(d.NextDates, now)
	if !e.PastAt(now) && e.Status == models.EventPublished {
		page.Calendars = calendarLinks(calendar.FromEvent(e, site), links.EventCalendar(e.Slug))
	}
	if d.Registered > 1 && !e.PastAt(now) {
		page.Coming = strconv.Itoa(d.Registered) + " people are coming"
	}
	return page
}

// longWord is how many letters of large type a column of the event's page holds.
const longWord = 20

// hasLongWord reports whether a word is too long for large type. Scripts without spaces break anywhere, so they have none.
func hasLongWord(title string) bool {
	run := 0
	for _, r := range title {
		if !unicode.IsLetter(r) || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai) {
			run = 0
			continue
		}
		if run++; run > longWord {
			return true
		}
	}
	return false
}

// kicker is the kind of event and where, in a word each: "Hackathon, online".
func kicker(e models.Event) string {
	place := e.PlaceText()
	if e.Mode == models.ModeOnline || e.Mode == models.ModeInPerson && place == "In person" {
		place = strings.ToLower(place)
	}
	return e.KindText() + ", " + place
}

func newEventNotice(d models.EventDetail, now time.Time) *EventNotice {
	switch {
	case d.Status == models.EventCancelled:
		return &EventNotice{Look: "bad", Words: "This event is cancelled.", Reason: d.CancelReason}
	case liveNow(d.Event, now):
		return &EventNotice{Look: "live", Words: "It is going on right now."}
	}
	return nil
}

func newEventWhen(e models.Event) EventWhen {
	when := EventWhen{
		Date: e.DateText(), Hours: e.TimeText(), Zone: e.Timezone, Machine: machineDate(e), Online: e.Mode == models.ModeOnline,
	}
	if when.Hours != "" {
		when.Start = e.StartsAt.UTC().Format(time.RFC3339)
	}
	return when
}

func newEventWhere(e models.Event, now time.Time) EventWhere {
	w := EventWhere{Place: e.PlaceText()}
	note := e.OnlineLink != "" && e.Registration == models.RegistrationPortal && e.Status != models.EventCancelled && !e.PastAt(now)
	switch e.Mode {
	case models.ModeOnline:
		w.Details = e.OnlinePlace
		if note {
			w.Note = "The link comes with your ticket"
		}
	case models.ModeInPerson, models.ModeHybrid:
		if known := e.AddressParts(); len(known) > 0 {
			w.Place, w.Details = known[0], strings.Join(known[1:], ", ")
		}
		if e.Mode == models.ModeHybrid {
			w.Note = "And online"
			if e.OnlinePlace != "" {
				w.Note += ": " + e.OnlinePlace
			}
			if note {
				w.Note += "; the link comes with your ticket"
			}
		}
	}
	return w
}

func newEventHosts(d models.EventDetail) []EventHost {
	var hosts []EventHost
	if d.GroupSlug != "" {
		hosts = append(hosts, EventHost{Name: d.GroupName, URL: links.Group(d.GroupSlug)})
	}
	for _, name := range d.Hosts {
		hosts = append(hosts, EventHost{Name: name})
	}
	for i := 1; i < len(hosts); i++ {
		hosts[i].Before = ", "
		if i == len(hosts)-1 {
			hosts[i].Before = " and "
		}
	}
	return hosts
}

// mostInviters is how many people an invitation names.
const mostInviters = 3

// invitation says who invites: "Helen Beal and Ada Example invite you to". Nobody invites to what is cancelled.
func invitation(d models.EventDetail) string {
	var names []string
	for _, person := range d.Inviters {
		names = append(names, person.Name)
	}
	switch {
	case len(names) == 0, d.Status == models.EventCancelled:
		return ""
	case len(names) == 1:
		return names[0] + " invites you to"
	case len(names) > mostInviters:
		more := len(names) - mostInviters
		names = append(names[:mostInviters:mostInviters], fmt.Sprintf("%d more", more))
	}
	return listed(names) + " invite you to"
}

// newTicketPanel tells what an event costs, what is left and what to do.
func newTicketPanel(d models.EventDetail, now time.Time) *TicketPanel {
	e := d.Event
	refusal := e.RegistrationRefusal(now)
	left, limited := models.SeatsLeft(d.Tickets)
	p := &TicketPanel{Heading: "Free", State: newEventState(e, left, limited, now), Lines: newTicketLines(d.Tickets)}
	moment := func(t time.Time) string {
		local := t.In(e.Location())
		return shortDate(local, now) + local.Format(", 15:04 ") + models.ZoneText(local)
	}
	switch {
	case errors.Is(refusal, models.ErrEventCancelled), errors.Is(refusal, models.ErrEventPast):
		p.Heading, p.State, p.Lines = "It is over", EventState{}, nil
		if e.Status == models.EventCancelled {
			p.Heading = "It is cancelled"
		}
		p.Action = &PanelAction{URL: links.Events, Label: "See what is coming"}
		return p
	case errors.Is(refusal, models.ErrElsewhere) && e.Registration == models.RegistrationNone:
		p.Heading, p.State = "Come as you are", EventState{Look: "ok", Words: "No registration needed"}
		p.Hint = e.RegistrationNote
		for i := range p.Lines {
			p.Lines[i].Left = ""
		}
	case errors.Is(refusal, models.ErrElsewhere):
		p.Heading, p.Hint = "Registration", e.RegistrationNote
		if e.RegistrationURL != "" {
			p.Action = &PanelAction{URL: e.RegistrationURL, Label: "Register on " + siteName(e.RegistrationURL), Outside: true}
			p.State = EventState{}
		}
		for i := range p.Lines {
			p.Lines[i].Left = ""
		}
	case errors.Is(refusal, models.ErrNotOpenYet):
		p.Hint = "Registration opens " + moment(*e.OpensAt) + "."
	case errors.Is(refusal, models.ErrClosed):
		p.Hint = "Registration closed " + moment(e.RegistrationClosesAt()) + "."
	case limited && left == 0:
		p.Hint = "Every seat is taken. A seat that somebody gives up is free at once: look in again."
	default:
		p.State = EventState{Look: "ok", Words: "Registration open"}
		p.Action = &PanelAction{URL: links.Register(e.Slug), Label: "Register"}
		p.Hint = "No account needed."
		if len(d.Tickets) > 1 && e.Choose == models.ChooseSeveral {
			p.Hint = "Take one or several. No account needed."
		}
		if e.ClosesAt != nil {
			p.Hint += " Closes " + moment(e.RegistrationClosesAt()) + "."
		}
		if p.Short = "Open to all"; limited {
			p.Short = seats(left)
		}
	}
	return p
}

func newTicketLines(tickets []models.Ticket) []TicketLine {
	var lines []TicketLine
	for _, t := range tickets {
		left, limited := t.Left()
		line := TicketLine{Name: t.Name, Left: "Open to all", Limited: limited}
		if limited {
			total := t.Seats()
			line.Full, line.Taken = left == 0, 100
			line.Left = "Full"
			if left > 0 {
				line.Left, line.Taken = fmt.Sprintf("%d of %d left", left, total), 100*(total-left)/max(1, total)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func seats(n int) string {
	if n == 1 {
		return "1 seat left"
	}
	return strconv.Itoa(n) + " seats left"
}
