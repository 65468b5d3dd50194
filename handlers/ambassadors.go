package handlers

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/slug"
	"github.com/cdfoundation/portal/models"
)

// AmbassadorIndex is the directory of ambassadors.
type AmbassadorIndex struct {
	Layout
	Query           string
	CountryOptions  []Option
	LanguageOptions []Option
	TopicOptions    []Option
	Words           string // what the list is narrowed to: " in Colombia"
	Shown           int
	Whole           bool             // all are on the page; those that do not fit are hidden
	People          []AmbassadorLine // all, or a page of those that fit
	Cohorts         []NavLink
	Pager           Pager
}

// peoplePerPage is how many ambassadors a page of a long directory shows.
const peoplePerPage = 24

// peopleDirectory is all public profiles with the choices among them.
type peopleDirectory struct {
	rows                         []models.AmbassadorRow
	countries, languages, topics choices
	cohorts                      []NavLink
}

func (a *App) peopleDirectory(ctx context.Context) (peopleDirectory, error) {
	return a.keptPeople.get(ctx, a.Store, func(ctx context.Context) (peopleDirectory, error) {
		rows, err := a.Store.Ambassadors(ctx, models.AmbassadorFilter{})
		d := peopleDirectory{rows: rows, countries: choices{}, languages: choices{}, topics: choices{}}
		cohorts := map[string]bool{}
		for _, row := range rows {
			d.countries.country(row.Country)
			d.languages.languages(row.Languages)
			d.topics.topics(row.Topics)
			if row.CohortSlug != "" && !cohorts[row.CohortSlug] {
				cohorts[row.CohortSlug] = true
				d.cohorts = append(d.cohorts, NavLink{URL: links.Cohort(row.CohortSlug), Label: row.CohortTitle})
			}
		}
		return d, err
	})
}

func (a *App) showAmbassadors(c *fiber.Ctx) error {
	directory, err := a.peopleDirectory(c.UserContext())
	if err != nil {
		return err
	}
	search := models.AmbassadorSearch{Text: c.Query("q"), Country: c.Query("country"), Language: c.Query("language"), Topic: c.Query("topic")}
	number, err := pageNumber(c)
	if err != nil {
		return err
	}
	title, description := "Ambassadors", "Volunteers of the "+a.site(c).Organisation+" whom you can ask: by country, language and topic."
	if number > 1 {
		title, description = fmt.Sprintf("%s, page %d", title, number), fmt.Sprintf("Page %d: %s", number, description)
	}
	countries, languages, topics := directory.countries, directory.languages, directory.topics
	page := AmbassadorIndex{
		Layout: a.layout(c, title, description), Query: search.Text, Cohorts: directory.cohorts, Whole: len(directory.rows) <= wholeList,
		CountryOptions: countries.options("All countries", search.Country), LanguageOptions: languages.options("All languages", search.Language),
		TopicOptions: topics.options("All topics", search.Topic),
	}
	page.Scripts = append(page.Scripts, "js/filter.js")
	var fit []models.AmbassadorRow
	for _, row := range directory.rows {
		if search.Matches(row) {
			fit = append(fit, row)
		}
	}
	page.Shown = len(fit)
	shown, size := fit, peoplePerPage
	if page.Whole {
		shown, size = directory.rows, wholeList
	}
	listPath := links.Ambassadors
	if query := ambassadorQuery(search); len(query) > 0 {
		listPath += "?" + query.Encode()
		page.ask(c)
	} else {
		page.Canonical = a.Site.Abs(links.Numbered(links.Ambassadors, number))
	}
	if page.Pager, err = newPager(listPath, number, len(shown), size); err != nil {
		return err
	}
	page.Pager.Back, page.Pager.On = "Previous", "Next"
	shown = shown[(number-1)*size : min(number*size, len(shown))]
	page.People = newAmbassadorLines(shown)
	for i, row := range shown {
		page.People[i].Hidden = !search.Matches(row)
	}
	if search.Language != "" {
		page.Words += " who speaks " + languages.label(search.Language)
	}
	if search.Country != "" {
		page.Words += " in " + countries.label(search.Country)
	}
	page.Words += topicAndText(topics, search.Topic, search.Text)
	return show(c, http.StatusOK, a.pages.ambassadorIndex, page)
}

// ambassadorQuery is what the directory is narrowed by.
func ambassadorQuery(search models.AmbassadorSearch) url.Values {
	query := make(url.Values)
	for name, value := range map[string]string{"q": search.Text, "country": search.Country, "language": search.Language, "topic": search.Topic} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// topicAndText are the words for the last two things by which a list is narrowed.
func topicAndText(topics choices, topic, text string) (words string) {
	if topic != "" {
		words += " for " + topics.label(topic)
	}
	if text != "" {
		words += " for “" + text + "”"
	}
	return words
}

// ask keeps a list that is narrowed by a question out of the indexes of search engines: the whole list is in them.
func (l *Layout) ask(c *fiber.Ctx) {
	if len(c.Request().URI().QueryString()) > 0 {
		l.Robots = "noindex, follow"
	}
}

// AmbassadorShow is a profile.
type AmbassadorShow struct {
	Layout
	Portrait    Portrait
	Credit      string // of the photo
	Name, Given string
	Pronouns    string
	Role        string // what they do
	Employer    string
	Place       string
	Languages   string
	Since       string
	CohortURL   string
	Links       []NavLink
	Map         *Map
	Quote       string
	Text        template.HTML
	Topics      []NavLink
	Events      []EventLine
	Groups      []GroupLine
	Posts       []PostLine
	Sample      bool
	Subscribe   Subscribe
}

// Subscribe is where a list can be followed from.
type Subscribe struct {
	Calendar, RSS, Atom, JSON string
}

func newSubscribe(path string) Subscribe {
	return Subscribe{Calendar: links.Calendar(path), RSS: links.RSS(path), Atom: links.Atom(path), JSON: links.JSONFeed(path)}
}

func (a *App) showAmbassador(c *fiber.Ctx) error {
	ctx := c.UserContext()
	found, err := a.Store.AmbassadorBySlug(ctx, c.Params("slug"))
	if err != nil {
		return orMoved(c, err, links.Ambassador)
	}
	now := a.Store.Now()
	events, err := a.Store.Events(ctx, models.EventFilter{AmbassadorID: found.ID, Living: true, Limit: 20})
	if err != nil {
		return err
	}
	groups, err := a.Store.Groups(ctx, models.GroupFilter{AmbassadorID: found.ID})
	if err != nil {
		return err
	}
	posts, err := a.Store.Posts(ctx, models.PostFilter{AmbassadorID: found.ID, Limit: 50})
	if err != nil {
		return err
	}
	page := a.newAmbassadorShow(c, found)
	page.Events, page.Groups, page.Posts = newEventLines(events, now), newGroupLines(groups, now), newPostLines(posts)
	leaveOut(page.Posts, found.Name)
	return show(c, http.StatusOK, a.pages.ambassadorShow, page)
}

// orMoved follows a slug of before to what page makes of the present one, for good; any other error is returned.
func orMoved(c *fiber.Ctx, err error, page func(slug string) string) error {
	if moved, ok := errors.AsType[*models.MovedError](err); ok {
		return movedTo(c, page(moved.Slug))
	}
	return err
}

func (a *App) newAmbassadorShow(c *fiber.Ctx, found models.AmbassadorDetail) AmbassadorShow {
	place := placeWords(found.City, found.Country)
	page := AmbassadorShow{
		Layout:   a.layout(c, found.Name, ambassadorDescription(a.site(c), found, place)),
		Portrait: newPortrait(found.Name, found.Photo, found.PhotoWidth, found.PhotoHeight), Credit: found.PhotoCredit,
		Name: found.Name, Given: givenName(found.Name), Pronouns: found.Pronouns, Role: found.Title, Employer: found.Employer,
		Place: place, Languages: languageWords(found.Languages), Since: found.Since(), Quote: found.Quote, Text: blessed(found.HTML),
		Sample: found.Sample, Subscribe: newSubscribe(c.Path()),
	}
	page.Portrait.Alt = found.PhotoAlt
	if found.CohortSlug != "" {
		page.CohortURL = links.Cohort(found.CohortSlug)
	}
	for _, l := range found.Links {
		page.Links = append(page.Links, NavLink{URL: l.URL, Label: l.Label})
	}
	if found.Handle != "" {
		page.Links = append(page.Links, NavLink{URL: "https://twitter.com/" + found.Handle, Label: "Twitter"})
	}
	for _, topic := range found.Topics {
		page.Topics = append(page.Topics, NavLink{URL: links.Ambassadors + "?topic=" + slug.Make(topic), Label: topic})
	}
	if found.Latitude != nil && found.Longitude != nil {
		page.Map = newPlaceMap(*found.Latitude, *found.Longitude, place+" on a map")
	}
	person := personData{
		Context: schemaOrg, Type: "Person", ID: page.Canonical, URL: page.Canonical, Name: found.Name, JobTitle: found.Title, Description: page.Description,
		KnowsAbout: found.Topics, KnowsLanguage: found.Languages,
	}
	if found.Employer != "" {
		person.WorksFor = &organizationData{Type: "Organization", Name: found.Employer}
	}
	if place != "" {
		person.HomeLocation = newPlaceData(found.City, found.Country)
	}
	for _, l := range page.Links {
		person.SameAs = append(person.SameAs, l.URL)
	}
	if found.Photo != "" {
		person.Image = a.Site.Abs(links.Media(found.Photo))
	}
	page.StructuredData = []any{person}
	page.Share.Type = "profile"
	page.Feeds = append(a.feedLinks(found.Name, c.Path()), FeedLink{"text/calendar", "Where to meet " + found.Name, a.Site.Abs(page.Subscribe.Calendar)})
	return page
}

// ambassadorDescription is a sentence about somebody from what is known of them.
func ambassadorDescription(site models.Site, a models.AmbassadorDetail, place string) string {
	words := a.Name
	if role := joined(a.Title, a.Employer); role != "" {
		words += ", " + role
	}
	words += ": an ambassador of the " + site.Organisation
	if place != "" {
		words += " in " + place
	}
	return words + "."
}

// CohortShow is a class of ambassadors.
type CohortShow struct {
	Layout
	Heading  string
	Welcomed string
	Size     int
	Known    string // how many of them are shown
	More     string // those who are not
	Art      template.HTML
	People   []AmbassadorLine
	Text     template.HTML
}

func (a *App) showCohort(c *fiber.Ctx) error {
	cohort, err := a.Store.CohortBySlug(c.UserContext(), c.Params("slug"))
	if err != nil {
		return err
	}
	rows, err := a.Store.Ambassadors(c.UserContext(), models.AmbassadorFilter{CohortID: cohort.ID})
	if err != nil {
		return err
	}
	page := CohortShow{
		Layout:  a.layout(c, cohort.Title+" of ambassadors", fmt.Sprintf("%s: %d ambassadors of the %s, and who they are.", cohort.Title, cohort.Size, a.site(c).Organisation)),
		Heading: cohort.Title, Size: cohort.Size, People: newAmbassadorLines(rows), Text: blessed(cohort.HTML),
		Art: blessed(artwork.Cover(c.Path(), 300, 300, "")),
	}
	if day, err := time.Parse(time.DateOnly, cohort.WelcomedOn); err == nil {
		page.Welcomed = day.Format("January 2006")
	}
	page.Known = fmt.Sprintf("%d of them have introduced themselves here.", len(rows))
	if len(rows) == 1 {
		page.Known = "One of them has an introduction here."
	}
	if more := cohort.Size - len(rows); more > 0 {
		page.More = fmt.Sprintf("%d more", more)
	} else {
		page.Known = "All of them have introduced themselves here."
	}
	return show(c, http.StatusOK, a.pages.cohortShow, page)
}
