package handlers

import (
	"time"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// GroupLine is a group in a list.
type GroupLine struct {
	Slug, URL, Name, City, Place string
	NextTitle, NextDate          string // empty when nothing is planned
	NextAt                       time.Time
	NextLanguage                 string // of the title; empty when it is the page's
	Sample                       bool

	// What the list is narrowed and sorted by.
	Text, Country, Topics string
	Latitude, Longitude   float64
	Hidden                bool
	Distance              string // from the place that was asked for: "12 km"
}

func newGroupLine(row models.GroupRow, now time.Time) GroupLine {
	line := GroupLine{
		Slug: row.Slug, URL: links.Group(row.Slug), Name: row.Name, City: row.City, Place: placeWords(row.City, row.Country),
		Sample: row.Sample, Text: row.SearchText(), Country: row.Country, Topics: topicSlugs(row.Topics),
		Latitude: row.Latitude, Longitude: row.Longitude,
	}
	if row.NextStartsAt != nil {
		line.NextAt, line.NextLanguage = row.NextStartsAt.In(models.Zone(row.NextTimezone)), foreign(row.NextLanguage)
		line.NextTitle, line.NextDate = row.NextTitle, nextDate(line.NextAt, row.NextDatePrecision, now)
	}
	return line
}

func newGroupLines(rows []models.GroupRow, now time.Time) []GroupLine {
	lines := make([]GroupLine, len(rows))
	for i, row := range rows {
		lines[i] = newGroupLine(row, now)
	}
	return lines
}

// nextDate is a date as far as it is known.
func nextDate(at time.Time, precision models.DatePrecision, now time.Time) string {
	if precision == models.PrecisionMonth {
		return at.Format("January 2006")
	}
	return shortDate(at, now)
}
