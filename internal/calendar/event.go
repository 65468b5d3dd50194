package calendar

import (
	"strings"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// FromEvent is an event of the portal as everybody may have it in a calendar: without the online link. Stamp is the moment
// of its last change; a mail sets that of sending.
func FromEvent(e models.Event, site links.Site) Event {
	address := site.Abs(links.Event(e.Slug))
	entry := Event{
		UID: e.UID, Sequence: e.Sequence, Start: e.StartsAt, End: e.EndsAt, Zone: e.Location(),
		Summary: e.Title, Description: e.Summary, Place: place(e), URL: address, Categories: []string{e.KindText()},
		Created: e.CreatedAt, LastModified: e.UpdatedAt, Stamp: e.UpdatedAt,
	}
	switch e.DatePrecision {
	case models.PrecisionMonth, models.PrecisionDay:
		entry.AllDay = true
	case models.PrecisionStart:
		entry.End = e.StartsAt // nobody knows how long it takes
	case models.PrecisionMinute:
	}
	switch {
	case e.Status == models.EventCancelled:
		entry.Status = StatusCancelled
	case e.DatePrecision == models.PrecisionMonth:
		entry.Status = StatusTentative
		entry.Description = strings.TrimSpace("In " + e.DateText() + "; the days are not known yet. " + e.Summary)
	}
	return entry
}

// place is where an event takes place, as a calendar shows it.
func place(e models.Event) string {
	online := e.OnlinePlace
	if online == "" {
		online = "Online"
	}
	address := e.AddressText()
	switch {
	case e.Mode == models.ModeOnline:
		return online
	case e.Mode == models.ModeHybrid && address != "":
		return address + "; online: " + online
	case address == "":
		return e.PlaceText()
	}
	return address
}

// ForAttendee is an event as those who are registered have it in their calendar: with the online link.
func ForAttendee(e models.Event, site links.Site) Event {
	entry := FromEvent(e, site)
	if e.OnlineLink == "" {
		return entry
	}
	entry.Description = strings.TrimSpace(entry.Description + "\n\nJoin: " + e.OnlineLink)
	if e.Mode == models.ModeOnline {
		entry.Place = e.OnlineLink
	}
	return entry
}
