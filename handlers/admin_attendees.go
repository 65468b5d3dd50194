package handlers

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/templates"
)

// AdminAttendees is who registered for an event.
type AdminAttendees struct {
	Layout
	Event     NavLink
	When      string
	Confirmed int
	SeatsLeft int
	Limited   bool
	Views     []ListView
	Path      string
	View      string
	Query     string
	CSVURL    string
	Several   bool // the event has more than one ticket
	Legend    []TicketPip
	Cancelled bool // the event
	Attendees []AttendeeLine
	Anybody   bool // somebody ever registered
	Range     string
	Pager     Pager
	PublicURL string
}

// AttendeeLine is a registration in the list.
type AttendeeLine struct {
	Name, Email, Code string
	Initials          string
	Hue               int
	Pips              []TicketPip
	Tickets           string // the same in words
	When, Machine     string
	Cancelled, Erased bool
	CancelURL         string // empty: not possible any more
	EraseURL          string // for admins, once it is possible
}

// TicketPip is a ticket that a person has or has not.
type TicketPip struct {
	Letter string
	Name   string // in the legend
	On     bool
}

func (a *App) listAttendees(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), viewer(c)
	event, err := a.deskEvent(c)
	if err != nil {
		return err
	}
	number, err := pageNumber(c)
	if err != nil {
		return err
	}
	counts, err := a.Store.CountAttendees(ctx, v, event.ID)
	if err != nil {
		return err
	}
	query, view := typedQuery(c), c.Query("show")
	path := links.DeskAttendees(event.ID)
	page := AdminAttendees{
		Layout: a.deskLayout(c, "Events", event.Title+", attendees"), Event: NavLink{URL: links.DeskEvent(event.ID), Label: event.Title},
		When: joined(event.DateText(), event.PlaceText()), Confirmed: counts.Confirmed, Path: path, View: view, Query: query,
		CSVURL: links.DeskAttendeesCSV(event.ID), Several: len(event.Tickets) > 1, Anybody: counts.Confirmed+counts.Cancelled > 0,
		Cancelled: event.Status == models.EventCancelled,
	}
	if event.Status == models.EventPublished {
		page.PublicURL = links.Event(event.Slug)
	}
	page.SeatsLeft, page.Limited = models.SeatsLeft(event.Tickets)
	filter := models.AttendeeFilter{Search: query, Limit: deskPageSize, Offset: (number - 1) * deskPageSize}
	known := false
	add := func(word, label string, n int, chosen func()) {
		page.Views = append(page.Views, ListView{URL: listURL(path, "show", word, "q", query), Label: label, Count: n, Current: view == word})
		if view == word {
			known = true
			chosen()
		}
	}
	add("", "Everyone", counts.Confirmed, func() { filter.Status = models.RegistrationConfirmed })
	if page.Several {
		for _, t := range event.Tickets {
			page.Legend = append(page.Legend, TicketPip{Letter: ticketLetter(t), Name: t.Name})
			add(t.Slug, t.Name, counts.Tickets[t.ID], func() { filter.TicketID, filter.Status = t.ID, models.RegistrationConfirmed })
		}
	}
	// No slug has a dot, so this word is no ticket's.
	add(".cancelled", "Cancelled", counts.Cancelled, func() { filter.Status = models.RegistrationCancelled })
	if !known {
		return fmt.Errorf("%w: view %q", models.ErrNotFound, view)
	}
	rows, total, err := a.Store.Attendees(ctx, v, event.ID, filter)
	if err != nil {
		return err
	}
	if page.Pager, err = newPager(listURL(path, "show", view, "q", query), number, total, deskPageSize); err != nil {
		return err
	}
	if total > deskPageSize {
		page.Range = fmt.Sprintf("%s – %s of %s", templates.Thousands(filter.Offset+1), templates.Thousands(filter.Offset+len(rows)), templates.Thousands(total))
	}
	for _, row := range rows {
		line := a.newAttendeeLine(event, row)
		if v.Can(models.EraseOthers, models.Object{}) && row.Erasable(event.Event, a.Store.Now()) {
			line.EraseURL = links.DeskAttendeeErasure(event.ID, row.ID)
		}
		page.Attendees = append(page.Attendees, line)
	}
	return show(c, http.StatusOK, a.pages.adminAttendees, page)
}

func (a *App) newAttendeeLine(event models.DeskEvent, row models.Attendee) AttendeeLine {
	registered := row.CreatedAt.In(event.Location())
	line := AttendeeLine{
		Name: row.Name, Email: row.Email, Code: row.Code(), Initials: artwork.Initials(row.Name), Hue: artwork.Hue(row.Name),
		When: registered.Format("2 Jan"), Machine: registered.Format(time.RFC3339), Cancelled: row.Status == models.RegistrationCancelled, Erased: row.ErasedAt != nil,
		Tickets: listed(ticketNames(event, row)),
	}
	if registered.Year() != a.Store.Now().Year() {
		line.When = registered.Format("2 Jan 2006")
	}
	for _, t := range event.Tickets {
		pip := TicketPip{Letter: "·"}
		for _, id := range row.TicketIDs {
			if id == t.ID {
				pip = TicketPip{Letter: ticketLetter(t), On: true}
			}
		}
		line.Pips = append(line.Pips, pip)
	}
	if !line.Cancelled && !event.PastAt(a.Store.Now()) {
		line.CancelURL = links.DeskAttendeeCancellation(event.ID, row.ID)
	}
	return line
}

func ticketLetter(t models.Ticket) string {
	letter, _ := utf8.DecodeRuneInString(t.Name)
	return string(unicode.ToUpper(letter))
}

// ticketNames are the names of a registration's tickets.
func ticketNames(event models.DeskEvent, row models.Attendee) []string {
	var names []string
	for _, id := range row.TicketIDs {
		for _, t := range event.Tickets {
			if t.ID == id {
				names = append(names, t.Name)
			}
		}
	}
	return names
}

// exportLength is how long an export may take.
const exportLength = time.Minute

// exportAttendees streams an event's registrations as a table for spreadsheets (RFC 4180), UTF-8 with a byte order mark.
func (a *App) exportAttendees(c *fiber.Ctx) error {
	event, err := a.deskEvent(c)
	if err != nil {
		return err
	}
	// The answer is written after the handler has returned, when the request's own context has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), exportLength)
	rows, err := a.Store.ExportAttendees(ctx, viewer(c), event.ID)
	if err != nil {
		cancel()
		return err
	}
	private(c)
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8; header=present")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+event.Slug+`-attendees.csv"`)
	reader, writer := io.Pipe()
	go func() {
		defer cancel()
		err := writeAttendees(writer, event, rows)
		if err != nil {
			a.Log.LogAttrs(ctx, slog.LevelWarn, "export of attendees broke off", slog.String("error", err.Error()))
		}
		// With an error the connection breaks off, so that nobody takes a part for the whole.
		_ = writer.CloseWithError(err)
	}()
	return c.SendStream(reader)
}

// attendeeColumns are the table's heads. They stay as they are: people's spreadsheets know them.
var attendeeColumns = []string{"code", "name", "email", "tickets", "status", "registered_at", "cancelled_at"}

func writeAttendees(to io.Writer, event models.DeskEvent, rows iter.Seq2[models.Attendee, error]) error {
	buffer := bufio.NewWriter(to)
	if _, err := buffer.WriteString("\ufeff"); err != nil {
		return err
	}
	table := csv.NewWriter(buffer)
	table.UseCRLF = true
	if err := table.Write(attendeeColumns); err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		cancelled := ""
		if row.CancelledAt != nil {
			cancelled = row.CancelledAt.In(event.Location()).Format(time.RFC3339)
		}
		cells := []string{
			row.Code(), row.Name, row.Email, strings.Join(ticketNames(event, row), "; "), string(row.Status),
			row.CreatedAt.In(event.Location()).Format(time.RFC3339), cancelled,
		}
		for i := range cells {
			cells[i] = harmless(cells[i])
		}
		if err := table.Write(cells); err != nil {
			return err
		}
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return err
	}
	return buffer.Flush()
}

// formulaStart is where a spreadsheet would begin a formula: at the start of a cell or behind a semicolon or a tab, at which
// spreadsheets of many countries part the cells.
var formulaStart = regexp.MustCompile(`^[\t\r\n=+\-@＝＋－＠]|[;\t]["' ]*[=+\-@＝＋－＠]`)

// harmless keeps a spreadsheet from taking what somebody typed for a formula.
func harmless(cell string) string {
	return formulaStart.ReplaceAllStringFunc(cell, func(start string) string {
		_, length := utf8.DecodeLastRuneInString(start)
		return start[:len(start)-length] + "'" + start[len(start)-length:]
	})
}

func (a *App) askAttendeeCancellation(c *fiber.Ctx) error {
	event, err := a.deskEvent(c)
	if err != nil {
		return err
	}
	id, err := paramID(c, "registration")
	if err != nil {
		return err
	}
	row, err := a.Store.AttendeeOf(c.UserContext(), viewer(c), event.ID, id)
	if err != nil {
		return err
	}
	switch {
	case row.Status == models.RegistrationCancelled:
		return models.ErrTransition
	case event.PastAt(a.Store.Now()):
		return models.ErrEventPast
	}
	return a.confirm(c, http.StatusOK, event, AdminConfirm{
		Layout: a.deskLayout(c, "Events", "Cancel the place of "+row.Name), Heading: "Cancel the place of " + row.Name + "?",
		Words: []string{
			event.Title + ", " + event.DateText() + ". " + listed(ticketNames(event, row)) + ".",
			"The seat is free for somebody else at once. One mail goes to " + row.Email + " and takes the event out of the calendar.",
		},
		Action: links.DeskAttendeeCancellation(event.ID, id), Button: "Cancel the place", Danger: true, BackURL: links.DeskAttendees(event.ID), Back: "Back to the list",
	})
}

func (a *App) cancelAttendee(c *fiber.Ctx) error {
	eventID, err := paramID(c, "id")
	if err != nil {
		return err
	}
	id, err := paramID(c, "registration")
	if err != nil {
		return err
	}
	if err := a.Store.CancelAttendee(c.UserContext(), viewer(c), eventID, id); err != nil {
		return err
	}
	a.flash(c, "attendee-cancelled")
	return seeOther(c, links.DeskAttendees(eventID))
}
