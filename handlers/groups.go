package handlers

import (
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
	CountryOptions   []Option
	TopicOptions     []Option
	Words            string // what the list is narrowed to: " in Germany"
	Shown            int
	Groups           []GroupLine // of the region; those that do not fit are hidden
	Map              Map
}

var regionWords = map[models.Region]string{
	models.RegionAmericas: "Americas", models.RegionEurope: "Europe",
	models.RegionAfricaMiddleEast: "Africa, Middle East", models.RegionAsiaPacific: "Asia, Pacific",
}

func (a *App) showGroups(c *fiber.Ctx) error {
	rows, err := a.Store.Groups(c.UserContext(), models.GroupFilter{})
	if err != nil {
		return err
	}
	search := models.GroupSearch{
		Text: c.Query("q"), Country: c.Query("country"), Topic: c.Query("topic"), Region: models.Region(c.Query("region")),
	}
	title, description := "Groups", "Meetup groups for continuous delivery: find one near you on the map, by city, country or topic."
	if region, ok := regionWords[search.Region]; ok {
		title, description = "Groups in "+region, "Meetup groups for continuous delivery in "+region+", on a map and with their next event."
	}
	page := GroupIndex{
		Layout: a.layout(c, title, description), Count: len(rows), Countries: countries(rows), Query: search.Text, Region: search.Region,
	}
	page.Scripts = append(page.Scripts, "js/filter.js", "js/near.js")
	page.Views = []NavLink{{URL: links.Groups, Label: "Everywhere", Current: search.Region == ""}}
	for _, region := range models.Regions {
		page.Views = append(page.Views, NavLink{URL: groupsIn(region), Label: regionWords[region], Current: region == search.Region})
	}
	found, topics := choices{}, choices{}
	now := a.Store.Now()
	for _, row := range rows {
		if search.Region != "" && models.RegionOf(row.Country) != search.Region {
			continue
		}
		found.country(row.Country)
		topics.topics(row.Topics)
		line := newGroupLine(row, now)
		if line.Hidden = !search.Matches(row); !line.Hidden {
			page.Shown++
		}
		page.Groups = append(page.Groups, line)
	}
	page.CountryOptions = found.options("All countries", search.Country)
	page.TopicOptions = topics.options("All topics", search.Topic)
	page.Words = groupWords(search, found, topics)
	page.Map = newGroupsMap(page.Groups, "Map of the groups"+page.Words)
	if search.Text != "" || search.Country != "" || search.Topic != "" {
		page.ask(c)
	} else if _, ok := regionWords[search.Region]; ok {
		page.Canonical = a.Site.Abs(groupsIn(search.Region))
	}
	return show(c, http.StatusOK, a.pages.groupIndex, page)
}

// groupsIn is the path of the list of groups in a region.
func groupsIn(region models.Region) string {
	return links.Groups + "?region=" + url.QueryEscape(string(region))
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
