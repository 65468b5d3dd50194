package models

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/markdown"
)

// PostPage is everything that a post's own page shows.
type PostPage struct {
	PostRow      `gorm:"embedded"`
	Excerpt      string // written by hand, may be empty
	HTML         string `gorm:"column:html"`
	Contents     List[markdown.Heading]
	Licence      string // SPDX identifier
	SourceAuthor string
	SeriesID     *int64
	SeriesSlug   string
	SeriesTitle  string
	GroupSlug    string // empty unless the post belongs to a listed group
	GroupName    string
	AnnouncesID  *int64 // the event that it announces
	CoverCredit  string
	CoverLicence string

	// The ambassador whom it introduces; empty unless their profile is public.
	IntroducesSlug     string
	IntroducesName     string
	IntroducesTitle    string
	IntroducesEmployer string
	IntroducesCity     string
	IntroducesCountry  string
	IntroducesPhoto    string

	Tags         []Tag     `gorm:"-"` // in the post's order
	Series       []PostRow `gorm:"-"` // public posts of its series, itself included, the oldest first; titles only
	Newer, Older *PostRow  `gorm:"-"` // its neighbours in the blog; titles only
	Related      []PostRow `gorm:"-"` // up to three that share the most tags and categories
}

// relatedPosts is how many posts are recommended below one.
const relatedPosts = 3

// In the queries of a post's page a value is compared with IN, not with =: a join with = makes SQLite look at the value
// while it plans and plan anew on every execution, which takes longer than the query.

// PostBySlug returns a public post with what its page shows, in a fixed number of queries. A slug of earlier is a
// *MovedError, a post that was taken back or has expired ErrGone, all else ErrNotFound.
func (s *Store) PostBySlug(ctx context.Context, slug string) (PostPage, error) {
	now := s.Now()
	var page PostPage
	err := s.read(ctx).Raw(`SELECT `+postColumns+`, p.excerpt, p.html, p.contents, p.licence, p.source_author, p.series_id, p.announces_id,
			coalesce(m.credit, '') AS cover_credit, coalesce(m.licence, '') AS cover_licence,
			coalesce(ps.slug, '') AS series_slug, coalesce(ps.title, '') AS series_title,
			coalesce(g.slug, '') AS group_slug, coalesce(g.name, '') AS group_name,
			coalesce(a.slug, '') AS introduces_slug, coalesce(a.name, '') AS introduces_name, coalesce(a.title, '') AS introduces_title,
			coalesce(a.employer, '') AS introduces_employer, coalesce(a.city, '') AS introduces_city,
			coalesce(a.country, '') AS introduces_country, coalesce(am.name, '') AS introduces_photo
		FROM posts p LEFT JOIN media m ON m.id = p.cover_id
		LEFT JOIN post_series ps ON ps.id = p.series_id
		LEFT JOIN groups g ON g.id = p.group_id AND g.status = 'listed'
		LEFT JOIN ambassadors a ON a.id = p.introduces_id AND a.status = 'published'
		LEFT JOIN media am ON am.id = a.photo_id
		WHERE `+publicPosts+` AND p.slug IN (?)`, now, now, slug).Scan(&page).Error
	if err != nil {
		return page, translate(err)
	}
	if page.ID == 0 {
		return page, s.whereaboutsOfPost(ctx, slug)
	}
	if err := s.postTerms(ctx, &page); err != nil {
		return page, err
	}
	if err := s.postNeighbours(ctx, &page, now); err != nil {
		return page, err
	}
	return page, s.postRelated(ctx, &page, now)
}

// whereaboutsOfPost says why no public post has a slug.
func (s *Store) whereaboutsOfPost(ctx context.Context, slug string) error {
	var post Post
	err := s.read(ctx).Raw(`SELECT id, slug, status, publish_at, expire_at, updated_at FROM posts WHERE slug = ?
		UNION ALL SELECT p.id, p.slug, p.status, p.publish_at, p.expire_at, p.updated_at
		FROM slug_history h JOIN posts p ON p.id = h.object_id WHERE h.kind = 'post' AND h.slug = ? LIMIT 1`, slug, slug).Scan(&post).Error
	switch now := s.Now(); {
	case err != nil:
		return translate(err)
	case post.PublicAt(now):
		return &MovedError{Slug: post.Slug}
	case post.wasPublicBefore(now):
		return fmt.Errorf("%w: post %q", ErrGone, slug)
	}
	return fmt.Errorf("%w: post %q", ErrNotFound, slug)
}

// wasPublicBefore reports whether a post that is not public at t was so once and is to stay away: it has expired, or
// was withdrawn after its time of publishing had come.
func (p Post) wasPublicBefore(t time.Time) bool {
	switch {
	case p.PublishAt == nil || p.PublishAt.After(t):
		return false
	case p.Status == PostWithdrawn:
		return !p.UpdatedAt.Before(*p.PublishAt)
	}
	return p.Status == PostPublished && p.ExpireAt != nil && !p.ExpireAt.After(t)
}

// postTerms reads categories and tags.
func (s *Store) postTerms(ctx context.Context, page *PostPage) error {
	var terms []struct {
		Kind string
		ID   int64
		Slug string
		Name string
	}
	err := s.read(ctx).Raw(`SELECT 'category' AS kind, c.id, c.slug, c.name, pc.position
			FROM post_categories pc JOIN categories c ON c.id = pc.category_id WHERE pc.post_id IN (?)
		UNION ALL SELECT 'tag' AS kind, t.id, t.slug, t.name, pt.position
			FROM post_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id IN (?) ORDER BY 1, 5`, page.ID, page.ID).Scan(&terms).Error
	for _, t := range terms {
		if t.Kind == "category" {
			page.Categories = append(page.Categories, Category{ID: t.ID, Slug: t.Slug, Name: t.Name})
		} else {
			page.Tags = append(page.Tags, Tag{ID: t.ID, Slug: t.Slug, Name: t.Name})
		}
	}
	return translate(err)
}

// postNeighbours reads the posts before and after this one, in the blog and in its series.
func (s *Store) postNeighbours(ctx context.Context, page *PostPage, now time.Time) error {
	const columns = "p.id, p.slug, p.title, p.language, p.publish_at FROM posts p WHERE " + publicPosts
	var series int64
	if page.SeriesID != nil {
		series = *page.SeriesID
	}
	var rows []struct {
		Place   string
		PostRow `gorm:"embedded"`
	}
	// The first time of the condition bounds the walk along the index, so for older posts it is this one's.
	at, id := page.PublishAt, page.ID
	err := s.read(ctx).Raw(`SELECT * FROM (SELECT 'newer' AS place, `+columns+` AND p.publish_at >= ? AND (p.publish_at > ? OR p.id > ?) ORDER BY p.publish_at, p.id LIMIT 1) AS newer
		UNION ALL SELECT * FROM (SELECT 'older' AS place, `+columns+` AND (p.publish_at < ? OR p.id < ?) ORDER BY p.publish_at DESC, p.id DESC LIMIT 1) AS older
		UNION ALL SELECT * FROM (SELECT 'series' AS place, `+columns+` AND p.series_id IN (?) ORDER BY p.publish_at, p.id) AS series`,
		now, now, at, at, id, at, now, at, id, now, now, series).Scan(&rows).Error
	for i, row := range rows {
		switch row.Place {
		case "newer":
			page.Newer = &rows[i].PostRow
		case "older":
			page.Older = &rows[i].PostRow
		default:
			page.Series = append(page.Series, row.PostRow)
		}
	}
	return translate(err)
}

// postRelated finds posts that share tags, which count double, and categories, and reads their bylines together with
// the post's own. Of each tag and category it looks at the newest few, so that a full blog costs no more than a new one.
func (s *Store) postRelated(ctx context.Context, page *PostPage, now time.Time) error {
	var shared []string
	var args []any
	share := func(table, column string, id int64, weight string) {
		shared = append(shared, "SELECT * FROM (SELECT post_id, "+weight+" AS weight FROM "+table+" WHERE "+column+" IN (?) ORDER BY post_id DESC LIMIT 16) AS "+column)
		args = append(args, id)
	}
	for _, tag := range page.Tags {
		share("post_tags", "tag_id", tag.ID, "2")
	}
	for _, category := range page.Categories {
		share("post_categories", "category_id", category.ID, "1")
	}
	if len(shared) > 0 {
		// SQLite keeps to the order of a CROSS JOIN: without statistics it would begin with all public posts.
		args = append(args, now, now)
		err := s.read(ctx).Raw(`SELECT `+postColumns+` FROM (
				SELECT p.id, sum(shared.weight) AS weight FROM (`+strings.Join(shared, " UNION ALL ")+`) AS shared
				CROSS JOIN posts p WHERE p.id = shared.post_id AND `+publicPosts+` GROUP BY p.id, p.publish_at ORDER BY weight DESC, p.publish_at DESC, p.id DESC LIMIT `+strconv.Itoa(relatedPosts+1)+`) AS related
			CROSS JOIN posts p LEFT JOIN media m ON m.id = p.cover_id WHERE p.id = related.id
			ORDER BY related.weight DESC, p.publish_at DESC, p.id DESC`, args...).Scan(&page.Related).Error
		if err != nil {
			return translate(err)
		}
		// The post shares the most with itself.
		page.Related = slices.DeleteFunc(page.Related, func(row PostRow) bool { return row.ID == page.ID })
		page.Related = page.Related[:min(len(page.Related), relatedPosts)]
	}
	ids := []int64{page.ID}
	for _, row := range page.Related {
		ids = append(ids, row.ID)
	}
	authors, err := s.postAuthors(ctx, ids)
	for _, author := range authors {
		if author.PostID == page.ID {
			page.Authors = append(page.Authors, author)
		}
		for i := range page.Related {
			if page.Related[i].ID == author.PostID {
				page.Related[i].Authors = append(page.Related[i].Authors, author)
			}
		}
	}
	return err
}
