package models

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// SitemapEntry is a public thing with an address of its own.
type SitemapEntry struct {
	Kind     string     // post, ambassador, cohort, group, event, page, category, tag, byline, series
	Slug     string     // of a page its path
	Modified *time.Time // when it last changed, where that is known
}

// Sitemap lists what is public and first published here, each kind together and in the order of slugs: posts without
// those whose source has a known address, profiles, cohorts, groups, events, pages, and archives that have a post.
func (s *Store) Sitemap(ctx context.Context) ([]SitemapEntry, error) {
	now := s.Now()
	var entries []SitemapEntry
	for _, query := range []string{
		"SELECT 'page' AS kind, path AS slug, updated_at AS modified FROM pages ORDER BY path",
		"SELECT 'group' AS kind, slug, updated_at AS modified FROM groups WHERE status = 'listed' ORDER BY slug",
		"SELECT 'event' AS kind, slug, updated_at AS modified FROM events WHERE status IN ('published', 'cancelled') ORDER BY slug",
		"SELECT 'ambassador' AS kind, slug, updated_at AS modified FROM ambassadors WHERE status = 'published' ORDER BY slug",
		"SELECT 'cohort' AS kind, slug, updated_at AS modified FROM cohorts ORDER BY slug",
	} {
		var some []SitemapEntry
		if err := s.read(ctx).Raw(query).Scan(&some).Error; err != nil {
			return nil, translate(err)
		}
		entries = append(entries, some...)
	}
	var posts []struct {
		Slug      string
		PublishAt time.Time
		ChangedAt *time.Time
	}
	err := s.read(ctx).Raw("SELECT p.slug, p.publish_at, p.changed_at FROM posts p WHERE p.source_url = '' AND "+publicPosts+" ORDER BY p.slug", now, now).Scan(&posts).Error
	if err != nil {
		return nil, translate(err)
	}
	for _, p := range posts {
		modified := p.PublishAt
		if p.ChangedAt != nil && p.ChangedAt.After(modified) {
			modified = *p.ChangedAt
		}
		entries = append(entries, SitemapEntry{"post", p.Slug, &modified})
	}
	for _, archive := range []struct {
		kind string
		list func(context.Context) ([]ArchiveRow, error)
	}{{"category", s.Categories}, {"tag", s.Tags}, {"byline", s.Authors}, {"series", s.PostSeriesList}} {
		rows, err := archive.list(ctx)
		if err != nil {
			return nil, err
		}
		rows = withPosts(rows)
		slices.SortFunc(rows, func(a, b ArchiveRow) int { return cmp.Compare(a.Slug, b.Slug) })
		for _, row := range rows {
			entries = append(entries, SitemapEntry{Kind: archive.kind, Slug: row.Slug})
		}
	}
	return entries, nil
}
