package handlers

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/calendar"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// calendarRefresh is how often a calendar that subscribed should ask again.
const calendarRefresh = 4 * time.Hour

// showEventsCalendar is every public event around now, as a calendar to subscribe to.
func (a *App) showEventsCalendar(c *fiber.Ctx) error {
	rows, err := a.Store.CalendarEvents(c.UserContext(), 0, 0)
	if err != nil {
		return err
	}
	return a.sendCalendar(c, a.site(c).ShortName+" community events", links.Events, rows)
}

// showEventCalendar is one event as a calendar file.
func (a *App) showEventCalendar(c *fiber.Ctx) error {
	event, err := a.Store.EventBySlug(c.UserContext(), c.Params("slug"))
	if err != nil {
		return err
	}
	if event.Slug != c.Params("slug") {
		return movedTo(c, links.EventCalendar(event.Slug))
	}
	return a.sendCalendar(c, event.Title, links.Event(event.Slug), []models.EventRow{event.Row()})
}

// sendCalendar answers with events as an iCalendar object, or with 304. path is the page that shows the same events.
func (a *App) sendCalendar(c *fiber.Ctx, name, path string, rows []models.EventRow) error {
	file := calendar.Calendar{Name: name, URL: a.Site.Abs(path), RefreshInterval: calendarRefresh}
	var changed time.Time
	for _, row := range rows {
		file.Events = append(file.Events, calendar.FromEvent(row.Event, a.Site))
		if row.UpdatedAt.After(changed) {
			changed = row.UpdatedAt
		}
	}
	body, err := file.Encode()
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, publicCache)
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return send(c, http.StatusOK, calendar.Type, body, changed)
}

// calendarLinks are the ways to take an event into a calendar; file is the path of its calendar file.
func calendarLinks(entry calendar.Event, file string) []NavLink {
	return []NavLink{
		{URL: file, Label: "Calendar file (.ics)"},
		{URL: calendar.GoogleURL(entry), Label: "Google Calendar"},
		{URL: calendar.OutlookURL(entry), Label: "Outlook.com"},
		{URL: calendar.OfficeURL(entry), Label: "Microsoft 365"},
	}
}
