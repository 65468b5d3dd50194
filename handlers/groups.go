package handlers

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/slug"
	"github.com/cdfoundation/portal/models"
)

// GroupIndex is the list of groups beside their map.
type GroupIndex struct {
	Layout
	Count, Countries int // of all groups
	Views            []NavLink
	Query            string
	Region           models.Region
	Near             string // the place from which distances are told
	CountryOptions   []Option
	TopicOptions     []Option
	Words            string // what the list is narrowed to: " in Germany"
	Shown            int
	Whole            bool        // all groups of the region are on the page; those that do not fit are hidden
	Groups           []GroupLine // of the region, or a page of those that fit
	Map              Map
	Pager            Pager
}

// wholeList is how long a list may be to stand on its page as a whole, where it is narrowed while somebody types. A longer
// one is narrowed by the server and has pages.
const wholeList = 100

// groupsPerPage is how many groups a page of a long list shows.
const groupsPerPage = 24

var regionWords = map[models.Region]string{
	models.RegionAmericas: "Americas", models.RegionEurope: "Europe",
	models.RegionAfricaMiddleEast: "Africa, Middle East", models.RegionAsiaPacific: "Asia, Pacific",
}

// groupDirectory is all groups with the choices among those of each region; "" is everywhere.
type groupDirectory struct {
	rows              []models.GroupRow
	countries, topics map[models.Region]choices
}

func (a *App) groupDirectory(ctx context.Context) (groupDirectory, error) {
	return a.keptGroups.get(ctx, a.Store, func(ctx context.Context) (groupDirectory, error) {
		rows, err := a.Store.GroupDirectory(ctx)
		d := groupDirectory{rows: rows, countries: map[models.Region]choices{"": {}}, topics: map[models.Region]choices{"": {}}}
		for _, region := range models.Regions {
			d.countries[region], d.topics[region] = choices{}, choices{}
		}
		for _, row := range rows {
			for _, region := range []models.Region{"", models.RegionOf(row.Country)} {
				if d.countries[region] != nil {
					d.countries[region].country(row.Country)
					d.topics[region].topics(row.Topics)
				}
			}
		}
		return d, err
	})
}

func (a *App) showGroups(c *fiber.Ctx) error {
	directory, err := a.groupDirectory(c.UserContext())
	if err != nil {
		return err
	}
	search := models.GroupSearch{
		Text: c.Query("q"), Country: c.Query("country"), Topic: c.Query("topic"), Region: models.Region(c.Query("region")),
	}
	near, err := nearPlace(c)
	if err != nil {
		return err
	}
	number, err := pageNumber(c)
	if err != nil {
		return err
	}
	title, description := "Groups", "Meetup groups for continuous delivery: find one near you on the map, by city, country or topic."
	if region, ok := regionWords[search.Region]; ok {
		title, description = "Groups in "+region, "Meetup groups for continuous delivery in "+region+", on a map and with their next event."
	}
	if number > 1 {
		title, description = fmt.Sprintf("%s, page %d", title, number), fmt.Sprintf("Page %d: %s", number, description)
	}
	page := GroupIndex{
		Layout: a.layout(c, title, description), Count: len(directory.rows), Countries: countries(directory.rows), Query: search.Text, Region: search.Region,
	}
	page.Scripts = append(page.Scripts, "js/filter.js", "js/near.js")
	page.Views = []NavLink{{URL: links.Groups, Label: "Everywhere", Current: search.Region == ""}}
	for _, region := range models.Regions {
		page.Views = append(page.Views, NavLink{URL: groupsIn(region), Label: regionWords[region], Current: region == search.Region})
	}
	var among, fit []models.GroupRow
	for _, row := range directory.rows {
		if search.Region != "" && models.RegionOf(row.Country) != search.Region {
			continue
		}
		among = append(among, row)
		if search.Matches(row) {
			fit = append(fit, row)
		}
	}
	found, topics := directory.countries[search.Region], directory.topics[search.Region]
	page.CountryOptions = found.options("All countries", search.Country)
	page.TopicOptions = topics.options("All topics", search.Topic)
	page.Words, page.Shown, page.Whole = groupWords(search, found, topics), len(fit), len(among) <= wholeList
	if near != nil {
		page.Near = near.String()
		nearestFirst(among, *near)
		nearestFirst(fit, *near)
		if len(fit) > 0 {
			page.Words += ", the nearest to " + fit[0].City + " first"
		}
	}
	listPath := links.Groups
	if query := groupQuery(search, page.Near); len(query) > 0 {
		listPath += "?" + query.Encode()
	}
	shown, size := fit, groupsPerPage
	if page.Whole {
		shown, size = among, wholeList
	}
	if page.Pager, err = newPager(listPath, number, len(shown), size); err != nil {
		return err
	}
	page.Pager.Back, page.Pager.On = "Previous", "Next"
	shown = shown[(number-1)*size : min(number*size, len(shown))]
	if page.Groups, err = a.groupLines(c.UserContext(), shown); err != nil {
		return err
	}
	for i, row := range shown {
		page.Groups[i].Hidden = !search.Matches(row)
		if near != nil {
			page.Groups[i].Distance = near.distanceWords(row)
		}
	}
	if page.Whole {
		page.Map = newGroupsMap(page.Groups, "Map of the groups"+page.Words)
	} else {
		page.Map = newPlacesMap(fit, "Map of the groups"+page.Words)
	}
	if search.Text != "" || search.Country != "" || search.Topic != "" || page.Near != "" {
		page.ask(c)
	} else if _, ok := regionWords[search.Region]; ok || search.Region == "" {
		page.Canonical = a.Site.Abs(links.Numbered(listPath, number))
	}
	return show(c, http.StatusOK, a.pages.groupIndex, page)
}

// groupLines are groups of the directory with their next events, in the same order.
func (a *App) groupLines(ctx context.Context, rows []models.GroupRow) ([]GroupLine, error) {
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	found, err := a.Store.Groups(ctx, models.GroupFilter{IDs: ids})
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]models.GroupRow, len(found))
	for _, row := range found {
		byID[row.ID] = row
	}
	lines, now := make([]GroupLine, len(rows)), a.Store.Now()
	for i, row := range rows {
		if full, ok := byID[row.ID]; ok {
			row = full
		}
		lines[i] = newGroupLine(row, now)
	}
	return lines, nil
}

// groupsIn is the path of the list of groups in a region.
func groupsIn(region models.Region) string {
	return links.Groups + "?region=" + url.QueryEscape(string(region))
}

// groupQuery is what a list of groups is narrowed and sorted by.
func groupQuery(search models.GroupSearch, near string) url.Values {
	query := make(url.Values)
	for name, value := range map[string]string{"q": search.Text, "country": search.Country, "topic": search.Topic, "region": string(search.Region), "near": near} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// groupWords say what a list of groups is narrowed to.
func groupWords(search models.GroupSearch, found, topics choices) (words string) {
	switch region, ok := regionWords[search.Region]; {
	case search.Country != "":
		words = " in " + found.label(search.Country)
	case ok:
		words = " in " + region
	case search.Region != "":
		words = " in " + string(search.Region)
	}
	return words + topicAndText(topics, search.Topic, search.Text)
}

// countries counts the countries in which there are groups.
func countries(rows []models.GroupRow) int {
	seen := map[string]bool{}
	for _, row := range rows {
		seen[row.Country] = true
	}
	return len(seen)
}

// GroupShow is the page of a group.
type GroupShow struct {
	Layout
	Name, Place string
	Speaks      string // the language of its meetings
	Timezone    string
	Sample      bool
	Art         template.HTML
	Map         *Map
	Text        template.HTML
	Topics      []NavLink
	Organisers  []Organiser
	Events      []EventLine
	PastEvents  []EventLine
	Posts       []PostLine
	Links       []NavLink
	Subscribe   Subscribe
}

// Organiser is somebody who runs a group.
type Organiser struct {
	Face
	Role string
	URL  string // the profile, if there is one
}

// groupPast is how many of a group's past events its page shows.
const groupPast = 6

func (a *App) showGroup(c *fiber.Ctx) error {
	ctx := c.UserContext()
	found, err := a.Store.GroupBySlug(ctx, c.Params("slug"))
	if err != nil {
		return orMoved(c, err, links.Group)
	}
	organisers, err := a.Store.Organisers(ctx, found.ID)
	if err != nil {
		return err
	}
	coming, err := a.Store.Events(ctx, models.EventFilter{GroupID: found.ID, Limit: 20})
	if err != nil {
		return err
	}
	past, err := a.Store.Events(ctx, models.EventFilter{GroupID: found.ID, Period: models.PastEvents, Limit: groupPast})
	if err != nil {
		return err
	}
	posts, err := a.Store.Posts(ctx, models.PostFilter{GroupID: found.ID, Limit: 20})
	if err != nil {
		return err
	}
	now := a.Store.Now()
	place := placeWords(found.City, found.Country)
	description := found.Name + ": a meetup group for continuous delivery in " + place + ", with its next events and who runs it."
	path := c.Path()
	page := GroupShow{
		Layout: a.layout(c, found.Name, description), Name: found.Name, Place: place, Speaks: models.LanguageName(found.Language),
		Timezone: found.Timezone, Sample: found.Sample, Art: blessed(artwork.Cover(path, 560, 420, "")),
		Map: newPlaceMap(found.Latitude, found.Longitude, place+" on a map"), Text: blessed(found.HTML),
		Events: newEventLines(coming, now), PastEvents: newEventLines(past, now), Posts: newPostLines(posts), Subscribe: newSubscribe(path),
	}
	for _, topic := range found.Topics {
		page.Topics = append(page.Topics, NavLink{URL: links.Groups + "?topic=" + slug.Make(topic), Label: topic})
	}
	for _, l := range found.Links {
		page.Links = append(page.Links, NavLink{URL: l.URL, Label: l.Label})
	}
	for _, o := range organisers {
		organiser := Organiser{Face: newFace(o.Name, o.Photo), Role: o.Title}
		if o.AmbassadorSlug != "" {
			organiser.URL = links.Ambassador(o.AmbassadorSlug)
		}
		page.Organisers = append(page.Organisers, organiser)
	}
	page.StructuredData = []any{a.newGroupData(a.site(c), found, page.Canonical, description, organisers)}
	page.Feeds = slices.Concat(a.feedLinks(found.Name, path), []FeedLink{{"text/calendar", found.Name + ", calendar", a.Site.Abs(page.Subscribe.Calendar)}})
	return show(c, http.StatusOK, a.pages.groupShow, page)
}
