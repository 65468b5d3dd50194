package models

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/cdfoundation/portal/internal/slug"
)

// EventInput is what the editor of an event sends. Times are wall times of Timezone in LocalLayout.
type EventInput struct {
	Slug             string // empty: as it is, or made of the title
	GroupID          int64  // 0: none, for staff
	Kind             EventKind
	Mode             EventMode
	Title            string
	Summary          string
	Language         string
	TextLanguage     string
	Timezone         string
	StartsLocal      string
	EndsLocal        string
	DatePrecision    DatePrecision
	Hosts            []string
	VenueName        string
	VenueAddress     string
	VenueCity        string
	VenueCountry     string
	OnlineLink       string
	OnlinePlace      string
	Registration     RegistrationPlace
	RegistrationURL  string
	RegistrationNote string
	OpensLocal       string // empty: from publishing on
	ClosesLocal      string // empty: at the start
	Choose           Choose
	Links            []Link
	Markdown         string
	Quotas           []Quota // with ids where they exist
	Tickets          []TicketInput
	Speakers         []Speaker
	Agenda           []AgendaSession
	Sponsors         []Sponsor
}

// TicketInput is a ticket type as its editor sends it.
type TicketInput struct {
	ID          int64 // 0: a new one
	Name        string
	Description string
	Quotas      []int // positions in EventInput.Quotas of those that it draws on
}

const (
	maxLine      = 300 // characters of a field of one line
	maxParagraph = 2000
	maxRows      = 200
)

// oneLine is typed text without line breaks and runs of spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func tooLong(text string, most int) bool { return utf8.RuneCountInString(text) > most }

// isCountry reports whether a code is a country's, ISO 3166-1 alpha-2.
func isCountry(code string) bool {
	region, err := language.ParseRegion(code)
	return err == nil && len(code) == 2 && region.IsCountry()
}

// checked returns the input with its text trimmed, and what is wrong with it whatever is stored. Fields are named as the
// form names them: rows by their position, such as quota-0-size.
func (in EventInput) checked() (EventInput, FieldErrors) {
	var wrong FieldErrors
	for _, line := range []struct {
		field string
		value *string
	}{
		{"title", &in.Title},
		{"summary", &in.Summary},
		{"venue_name", &in.VenueName},
		{"venue_address", &in.VenueAddress},
		{"venue_city", &in.VenueCity},
		{"online_place", &in.OnlinePlace},
		{"registration_note", &in.RegistrationNote},
	} {
		*line.value = oneLine(*line.value)
		if tooLong(*line.value, maxLine) {
			wrong.add(line.field, fmt.Sprintf("Shorten this to %d characters", maxLine))
		}
	}
	if in.Title == "" {
		wrong.add("title", "Give the event a title")
	}
	if in.Slug != "" && slug.Valid(in.Slug) != nil {
		wrong.add("slug", "Choose another address: "+in.Slug+" "+slug.Valid(in.Slug).Error())
	}
	in.checkChoices(&wrong)
	in.checkTimes(&wrong)
	in.VenueCountry = strings.ToUpper(strings.TrimSpace(in.VenueCountry))
	if in.VenueCountry != "" && !isCountry(in.VenueCountry) {
		wrong.add("venue_country", "Choose a country, or none")
	}
	if in.OnlineLink != "" && !webAddress(in.OnlineLink) {
		wrong.add("online_link", "Write the whole address, beginning with https://")
	}
	switch {
	case in.Registration == RegistrationOutside && in.RegistrationURL == "":
		wrong.add("registration_url", "Write the address where people register")
	case in.RegistrationURL != "" && !webAddress(in.RegistrationURL):
		wrong.add("registration_url", "Write the whole address, beginning with https://")
	}
	for _, l := range in.Links {
		if l.Label == "" || !webAddress(l.URL) {
			wrong.add("links", "Write each link on a line of its own: its words, then its address, beginning with https://")
			break
		}
	}
	// The rows are written to, and they are the caller's.
	in.Quotas, in.Tickets = slices.Clone(in.Quotas), slices.Clone(in.Tickets)
	in.Speakers, in.Agenda, in.Sponsors = slices.Clone(in.Speakers), slices.Clone(in.Agenda), slices.Clone(in.Sponsors)
	in.checkTickets(&wrong)
	in.checkProgramme(&wrong)
	return in, wrong
}

func (in *EventInput) checkChoices(wrong *FieldErrors) {
	if _, err := in.Kind.Value(); err != nil {
		wrong.add("kind", "Choose what sort of event it is")
	}
	if in.Language == "" {
		in.Language = "en"
	}
	if in.TextLanguage == "" {
		in.TextLanguage = in.Language
	}
	if _, err := language.Parse(in.Language); err != nil {
		wrong.add("language", "Choose a language")
	}
	if _, err := language.Parse(in.TextLanguage); err != nil {
		wrong.add("text_language", "Choose a language")
	}
	if _, err := in.Mode.Value(); err != nil {
		wrong.add("mode", "Choose where people meet")
	}
	if in.DatePrecision == "" {
		in.DatePrecision = PrecisionMinute
	}
	if _, err := in.DatePrecision.Value(); err != nil {
		wrong.add("precision", "Choose how much of the date is known")
	}
	if _, err := in.Registration.Value(); err != nil {
		wrong.add("registration", "Choose where people register")
	}
	if _, err := in.Choose.Value(); err != nil {
		wrong.add("choose", "Choose how many tickets a person takes")
	}
}

func (in *EventInput) checkTimes(wrong *FieldErrors) {
	if checkTimezone(in.Timezone) != nil {
		wrong.add("timezone", "Choose a time zone from the list, such as Europe/Berlin")
		return
	}
	starts, startErr := LocalTime(in.StartsLocal, in.Timezone)
	if startErr != nil {
		wrong.add("starts", "Choose the day and the hour at which it begins")
	}
	ends, endErr := LocalTime(in.EndsLocal, in.Timezone)
	switch {
	case endErr != nil:
		wrong.add("ends", "Choose the day and the hour at which it ends")
	case startErr == nil && !ends.After(starts):
		wrong.add("ends", "Choose an end after the start")
	}
	opens, err := optionalMoment(in.OpensLocal, in.Timezone)
	if err != nil {
		wrong.add("opens", "Choose a day and an hour, or leave it empty")
		opens = nil
	}
	closes, err := optionalMoment(in.ClosesLocal, in.Timezone)
	switch {
	case err != nil:
		wrong.add("closes", "Choose a day and an hour, or leave it empty")
	case closes != nil && opens != nil && !closes.After(*opens):
		wrong.add("closes", "Choose a time after registration opens")
	case closes != nil && startErr == nil && endErr == nil && closes.After(ends):
		wrong.add("closes", "Choose a time before the event ends")
	}
}

func (in *EventInput) checkTickets(wrong *FieldErrors) {
	seen := map[string]bool{}
	for n := range in.Quotas {
		q := &in.Quotas[n]
		field := fmt.Sprintf("quota-%d-", n)
		q.Name = oneLine(q.Name)
		switch key := strings.ToLower(q.Name); {
		case q.Name == "" || tooLong(q.Name, maxLine):
			wrong.add(field+"name", "Name these seats, such as Room")
		case seen[key]:
			wrong.add(field+"name", "Give these seats another name: there are some called "+q.Name)
		default:
			seen[key] = true
		}
		switch {
		case q.Size != nil && (*q.Size < 0 || *q.Size > 1_000_000):
			wrong.add(field+"size", "Write how many seats there are, or nothing for no limit")
		case q.Held < 0 || q.Held > 1_000_000:
			wrong.add(field+"held", "Write how many seats you keep back")
		case q.Size == nil && q.Held > 0, q.Size != nil && q.Held > *q.Size:
			wrong.add(field+"held", "Keep back no more seats than there are")
		}
	}
	clear(seen)
	for n := range in.Tickets {
		t := &in.Tickets[n]
		field := fmt.Sprintf("ticket-%d-", n)
		t.Name, t.Description = oneLine(t.Name), oneLine(t.Description)
		switch key := strings.ToLower(t.Name); {
		case t.Name == "" || tooLong(t.Name, maxLine):
			wrong.add(field+"name", "Name this ticket")
		case seen[key]:
			wrong.add(field+"name", "Give this ticket another name: there is one called "+t.Name)
		default:
			seen[key] = true
		}
		if tooLong(t.Description, maxParagraph) {
			wrong.add(field+"description", fmt.Sprintf("Shorten this to %d characters", maxParagraph))
		}
		for _, q := range t.Quotas {
			if q < 0 || q >= len(in.Quotas) {
				wrong.add(field+"quotas", "Choose among the seats above")
			}
		}
	}
	if len(in.Quotas) > maxRows || len(in.Tickets) > maxRows {
		wrong.add("tickets", fmt.Sprintf("Keep to %d tickets", maxRows))
	}
}

func (in *EventInput) checkProgramme(wrong *FieldErrors) {
	for n := range in.Agenda {
		s := &in.Agenda[n]
		field := fmt.Sprintf("agenda-%d-", n)
		s.Title, s.Track, s.Summary = oneLine(s.Title), oneLine(s.Track), oneLine(s.Summary)
		if s.Title == "" || tooLong(s.Title, maxLine) {
			wrong.add(field+"title", "Say in a line what happens")
		}
		if s.Day < 1 || s.Day > 100 {
			wrong.add(field+"day", "Write the number of the day, from 1")
		}
		if _, err := time.Parse("15:04", s.Starts); s.Starts != "" && err != nil {
			wrong.add(field+"starts", "Write the hour as 18:30, or nothing")
		}
		if s.Minutes < 0 || s.Minutes > 24*60 {
			wrong.add(field+"minutes", "Write how many minutes it takes, or nothing")
		}
		if tooLong(s.Track, maxLine) {
			wrong.add(field+"track", fmt.Sprintf("Shorten this to %d characters", maxLine))
		}
		if tooLong(s.Summary, maxParagraph) {
			wrong.add(field+"summary", fmt.Sprintf("Shorten this to %d characters", maxParagraph))
		}
	}
	for n := range in.Speakers {
		s := &in.Speakers[n]
		field := fmt.Sprintf("speaker-%d-", n)
		s.Name, s.Title, s.Employer, s.Bio = oneLine(s.Name), oneLine(s.Title), oneLine(s.Employer), oneLine(s.Bio)
		if s.Name == "" || tooLong(s.Name, maxLine) {
			wrong.add(field+"name", "Write the speaker's name")
		}
		if tooLong(s.Title, maxLine) {
			wrong.add(field+"title", fmt.Sprintf("Shorten this to %d characters", maxLine))
		}
		if tooLong(s.Employer, maxLine) {
			wrong.add(field+"employer", fmt.Sprintf("Shorten this to %d characters", maxLine))
		}
		if s.URL != "" && !webAddress(s.URL) {
			wrong.add(field+"url", "Write the whole address, beginning with https://")
		}
		if tooLong(s.Bio, maxParagraph) {
			wrong.add(field+"bio", fmt.Sprintf("Shorten this to %d characters", maxParagraph))
		}
	}
	for n := range in.Sponsors {
		s := &in.Sponsors[n]
		field := fmt.Sprintf("sponsor-%d-", n)
		s.Name, s.Contribution = oneLine(s.Name), oneLine(s.Contribution)
		if s.Name == "" || tooLong(s.Name, maxLine) {
			wrong.add(field+"name", "Write the sponsor's name")
		}
		if tooLong(s.Contribution, maxLine) {
			wrong.add(field+"contribution", fmt.Sprintf("Shorten this to %d characters", maxLine))
		}
		if s.URL != "" && !webAddress(s.URL) {
			wrong.add(field+"url", "Write the whole address, beginning with https://")
		}
	}
	if len(in.Agenda) > maxRows || len(in.Speakers) > maxRows || len(in.Sponsors) > maxRows {
		wrong.add("agenda", fmt.Sprintf("Keep to %d rows", maxRows))
	}
}
