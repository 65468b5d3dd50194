package models

import (
	"context"
	"slices"
	"strings"
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

// Categories lists all categories, those with the most public posts first.
func (s *Store) Categories(ctx context.Context) ([]ArchiveRow, error) {
	return s.keptArchives(ctx, "category", "posts DESC, t.name")
}

// Tags lists the tags that public posts have, those with the most first.
func (s *Store) Tags(ctx context.Context) ([]ArchiveRow, error) {
	rows, err := s.keptArchives(ctx, "tag", "posts DESC, t.name")
	return withPosts(rows), err
}

// Authors lists the bylines of public posts by name.
func (s *Store) Authors(ctx context.Context) ([]ArchiveRow, error) {
	rows, err := s.keptArchives(ctx, "byline", "t.name, t.id")
	return withPosts(rows), err
}

// withPosts leaves out what no public post has.
func withPosts(rows []ArchiveRow) []ArchiveRow {
	return slices.DeleteFunc(rows, func(row ArchiveRow) bool { return row.Posts == 0 })
}

// PostSeriesList lists the series that have public posts by title. A CROSS JOIN keeps SQLite from reading all posts to find those
// few that are in one.
func (s *Store) PostSeriesList(ctx context.Context) ([]ArchiveRow, error) {
	return s.archives(ctx, `SELECT ps.id, ps.slug, ps.title AS name, count(*) AS posts FROM post_series ps
		CROSS JOIN posts p WHERE p.series_id = ps.id AND `+publicPosts+`
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
	var parts []string
	var all []any
	// Each part is the first row of an index.
	for _, column := range []string{"publish_at", "changed_at", "updated_at", "expire_at"} {
		for _, status := range []PostStatus{PostPublished, PostWithdrawn} {
			parts = append(parts, "SELECT * FROM (SELECT p."+column+" AS at FROM posts p WHERE p.status = ? AND p.publish_at <= ? AND p."+
				column+" <= ?"+where+" ORDER BY p."+column+" DESC LIMIT 1) AS newest")
			all = append(append(all, status, now, now), args...)
		}
	}
	err := s.read(ctx).Raw(strings.Join(parts, " UNION ALL "), all...).Scan(&times).Error
	var last time.Time
	for _, t := range times {
		if t.At != nil && t.At.After(last) {
			last = *t.At
		}
	}
	return last.UTC(), translate(err)
}

// FeedOwners lists by name the first public groups and profiles, each of which has a feed; Posts counts what is in it.
func (s *Store) FeedOwners(ctx context.Context, limit int) (groups, ambassadors []ArchiveRow, err error) {
	now := s.Now()
	err = s.read(ctx).Raw(`SELECT g.id, g.slug, g.name, (SELECT count(*) FROM posts p WHERE p.group_id = g.id AND `+publicPosts+`) AS posts
		FROM groups g WHERE g.status = 'listed' ORDER BY g.name, g.id LIMIT ?`, now, now, limit).Scan(&groups).Error
	if err != nil {
		return nil, nil, translate(err)
	}
	// A profile has one byline at most; what introduces its ambassador under their own name is not counted twice.
	err = s.read(ctx).Raw(`SELECT a.id, a.slug, a.name, coalesce(kept.posts, 0)
			- (SELECT count(*) FROM `+hiddenPosts+` AS hidden JOIN post_bylines l ON l.post_id = hidden.id AND l.byline_id = b.id)
			+ (SELECT count(*) FROM posts p WHERE p.introduces_id = a.id AND `+publicPosts+`
				AND NOT EXISTS (SELECT 1 FROM post_bylines l WHERE l.post_id = p.id AND l.byline_id = b.id)) AS posts
		FROM (SELECT id, slug, name FROM ambassadors WHERE status = 'published' ORDER BY name, id LIMIT ?) AS a
		LEFT JOIN bylines b ON b.ambassador_id = a.id
		LEFT JOIN post_counts kept ON kept.list = 'byline' AND kept.object_id = b.id
		ORDER BY a.name, a.id`, now, now, now, now, limit).Scan(&ambassadors).Error
	return groups, ambassadors, translate(err)
}
