package handlers

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/models"
)

// PostLine is a post in a list: as the feature, a line, or a card.
type PostLine struct {
	URL      string
	Title    string
	Summary  string
	Language string // empty when it is the page's, English
	Date     time.Time
	Minutes  int      // to read
	Category *NavLink // the main one
	Authors  []PostPerson
	By       string // names in words, with the employer of a single author
	Cover    Cover
	Sample   bool
}

// PostPerson is a byline with its face.
type PostPerson struct {
	Face
	URL  string // the archive of the byline
	Role string // title and employer
}

// Cover is the picture of a thing: an uploaded one, or one that is drawn.
type Cover struct {
	Drawing       template.HTML // when nothing was uploaded
	URL, Alt      string
	Width, Height int // pixels
}

// newPostLine shows a post in a list.
func newPostLine(row models.PostRow) PostLine {
	line := PostLine{
		URL: links.Post(row.Slug), Title: row.Title, Summary: row.Summary, Language: foreign(row.Language),
		Date: row.PublishAt.UTC(), Minutes: minutesToRead(row.Words), Cover: newPostCover(row, 480, 330), Sample: row.Sample,
	}
	if sections := sectionLinks(row.Categories); len(sections) > 0 {
		line.Category = &sections[0]
	}
	for _, author := range row.Authors {
		line.Authors = append(line.Authors, newPostPerson(author))
	}
	line.By = byWords(row.Authors)
	return line
}

// leaveOut takes the name of a person out of the lines on a page that is theirs, where they wrote alone.
func leaveOut(lines []PostLine, name string) {
	for i := range lines {
		if len(lines[i].Authors) == 1 && lines[i].Authors[0].Name == name {
			lines[i].By = ""
		}
	}
}

// newPostLines shows a list of posts.
func newPostLines(rows []models.PostRow) []PostLine {
	lines := make([]PostLine, len(rows))
	for i, row := range rows {
		lines[i] = newPostLine(row)
	}
	return lines
}

func newPostPerson(author models.PostAuthor) PostPerson {
	return PostPerson{
		Face: newFace(author.Name, author.Photo), URL: links.Author(author.Slug),
		Role: joined(author.Title, author.Employer),
	}
}

// newPostCover is a post's picture; width and height give the drawing's shape.
func newPostCover(row models.PostRow, width, height int) Cover {
	if row.CoverName != "" {
		return Cover{URL: links.Media(row.CoverName), Alt: row.CoverAlt, Width: row.CoverWidth, Height: row.CoverHeight}
	}
	return Cover{Drawing: blessed(artwork.Cover("blog/"+row.Slug, width, height, ""))}
}

// byWords names a post's authors: "Tracy Ragan, DeployHub", "Ann and Bob", "Ann and 2 others".
func byWords(authors []models.PostAuthor) string {
	switch len(authors) {
	case 0:
		return ""
	case 1:
		return joined(authors[0].Name, authors[0].Employer)
	case 2:
		return authors[0].Name + " and " + authors[1].Name
	}
	return authors[0].Name + " and " + strconv.Itoa(len(authors)-1) + " others"
}

// joined puts a comma between two texts of which either may be empty.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// wordsPerMinute is how fast people read.
const wordsPerMinute = 200

// tellingCategories are a post's categories as readers are told of them, the main one first. That it is in the category Blog, as
// nearly all are, tells nothing beside another.
func tellingCategories(categories []models.Category) []models.Category {
	if len(categories) < 2 {
		return categories
	}
	return slices.DeleteFunc(slices.Clone(categories), func(c models.Category) bool { return c.Slug == "blog" })
}

func sectionLinks(categories []models.Category) []NavLink {
	var all []NavLink
	for _, category := range tellingCategories(categories) {
		all = append(all, NavLink{URL: links.Category(category.Slug), Label: category.Name})
	}
	return all
}

// minutesToRead is rounded up, and one for the shortest text.
func minutesToRead(words int) int {
	return max(1, (words+wordsPerMinute-1)/wordsPerMinute)
}

// authorPath is where a byline's name leads: to the ambassador's profile, else to the byline's archive.
func authorPath(author models.PostAuthor) string {
	if author.AmbassadorSlug != "" {
		return links.Ambassador(author.AmbassadorSlug)
	}
	return links.Author(author.Slug)
}

// PostArticle is a post as its own page shows it.
type PostArticle struct {
	Title      string
	Standfirst string
	Language   string // empty when it is the page's, English
	Categories []NavLink
	Authors    []ArticleAuthor
	About      []ArticleAuthor // those of them who are introduced below the text
	Date       time.Time
	Updated    *time.Time
	Minutes    int
	Words      int
	Sample     bool
	Source     *PostSource
	Cover      Cover
	Credit     string // of an uploaded cover
	Contents   []ContentsEntry
	Body       template.HTML
	Licence    NavLink
	Tags       []NavLink
	Group      *NavLink
	Announces  []EventLine // the event that it announces, as it stands now
	Introduces *Introduced
	Series     *SeriesBox
	Related    []PostLine
	More       *NavLink // the archive of its category
	Newer      *PostTitle
	Older      *PostTitle
	Follow     FeedRow
}

// ArticleAuthor is a byline with what is known of the person.
type ArticleAuthor struct {
	PostPerson
	Bio     string
	Archive string
	Website string
}

// PostSource is where a post stood first.
type PostSource struct {
	Name, Author, URL string
}

// ContentsEntry is a heading of the contents with those below it.
type ContentsEntry struct {
	ID, Text string
	Below    []ContentsEntry
}

// Introduced is the ambassador whom a post introduces.
type Introduced struct {
	Face
	Role, Place, URL string
}

// SeriesBox leads through the series of a post.
type SeriesBox struct {
	Title, URL     string
	Part           int // from 1
	Parts          []PostTitle
	Previous, Next *PostTitle
}

// PostTitle is a link to a post.
type PostTitle struct {
	Title, URL, Language string
	Current              bool
}

func newPostTitle(row *models.PostRow) *PostTitle {
	if row == nil {
		return nil
	}
	return &PostTitle{Title: row.Title, URL: links.Post(row.Slug), Language: foreign(row.Language)}
}

// newPostArticle shows a post on its page.
func (a *App) newPostArticle(post models.PostPage) PostArticle {
	view := PostArticle{
		Title: post.Title, Standfirst: post.Excerpt, Language: foreign(post.Language), Date: post.PublishAt.UTC(),
		Minutes: minutesToRead(post.Words), Words: post.Words, Sample: post.Sample, Cover: newPostCover(post.PostRow, 1200, 440),
		Credit: joined(post.CoverCredit, newLicence(post.CoverLicence).Label),
		Body:   blessed(post.HTML), Licence: newLicence(post.Licence), Related: newPostLines(post.Related),
		Newer: newPostTitle(post.Newer), Older: newPostTitle(post.Older),
	}
	if post.ChangedAt != nil {
		changed := post.ChangedAt.UTC()
		view.Updated = &changed
	}
	view.Categories = sectionLinks(post.Categories)
	if len(view.Categories) > 0 {
		main := view.Categories[0]
		view.More = &NavLink{URL: main.URL, Label: "More in " + main.Label}
		view.Follow = a.postFeedRow("Posts in "+main.Label, main.URL, main.URL, "")
	} else {
		view.Follow = a.postFeedRow("CDF blog", links.Blog, "", "")
	}
	for _, tag := range post.Tags {
		view.Tags = append(view.Tags, NavLink{URL: links.Tag(tag.Slug), Label: tag.Name})
	}
	for _, author := range post.Authors {
		person := ArticleAuthor{PostPerson: newPostPerson(author), Bio: author.Bio, Archive: links.Author(author.Slug), Website: author.URL}
		person.URL = authorPath(author)
		view.Authors = append(view.Authors, person)
		// Whom a post introduces in their own words has a card of their own; of whom only the name is known, the byline tells it.
		introduced := author.AmbassadorSlug != "" && author.AmbassadorSlug == post.IntroducesSlug
		if !introduced && (person.Role != "" || person.Bio != "") {
			view.About = append(view.About, person)
		}
	}
	if post.SourceName != "" {
		view.Source = &PostSource{Name: post.SourceName, Author: post.SourceAuthor, URL: post.SourceURL}
	}
	if showsContents(post) {
		view.Contents = contentsTree(post.Contents)
	}
	if post.GroupSlug != "" {
		view.Group = &NavLink{URL: links.Group(post.GroupSlug), Label: post.GroupName}
	}
	if post.IntroducesSlug != "" {
		view.Introduces = &Introduced{
			Face: newFace(post.IntroducesName, post.IntroducesPhoto), URL: links.Ambassador(post.IntroducesSlug),
			Role: joined(post.IntroducesTitle, post.IntroducesEmployer), Place: placeWords(post.IntroducesCity, post.IntroducesCountry),
		}
	}
	view.Series = newSeriesBox(post)
	// A part of a series has its own before and after.
	if view.Series != nil && (view.Series.Previous != nil || view.Series.Next != nil) {
		view.Newer, view.Older = nil, nil
	}
	return view
}

func newSeriesBox(post models.PostPage) *SeriesBox {
	if post.SeriesSlug == "" {
		return nil
	}
	box := &SeriesBox{Title: post.SeriesTitle, URL: links.Series(post.SeriesSlug)}
	for i, row := range post.Series {
		part := *newPostTitle(&row)
		if part.Current = row.ID == post.ID; part.Current {
			box.Part = i + 1
			if i > 0 {
				box.Previous = newPostTitle(&post.Series[i-1])
			}
			if i+1 < len(post.Series) {
				box.Next = newPostTitle(&post.Series[i+1])
			}
		}
		box.Parts = append(box.Parts, part)
	}
	return box
}

// showsContents reports whether a post is long enough for contents.
func showsContents(post models.PostPage) bool { return len(post.Contents) >= 3 }

// contentsTree puts headings of the third level below those of the second before them.
func contentsTree(headings []markdown.Heading) []ContentsEntry {
	var tree []ContentsEntry
	for _, h := range headings {
		entry := ContentsEntry{ID: h.ID, Text: h.Text}
		if h.Level > 2 && len(tree) > 0 {
			last := &tree[len(tree)-1]
			last.Below = append(last.Below, entry)
		} else {
			tree = append(tree, entry)
		}
	}
	return tree
}

// newLicence names a licence as people know it, with its text where we know the address.
func newLicence(spdx string) NavLink {
	if rest, ok := strings.CutPrefix(spdx, "CC-BY-"); ok {
		if cut := strings.LastIndexByte(rest, '-'); cut >= 0 {
			return NavLink{
				URL:   "https://creativecommons.org/licenses/by-" + strings.ToLower(rest[:cut]) + "/" + rest[cut+1:] + "/",
				Label: "CC BY-" + rest[:cut] + " " + rest[cut+1:],
			}
		}
		return NavLink{URL: "https://creativecommons.org/licenses/by/" + rest + "/", Label: "CC BY " + rest}
	}
	if spdx == "CC0-1.0" {
		return NavLink{URL: "https://creativecommons.org/publicdomain/zero/1.0/", Label: "CC0 1.0"}
	}
	return NavLink{Label: spdx}
}
