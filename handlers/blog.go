package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// postsPerPage is what a page of the blog or an archive lists.
const postsPerPage = 15

func blogDescription(site models.Site) string {
	return "Field notes, announcements and introductions from the people behind the " + organisationInShort(site) + "'s projects, groups and ambassadors."
}

// BlogIndex is the blog or one of its archives.
type BlogIndex struct {
	Layout
	Whole      bool   // not an archive
	Kicker     string // what the heading is the name of; empty for the blog and for a person
	Heading    string
	Lead       string
	Author     *BlogAuthor
	Feature    *PostLine
	Lines      []PostLine
	Empty      string // what is said when there are none
	Count      string
	Categories []ArchiveLink
	Tags       []ArchiveLink
	Pager      Pager
	Follow     FeedRow
}

// ArchiveLink leads to an archive and tells how much is in it.
type ArchiveLink struct {
	NavLink
	Posts int
}

// BlogAuthor introduces a byline.
type BlogAuthor struct {
	Portrait
	Name    string
	Role    string
	Bio     string
	Profile string // path of the ambassador's profile, may be empty
	Website string
	Handle  string
}

// archive is what the page and the feeds of a category, tag, author or series have in common.
type archive struct {
	id          int64
	path        string
	kicker      string // what the heading is the name of
	heading     string
	feedTitle   string
	description string
	empty       string
	filter      models.PostFilter
	author      *models.PostAuthor
}

// archive finds a category, tag, author or series by its slug.
func (a *App) archive(ctx context.Context, site models.Site, kind, slug string) (archive, error) {
	switch kind {
	case "category":
		category, err := a.Store.CategoryBySlug(ctx, slug)
		return archive{
			id: category.ID, path: links.Category(slug), kicker: "Category", heading: category.Name, feedTitle: "Posts in " + category.Name,
			description: "Posts of the " + site.ShortName + " community blog in the category “" + category.Name + "”, the newest first.",
			empty:       "Nothing is published in this category yet. Subscribe, and the first post finds you.",
			filter:      models.PostFilter{CategoryID: category.ID},
		}, err
	case "tag":
		tag, err := a.Store.TagBySlug(ctx, slug)
		return archive{
			id: tag.ID, path: links.Tag(slug), kicker: "Topic", heading: tag.Name, feedTitle: "Posts about " + tag.Name,
			description: "Posts of the " + site.ShortName + " community blog about " + tag.Name + ", the newest first.",
			empty:       "Nothing is published about this yet. Subscribe, and the first post finds you.",
			filter:      models.PostFilter{TagID: tag.ID},
		}, err
	case "series":
		series, err := a.Store.PostSeriesBySlug(ctx, slug)
		return archive{
			id: series.ID, path: links.Series(slug), kicker: "Series", heading: series.Title, feedTitle: "Series: " + series.Title,
			description: "The series “" + series.Title + "” of the " + site.ShortName + " community blog, all parts so far.",
			empty:       "No part of this series is published yet. Subscribe, and the first finds you.",
			filter:      models.PostFilter{SeriesID: series.ID},
		}, err
	}
	author, err := a.Store.AuthorBySlug(ctx, slug)
	return archive{
		id: author.ID, path: links.Author(slug), heading: author.Name, feedTitle: "Posts by " + author.Name,
		description: "What " + joined(author.Name, joined(author.Title, author.Employer)) + " writes on the " + site.ShortName + " community blog.",
		empty:       "Nothing by this author is published yet. Subscribe, and the first post finds you.",
		filter:      models.PostFilter{BylineID: author.ID}, author: &author,
	}, err
}

// showBlog lists all posts.
func (a *App) showBlog(c *fiber.Ctx) error {
	return a.showPosts(c, archive{
		path: links.Blog, heading: "Blog", feedTitle: a.site(c).ShortName + " blog", description: blogDescription(a.site(c)),
		empty: "Nothing is published yet. Subscribe, and the first post finds you.",
	})
}

// showArchive lists the posts of a category, tag, author or series.
func (a *App) showArchive(kind string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		found, err := a.archive(c.UserContext(), a.site(c), kind, c.Params("slug"))
		if err != nil {
			return err
		}
		return a.showPosts(c, found)
	}
}

func (a *App) showPosts(c *fiber.Ctx, list archive) error {
	ctx := c.UserContext()
	number, err := pageNumber(c)
	if err != nil {
		return err
	}
	total, err := a.Store.CountPosts(ctx, list.filter)
	if err != nil {
		return err
	}
	pager, err := newPager(list.path, number, total, postsPerPage)
	if err != nil {
		return err
	}
	list.filter.Limit, list.filter.Offset, list.filter.Total = postsPerPage, (number-1)*postsPerPage, total
	rows, err := a.Store.Posts(ctx, list.filter)
	if err != nil {
		return err
	}
	categories, err := a.Store.Categories(ctx)
	if err != nil {
		return err
	}
	whole := list.path == links.Blog
	page := BlogIndex{
		Whole: whole, Kicker: list.kicker, Heading: list.heading, Lead: list.description, Lines: newPostLines(rows), Empty: list.empty, Count: postsInWords(total), Pager: pager,
		Categories: archiveLinks(categories, links.Category, list.path),
	}
	title, description, feedPath := list.feedTitle, list.description, list.path
	if whole {
		title, feedPath = "Blog", ""
		tags, err := a.Store.Tags(ctx)
		if err != nil {
			return err
		}
		page.Tags = archiveLinks(tags[:min(len(tags), 24)], links.Tag, "")
	}
	if number > 1 {
		title += fmt.Sprintf(", page %d", number)
		description = fmt.Sprintf("Page %d of %d: %s", number, pager.Pages, description)
	} else if whole && len(page.Lines) > 0 {
		page.Feature, page.Lines = &page.Lines[0], page.Lines[1:]
	}
	if list.author != nil {
		leaveOut(page.Lines, list.heading)
		page.Author = newBlogAuthor(*list.author)
		page.Lead = ""
	}
	page.Layout = a.layout(c, title, description)
	page.Follow = a.postFeedRow(list.feedTitle, list.path, feedPath, "")
	if !whole {
		page.Feeds = append(a.feedLinks(list.feedTitle, feedPath), page.Feeds...)
	}
	if total == 0 {
		page.Robots = "noindex"
	}
	page.Canonical = a.Site.Abs(links.Numbered(list.path, number))
	page.Share.URL = page.Canonical
	page.Scripts = append(page.Scripts, "js/copy.js")
	return show(c, http.StatusOK, a.pages.blogIndex, page)
}

func newBlogAuthor(author models.PostAuthor) *BlogAuthor {
	shown := BlogAuthor{
		Portrait: newPortrait(author.Name, author.Photo, author.PhotoWidth, author.PhotoHeight), Name: author.Name, Role: joined(author.Title, author.Employer), Bio: author.Bio,
		Website: author.URL, Handle: author.Handle,
	}
	if author.AmbassadorSlug != "" {
		shown.Profile = links.Ambassador(author.AmbassadorSlug)
	}
	return &shown
}

func archiveLinks(rows []models.ArchiveRow, path func(string) string, current string) []ArchiveLink {
	all := make([]ArchiveLink, len(rows))
	for i, row := range rows {
		all[i] = ArchiveLink{NavLink{URL: path(row.Slug), Label: row.Name, Current: path(row.Slug) == current}, row.Posts}
	}
	return all
}

func postsInWords(n int) string {
	if n == 1 {
		return "1 post"
	}
	return fmt.Sprintf("%d posts", n)
}

// PostShow is a post's page.
type PostShow struct {
	Layout
	Post PostArticle
}

// showPost shows a post, leads to it from a slug of earlier, or says that it is gone.
func (a *App) showPost(c *fiber.Ctx) error {
	post, err := a.Store.PostBySlug(c.UserContext(), c.Params("slug"))
	if moved, ok := errors.AsType[*models.MovedError](err); ok {
		return movedTo(c, links.Post(moved.Slug))
	}
	if err != nil {
		return err
	}
	article := a.newPostArticle(post)
	if post.AnnouncesID != nil {
		rows, err := a.Store.Events(c.UserContext(), models.EventFilter{Period: models.NewEvents, ID: *post.AnnouncesID})
		if err != nil {
			return err
		}
		article.Announces = newEventLines(rows, a.Store.Now())
	}
	return show(c, http.StatusOK, a.pages.postShow, PostShow{Layout: a.postLayout(c, post), Post: article})
}

// postLayout is the frame of a post's page.
func (a *App) postLayout(c *fiber.Ctx, post models.PostPage) Layout {
	address := a.Site.Abs(links.Post(post.Slug))
	layout := a.layout(c, post.Title, post.Summary)
	if layout.Description == "" {
		layout.Description = post.Title + ", on the blog of the " + a.site(c).ShortName + " community."
	}
	layout.Share.Type, layout.Share.Description = "article", layout.Description
	layout.Share.Image = a.Site.Abs(links.Share(links.Post(post.Slug)))
	layout.Share.Published = post.PublishAt.UTC().Format(time.RFC3339)
	modified := layout.Share.Published
	if post.ChangedAt != nil {
		modified = post.ChangedAt.UTC().Format(time.RFC3339)
		layout.Share.Modified = modified
	}
	if post.SourceURL != "" {
		layout.Canonical = post.SourceURL
	}
	if named := tellingCategories(post.Categories); len(named) > 0 {
		main := named[0]
		layout.Feeds = append(a.feedLinks("Posts in "+main.Name, links.Category(main.Slug)), layout.Feeds...)
	}
	layout.Fonts = []string{"fonts/source-serif-4-latin.woff2"}
	layout.Scripts = append(layout.Scripts, "js/share.js", "js/copy.js")
	if showsContents(post) {
		layout.Scripts = append(layout.Scripts, "js/contents.js")
	}
	if strings.Contains(post.HTML, "<pre") {
		layout.Scripts = append(layout.Scripts, "js/copy-code.js")
	}
	authors := make([]schemaPerson, len(post.Authors))
	for i, author := range post.Authors {
		authors[i] = a.schemaPerson(author)
	}
	posting := schemaPosting{
		Context: "https://schema.org", Type: "BlogPosting", ID: address + "#post", URL: address, Headline: post.Title, Description: layout.Description,
		Language: post.Language, Published: layout.Share.Published, Modified: modified, Words: post.Words, Image: []string{layout.Share.Image},
		Authors: authors, MainEntity: address,
		Publisher: schemaOrganization{Type: "Organization", Name: a.site(c).Organisation, URL: a.Site.Abs(links.Home)},
	}
	if post.CoverName != "" {
		posting.Image = append(posting.Image, a.Site.Abs(links.Media(post.CoverName)))
	}
	if post.SourceURL != "" {
		posting.BasedOn = post.SourceURL
	}
	if licence := newLicence(post.Licence); licence.URL != "" {
		posting.Licence = licence.URL
	}
	for _, tag := range post.Tags {
		posting.Keywords = append(posting.Keywords, tag.Name)
	}
	for _, category := range post.Categories {
		posting.Sections = append(posting.Sections, category.Name)
	}
	layout.StructuredData = append(layout.StructuredData, posting)
	return layout
}

// schemaPosting is schema.org's BlogPosting.
type schemaPosting struct {
	Context     string             `json:"@context"`
	Type        string             `json:"@type"`
	ID          string             `json:"@id"`
	URL         string             `json:"url"`
	MainEntity  string             `json:"mainEntityOfPage"`
	Headline    string             `json:"headline"`
	Description string             `json:"description"`
	Language    string             `json:"inLanguage"`
	Published   string             `json:"datePublished"`
	Modified    string             `json:"dateModified"`
	Words       int                `json:"wordCount,omitempty"`
	Image       []string           `json:"image"`
	Authors     []schemaPerson     `json:"author"`
	Publisher   schemaOrganization `json:"publisher"`
	BasedOn     string             `json:"isBasedOn,omitempty"`
	Licence     string             `json:"license,omitempty"`
	Keywords    []string           `json:"keywords,omitempty"`
	Sections    []string           `json:"articleSection,omitempty"`
}

type schemaPerson struct {
	Type   string   `json:"@type"`
	Name   string   `json:"name"`
	URL    string   `json:"url"`
	SameAs []string `json:"sameAs,omitempty"`
}

type schemaOrganization struct {
	Type string `json:"@type"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

func (a *App) schemaPerson(author models.PostAuthor) schemaPerson {
	person := schemaPerson{Type: "Person", Name: author.Name, URL: a.Site.Abs(authorPath(author))}
	if author.URL != "" {
		person.SameAs = append(person.SameAs, author.URL)
	}
	return person
}
