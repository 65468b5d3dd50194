package handlers

import (
	"html/template"
	"strings"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/slug"
	"github.com/cdfoundation/portal/models"
)

// Portrait is the square picture of a person: a photo, or one that is drawn from the name.
type Portrait struct {
	Hue           int
	Drawing       template.HTML // when there is no photo
	PhotoURL, Alt string
	Width, Height int // pixels, of the photo
}

// newPortrait shows a name with the photo of that media name, if there is one.
func newPortrait(name, photo string, width, height int) Portrait {
	p := Portrait{Hue: artwork.Hue(name), Width: width, Height: height}
	if photo == "" {
		p.Drawing = blessed(artwork.Portrait(name))
	} else {
		p.PhotoURL = links.Media(photo)
	}
	return p
}

// AmbassadorLine is a person in the directory and wherever faces stand in a list.
type AmbassadorLine struct {
	Portrait
	URL, Name, Role, Place string
	Sample                 bool

	// What the directory is narrowed by.
	Text, Country, Languages, Topics string
	Hidden                           bool
}

func newAmbassadorLine(row models.AmbassadorRow) AmbassadorLine {
	return AmbassadorLine{
		Portrait: newPortrait(row.Name, row.Photo, row.PhotoWidth, row.PhotoHeight),
		URL:      links.Ambassador(row.Slug), Name: row.Name, Role: joined(row.Title, row.Employer), Place: placeWords(row.City, row.Country), Sample: row.Sample,
		Text: row.SearchText(), Country: row.Country, Languages: strings.Join(row.Languages, " "), Topics: topicSlugs(row.Topics),
	}
}

func newAmbassadorLines(rows []models.AmbassadorRow) []AmbassadorLine {
	lines := make([]AmbassadorLine, len(rows))
	for i, row := range rows {
		lines[i] = newAmbassadorLine(row)
	}
	return lines
}

// placeWords is a place as people write it: "Chichester, United Kingdom", and once only for a city that is a country.
func placeWords(city, country string) string {
	name := models.CountryName(country)
	if name == city {
		return city
	}
	return joined(city, name)
}

// givenName is what a person is called by who talks of them: the first word of the name.
func givenName(name string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	return first
}

// topicSlugs is a list of topics as the script that narrows lists compares them.
func topicSlugs(topics []string) string {
	slugs := make([]string, len(topics))
	for i, topic := range topics {
		slugs[i] = slug.Make(topic)
	}
	return strings.Join(slugs, " ")
}

// languageWords are languages by their English names: "English, Chinese".
func languageWords(tags []string) string {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = models.LanguageName(tag)
	}
	return strings.Join(names, ", ")
}
