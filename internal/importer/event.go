package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/slug"
	"github.com/cdfoundation/portal/models"
)

type eventFront struct {
	Title            string           `yaml:"title"`
	Kind             string           `yaml:"kind"`
	Mode             string           `yaml:"mode"`
	Timezone         string           `yaml:"timezone"`
	Start            string           `yaml:"start"`
	End              string           `yaml:"end"`
	Precision        string           `yaml:"precision"`
	Next             *nextFront       `yaml:"next"`
	Recurrence       *recurrenceFront `yaml:"recurrence"`
	Summary          string           `yaml:"summary"`
	Group            string           `yaml:"group"`
	Hosts            []string         `yaml:"hosts"`
	Ambassadors      []string         `yaml:"ambassadors"`
	Venue            *venueFront      `yaml:"venue"`
	OnlineLink       string           `yaml:"online_link"`
	OnlinePlace      string           `yaml:"online_place"`
	Language         string           `yaml:"language"`
	TextLanguage     string           `yaml:"text_language"`
	Registration     string           `yaml:"registration"`
	RegistrationURL  string           `yaml:"registration_url"`
	RegistrationNote string           `yaml:"registration_note"`
	Opens            string           `yaml:"opens"`
	Closes           string           `yaml:"closes"`
	ClosesBefore     string           `yaml:"closes_before"`
	Choose           string           `yaml:"choose"`
	Quotas           []quotaFront     `yaml:"quotas"`
	Tickets          []ticketFront    `yaml:"tickets"`
	Speakers         []speakerFront   `yaml:"speakers"`
	Agenda           []agendaFront    `yaml:"agenda"`
	Sponsors         []sponsorFront   `yaml:"sponsors"`
	Links            []models.Link    `yaml:"links"`
	Sample           bool             `yaml:"sample"`
}

type nextFront struct {
	InDays   int    `yaml:"in_days"`
	Weekday  string `yaml:"weekday"`
	Time     string `yaml:"time"`
	Duration string `yaml:"duration"`
}

type recurrenceFront struct {
	Rule     string `yaml:"rule"`
	Time     string `yaml:"time"`
	Duration string `yaml:"duration"`
	Count    int    `yaml:"count"`
}

type venueFront struct {
	Name    string `yaml:"name"`
	Address string `yaml:"address"`
	City    string `yaml:"city"`
	Country string `yaml:"country"`
}

type quotaFront struct {
	Name string `yaml:"name"`
	Size *int   `yaml:"size"`
	Held int    `yaml:"held"`
}

type ticketFront struct {
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Quotas      []string `yaml:"quotas"`
}

type speakerFront struct {
	Name     string `yaml:"name"`
	Title    string `yaml:"title"`
	Employer string `yaml:"employer"`
	URL      string `yaml:"url"`
	Bio      string `yaml:"bio"`
}

type agendaFront struct {
	Start    string   `yaml:"start"`
	Length   string   `yaml:"length"`
	Title    string   `yaml:"title"`
	Track    string   `yaml:"track"`
	Speakers []string `yaml:"speakers"`
	Summary  string   `yaml:"summary"`
	Day      *int     `yaml:"day"`
}

type sponsorFront struct {
	Name         string `yaml:"name"`
	URL          string `yaml:"url"`
	Contribution string `yaml:"contribution"`
}

func readEvent(f *file) {
	var y eventFront
	if !f.decode(&y) {
		return
	}
	f.named()
	for _, key := range []struct{ name, value string }{
		{"title", y.Title}, {"kind", y.Kind}, {"mode", y.Mode}, {"timezone", y.Timezone}, {"summary", y.Summary},
	} {
		f.required(key.name, key.value)
	}
	e := models.ContentEvent{
		ContentSource: f.ContentSource,
		Event: models.Event{
			Kind: pick(f, "kind", y.Kind, models.EventKinds...), Mode: pick(f, "mode", y.Mode, models.EventModes...),
			Title: y.Title, Summary: y.Summary, Language: f.language("language", y.Language),
			TextLanguage: f.language("text_language", y.TextLanguage), Timezone: y.Timezone,
			Hosts: y.Hosts, OnlineLink: y.OnlineLink, OnlinePlace: y.OnlinePlace,
			Registration:    pick(f, "registration", y.Registration, models.RegistrationPortal, models.RegistrationOutside, models.RegistrationNone),
			RegistrationURL: y.RegistrationURL, RegistrationNote: y.RegistrationNote,
			Choose: pick(f, "choose", y.Choose, models.ChooseOne, models.ChooseSeveral),
			Links:  f.links(y.Links), Sample: y.Sample,
		},
		Group:       f.reference("group", y.Group),
		Ambassadors: f.references("ambassadors", y.Ambassadors),
	}
	if y.Timezone != "" && f.zone("timezone", y.Timezone) {
		f.dates(&e, y)
	}
	f.place(&e, y)
	f.tickets(&e, y)
	f.programme(&e, y)
	f.content.Events = append(f.content.Events, e)
}

// dates reads when the event is and when people can register; its zone is known to be good.
func (f *file) dates(e *models.ContentEvent, y eventFront) {
	fixed := y.Start != "" || y.End != ""
	if ways := count(fixed, y.Next != nil, y.Recurrence != nil); ways != 1 {
		f.wrong("start", "one of these is required, and only one: start and end, next, recurrence")
		return
	}
	e.Event.DatePrecision = pick(f, "precision", y.Precision,
		models.PrecisionMinute, models.PrecisionStart, models.PrecisionDay, models.PrecisionMonth)
	switch {
	case fixed:
		e.Event.StartsAt, e.Event.EndsAt = f.local("start", y.Start, y.Timezone), f.local("end", y.End, y.Timezone)
		// Not as typed: a time that a clock change skips was moved forward.
		e.Event.StartsLocal = e.Event.StartsAt.In(e.Event.Location()).Format(models.LocalLayout)
		e.Event.EndsLocal = e.Event.EndsAt.In(e.Event.Location()).Format(models.LocalLayout)
		if !e.Event.EndsAt.After(e.Event.StartsAt) {
			f.wrong("end", "is not after the start")
		}
	case y.Next != nil:
		f.wall("next.time", y.Next.Time)
		if y.Next.InDays < 0 {
			f.wrong("next.in_days", "%d is in the past", y.Next.InDays)
		}
		e.Next = &models.ContentNext{
			InDays: y.Next.InDays, Weekday: f.weekday(y.Next.Weekday), Time: y.Next.Time, Duration: f.duration("next.duration", y.Next.Duration),
		}
	default:
		e.Recurrence = f.recurrence(y)
	}
	if !fixed && (y.Opens != "" || y.Closes != "") {
		f.wrong("opens", "opens and closes need a date; closes_before counts back from the start")
		return
	}
	if y.Opens != "" {
		opens := f.local("opens", y.Opens, y.Timezone)
		e.Event.OpensAt = &opens
	}
	if y.Closes != "" {
		closes := f.local("closes", y.Closes, y.Timezone)
		e.Event.ClosesAt = &closes
		if e.Event.OpensAt != nil && !closes.After(*e.Event.OpensAt) {
			f.wrong("closes", "is not after opens")
		}
	}
	if y.ClosesBefore != "" {
		e.ClosesBefore = f.duration("closes_before", y.ClosesBefore)
		if y.Closes != "" {
			f.wrong("closes_before", "closes says it already")
		}
	}
}

func count(facts ...bool) int {
	n := 0
	for _, is := range facts {
		if is {
			n++
		}
	}
	return n
}

func (f *file) weekday(name string) *time.Weekday {
	if name == "" {
		return nil
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if d.String() == name {
			return &d
		}
	}
	f.wrong("next.weekday", "%q is not a day of the week in English", name)
	return nil
}

func (f *file) recurrence(y eventFront) *models.ContentRecurrence {
	before := len(f.problems)
	f.wall("recurrence.time", y.Recurrence.Time)
	if y.Recurrence.Count < 1 || y.Recurrence.Count > 120 {
		f.wrong("recurrence.count", "%d is not between 1 and 120", y.Recurrence.Count)
	}
	r := &models.ContentRecurrence{
		Rule: y.Recurrence.Rule, Time: y.Recurrence.Time, Duration: f.duration("recurrence.duration", y.Recurrence.Duration), Count: y.Recurrence.Count,
	}
	if len(f.problems) > before {
		return r
	}
	// Whether the rule can be followed does not depend on the day from which it is.
	if _, err := r.Starts(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), y.Timezone); err != nil {
		f.wrong("recurrence.rule", "%v", err)
	}
	if err := slug.Valid(f.Slug + "-2027-01"); err != nil {
		f.problem(1, "the file's name: with the month behind it, it %v", err)
	}
	return r
}

// place reads where people meet and where they register.
func (f *file) place(e *models.ContentEvent, y eventFront) {
	f.names("hosts", y.Hosts, false)
	if y.Venue != nil {
		if e.Event.Mode == models.ModeOnline {
			f.wrong("venue", "an online event has none")
		}
		f.country("venue.country", y.Venue.Country)
		e.Event.VenueName, e.Event.VenueAddress = y.Venue.Name, y.Venue.Address
		e.Event.VenueCity, e.Event.VenueCountry = y.Venue.City, y.Venue.Country
	}
	f.address("online_link", y.OnlineLink)
	f.address("registration_url", y.RegistrationURL)
	if y.RegistrationURL != "" && e.Event.Registration != models.RegistrationOutside {
		f.wrong("registration_url", "is for registration: outside")
	}
}

func (f *file) tickets(e *models.ContentEvent, y eventFront) {
	quotas := map[string]bool{} // by slug
	for n, q := range y.Quotas {
		key := fmt.Sprintf("quotas[%d]", n)
		spelt := slug.Make(q.Name)
		if spelt == "" || quotas[spelt] {
			f.wrong(key+".name", "%q is not a name, or named twice", q.Name)
		}
		quotas[spelt] = true
		if q.Size != nil && *q.Size < 0 || q.Held < 0 {
			f.wrong(key, "size and held cannot be fewer than none")
		} else if q.Size != nil && q.Held > *q.Size {
			f.wrong(key+".held", "%d cannot be held back of %d", q.Held, *q.Size)
		}
		e.Quotas = append(e.Quotas, models.Quota{Name: q.Name, Size: q.Size, Held: q.Held})
	}
	if len(y.Quotas) > 0 && len(y.Tickets) == 0 {
		f.wrong("quotas", "no ticket draws on them")
	}
	seen := map[string]bool{}
	for n, t := range y.Tickets {
		key := fmt.Sprintf("tickets[%d]", n)
		spelt := slug.Make(t.Name)
		if spelt == "" || seen[spelt] {
			f.wrong(key+".name", "%q is not a name, or named twice", t.Name)
		}
		seen[spelt] = true
		f.names(key+".quotas", t.Quotas, true)
		for m, name := range t.Quotas {
			if !quotas[slug.Make(name)] {
				f.wrong(fmt.Sprintf("%s.quotas[%d]", key, m), "%q is none of the event's quotas", name)
			}
		}
		e.Tickets = append(e.Tickets, models.ContentTicket{
			TicketType: models.TicketType{Name: t.Name, Description: strings.TrimSpace(t.Description)}, Quotas: t.Quotas,
		})
	}
}

func (f *file) programme(e *models.ContentEvent, y eventFront) {
	for n, s := range y.Speakers {
		key := fmt.Sprintf("speakers[%d]", n)
		f.required(key+".name", s.Name)
		f.address(key+".url", s.URL)
		e.Speakers = append(e.Speakers, models.Speaker{Name: s.Name, Title: s.Title, Employer: s.Employer, URL: s.URL, Bio: strings.TrimSpace(s.Bio)})
	}
	for n, a := range y.Agenda {
		key := fmt.Sprintf("agenda[%d]", n)
		f.required(key+".title", a.Title)
		f.names(key+".speakers", a.Speakers, false)
		row := models.AgendaSession{
			Day: 1, Starts: a.Start, Title: a.Title, Track: a.Track, Summary: strings.TrimSpace(a.Summary), SpeakerNames: slices.Clone(a.Speakers),
		}
		if a.Day != nil {
			if row.Day = *a.Day; row.Day < 1 {
				f.wrong(key+".day", "%d: days are counted from 1", row.Day)
			}
		}
		if a.Start != "" || a.Length != "" {
			f.wall(key+".start", a.Start)
			row.Minutes = int(f.duration(key+".length", a.Length) / time.Minute)
		}
		e.Agenda = append(e.Agenda, row)
	}
	for n, s := range y.Sponsors {
		key := fmt.Sprintf("sponsors[%d]", n)
		f.required(key+".name", s.Name)
		f.address(key+".url", s.URL)
		e.Sponsors = append(e.Sponsors, models.Sponsor{Name: s.Name, URL: s.URL, Contribution: s.Contribution})
	}
}
