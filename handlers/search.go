package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// SearchShow is the search with what it found.
type SearchShow struct {
	Layout
	Query       string
	Found       string    // how many things there are, in words; empty before anything was asked
	Tabs        []NavLink // the kinds, with their counts in Icon
	Sections    []SearchSection
	Suggestions []NavLink
	Pager       Pager
}

// SearchSection is what was found of one kind.
type SearchSection struct {
	ID       string
	Heading  string
	Count    string
	Lines    []SearchLine
	AllURL   string // of the kind's own list when there are more
	AllLabel string
}

// SearchLine is one thing that was found.
type SearchLine struct {
	URL      string
	Title    []models.Segment
	Excerpt  []models.Segment
	Note     string
	Day      string // in words
	Machine  string // for machines: 2020-06-18, or 2020-06
	Language string // empty when it is the page's
	Sample   bool
}

// searchSome is how many results of a kind the overview shows, searchPage how many a page of one kind does.
const (
	searchSome = 5
	searchPage = 20
)

// searchWords name the kinds, and make the paths of their things.
var searchWords = map[models.SearchKind]struct {
	heading, one, many string
	path               func(string) string
}{
	models.SearchPost:       {"Posts", "post", "posts", links.Post},
	models.SearchEvent:      {"Events", "event", "events", links.Event},
	models.SearchGroup:      {"Groups", "group", "groups", links.Group},
	models.SearchAmbassador: {"Ambassadors", "ambassador", "ambassadors", links.Ambassador},
	models.SearchPage:       {"Pages", "page", "pages", links.Page},
}

func (a *App) showSearch(c *fiber.Ctx) error {
	ctx := c.UserContext()
	kind := models.SearchKind(c.Query("kind"))
	if _, ok := searchWords[kind]; !ok {
		kind = ""
	}
	number, err := pageNumber(c)
	if err != nil {
		return err
	}
	filter := models.SearchFilter{Query: c.Query("q"), Kind: kind, Limit: searchSome}
	if kind != "" {
		filter.Limit, filter.Offset = searchPage, (number-1)*searchPage
	}
	found, err := a.Store.Search(ctx, filter)
	if err != nil {
		return err
	}
	title := "Search"
	if found.Query != "" {
		title = "Search for " + found.Query
	}
	page := SearchShow{Layout: a.layout(c, title, "Search posts, events, groups, ambassadors and pages of the "+a.site(c).ShortName+" community."), Query: found.Query}
	page.Robots, page.Canonical, page.Share = "noindex", "", nil
	if found.Query != "" {
		page.Found = foundWords(found)
	}
	if found.Total == 0 {
		tags, err := a.Store.PopularTags(ctx, 12)
		if err != nil {
			return err
		}
		for _, tag := range tags {
			page.Suggestions = append(page.Suggestions, NavLink{URL: links.SearchFor(tag.Name), Label: tag.Name})
		}
		return show(c, http.StatusOK, a.pages.searchShow, page)
	}
	page.Tabs = append(page.Tabs, NavLink{URL: links.SearchFor(found.Query), Label: "All", Current: kind == ""})
	for _, k := range found.Kinds {
		words := searchWords[k.Kind]
		address := searchPath(found.Query, k.Kind)
		page.Tabs = append(page.Tabs, NavLink{URL: address, Label: words.heading, Icon: countWords(k), Current: k.Kind == kind})
		if kind != "" && kind != k.Kind {
			continue
		}
		section := SearchSection{ID: string(k.Kind), Heading: words.heading, Count: countWords(k)}
		for _, r := range k.Results {
			section.Lines = append(section.Lines, newSearchLine(r))
		}
		if kind == "" && k.Count > len(k.Results) {
			section.AllURL, section.AllLabel = address, "All "+countWords(k)+" "+words.many
		}
		if kind != "" {
			if page.Pager, err = newPager(address, number, k.Count, searchPage); err != nil {
				return err
			}
		}
		page.Sections = append(page.Sections, section)
	}
	return show(c, http.StatusOK, a.pages.searchShow, page)
}

// searchPath is where a query's results of one kind are.
func searchPath(query string, kind models.SearchKind) string {
	return links.SearchFor(query) + "&kind=" + url.QueryEscape(string(kind))
}

// countWords is how many results there are: 17, or 200+ when nobody counted further.
func countWords(k models.SearchKindResults) string {
	if k.More {
		return strconv.Itoa(k.Count) + "+"
	}
	return strconv.Itoa(k.Count)
}

// foundWords says how much was found: "3 posts and 1 event".
func foundWords(found models.SearchResults) string {
	var text strings.Builder
	for i, k := range found.Kinds {
		words := searchWords[k.Kind]
		name := words.many
		if k.Count == 1 {
			name = words.one
		}
		switch {
		case i > 0 && i == len(found.Kinds)-1:
			text.WriteString(" and ")
		case i > 0:
			text.WriteString(", ")
		}
		text.WriteString(countWords(k) + " " + name)
	}
	return text.String()
}

func newSearchLine(r models.SearchResult) SearchLine {
	line := SearchLine{
		URL: searchWords[r.Kind].path(r.Slug), Title: r.Title, Excerpt: r.Excerpt, Note: r.Note, Machine: r.Day, Language: foreign(r.Language), Sample: r.Sample,
	}
	if day, err := time.Parse(time.DateOnly, r.Day); err == nil {
		line.Day = day.Format("2 January 2006")
	} else if month, err := time.Parse("2006-01", r.Day); err == nil {
		line.Day = month.Format("January 2006")
	}
	return line
}
