package models

import (
	"context"
	"fmt"
)

// Headline is what a public thing is called, and what stands above that.
type Headline struct {
	Title  string
	Kicker string
}

// HeadlineCohort is the kind of cohorts, which have a headline although nobody searches for them.
const HeadlineCohort SearchKind = "cohort"

// HeadlineOf is the headline of the public thing of a kind with a slug, of a page with a path; ErrNotFound when nothing
// public has it.
func (s *Store) HeadlineOf(ctx context.Context, kind SearchKind, slug string) (Headline, error) {
	now := s.Now()
	var query string
	args := []any{slug}
	switch kind {
	case SearchPost:
		query = `SELECT p.title, coalesce((SELECT c.name FROM post_categories pc JOIN categories c ON c.id = pc.category_id
			WHERE pc.post_id = p.id ORDER BY pc.position LIMIT 1), '') AS kicker FROM posts p WHERE p.slug = ? AND ` + publicPosts
		args = append(args, now, now)
	case SearchEvent:
		var event Event
		err := s.read(ctx).Select("title, kind, mode, date_precision, starts_at, ends_at, starts_local, ends_local, timezone, venue_name, venue_city, venue_country").
			Where("slug = ? AND status IN ('published', 'cancelled')", slug).Take(&event).Error
		event, err = one(event, err, string(kind), slug)
		return Headline{event.Title, event.DateText() + ", " + event.PlaceText()}, err
	case SearchGroup:
		var group Group
		err := s.read(ctx).Select("name, city, country").Where("slug = ? AND status = 'listed'", slug).Take(&group).Error
		group, err = one(group, err, string(kind), slug)
		return Headline{group.Name, "Group in " + group.City + ", " + CountryName(group.Country)}, err
	case SearchAmbassador:
		query = "SELECT name AS title, 'Ambassador' AS kicker FROM ambassadors WHERE slug = ? AND status = 'published'"
	case HeadlineCohort:
		query = "SELECT title, 'Ambassadors' AS kicker FROM cohorts WHERE slug = ?"
	case SearchPage:
		query = "SELECT title, CASE WHEN project_status <> '' THEN 'CDF project' ELSE '' END AS kicker FROM pages WHERE path = ?"
	}
	var found []Headline
	if err := s.read(ctx).Raw(query, args...).Scan(&found).Error; err != nil {
		return Headline{}, translate(err)
	}
	if len(found) == 0 {
		return Headline{}, fmt.Errorf("%w: %s %q", ErrNotFound, kind, slug)
	}
	return found[0], nil
}
