package handlers

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/feed"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// EventsIndex is the list of what is coming or what was.
type EventsIndex struct {
	Layout
	Heading, Lead string
	Past          bool
	Views         []NavLink
	Path          string
	Kinds, Modes  []Option
	Countries     []Option
	Groups        []Option
	Filtered      bool
	Count         string
	Months        []EventMonth
	Pager         Pager
}

// EventMonth is the part of a list that falls into one month.
type EventMonth struct {
	ID, Label string
	Lines     []EventLine
}

// eventsPerPage is how many events a page of the list shows.
const eventsPerPage = 20

var kindLabels = map[models.EventKind]string{
	models.KindMeetup: "Meetups", models.KindConference: "Conferences", models.KindHackathon: "Hackathons", models.KindCall: "Community calls",
}

var modeLabels = map[models.EventMode]string{
	models.ModeInPerson: "In person", models.ModeOnline: "Online", models.ModeHybrid: "In a room and online",
}

func (a *App) showComingEvents(c *fiber.Ctx) error {
	return a.showEvents(c, models.ComingEvents, links.Events, EventsIndex{
		Heading: "Events", Lead: "Meetups, conferences, hackathons and calls of the community, wherever you are.",
	})
}

func (a *App) showPastEvents(c *fiber.Ctx) error {
	return a.showEvents(c, models.PastEvents, links.PastEvents, EventsIndex{
		Heading: "Past events", Lead: "What the community met for, the latest first.", Past: true,
	})
}

func (a *App) showEvents(c *fiber.Ctx, period models.EventPeriod, path string, page EventsIndex) error {
	ctx := c.UserContext()
	list, err := a.eventList(ctx, period)
	if err != nil {
		return err
	}
	filter := models.EventFilter{Period: period, Limit: eventsPerPage}
	query, err := a.narrow(c, list, &filter, &page)
	if err != nil {
		return err
	}
	number, err := pageNumber(c)
	if err != nil {
		return err
	}
	total := list.total
	if len(query) > 0 {
		if total, err = a.Store.CountEvents(ctx, filter); err != nil {
			return err
		}
	}
	listPath := path
	if len(query) > 0 {
		listPath += "?" + query.Encode()
	}
	if page.Pager, err = newPager(listPath, number, total, eventsPerPage); err != nil {
		return err
	}
	if !page.Past {
		page.Pager.Back, page.Pager.On = "Earlier", "Later"
	}
	filter.Offset = (number - 1) * eventsPerPage
	rows, err := a.Store.Events(ctx, filter)
	if err != nil {
		return err
	}
	page.Path, page.Filtered, page.Count = path, len(query) > 0, eventsInWords(total, page.Past)
	page.Months = byMonth(rows, a.Store.Now())
	title, description := page.Heading, page.Lead
	if number > 1 {
		title = fmt.Sprintf("%s, page %d", title, number)
		description = fmt.Sprintf("Page %d of %d: %s", number, page.Pager.Pages, description)
	}
	page.Layout = a.layout(c, title, description)
	page.Canonical = a.Site.Abs(links.Numbered(path, number))
	page.Feeds = append(a.feedLinks(a.site(c).ShortName+" events", links.Events), FeedLink{"text/calendar", a.site(c).ShortName + " events, calendar", a.Site.Abs(links.EventsICS)})
	page.Views = []NavLink{
		{URL: links.Events, Label: "Coming", Current: !page.Past}, {URL: links.PastEvents, Label: "Past", Current: page.Past},
	}
	return show(c, http.StatusOK, a.pages.eventsIndex, page)
}

// eventList is how many events a period has, and by what they can be narrowed.
type eventList struct {
	total   int
	choices models.EventChoices
}

func (a *App) eventList(ctx context.Context, period models.EventPeriod) (eventList, error) {
	return a.keptEvents[period].get(ctx, a.Store, func(ctx context.Context) (list eventList, err error) {
		if list.choices, err = a.Store.EventChoices(ctx, period, ""); err != nil {
			return list, err
		}
		list.total, err = a.Store.CountEvents(ctx, models.EventFilter{Period: period})
		return list, err
	})
}

// narrow reads the query into the filter and into the fields that show it, and returns what of it counts. What nobody could
// choose is not found.
func (a *App) narrow(c *fiber.Ctx, list eventList, filter *models.EventFilter, p *EventsIndex) (url.Values, error) {
	query := make(url.Values)
	unknown := func(name string) error { return fmt.Errorf("%w: no such %s", models.ErrNotFound, name) }
	value := func(name string) string {
		v := c.Query(name)
		if v != "" {
			query.Set(name, v)
		}
		return v
	}
	kind, mode, country, group := models.EventKind(value("kind")), models.EventMode(value("mode")), value("country"), value("group")
	p.Kinds = []Option{{Label: "Every kind"}}
	for _, k := range models.EventKinds {
		p.Kinds = append(p.Kinds, Option{string(k), kindLabels[k], k == kind})
	}
	p.Modes = []Option{{Label: "Anywhere"}}
	for _, m := range models.EventModes {
		p.Modes = append(p.Modes, Option{string(m), modeLabels[m], m == mode})
	}
	switch {
	case kind != "" && kindLabels[kind] == "":
		return nil, unknown("kind")
	case mode != "" && modeLabels[mode] == "":
		return nil, unknown("mode")
	case country != "" && (len(country) != 2 || models.CountryName(country) == country):
		return nil, unknown("country")
	}
	filter.Kind, filter.Mode, filter.Country = kind, mode, country
	among := list.choices
	if country != "" {
		var err error
		if among, err = a.Store.EventChoices(c.UserContext(), filter.Period, country); err != nil {
			return nil, err
		}
	}
	if group != "" && !slices.ContainsFunc(among.Groups, func(g models.EventGroup) bool { return g.Slug == group }) {
		found, err := a.Store.GroupBySlug(c.UserContext(), group)
		if _, ok := errors.AsType[*models.MovedError](err); ok {
			return nil, unknown("group")
		}
		if err != nil {
			return nil, err
		}
		among.Groups = slices.Concat(among.Groups, []models.EventGroup{{ID: found.ID, Slug: found.Slug, Name: found.Name}})
	}
	countries := make(choices)
	for _, code := range slices.Concat(among.Countries, []string{country}) {
		countries.country(code)
	}
	p.Countries = countries.options("Every country", country)
	p.Groups = []Option{{Label: "Every group"}}
	for _, g := range among.Groups {
		p.Groups = append(p.Groups, Option{g.Slug, g.Name, g.Slug == group})
		if g.Slug == group {
			filter.GroupID = g.ID
		}
	}
	return query, nil
}

func eventsInWords(n int, past bool) string {
	switch {
	case n == 1 && past:
		return "1 event"
	case n == 1:
		return "1 event is coming"
	case past:
		return fmt.Sprintf("%d events", n)
	}
	return fmt.Sprintf("%d events are coming", n)
}

// byMonth parts a list by the month in which each event begins where it takes place.
func byMonth(rows []models.EventRow, now time.Time) []EventMonth {
	var months []EventMonth
	for _, row := range rows {
		start := row.LocalStart()
		id := start.Format("2006-01")
		if len(months) == 0 || months[len(months)-1].ID != id {
			months = append(months, EventMonth{ID: id, Label: start.Format("January 2006")})
		}
		last := &months[len(months)-1]
		line := newEventLine(row, now)
		line.DateShown = false // month and year stand above, the day in the tile
		last.Lines = append(last.Lines, line)
	}
	return months
}

// eventsFeedSize is how many events the feed of new events holds.
const eventsFeedSize = 40

func (a *App) showEventsFeed(format string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		rows, err := a.Store.Events(c.UserContext(), models.EventFilter{Period: models.NewEvents, Limit: eventsFeedSize})
		if err != nil {
			return err
		}
		f := feed.Feed{
			ID: feedID("events", 0), Title: a.site(c).ShortName + " community: new events", Language: "en",
			Description: "Events of the " + organisationInShort(a.site(c)) + "'s community as they are announced",
			HomeURL:     a.Site.Abs(links.Events), SelfURL: a.Site.Abs(feedPath(links.Events, format)),
			Items: a.eventItems(rows),
		}
		for _, row := range rows {
			if row.UpdatedAt.After(f.Updated) {
				f.Updated = row.UpdatedAt
			}
		}
		return a.sendFeed(c, f, format)
	}
}

// eventItems makes feed items of events, in their order.
func (a *App) eventItems(rows []models.EventRow) []feed.Item {
	items := make([]feed.Item, len(rows))
	for i, row := range rows {
		e := row.Event
		path := links.Event(e.Slug)
		id, _, _ := strings.Cut(e.UID, "@")
		when := joined(e.DateText(), e.TimeText())
		title := e.Title
		if e.Status == models.EventCancelled {
			title = "Cancelled: " + title
		}
		items[i] = feed.Item{
			ID: "urn:uuid:" + id, Title: title, URL: a.Site.Abs(path), Summary: when + ". " + e.PlaceText() + ". " + e.Summary,
			Language: foreign(e.TextLanguage), ImageURL: a.Site.Abs(links.Share(path)), Categories: []string{e.KindText()}, Updated: e.UpdatedAt,
		}
		if e.PublishedAt != nil {
			items[i].Published = *e.PublishedAt
		}
		if row.GroupSlug != "" {
			items[i].Authors = append(items[i].Authors, feed.Author{Name: row.GroupName, URL: a.Site.Abs(links.Group(row.GroupSlug))})
		}
		for _, host := range e.Hosts {
			items[i].Authors = append(items[i].Authors, feed.Author{Name: host})
		}
	}
	return items
}

// EventShow is an event's page.
type EventShow struct {
	Layout
	Cover      template.HTML
	Tile       DateTile
	Kicker     string
	Heading    string
	LongWords  bool   // the title has a word that is wider than a column of large type
	Words      string // lang of the event's own words; empty when it is the page's
	Summary    string
	Sample     bool
	Inviters   []Face
	Invitation string // who invites, in words
	Notice     *EventNotice
	When       EventWhen
	Where      EventWhere
	Hosts      []EventHost
	Spoken     string // language, when it is not English
	Body       template.HTML
	Over       bool
	Agenda     *Agenda
	Speakers   []EventSpeaker
	Sponsors   []EventSponsor
	Links      []NavLink
	Posts      []EventPostLink
	Next       []EventLine
	Panel      *TicketPanel
	Coming     string // how many people registered, in words
	Calendars  []NavLink
}

func (a *App) showEvent(c *fiber.Ctx) error {
	event, err := a.Store.EventBySlug(c.UserContext(), c.Params("slug"))
	if err != nil {
		return err
	}
	path := links.Event(event.Slug)
	if event.Slug != c.Params("slug") {
		return movedTo(c, path)
	}
	now := a.Store.Now()
	page := newEventShow(event, a.Site, now)
	page.Layout = a.layout(c, event.Title+", "+event.DateText(), event.Summary)
	page.Share.Type, page.Share.Title, page.Share.Image = "article", event.Title, a.Site.Abs(links.Share(path))
	page.Share.ImageAlt = event.Title + ", " + event.DateText() + ", " + event.PlaceText()
	page.Feeds = append([]FeedLink{{"text/calendar", event.Title + ", calendar", a.Site.Abs(links.EventCalendar(event.Slug))}}, page.Feeds...)
	page.StructuredData = append(page.StructuredData, newEventData(event, a.Site, now))
	page.Scripts = append(page.Scripts, "js/local-times.js", "js/share.js")
	return show(c, http.StatusOK, a.pages.eventShow, page)
}
