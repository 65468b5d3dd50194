package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// AmbassadorFilter chooses public profiles; its zero value is all of them.
type AmbassadorFilter struct {
	CohortID int64
	GroupID  int64 // who organises the group
}

// AmbassadorRow is a profile as lists and the map show it.
type AmbassadorRow struct {
	ID          int64
	Slug        string
	Name        string
	Title       string
	Employer    string
	City        string
	Country     string
	Latitude    *float64
	Longitude   *float64
	Languages   List[string]
	Topics      List[string]
	Sample      bool
	Photo       string // name of a medium, perhaps empty
	PhotoWidth  int
	PhotoHeight int
	CohortSlug  string
	CohortTitle string
	CohortSize  int // people, also those without a profile
}

// Ambassadors lists public profiles by name.
func (s *Store) Ambassadors(ctx context.Context, f AmbassadorFilter) ([]AmbassadorRow, error) {
	q := s.read(ctx).Table("ambassadors AS a").
		Select(`a.id, a.slug, a.name, a.title, a.employer, a.city, a.country, a.latitude, a.longitude, a.languages, a.topics, a.sample,
			coalesce(m.name, '') AS photo, coalesce(m.width, 0) AS photo_width, coalesce(m.height, 0) AS photo_height,
			coalesce(c.slug, '') AS cohort_slug, coalesce(c.title, '') AS cohort_title, coalesce(c.size, 0) AS cohort_size`).
		Joins("LEFT JOIN media m ON m.id = a.photo_id").
		Joins("LEFT JOIN cohorts c ON c.id = a.cohort_id").
		Where("a.status = ?", AmbassadorPublished)
	if f.CohortID != 0 {
		q = q.Where("a.cohort_id = ?", f.CohortID)
	}
	if f.GroupID != 0 {
		q = q.Where(`(a.id IN (SELECT ambassador_id FROM group_organisers WHERE group_id = ?)
			OR a.user_id IN (SELECT user_id FROM group_organisers WHERE group_id = ?))`, f.GroupID, f.GroupID)
	}
	var rows []AmbassadorRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	sortFolded(rows, func(a AmbassadorRow) (string, string) { return a.Name, a.Slug })
	return rows, nil
}

// AmbassadorSearch is what a visitor of the directory looks for; empty fields do not matter.
type AmbassadorSearch struct {
	Text     string // words from name, title, employer, place or topics
	Country  string // ISO 3166-1 alpha-2
	Language string // BCP 47
	Topic    string // slug of a topic
}

// Matches reports whether a profile is among those looked for.
func (q AmbassadorSearch) Matches(a AmbassadorRow) bool {
	return (q.Country == "" || a.Country == q.Country) &&
		(q.Language == "" || slices.Contains(a.Languages, q.Language)) &&
		(q.Topic == "" || hasTopic(a.Topics, q.Topic)) &&
		containsWords(a.SearchText(), q.Text)
}

// SearchText is what the directory's search looks at.
func (a AmbassadorRow) SearchText() string {
	return strings.Join([]string{a.Name, a.Title, a.Employer, a.City, CountryName(a.Country), strings.Join(a.Topics, " ")}, " ")
}

// AmbassadorDetail is a public profile with what its page needs of its neighbours.
type AmbassadorDetail struct {
	Ambassador
	Photo       string // name of a medium, perhaps empty
	PhotoAlt    string
	PhotoWidth  int
	PhotoHeight int
	PhotoCredit string
	CohortSlug  string
	CohortTitle string
	WelcomedOn  string // YYYY-MM-DD, of the cohort
}

// AmbassadorBySlug is a public profile. A draft is ErrNotFound, a slug of before a *MovedError.
func (s *Store) AmbassadorBySlug(ctx context.Context, slug string) (AmbassadorDetail, error) {
	var found AmbassadorDetail
	err := s.read(ctx).Table("ambassadors AS a").
		Select(`a.*, coalesce(m.name, '') AS photo, coalesce(m.alt, '') AS photo_alt, coalesce(m.credit, '') AS photo_credit,
			coalesce(m.width, 0) AS photo_width, coalesce(m.height, 0) AS photo_height,
			coalesce(c.slug, '') AS cohort_slug, coalesce(c.title, '') AS cohort_title, coalesce(c.welcomed_on, '') AS welcomed_on`).
		Joins("LEFT JOIN media m ON m.id = a.photo_id").
		Joins("LEFT JOIN cohorts c ON c.id = a.cohort_id").
		Where("a.slug = ? AND a.status = ?", slug, AmbassadorPublished).
		Take(&found).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return found, s.moved(ctx, "ambassador", slug, `SELECT a.slug FROM slug_history h JOIN ambassadors a ON a.id = h.object_id
			WHERE h.kind = 'ambassador' AND h.slug = ? AND a.status = 'published'`)
	}
	return found, translate(err)
}

// CohortBySlug is a cohort.
func (s *Store) CohortBySlug(ctx context.Context, slug string) (Cohort, error) {
	var found Cohort
	err := s.read(ctx).Where("slug = ?", slug).Take(&found).Error
	return one(found, err, "cohort", slug)
}

// Since is how long somebody has been an ambassador, in words: the year of their cohort; "" where that is unknown.
func (a AmbassadorDetail) Since() string {
	year, _, _ := strings.Cut(a.WelcomedOn, "-")
	if year == "" || a.CohortTitle == "" {
		return year
	}
	return fmt.Sprintf("%s, %s", year, strings.ToLower(a.CohortTitle[:1])+a.CohortTitle[1:])
}
