package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// ArchiveRow is a category, tag, series or byline with the number of its public posts.
type ArchiveRow struct {
	ID    int64
	Slug  string
	Name  string
	Posts int
}

// CategoryBySlug finds a category, also one without posts.
func (s *Store) CategoryBySlug(ctx context.Context, slug string) (Category, error) {
	category, err := gorm.G[Category](s.reader).Where("slug = ?", slug).Take(ctx)
	return one(category, err, "category", slug)
}

// TagBySlug finds a tag, also one without posts.
func (s *Store) TagBySlug(ctx context.Context, slug string) (Tag, error) {
	tag, err := gorm.G[Tag](s.reader).Where("slug = ?", slug).Take(ctx)
	return one(tag, err, "tag", slug)
}

// PostSeriesBySlug finds a series of posts, also one without posts.
func (s *Store) PostSeriesBySlug(ctx context.Context, slug string) (PostSeries, error) {
	series, err := gorm.G[PostSeries](s.reader).Where("slug = ?", slug).Take(ctx)
	return one(series, err, "series", slug)
}

// AuthorBySlug finds a byline with what is public of the ambassador behind it; PostID is zero.
func (s *Store) AuthorBySlug(ctx context.Context, slug string) (PostAuthor, error) {
	var author PostAuthor
	err := s.read(ctx).Raw(`SELECT b.*, coalesce(a.slug, '') AS ambassador_slug, coalesce(m.name, '') AS photo,
			coalesce(m.width, 0) AS photo_width, coalesce(m.height, 0) AS photo_height
		FROM bylines b LEFT JOIN ambassadors a ON a.id = b.ambassador_id AND a.status = 'published'
		LEFT JOIN media m ON m.id = a.photo_id WHERE b.slug = ?`, slug).Scan(&author).Error
	if err == nil && author.ID == 0 {
		err = gorm.ErrRecordNotFound
	}
	return one(author, err, "author", slug)
}

// To count, SQLite is led by a CROSS JOIN along the index of public posts, which holds all that the condition asks for: from the
// categories' or tags' side it would fetch every post, whose rows are long.

// Categories lists all categories, those with the most public posts first.
func (s *Store) Categories(ctx context.Context) ([]ArchiveRow, error) {
	return s.archives(ctx, `SELECT c.id, c.slug, c.name, coalesce(counted.posts, 0) AS posts FROM categories c
		LEFT JOIN (SELECT pc.category_id, count(*) AS posts FROM posts p CROSS JOIN post_categories pc
			WHERE pc.post_id = p.id AND `+publicPosts+` GROUP BY pc.category_id) AS counted ON counted.category_id = c.id
		ORDER BY posts DESC, c.name`)
}

// Tags lists the tags that public posts have, those with the most first.
func (s *Store) Tags(ctx context.Context) ([]ArchiveRow, error) {
	return s.archives(ctx, `SELECT t.id, t.slug, t.name, counted.posts FROM tags t
		JOIN (SELECT pt.tag_id, count(*) AS posts FROM posts p CROSS JOIN post_tags pt
			WHERE pt.post_id = p.id AND `+publicPosts+` GROUP BY pt.tag_id) AS counted ON counted.tag_id = t.id
		ORDER BY posts DESC, t.name`)
}

// Authors lists the bylines of public posts by name.
func (s *Store) Authors(ctx context.Context) ([]ArchiveRow, error) {
	return s.archives(ctx, `SELECT b.id, b.slug, b.name, count(*) AS posts FROM bylines b
		JOIN post_bylines pb ON pb.byline_id = b.id JOIN posts p ON p.id = pb.post_id AND `+publicPosts+`
		GROUP BY b.id, b.slug, b.name ORDER BY b.name, b.id`)
}

// PostSeriesList lists the series that have public posts by title.
func (s *Store) PostSeriesList(ctx context.Context) ([]ArchiveRow, error) {
	return s.archives(ctx, `SELECT ps.id, ps.slug, ps.title AS name, count(*) AS posts FROM post_series ps
		JOIN posts p ON p.series_id = ps.id AND `+publicPosts+`
		GROUP BY ps.id, ps.slug, ps.title ORDER BY ps.title, ps.id`)
}

func (s *Store) archives(ctx context.Context, query string) ([]ArchiveRow, error) {
	now := s.Now()
	var rows []ArchiveRow
	err := s.read(ctx).Raw(query, now, now).Scan(&rows).Error
	return rows, translate(err)
}

// PostText is what a feed carries of a post beside what a list shows.
type PostText struct {
	ID   int64
	HTML string   `gorm:"column:html"`
	Tags []string `gorm:"-"` // names, in the post's order
}

// PostTexts reads the texts of posts by their ids, in two queries. Whoever asks has made sure that they are public.
func (s *Store) PostTexts(ctx context.Context, ids []int64) (map[int64]PostText, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []PostText
	if err := s.read(ctx).Raw("SELECT id, html FROM posts WHERE id IN ?", ids).Scan(&rows).Error; err != nil {
		return nil, translate(err)
	}
	texts := make(map[int64]PostText, len(rows))
	for _, row := range rows {
		texts[row.ID] = row
	}
	var tags []struct {
		PostID int64
		Name   string
	}
	err := s.read(ctx).Raw(`SELECT pt.post_id, t.name FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
		WHERE pt.post_id IN ? ORDER BY pt.post_id, pt.position`, ids).Scan(&tags).Error
	for _, tag := range tags {
		text := texts[tag.PostID]
		text.Tags = append(text.Tags, tag.Name)
		texts[tag.PostID] = text
	}
	return texts, translate(err)
}

// PostsChangedAt is when the list of a filter last changed: a post came, changed, was taken back or expired. It is zero
// for a list that never had a post.
func (s *Store) PostsChangedAt(ctx context.Context, f PostFilter) (time.Time, error) {
	where, args := f.where()
	now := s.Now()
	var times []struct{ At *time.Time }
	newest := func(column string) string {
		return "SELECT * FROM (SELECT p." + column + " AS at FROM posts p WHERE p.status IN ('published', 'withdrawn') AND p.publish_at <= ? AND p." +
			column + " <= ?" + where + " ORDER BY p." + column + " DESC LIMIT 1) AS " + column
	}
	var all []any
	for range 4 {
		all = append(append(all, now, now), args...)
	}
	err := s.read(ctx).Raw(newest("publish_at")+" UNION ALL "+newest("changed_at")+" UNION ALL "+newest("updated_at")+" UNION ALL "+newest("expire_at"), all...).Scan(&times).Error
	var last time.Time
	for _, t := range times {
		if t.At != nil && t.At.After(last) {
			last = *t.At
		}
	}
	return last.UTC(), translate(err)
}

// FeedOwners lists by name the public groups and profiles, each of which has a feed; Posts counts what is in it.
func (s *Store) FeedOwners(ctx context.Context) (groups, ambassadors []ArchiveRow, err error) {
	groups, err = s.archives(ctx, `SELECT g.id, g.slug, g.name, count(p.id) AS posts FROM groups g
		LEFT JOIN posts p ON p.group_id = g.id AND `+publicPosts+`
		WHERE g.status = 'listed' GROUP BY g.id, g.slug, g.name ORDER BY g.name, g.id`)
	if err != nil {
		return nil, nil, err
	}
	ambassadors, err = s.archives(ctx, `SELECT a.id, a.slug, a.name, count(DISTINCT p.id) AS posts FROM ambassadors a
		LEFT JOIN bylines b ON b.ambassador_id = a.id LEFT JOIN post_bylines pb ON pb.byline_id = b.id
		LEFT JOIN posts p ON (p.id = pb.post_id OR p.introduces_id = a.id) AND `+publicPosts+`
		WHERE a.status = 'published' GROUP BY a.id, a.slug, a.name ORDER BY a.name, a.id`)
	return groups, ambassadors, err
}
