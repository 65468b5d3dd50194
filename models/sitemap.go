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
		"SELECT 'event' AS kind, slug, updated_at AS modified FROM events WHERE status <> 'draft' ORDER BY slug",
		"SELECT 'ambassador' AS kind, slug, updated_at AS modified FROM ambassadors WHERE status = 'published' ORDER BY slug",
		"SELECT 'cohort' AS kind, slug, updated_at AS modified FROM cohorts ORDER BY slug",
	} {
		var some []SitemapEntry
		if err := s.read(ctx).Raw(query).Scan(&some).Error; err != nil {
			return nil, translate(err)
		}
		entries = append(entries, some...)
	}
	err := s.each(ctx, "SELECT p.slug, p.publish_at, p.changed_at FROM posts p WHERE p.source_url = '' AND "+publicPostsAt1+" ORDER BY p.slug", []any{now}, func(scan scanner) error {
		var slug string
		var modified time.Time
		var changed *time.Time
		if err := scan(&slug, &modified, &changed); err != nil {
			return err
		}
		if changed != nil && changed.After(modified) {
			modified = *changed
		}
		entries = append(entries, SitemapEntry{"post", slug, &modified})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, archive := range s.sitemapArchives() {
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

type sitemapArchive struct {
	kind string
	list func(context.Context) ([]ArchiveRow, error)
}

func (s *Store) sitemapArchives() []sitemapArchive {
	return []sitemapArchive{{"category", s.Categories}, {"tag", s.Tags}, {"byline", s.Authors}, {"series", s.PostSeriesList}}
}

// CountSitemap is how many entries Sitemap lists, without reading them.
func (s *Store) CountSitemap(ctx context.Context) (n int, err error) {
	now := s.Now()
	posts, err := s.keptCount(ctx, "all", 0, now)
	if err != nil {
		return 0, err
	}
	err = s.each(ctx, `SELECT (SELECT count(*) FROM pages) + (SELECT count(*) FROM groups WHERE status = 'listed') + (SELECT count(*) FROM events WHERE status <> 'draft')
			+ (SELECT count(*) FROM ambassadors WHERE status = 'published') + (SELECT count(*) FROM cohorts)
			- (SELECT count(*) FROM posts p WHERE p.source_url <> '' AND `+publicPostsAt1+")", []any{now}, func(scan scanner) error { return scan(&n) })
	if err != nil {
		return 0, err
	}
	n += posts
	for _, archive := range s.sitemapArchives() {
		rows, err := archive.list(ctx)
		if err != nil {
			return 0, err
		}
		n += len(withPosts(rows))
	}
	return n, nil
}
