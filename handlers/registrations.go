package handlers

import (
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/calendar"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// RegistrationNew is the form to register for an event.
type RegistrationNew struct {
	Layout
	Event        EventSum
	Action       string
	Errors       FieldErrors
	Tickets      []TicketChoice
	Several      bool
	TicketsError *FieldError
	Name, Email  Field
	Consent      bool
	ConsentError *FieldError
	Report       string // address for what breaks the code of conduct, when the desk names one
	Nonce        string
	Started      string      // signed time at which the form was made
	Puzzle       *PuzzleForm // nil: no proof of work is asked for
	Seats        string
}

// EventSum is an event beside a form: its date, its name, its hours and place.
type EventSum struct {
	Tile           DateTile
	URL, Title     string
	Language       string
	Date, Line     string
	Cover          template.HTML
	Panel          *TicketPanel
	Machine, Start string
	Zone           string
}

// TicketChoice is a ticket that can be chosen.
type TicketChoice struct {
	Slug, Name, Description, Left string
	Full, Chosen                  bool
}

// RegistrationClosed says why nobody can register for an event now, and what to do instead.
type RegistrationClosed struct {
	Layout
	Event    EventSum
	Heading  string
	Words    string
	Actions  []NavLink
	Upcoming []EventLine
}

const (
	formPurpose = "form"
	formMinimum = time.Second // nobody fills a form in less
)

func newEventSum(d models.EventDetail, now time.Time) EventSum {
	when := newEventWhen(d.Event)
	return EventSum{
		Tile: newDateTile(d.Event, now), URL: links.Event(d.Slug), Title: d.Title, Language: foreign(d.TextLanguage),
		Date: d.DateText(), Line: joined(d.TimeText(), d.PlaceText()), Cover: blessed(artwork.Cover("events/"+d.Slug, 640, 360, "")),
		Machine: when.Machine, Start: when.Start, Zone: when.Zone,
	}
}

func (a *App) showRegister(c *fiber.Ctx) error {
	event, err := a.Store.EventBySlug(c.UserContext(), c.Params("slug"))
	if err != nil {
		return err
	}
	if event.Slug != c.Params("slug") {
		return movedTo(c, links.Register(event.Slug))
	}
	now := a.Store.Now()
	if err := event.RegistrationRefusal(now); err != nil {
		return a.showRegistrationRefused(c, event, err)
	}
	if left, limited := models.SeatsLeft(event.Tickets); limited && left == 0 {
		return a.showRegistrationRefused(c, event, models.ErrEventFull)
	}
	in := models.RegisterInput{Nonce: auth.NewToken()}
	if v := viewer(c); v.SignedIn() {
		in.Name, in.Email = v.Name, v.Email
	}
	return a.showRegistrationForm(c, http.StatusOK, event, in, nil)
}

// showRegistrationForm shows the form with what was typed and what is wrong with it.
func (a *App) showRegistrationForm(c *fiber.Ctx, status int, d models.EventDetail, in models.RegisterInput, wrong FieldErrors) error {
	now := a.Store.Now()
	page := RegistrationNew{
		Event: newEventSum(d, now), Action: links.Register(d.Slug), Errors: wrong, Several: d.Choose == models.ChooseSeveral && len(d.Tickets) > 1,
		TicketsError: wrong.Of("tickets"), Consent: in.Consent, ConsentError: wrong.Of("consent"), Nonce: in.Nonce, Started: a.formStarted(typed(c, "started"), now),
		Name: Field{
			Name: "name", Label: "Name", Hint: "As it should stand on your ticket.", Type: "text", Value: in.Name,
			Autocomplete: "name", Required: true, Error: wrong.Of("name"),
		},
		Email: Field{
			Name: "email", Label: "E-mail", Hint: "Your ticket goes here. No account needed.", Type: "email", Value: in.Email,
			Autocomplete: "email", Required: true, Error: wrong.Of("email"),
		},
	}
	var err error
	if page.Puzzle, err = a.puzzle(c); err != nil {
		return err
	}
	for _, t := range d.Tickets {
		left, limited := t.Left()
		choice := TicketChoice{Slug: t.Slug, Name: t.Name, Description: t.Description, Left: "Open to all"}
		if limited {
			choice.Left, choice.Full = strconv.Itoa(left)+" left", left == 0
		}
		if choice.Full {
			choice.Left = "Full"
		}
		choice.Chosen = !choice.Full && (len(d.Tickets) == 1 || slices.Contains(in.Tickets, t.Slug))
		page.Tickets = append(page.Tickets, choice)
	}
	c.Set(fiber.HeaderCacheControl, "no-store") // the nonce is one visitor's
	title := "Register for " + d.Title
	if len(wrong) > 0 {
		title = "Error: " + title
	}
	page.Layout = a.layout(c, title, "Take a free place: "+d.Title+", "+d.DateText())
	page.Robots, page.Report = "noindex", a.site(c).ConductContact
	page.Scripts = append(page.Scripts, "js/form.js", "js/local-times.js")
	if page.Puzzle != nil {
		page.Scripts = append(page.Scripts, "js/puzzle.js")
	}
	return show(c, status, a.pages.registrationNew, page)
}

// formStarted is the time at which a form was made, signed, so that nobody sends it in less than a person needs. A form
// that is shown again keeps the time it had: to mend one field takes less.
func (a *App) formStarted(sent string, now time.Time) string {
	if _, ok := a.formMade(sent); ok {
		return sent
	}
	at := strconv.FormatInt(now.UnixMilli(), 10)
	return at + "." + a.Keys.Sign(formPurpose, at)
}

// formMade is the time that formStarted wrote; false when it did not.
func (a *App) formMade(started string) (time.Time, bool) {
	at, signature, _ := strings.Cut(started, ".")
	made, err := strconv.ParseInt(at, 10, 64)
	return time.UnixMilli(made), err == nil && a.Keys.Verify(signature, formPurpose, at)
}

// formTooFast reports whether a form was filled in faster than a person can, or does not say when it was made, as every form of
// ours does.
func (a *App) formTooFast(started string, now time.Time) bool {
	made, ok := a.formMade(started)
	return a.RateLimit && (!ok || now.Sub(made) < formMinimum)
}

func (a *App) createRegistration(c *fiber.Ctx) error {
	ctx := c.UserContext()
	in := models.RegisterInput{
		Name: typed(c, "name"), Email: typed(c, "email"), Tickets: typedAll(c, "tickets"), Consent: typed(c, "consent") != "", Nonce: typed(c, "nonce"),
	}
	// Nobody sees the field "fax": what fills it in is a machine.
	machine := typed(c, "fax") != "" || a.formTooFast(typed(c, "started"), a.Store.Now())
	var registration models.Registration
	err := error(models.FieldErrors{{Field: "name", Message: "That was quicker than people are: look it over and send it again"}})
	if !machine {
		if err = a.solved(c); err == nil {
			registration, err = a.Store.Register(ctx, c.Params("slug"), in)
		}
	}
	if err == nil {
		return seeOther(c, links.Registration(a.Store.RegistrationToken(registration)))
	}
	var fields FieldErrors
	wrong, early := fields.Take(err), errors.Is(err, models.ErrUnsolved)
	if !wrong && !early && !errors.Is(err, models.ErrConflict) {
		return err
	}
	event, readErr := a.Store.EventBySlug(ctx, c.Params("slug"))
	if readErr != nil {
		return readErr
	}
	switch {
	case early:
		return a.showRegistrationForm(c, http.StatusTooManyRequests, event, in, FieldErrors{unsolved})
	case wrong:
		return a.showRegistrationForm(c, http.StatusUnprocessableEntity, event, in, fields)
	case errors.Is(err, models.ErrTicketFull):
		fields.Add("tickets", "A ticket that you chose has just gone: choose another, the rest is as you typed it")
		return a.showRegistrationForm(c, http.StatusConflict, event, in, fields)
	}
	return a.showRegistrationRefused(c, event, err)
}

// showRegistrationRefused answers 409 with words and a next step, or leads to where registration is.
func (a *App) showRegistrationRefused(c *fiber.Ctx, d models.EventDetail, refusal error) error {
	if errors.Is(refusal, models.ErrElsewhere) && d.RegistrationURL != "" {
		return seeOther(c, d.RegistrationURL)
	}
	now := a.Store.Now()
	page := RegistrationClosed{Event: newEventSum(d, now), Actions: []NavLink{{URL: links.Event(d.Slug), Label: "To the event"}}}
	moment := func(t time.Time) string {
		local := t.In(d.Location())
		return shortDate(local, now) + local.Format(", 15:04 ") + models.ZoneText(local)
	}
	events := true
	switch {
	case errors.Is(refusal, models.ErrAlreadyRegistered):
		events = false
		page.Heading = "You are registered already"
		page.Words = "This address has a place at " + d.Title + ". We mailed the link to your ticket to it, so look into your inbox, and into the spam folder; " +
			"with that link you can also give the place up."
	case errors.Is(refusal, models.ErrEventFull):
		page.Heading = "Every seat is taken"
		page.Words = "When somebody gives a seat up, it is free at once for the next who asks: look in again."
	case errors.Is(refusal, models.ErrEventCancelled):
		page.Heading, page.Words = "This event is cancelled", "It does not take place, so nobody can register."
	case errors.Is(refusal, models.ErrEventPast):
		page.Heading, page.Words = "This event is over", "It took place: "+d.DateText()+"."
	case errors.Is(refusal, models.ErrNotOpenYet):
		events = false
		page.Heading, page.Words = "Registration is not open yet", "It opens "+moment(*d.OpensAt)+". Come back then."
	case errors.Is(refusal, models.ErrClosed):
		page.Heading, page.Words = "Registration is closed", "It closed "+moment(d.RegistrationClosesAt())+"."
	case d.Registration == models.RegistrationNone:
		events = false
		page.Heading, page.Words = "No registration needed", "Just come. The event's page says when and where."
	default:
		page.Heading, page.Words = "Registration is on another site", "The host takes registrations elsewhere."
		if d.RegistrationNote != "" {
			page.Words = d.RegistrationNote + "."
		}
	}
	if events {
		rows, err := a.Store.Events(c.UserContext(), models.EventFilter{Living: true, NotID: d.ID, Limit: 3})
		if err != nil {
			return err
		}
		page.Upcoming = newEventLines(rows, now)
	}
	page.Layout = a.layout(c, page.Heading+": "+d.Title, page.Words)
	page.Robots = "noindex"
	return show(c, http.StatusConflict, a.pages.registrationClosed, page)
}

// RegistrationShow is an attendee's own page: the ticket.
type RegistrationShow struct {
	Layout
	State        EventState
	Heading      string
	Words        string
	Event        EventSum
	Living       bool // the place is held and the event takes place
	Over         bool
	Cover        template.HTML
	QR           template.HTML
	Code         string
	Holder       string
	Tickets      []string
	When         EventWhen
	SeveralDays  bool
	Where        EventWhere
	OnlineLink   string
	Calendars    []NavLink
	Cancellation string // where to post it; empty when it is too late
	Erasure      string // where to post it; empty while the place is held
	Again        string // the form to register once more
	Links        []NavLink
	Before       string
}

func (a *App) showRegistration(c *fiber.Ctx) error {
	private(c)
	token := c.Params("token")
	d, err := a.Store.RegistrationByToken(c.UserContext(), token)
	if err != nil {
		return err
	}
	page, err := a.newRegistrationShow(d, token)
	if err != nil {
		return err
	}
	page.Layout = a.layout(c, "Your ticket: "+d.Event.Title, "Your registration for "+d.Event.Title)
	page.Robots, page.Canonical, page.Share = "noindex, nofollow", "", nil
	page.Scripts = append(page.Scripts, "js/form.js", "js/local-times.js", "js/print.js")
	return show(c, http.StatusOK, a.pages.registrationShow, page)
}

func (a *App) newRegistrationShow(d models.RegistrationDetail, token string) (RegistrationShow, error) {
	now := a.Store.Now()
	e := d.Event.Event
	page := RegistrationShow{
		Event: newEventSum(d.Event, now), Cover: blessed(artwork.Cover("events/"+e.Slug, 640, 128, "")), Code: d.Code(), Holder: d.Name,
		When: newEventWhen(e), SeveralDays: e.SeveralDays(), Where: newEventWhere(e, now), Over: e.PastAt(now),
	}
	page.Where.Note = ""
	if d.Erasable(e, now) {
		page.Erasure = links.RegistrationErasure(token)
	}
	for _, t := range d.Tickets {
		page.Tickets = append(page.Tickets, t.Name)
	}
	switch {
	case d.Status == models.RegistrationCancelled:
		page.State = EventState{Look: "bad", Words: "Cancelled"}
		page.Heading, page.Words = "Your place is given up", "It is free for somebody else, and a mail takes the event out of your calendar."
		if e.RegistrationRefusal(now) == nil {
			page.Again = links.Register(e.Slug)
			page.Words += " To come after all, register again while there are seats."
		}
		return page, nil
	case e.Status == models.EventCancelled:
		page.State = EventState{Look: "bad", Words: "Event cancelled"}
		page.Heading, page.Words = "This event is cancelled", "It does not take place."
		if d.Event.CancelReason != "" {
			page.Words += " The hosts say: " + d.Event.CancelReason
		}
		return page, nil
	case page.Over:
		page.State = EventState{Look: "plain", Words: "It is over"}
		page.Heading, page.Words = "Thank you, "+givenName(d.Name), "The event is over. This page stays as your record of it until your data is erased."
	default:
		page.State = EventState{Look: "ok", Words: "Confirmed"}
		page.Heading = "You’re in, " + givenName(d.Name)
		page.Words = "We mail this page to " + d.Email + ". Keep the link to yourself: it is the key to your ticket."
		page.Cancellation = links.RegistrationCancellation(token)
		page.OnlineLink = e.OnlineLink
		page.Calendars = calendarLinks(calendar.ForAttendee(e, a.Site), links.RegistrationCalendar(token))
		for _, l := range e.Links {
			page.Links = append(page.Links, NavLink{URL: l.URL, Label: l.Label})
		}
		page.Before = "Before you come"
		if e.DatePrecision != models.PrecisionMonth {
			page.Before = "Before " + e.LocalStart().Format("Monday")
		}
	}
	page.Living = true
	qr, err := artwork.QR(a.Store.TicketCode(d.Registration))
	page.QR = blessed(qr)
	return page, err
}

// showRegistrationCalendar is the event as a file for the attendee's own calendar.
func (a *App) showRegistrationCalendar(c *fiber.Ctx) error {
	private(c)
	d, err := a.Store.RegistrationByToken(c.UserContext(), c.Params("token"))
	if err != nil {
		return err
	}
	entry := calendar.FromEvent(d.Event.Event, a.Site)
	if d.Status == models.RegistrationConfirmed {
		entry = calendar.ForAttendee(d.Event.Event, a.Site)
	} else {
		entry.Status = calendar.StatusCancelled
	}
	body, err := calendar.Calendar{Name: d.Event.Title, Events: []calendar.Event{entry}}.Encode()
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+d.Event.Slug+`.ics"`)
	return send(c, http.StatusOK, calendar.Type, body, time.Time{})
}

func (a *App) cancelRegistration(c *fiber.Ctx) error {
	private(c)
	if _, err := a.Store.Cancel(c.UserContext(), c.Params("token")); err != nil {
		return err
	}
	return seeOther(c, links.Registration(c.Params("token")))
}
