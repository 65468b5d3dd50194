package handlers

import (
	"html/template"
	"strconv"
	"time"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
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
	Name string
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
	if len(row.Categories) > 0 {
		line.Category = &NavLink{URL: links.Category(row.Categories[0].Slug), Label: row.Categories[0].Name}
	}
	for _, author := range row.Authors {
		line.Authors = append(line.Authors, newPostPerson(author))
	}
	line.By = byWords(row.Authors)
	return line
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
		Face: newFace(author.Name, author.Photo), Name: author.Name, URL: links.Author(author.Slug),
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

// minutesToRead is rounded up, and one for the shortest text.
func minutesToRead(words int) int {
	return max(1, (words+wordsPerMinute-1)/wordsPerMinute)
}
