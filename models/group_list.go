package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// GroupFilter chooses listed groups; its zero value is all of them.
type GroupFilter struct {
	AmbassadorID int64   // who organises them, with or without an account
	IDs          []int64 // these alone; nil: all
}

// GroupRow is a group as lists and the map show it, with its next public event.
type GroupRow struct {
	ID                int64
	Slug              string
	Name              string
	City              string
	Country           string
	Latitude          float64
	Longitude         float64
	Topics            List[string]
	Language          string
	Sample            bool
	NextSlug          string // "" when nothing is planned
	NextTitle         string
	NextLanguage      string // BCP 47, of the title
	NextStartsAt      *time.Time
	NextTimezone      string
	NextDatePrecision DatePrecision

	topicSlugs []string // of the directory, where many rows are compared
}

// Groups lists listed groups by city, with the event of each that is going on or comes next at the store's time.
func (s *Store) Groups(ctx context.Context, f GroupFilter) ([]GroupRow, error) {
	q := s.read(ctx).Table("groups AS g").
		Select(`g.id, g.slug, g.name, g.city, g.country, g.latitude, g.longitude, g.topics, g.language, g.sample,
			coalesce(e.slug, '') AS next_slug, coalesce(e.title, '') AS next_title, coalesce(e.text_language, '') AS next_language, e.starts_at AS next_starts_at,
			coalesce(e.timezone, '') AS next_timezone, coalesce(e.date_precision, '') AS next_date_precision`).
		Joins(`LEFT JOIN events e ON e.id = (SELECT x.id FROM events x WHERE x.group_id = g.id AND x.status = 'published' AND x.ends_at > ?
			ORDER BY x.starts_at, x.id LIMIT 1)`, s.Now()).
		Where("g.status = ?", GroupListed)
	if f.AmbassadorID != 0 {
		q = q.Where(`g.id IN (SELECT o.group_id FROM group_organisers o WHERE
			o.ambassador_id = ? OR o.user_id = (SELECT user_id FROM ambassadors WHERE id = ?))`, f.AmbassadorID, f.AmbassadorID)
	}
	if f.IDs != nil {
		q = q.Where("g.id IN ?", append([]int64{0}, f.IDs...)) // an empty list is no SQL
	}
	var rows []GroupRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	sortFolded(rows, func(g GroupRow) (string, string) { return g.City, g.Slug })
	return rows, nil
}

// GroupDirectory lists all listed groups by city, without their events: to look for some of them.
func (s *Store) GroupDirectory(ctx context.Context) ([]GroupRow, error) {
	var rows []GroupRow
	err := s.each(ctx, "SELECT id, slug, name, city, country, latitude, longitude, topics, language, sample FROM groups WHERE status = 'listed'", nil, func(scan scanner) error {
		var g GroupRow
		err := scan(&g.ID, &g.Slug, &g.Name, &g.City, &g.Country, &g.Latitude, &g.Longitude, &g.Topics, &g.Language, &g.Sample)
		g.topicSlugs = slugsOf(g.Topics)
		rows = append(rows, g)
		return err
	})
	sortFolded(rows, func(g GroupRow) (string, string) { return g.City, g.Slug })
	return rows, err
}

// GroupSearch is what a visitor of the groups looks for; empty fields do not matter.
type GroupSearch struct {
	Text    string // words from name, city, country or topics
	Country string // ISO 3166-1 alpha-2
	Topic   string // slug of a topic
	Region  Region
}

// Matches reports whether a group is among those looked for.
func (q GroupSearch) Matches(g GroupRow) bool {
	return (q.Country == "" || g.Country == q.Country) &&
		(q.Region == "" || RegionOf(g.Country) == q.Region) &&
		(q.Topic == "" || slices.Contains(g.topicSlugs, q.Topic) || g.topicSlugs == nil && hasTopic(g.Topics, q.Topic)) &&
		containsWords(g.SearchText(), q.Text)
}

// SearchText is what the search among the groups looks at.
func (g GroupRow) SearchText() string {
	return strings.Join([]string{g.Name, g.City, CountryName(g.Country), strings.Join(g.Topics, " ")}, " ")
}

// GroupBySlug is a listed group. One that was delisted is ErrGone, a slug of before a *MovedError.
func (s *Store) GroupBySlug(ctx context.Context, slug string) (Group, error) {
	var found Group
	err := s.read(ctx).Where("slug = ?", slug).Take(&found).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return found, s.moved(ctx, "group", slug, `SELECT g.slug FROM slug_history h JOIN groups g ON g.id = h.object_id
			WHERE h.kind = 'group' AND h.slug = ? AND g.status = 'listed'`)
	}
	if err != nil {
		return found, translate(err)
	}
	if found.Status == GroupDelisted {
		return Group{}, fmt.Errorf("%w: group %q", ErrGone, slug)
	}
	return found, nil
}

// OrganiserRow is who runs a group, as its page shows them.
type OrganiserRow struct {
	Name           string
	Title          string
	AmbassadorSlug string // "" without a public profile
	Photo          string // name of a medium, perhaps empty
}

// Organisers lists who runs a group, in the order in which they came. A person with a draft profile is shown by name only,
// one without an account and with a draft profile not at all.
func (s *Store) Organisers(ctx context.Context, groupID int64) ([]OrganiserRow, error) {
	var rows []OrganiserRow
	err := s.read(ctx).Raw(`
		SELECT coalesce(a.name, u.name) AS name, coalesce(a.title, '') AS title, coalesce(a.slug, '') AS ambassador_slug, coalesce(m.name, '') AS photo
		FROM group_organisers o
		LEFT JOIN users u ON u.id = o.user_id
		LEFT JOIN ambassadors a ON a.status = 'published' AND (a.id = o.ambassador_id OR a.user_id = o.user_id)
		LEFT JOIN media m ON m.id = a.photo_id
		WHERE o.group_id = ? AND coalesce(a.id, u.id) IS NOT NULL
		ORDER BY o.id`, groupID).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	// Somebody may be named twice: by profile, and by the account that the profile got later.
	seen := map[string]bool{}
	return slices.DeleteFunc(rows, func(o OrganiserRow) bool {
		if o.AmbassadorSlug == "" {
			return false
		}
		again := seen[o.AmbassadorSlug]
		seen[o.AmbassadorSlug] = true
		return again
	}), nil
}
