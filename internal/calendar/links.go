package calendar

import (
	"net/url"
	"strings"
	"time"
)

// maxDetails is how many characters of an event's description a link carries: the whole address
// has to stay below what browsers and proxies take.
const maxDetails = 800

// GoogleURL gives the address at which Google Calendar offers to add the event.
func GoogleURL(e Event) string {
	layout, start, end := utcLayout, e.Start.UTC(), e.ends().UTC()
	if e.AllDay {
		layout = dateLayout
		start, end = e.dates()
	}
	q := url.Values{
		"action": {"TEMPLATE"},
		"text":   {plain(e.Summary)},
		"dates":  {start.Format(layout) + "/" + end.Format(layout)},
	}
	if named(e.Zone) {
		q.Set("ctz", e.Zone.String())
	}
	return link("https://calendar.google.com/calendar/render", "details", e, q)
}

// OutlookURL gives the address at which outlook.com offers to add the event.
func OutlookURL(e Event) string {
	return microsoft("https://outlook.live.com/calendar/0/deeplink/compose", e)
}

// OfficeURL gives the address at which the calendar of Microsoft 365 offers to add the event.
func OfficeURL(e Event) string {
	return microsoft("https://outlook.office.com/calendar/0/deeplink/compose", e)
}

func microsoft(base string, e Event) string {
	q := url.Values{
		"path":    {"/calendar/action/compose"},
		"rru":     {"addevent"},
		"subject": {plain(e.Summary)},
		"startdt": {e.Start.UTC().Format(time.RFC3339)},
		"enddt":   {e.ends().UTC().Format(time.RFC3339)},
	}
	if e.AllDay {
		first, after := e.dates()
		q.Set("allday", "true")
		q.Set("startdt", first.Format(time.DateOnly))
		q.Set("enddt", after.Format(time.DateOnly))
	}
	return link(base, "body", e, q)
}

// ends is the end of an event, its start when it has no length.
func (e Event) ends() time.Time {
	if e.End.IsZero() {
		return e.Start
	}
	return e.End
}

func link(base, details string, e Event, q url.Values) string {
	text := []rune(plain(e.Description))
	if len(text) > maxDetails {
		text = append(text[:maxDetails-1], '…')
	}
	q.Set(details, strings.TrimSpace(string(text)+"\n\n"+absolute(e.URL)))
	if e.Place != "" {
		q.Set("location", plain(e.Place))
	}
	// Outlook shows a plus where a space is meant; both understand %20.
	return base + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}
