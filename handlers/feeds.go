package handlers

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/cdfoundation/portal/internal/feed"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/models"
)

// feedFormats are the endings under which every feed answers: RSS 2.0, Atom and JSON Feed.
var feedFormats = []string{"xml", "atom", "json"}

// feedSize is how many items a page of a feed holds.
const feedSize = 20

// feedNames is what people call the formats.
var feedNames = map[string]string{"xml": "RSS", "atom": "Atom", "json": "JSON Feed"}

// feedPath is the path of the feed of the list at path in a format; the empty path is the whole blog's.
func feedPath(path, format string) string {
	switch format {
	case "atom":
		return links.Atom(path)
	case "json":
		return links.JSONFeed(path)
	}
	return links.RSS(path)
}

// feedLinks tells feed readers of the feeds of the list at path.
func (a *App) feedLinks(title, path string) []FeedLink {
	return []FeedLink{
		{"application/rss+xml", title + ", RSS", a.Site.Abs(links.RSS(path))},
		{"application/atom+xml", title + ", Atom", a.Site.Abs(links.Atom(path))},
		{"application/feed+json", title + ", JSON Feed", a.Site.Abs(links.JSONFeed(path))},
	}
}

// feedID names the feed of a list for ever by what the list is, such as "category" and its id: addresses may move.
func feedID(kind string, id int64) string {
	const space = "d93e8d2f-5d1c-4a86-9c55-2f1b6d1f3c3e"
	return "urn:uuid:" + uuid.NewSHA1(uuid.MustParse(space), fmt.Appendf(nil, "%s/%d", kind, id)).String()
}

// sendFeed answers with a feed in a format, or 304. f.Updated, when set, is its Last-Modified.
func (a *App) sendFeed(c *fiber.Ctx, f feed.Feed, format string) error {
	var body []byte
	var err error
	contentType := feed.RSSType
	switch format {
	case "atom":
		contentType = feed.AtomType
		body, err = f.Atom()
	case "json":
		contentType = feed.JSONType
		body, err = f.JSON()
	default:
		body, err = f.RSS()
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, publicCache)
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return send(c, http.StatusOK, contentType, body, f.Updated)
}

// postItems makes feed items of posts, in their order, with the whole texts.
func (a *App) postItems(ctx context.Context, rows []models.PostRow) ([]feed.Item, error) {
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	texts, err := a.Store.PostTexts(ctx, ids)
	if err != nil {
		return nil, err
	}
	items := make([]feed.Item, len(rows))
	for i, row := range rows {
		address := a.Site.Abs(links.Post(row.Slug))
		item := feed.Item{
			ID: "urn:uuid:" + row.UUID, Title: row.Title, URL: address, ExternalURL: row.SourceURL, Summary: row.Summary,
			ContentHTML: markdown.FeedHTML(texts[row.ID].HTML, address), Language: foreign(row.Language), Published: row.PublishAt,
			ImageURL: a.Site.Abs(links.Share(links.Post(row.Slug))),
		}
		if row.CoverName != "" {
			item.ImageURL = a.Site.Abs(links.Media(row.CoverName))
		}
		if row.ChangedAt != nil {
			item.Updated = *row.ChangedAt
		}
		for _, author := range row.Authors {
			item.Authors = append(item.Authors, feed.Author{Name: author.Name, URL: a.Site.Abs(authorPath(author))})
		}
		for _, category := range row.Categories {
			item.Categories = append(item.Categories, category.Name)
		}
		for _, tag := range texts[row.ID].Tags {
			if !slices.Contains(item.Categories, tag) {
				item.Categories = append(item.Categories, tag)
			}
		}
		items[i] = item
	}
	return items, nil
}

// sendPostFeed answers with a page of the feed of a filter's posts. path is the list's, as in feedPath.
func (a *App) sendPostFeed(c *fiber.Ctx, f feed.Feed, filter models.PostFilter, path, format string) error {
	ctx := c.UserContext()
	page, err := pageNumber(c)
	if err != nil {
		return err
	}
	// One more than shown tells whether there is a next page.
	filter.Limit, filter.Offset = feedSize+1, (page-1)*feedSize
	rows, err := a.Store.Posts(ctx, filter)
	if err != nil {
		return err
	}
	if len(rows) == 0 && page > 1 {
		return fmt.Errorf("%w: page %d of a feed", models.ErrNotFound, page)
	}
	address := a.Site.Abs(feedPath(path, format))
	f.SelfURL = links.Numbered(address, page)
	if len(rows) > feedSize {
		rows = rows[:feedSize]
		f.NextURL = links.Numbered(address, page+1)
	}
	if f.Items, err = a.postItems(ctx, rows); err != nil {
		return err
	}
	if f.Updated, err = a.Store.PostsChangedAt(ctx, filter); err != nil {
		return err
	}
	return a.sendFeed(c, f, format)
}

// sendBlogFeed answers with the feed of the whole blog.
func (a *App) sendBlogFeed(c *fiber.Ctx, format string) error {
	return a.sendPostFeed(c, feed.Feed{
		ID: feedID("blog", 0), Title: a.site(c).Name + " blog", Description: blogDescription(a.site(c)), Language: "en",
		HomeURL: a.Site.Abs(links.Blog),
	}, models.PostFilter{}, "", format)
}

// sendArchiveFeed answers with the feed of a category, tag, author or series.
func (a *App) sendArchiveFeed(kind string) func(*fiber.Ctx, string) error {
	return func(c *fiber.Ctx, format string) error {
		archive, err := a.archive(c.UserContext(), a.site(c), kind, c.Params("slug"))
		if err != nil {
			return err
		}
		return a.sendPostFeed(c, feed.Feed{
			ID: feedID(kind, archive.id), Title: archive.feedTitle + " · " + a.site(c).Name, Description: archive.description, Language: "en",
			HomeURL: a.Site.Abs(archive.path),
		}, archive.filter, archive.path, format)
	}
}

// FeedsShow lists every feed and calendar for people.
type FeedsShow struct {
	Layout
	Groups []FeedGroup
}

// FeedGroup is a part of the list.
type FeedGroup struct {
	ID, Heading, Words string
	Rows               []FeedRow
	More               string  // of those that are left out, where each has its feeds
	All                NavLink // the list that has them
}

// feedRows is how many rows a part of the list has at most.
const feedRows = 60

// FeedRow is a list that people can follow.
type FeedRow struct {
	Title string
	URL   string // the page that shows it; may be empty
	Note  string // such as "12 posts"
	// Addresses are those to copy: of the feed, of the calendar, or of both.
	Addresses []string
	Formats   []NavLink
}

func (a *App) postFeedRow(title, page, path, note string) FeedRow {
	row := FeedRow{Title: title, URL: page, Note: note, Addresses: []string{a.Site.Abs(links.RSS(path))}}
	for _, format := range feedFormats {
		row.Formats = append(row.Formats, NavLink{URL: feedPath(path, format), Label: feedNames[format]})
	}
	return row
}

// withCalendar adds a calendar to what can be followed.
func (a *App) withCalendar(row FeedRow, path string) FeedRow {
	row.Addresses = append(row.Addresses, a.Site.Abs(path))
	row.Formats = append(row.Formats, NavLink{URL: path, Label: "iCalendar"})
	return row
}

func (a *App) showFeeds(c *fiber.Ctx) error {
	ctx := c.UserContext()
	categories, err := a.Store.Categories(ctx)
	if err != nil {
		return err
	}
	tags, err := a.Store.Tags(ctx)
	if err != nil {
		return err
	}
	authors, err := a.Store.Authors(ctx)
	if err != nil {
		return err
	}
	series, err := a.Store.PostSeriesList(ctx)
	if err != nil {
		return err
	}
	groups, ambassadors, err := a.Store.FeedOwners(ctx, feedRows+1)
	if err != nil {
		return err
	}
	// A list without posts says nothing of them: it may carry events.
	rows := func(archives []models.ArchiveRow, path func(string) string) []FeedRow {
		var all []FeedRow
		for _, archive := range archives {
			note := ""
			if archive.Posts > 0 {
				note = postsInWords(archive.Posts)
			}
			all = append(all, a.postFeedRow(archive.Name, path(archive.Slug), path(archive.Slug), note))
		}
		return all
	}
	withCalendars := func(archives []models.ArchiveRow, path func(string) string) []FeedRow {
		all := rows(archives, path)
		for i, archive := range archives {
			all[i] = a.withCalendar(all[i], links.Calendar(path(archive.Slug)))
		}
		return all
	}
	all := []FeedGroup{
		{ID: "everything", Heading: "Everything", Words: "The whole blog, and all events: news of them as a feed, their dates as a calendar.", Rows: []FeedRow{
			a.postFeedRow("Posts", links.Blog, "", ""),
			a.withCalendar(a.postFeedRow("Events", links.Events, links.Events, ""), links.EventsICS),
		}},
		{ID: "categories", Heading: "Categories", Rows: rows(categories, links.Category)},
		{ID: "groups", Heading: "Groups", Words: "A group’s posts and new events as a feed, its dates as a calendar.", Rows: withCalendars(groups, links.Group)},
		{ID: "ambassadors", Heading: "Ambassadors", Words: "What they write and the post that introduces them; where to meet them as a calendar.", Rows: withCalendars(ambassadors, links.Ambassador)},
		{ID: "series", Heading: "Series", Rows: rows(series, links.Series)},
		{ID: "authors", Heading: "Authors", Rows: rows(authors, links.Author)},
		{ID: "tags", Heading: "Tags", Rows: rows(tags, links.Tag)},
	}
	lists := map[string]NavLink{
		"groups": {URL: links.Groups, Label: "All groups"}, "ambassadors": {URL: links.Ambassadors, Label: "All ambassadors"},
		"authors": {URL: links.Blog, Label: "The blog"}, "tags": {URL: links.Blog, Label: "The blog"},
	}
	for i := range all {
		if g := &all[i]; len(g.Rows) > feedRows {
			g.Rows, g.All = g.Rows[:feedRows], lists[g.ID]
			g.More = "There are more, and each has its feeds on its own page."
		}
	}
	all = slices.DeleteFunc(all, func(g FeedGroup) bool { return len(g.Rows) == 0 })
	layout := a.layout(c, "Feeds and calendars", "Every feed and calendar of the "+a.site(c).ShortName+" community: follow the blog, a category, an author, a group or an ambassador in the reader you like.")
	layout.Scripts = append(layout.Scripts, "js/copy.js")
	return show(c, http.StatusOK, a.pages.feedsShow, FeedsShow{Layout: layout, Groups: all})
}
