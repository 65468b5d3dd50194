package handlers

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/templates"
)

// AdminEventList is the list of the events that somebody may edit.
type AdminEventList struct {
	Layout
	Views  []ListView
	View   string
	Query  string
	Events []AdminEventRow
	Empty  bool // there are none in any view
	Create bool // the viewer may make one
	Pager  Pager
}

// AdminEventRow is an event in the desk's list.
type AdminEventRow struct {
	URL, Title, Language string
	When, Machine        string
	Where                string
	State                EventState
	Sample               bool
	Seats                string
	Taken                int // hundredths; -1: no meter
	Full                 bool
	AttendeesURL         string // empty when nobody can register here
}

var eventViewLabels = map[models.EventView]string{
	models.ViewComing: "Coming", models.ViewDrafts: "Drafts", models.ViewPast: "Past", models.ViewCancelled: "Cancelled",
}

func (a *App) listDeskEvents(c *fiber.Ctx) error {
	v, query := viewer(c), typedQuery(c)
	view := models.EventView(c.Query("view", string(models.ViewComing)))
	page, err := pageNumber(c)
	if err != nil || !slices.Contains(models.EventViews, view) {
		return cmp.Or(err, models.ErrNotFound)
	}
	rows, counts, err := a.Store.DeskEvents(c.UserContext(), v, models.DeskEventFilter{View: view, Search: query, Limit: deskPageSize, Offset: (page - 1) * deskPageSize})
	if err != nil {
		return err
	}
	data := AdminEventList{Layout: a.deskLayout(c, "Events", "Events"), Query: query, View: string(view), Empty: query == ""}
	data.Create = len(v.GroupIDs) > 0 || v.Can(models.CreateEvent, models.Object{})
	for _, choice := range models.EventViews {
		word := string(choice)
		if choice == models.ViewComing {
			word = ""
		}
		data.Empty = data.Empty && counts[choice] == 0
		data.Views = append(data.Views, ListView{URL: listURL(links.DeskEvents, "view", word, "q", query), Label: eventViewLabels[choice], Count: counts[choice], Current: choice == view})
	}
	if view == models.ViewComing {
		data.View = ""
	}
	if data.Pager, err = newPager(listURL(links.DeskEvents, "view", data.View, "q", query), page, counts[view], deskPageSize); err != nil {
		return err
	}
	for _, row := range rows {
		data.Events = append(data.Events, a.newAdminEventRow(row))
	}
	return show(c, http.StatusOK, a.pages.adminEventList, data)
}

// typedQuery is what somebody searches for.
func typedQuery(c *fiber.Ctx) string { return strings.TrimSpace(c.Query("q")) }

func (a *App) newAdminEventRow(row models.DeskEventRow) AdminEventRow {
	e, now := row.Event, a.Store.Now()
	line := AdminEventRow{
		URL: links.DeskEvent(e.ID), Title: e.Title, Language: foreign(e.TextLanguage), When: shortDate(e.LocalStart(), now), Machine: machineDate(e),
		Where: e.PlaceText(), State: deskEventState(e, now), Sample: e.Sample, Taken: -1,
	}
	if e.DatePrecision == models.PrecisionMonth {
		line.When = e.DateText()
	} else if e.DatePrecision != models.PrecisionDay {
		line.When += ", " + e.LocalStart().Format("15:04")
	}
	if row.GroupName != "" {
		line.Where = joined(line.Where, row.GroupName)
	}
	switch e.Registration {
	case models.RegistrationOutside:
		line.Seats = "Registration elsewhere"
	case models.RegistrationNone:
		line.Seats = "No registration"
	case models.RegistrationPortal:
		line.AttendeesURL = links.DeskAttendees(e.ID)
		line.Seats = templates.Thousands(row.Registered) + " registered"
		if row.Seats > 0 {
			line.Seats = templates.Thousands(row.Taken) + " of " + templates.Thousands(row.Seats)
			line.Taken, line.Full = min(100, 100*row.Taken/row.Seats), row.Taken >= row.Seats
		}
	}
	return line
}

// deskEventState is how an event stands for those who run it.
func deskEventState(e models.Event, now time.Time) EventState {
	switch {
	case e.Status == models.EventDraft:
		return EventState{Look: "warn", Words: "Draft"}
	case e.Status == models.EventCancelled:
		return EventState{Look: "bad", Words: "Cancelled"}
	case e.PastAt(now):
		return EventState{Look: "plain", Words: "Over"}
	case liveNow(e, now):
		return EventState{Look: "live", Words: "Live now"}
	}
	return EventState{Look: "ok", Words: "Published"}
}

// AdminEventEdit is the editor of an event.
type AdminEventEdit struct {
	Layout
	Heading  string
	Action   string
	Version  string
	DraftKey string
	Errors   FieldErrors
	Stale    []StaleLine // what somebody else saved meanwhile and how it differs
	IsStale  bool
	Sections []FormSection
	Zones    []string
	Body     template.HTML // the text as it was saved
	State    EventState
	Told     string // what saving sends to whom, or nothing
	Draft    bool   // or not stored yet
	Reason   string // why it was cancelled

	PublishURL, PreviewURL, PublicURL, AttendeesURL, CopyURL, CancelURL string // empty: not possible
	Attendees                                                           int
}

func (a *App) newEvent(c *fiber.Ctx) error {
	v := viewer(c)
	groups, err := a.Store.OwnGroups(c.UserContext(), v)
	if err != nil {
		return err
	}
	staff := v.Can(models.CreateEvent, models.Object{})
	if len(groups) == 0 && !staff {
		return fmt.Errorf("%w: no group to create an event for", models.ErrNotFound)
	}
	if from, err := strconv.ParseInt(c.Query("from"), 10, 64); err == nil {
		event, err := a.Store.DeskEvent(c.UserContext(), v, from)
		if err != nil {
			return err
		}
		return a.eventEditor(c, http.StatusOK, nil, eventFormOf(event).copied(), nil, nil)
	}
	var group models.GroupChoice
	if !staff {
		group = groups[0]
	}
	for _, g := range groups {
		if strconv.FormatInt(g.ID, 10) == c.Query("group") {
			group = g
		}
	}
	return a.eventEditor(c, http.StatusOK, nil, newEventForm(group, v.Timezone, a.Store.Now()), nil, nil)
}

func (a *App) editEvent(c *fiber.Ctx) error {
	event, err := a.deskEvent(c)
	if err != nil {
		return err
	}
	return a.eventEditor(c, http.StatusOK, &event, eventFormOf(event), nil, nil)
}

// deskEvent is the event that the address names, if the viewer may edit it.
func (a *App) deskEvent(c *fiber.Ctx) (models.DeskEvent, error) {
	id, err := paramID(c, "id")
	if err != nil {
		return models.DeskEvent{}, err
	}
	return a.Store.DeskEvent(c.UserContext(), viewer(c), id)
}

// eventEditor shows the form with what was typed. event is nil for a new one; theirs is what somebody else saved.
func (a *App) eventEditor(c *fiber.Ctx, status int, event *models.DeskEvent, form eventForm, errs FieldErrors, theirs *eventForm) error {
	ctx, v := c.UserContext(), viewer(c)
	groups, err := a.Store.OwnGroups(ctx, v)
	if err != nil {
		return err
	}
	page := AdminEventEdit{
		Layout: a.deskLayout(c, "Events", "New event"), Heading: "New event", Action: links.DeskEvents, Version: "0", DraftKey: "event-new",
		Errors: errs, Zones: zones, Draft: true,
	}
	page.Scripts = append(page.Scripts, "js/form.js", "js/editor.js")
	holders := map[string]int{}
	if event != nil {
		page.Title, page.Heading, page.Action = event.Title+", edit event", event.Title, links.DeskEvent(event.ID)
		page.Version, page.DraftKey = strconv.FormatInt(event.Version, 10), "event-"+strconv.FormatInt(event.ID, 10)
		if err := a.eventSide(c, &page, *event); err != nil {
			return err
		}
		for id, n := range event.Holders {
			holders[strconv.FormatInt(id, 10)] = n
		}
	}
	if theirs != nil {
		page.IsStale, page.Stale = true, form.against(*theirs)
	}
	page.Sections = form.sections(page.Action, groups, v.Can(models.CreateEvent, models.Object{}), errs, holders)
	rendered, err := a.Store.Preview(ctx, form.fields["body"])
	if err != nil && !errors.Is(err, models.ErrInvalid) {
		return err
	}
	page.Body = blessed(rendered.HTML)
	return show(c, status, a.pages.adminEventEdit, page)
}

// eventSide fills what stands beside the form of a stored event: its state and what can be done with it.
func (a *App) eventSide(c *fiber.Ctx, page *AdminEventEdit, event models.DeskEvent) error {
	now := a.Store.Now()
	page.State = deskEventState(event.Event, now)
	page.PreviewURL, page.CopyURL = links.DeskEventPreview(event.ID), links.DeskEventCopy(event.ID)
	page.Draft = event.Status == models.EventDraft
	switch event.Status {
	case models.EventDraft:
		page.PublishURL = links.DeskEventPublication(event.ID)
	case models.EventPublished:
		page.PreviewURL, page.PublicURL = "", links.Event(event.Slug)
		if !event.PastAt(now) {
			page.CancelURL = links.DeskEventCancellation(event.ID)
		}
		told, err := a.Store.RecipientsOf(c.UserContext(), viewer(c), event.ID)
		if err != nil {
			return err
		}
		if told > 0 {
			page.Told = "A change of time, zone, place or mode is mailed to the " + people(told, "person", "people") + " registered, for their calendars. Other changes send nothing."
		} else {
			page.Told = "Saving sends no mail: nobody is registered who would have to know."
		}
	case models.EventCancelled:
		page.PreviewURL, page.PublicURL = "", links.Event(event.Slug)
		if event.Cancellation != nil {
			page.Reason = event.Cancellation.Reason
		}
	}
	if event.Registration == models.RegistrationPortal && event.Status != models.EventDraft {
		page.AttendeesURL, page.Attendees = links.DeskAttendees(event.ID), event.Registered
	}
	return nil
}

func (a *App) createEvent(c *fiber.Ctx) error {
	form := typedEvent(c)
	if form.added(typed(c, "add")) {
		return a.eventEditor(c, http.StatusOK, nil, form, nil, nil)
	}
	in, errs := form.input()
	if len(errs) > 0 {
		return a.eventEditor(c, http.StatusUnprocessableEntity, nil, form, errs, nil)
	}
	event, err := a.Store.CreateEvent(c.UserContext(), viewer(c), in, a.Site.Host())
	if errs, ok := mendable(err); ok {
		return a.eventEditor(c, http.StatusUnprocessableEntity, nil, form, errs, nil)
	}
	if err != nil {
		return err
	}
	a.flash(c, savedFlash(in, "event-created"))
	return seeOther(c, links.DeskEvent(event.ID))
}

func (a *App) saveEvent(c *fiber.Ctx) error {
	event, err := a.deskEvent(c)
	if err != nil {
		return err
	}
	form, ctx := typedEvent(c), c.UserContext()
	version := typedID(c, "version")
	if form.added(typed(c, "add")) {
		event.Version = version
		return a.eventEditor(c, http.StatusOK, &event, form, nil, nil)
	}
	in, errs := form.input()
	if len(errs) == 0 {
		var told int
		told, err = a.Store.UpdateEvent(ctx, viewer(c), event.ID, version, in)
		if err == nil {
			name := "saved"
			if told > 0 {
				name = "event-told"
			}
			a.flash(c, savedFlash(in, name))
			return seeOther(c, links.DeskEvent(event.ID))
		}
	}
	if held, ok := errors.AsType[*models.TicketHeldError](err); ok {
		form.giveBack(event, held.Ticket)
	}
	if found, ok := mendable(err); ok {
		errs = append(errs, found...)
	}
	switch {
	case len(errs) > 0:
		event.Version = version
		status := http.StatusUnprocessableEntity
		if errors.Is(err, models.ErrConflict) {
			status = http.StatusConflict
		}
		return a.eventEditor(c, status, &event, form, errs, nil)
	case errors.Is(err, models.ErrStale):
		theirs := eventFormOf(event)
		return a.eventEditor(c, http.StatusConflict, &event, form, nil, &theirs)
	}
	return err
}

// savedFlash says that an event was saved, and that a time was moved if the clocks skip it.
func savedFlash(in models.EventInput, otherwise string) string {
	for _, local := range []string{in.StartsLocal, in.EndsLocal} {
		if kind, err := models.WallTimeOf(local, in.Timezone); err == nil && kind == models.WallSkipped {
			return "event-skipped"
		}
	}
	return otherwise
}

// added puts an empty part behind those of the kind that a button asked for.
func (f eventForm) added(part string) bool {
	for _, known := range eventParts {
		if known.name == part {
			f.rows[part] = append(f.rows[part], formRow{})
			return true
		}
	}
	return false
}

// giveBack puts a stored ticket back into a form from which it was taken.
func (f eventForm) giveBack(event models.DeskEvent, name string) {
	stored := eventFormOf(event)
	for _, row := range stored.rows["ticket"] {
		if row["name"] == name {
			row["quotas"] = ""
			f.rows["ticket"] = append(f.rows["ticket"], row)
		}
	}
}

// mendable turns a refusal that somebody can mend in the form into the errors of its fields.
func mendable(err error) (errs FieldErrors, ok bool) {
	errs.Take(err)
	if below, is := errors.AsType[*models.BelowTakenError](err); is {
		words := people(below.Taken, "is taken", "are taken")
		if below.Held > 0 {
			words += " and " + strconv.Itoa(below.Held) + " kept back"
		}
		errs.Add(fmt.Sprintf("quota-%d-size", below.Position), fmt.Sprintf("Write at least %d: %s of “%s”", below.Taken+below.Held, words, below.Quota))
	}
	if held, is := errors.AsType[*models.TicketHeldError](err); is {
		errs.Add("tickets", fmt.Sprintf("“%s” stands on %s, so it stays", held.Ticket, people(held.Holders, "registration", "registrations")))
	}
	if errors.Is(err, models.ErrSlugTaken) {
		errs.Add("slug", "Choose another address: this one leads to something else")
	}
	return errs, len(errs) > 0
}

// previewEvent shows an event as its page will look, to those who may edit it.
func (a *App) previewEvent(c *fiber.Ctx) error {
	event, err := a.deskEvent(c)
	if err != nil {
		return err
	}
	private(c)
	page := newEventShow(event.EventDetail, a.Site, a.Store.Now())
	page.Layout = a.layout(c, event.Title+", preview", event.Summary)
	page.Robots, page.Canonical, page.Share = "noindex, nofollow", "", nil
	page.Scripts = append(page.Scripts, "js/local-times.js")
	if event.Status == models.EventDraft {
		page.Notice = &EventNotice{Look: "warn", Words: "This is a preview. Nobody else sees it yet."}
	}
	return show(c, http.StatusOK, a.pages.eventShow, page)
}

// AdminConfirm asks once more before something that cannot be taken back, and says what it sends to how many.
type AdminConfirm struct {
	Layout
	Place   NavLink // what it is about
	Heading string
	Words   []string
	Action  string
	Button  string
	Danger  bool
	Reason  *Field
	Errors  FieldErrors
	BackURL string
	Back    string
}

func (a *App) askPublication(c *fiber.Ctx) error {
	event, err := a.deskEvent(c)
	if err != nil {
		return err
	}
	if event.Status != models.EventDraft {
		return models.ErrTransition
	}
	words := []string{
		"It appears at once on the home page, in the lists, in the feeds and in the calendars that people subscribe to.",
		"No mail is sent: nobody is registered yet.",
	}
	if event.PastAt(a.Store.Now()) {
		words[0] = "It lies in the past already, so it appears among the past events."
	}
	if event.Registration == models.RegistrationPortal {
		words = append(words, "From then on people can register"+opensWords(event.Event)+".")
	}
	return a.confirm(c, http.StatusOK, event, AdminConfirm{
		Layout: a.deskLayout(c, "Events", "Publish “"+event.Title+"”"), Heading: "Publish “" + event.Title + "”?", Action: links.DeskEventPublication(event.ID),
		Words: append([]string{whenAndWhere(event.Event) + "."}, words...), Button: "Publish now",
		BackURL: links.DeskEvent(event.ID), Back: "Back to the event",
	})
}

func opensWords(e models.Event) string {
	if e.OpensAt == nil {
		return ""
	}
	return ", as soon as registration opens on " + e.OpensAt.In(e.Location()).Format("Mon 2 January 2006 at 15:04 MST")
}

func (a *App) confirm(c *fiber.Ctx, status int, event models.DeskEvent, page AdminConfirm) error {
	page.Place = NavLink{URL: links.DeskEvent(event.ID), Label: event.Title}
	page.Scripts = append(page.Scripts, "js/form.js")
	return show(c, status, a.pages.adminConfirm, page)
}

func (a *App) publishEvent(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Store.PublishEvent(c.UserContext(), viewer(c), id); err != nil {
		return err
	}
	a.flash(c, "event-published")
	return seeOther(c, links.DeskEvent(id))
}

func (a *App) askEventCancellation(c *fiber.Ctx) error {
	return a.eventCancellation(c, http.StatusOK, "", nil)
}

func (a *App) eventCancellation(c *fiber.Ctx, status int, reason string, errs FieldErrors) error {
	event, err := a.deskEvent(c)
	if err != nil {
		return err
	}
	if event.Status != models.EventPublished {
		return models.ErrTransition
	}
	told, err := a.Store.RecipientsOf(c.UserContext(), viewer(c), event.ID)
	if err != nil {
		return err
	}
	words := []string{
		whenAndWhere(event.Event) + ".",
		"A mail goes to " + people(told, "person", "people") + " at once and takes the event out of their calendars.",
		"The page stays, says that the event is cancelled, and why. This is for good: to hold it after all, copy it to a new event.",
	}
	if told == 0 {
		words[1] = "No mail is sent: nobody is registered."
	}
	return a.confirm(c, status, event, AdminConfirm{
		Layout: a.deskLayout(c, "Events", "Cancel “"+event.Title+"”"), Heading: "Cancel “" + event.Title + "”?", Words: words, Errors: errs,
		Action: links.DeskEventCancellation(event.ID), Button: "Cancel the event", Danger: true, BackURL: links.DeskEvent(event.ID), Back: "Keep the event",
		Reason: &Field{Name: "reason", Label: "Why", Hint: "It stands in the mail and on the page.", Type: "text", Value: reason, Max: 300, Required: true, Error: errs.Of("reason")},
	})
}

func (a *App) cancelEvent(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	reason := typed(c, "reason")
	told, err := a.Store.CancelEvent(c.UserContext(), viewer(c), id, reason)
	if errs, ok := mendable(err); ok {
		return a.eventCancellation(c, http.StatusUnprocessableEntity, reason, errs)
	}
	if err != nil {
		return err
	}
	name := "event-cancelled"
	if told == 0 {
		name = "event-cancelled-quietly"
	}
	a.flash(c, name)
	return seeOther(c, links.DeskEvent(id))
}

// whenAndWhere is an event's date, hours as far as they are known, and place.
func whenAndWhere(e models.Event) string {
	return joined(joined(e.DateText(), e.TimeText()), e.PlaceText())
}
