package models

import (
	"cmp"
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
	PostRow
	Excerpt      string // written by hand, may be empty
	HTML         string
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

	Tags         []Tag     // in the post's order
	Series       []PostRow // public posts of its series, itself included, the oldest first; titles only
	Newer, Older *PostRow  // its neighbours in the blog; titles only
	Related      []PostRow // up to three that share the most tags and categories; titles, covers and bylines only
}

// relatedPosts is how many posts are recommended below one, relatedAmong of how many that share the most with it, and
// each tag and category adds the newest relatedEach to the choice, so that a full blog costs no more than a new one.
const (
	relatedPosts = 3
	relatedAmong = 6
	relatedEach  = 12
)

// publicPostsAt1 is the condition publicPosts for a statement whose first argument is the time.
var publicPostsAt1 = strings.ReplaceAll(publicPosts, "?", "$1")

// In the queries of a post's page a value is compared with IN, not with =: a join with = makes SQLite look at the value
// while it plans and plan anew on every execution, which takes longer than the query.
var postPageQuery = `SELECT ` + postColumns + `, p.excerpt, p.html, p.contents, p.licence, p.source_author, p.series_id, p.announces_id,
		coalesce(m.credit, ''), coalesce(m.licence, ''), coalesce(ps.slug, ''), coalesce(ps.title, ''), coalesce(g.slug, ''), coalesce(g.name, ''),
		coalesce(a.slug, ''), coalesce(a.name, ''), coalesce(a.title, ''), coalesce(a.employer, ''), coalesce(a.city, ''), coalesce(a.country, ''),
		coalesce(am.name, '')
	FROM posts p LEFT JOIN media m ON m.id = p.cover_id
	LEFT JOIN post_series ps ON ps.id = p.series_id
	LEFT JOIN groups g ON g.id = p.group_id AND g.status = 'listed'
	LEFT JOIN ambassadors a ON a.id = p.introduces_id AND a.status = 'published'
	LEFT JOIN media am ON am.id = a.photo_id
	WHERE ` + publicPostsAt1 + ` AND p.slug IN ($2)`

// PostBySlug returns a public post with what its page shows, in a fixed number of queries. A slug of earlier is a
// *MovedError, a post that was taken back or has expired ErrGone, all else ErrNotFound.
func (s *Store) PostBySlug(ctx context.Context, slug string) (PostPage, error) {
	now := s.Now()
	var page PostPage
	err := s.each(ctx, postPageQuery, []any{now, slug}, func(scan scanner) error {
		return scan(&page.ID, &page.UUID, &page.Slug, &page.Title, &page.Summary, &page.Language, &page.PublishAt, &page.ChangedAt, &page.Words, &page.Sample,
			&page.SourceName, &page.SourceURL, &page.CoverName, &page.CoverAlt, &page.CoverWidth, &page.CoverHeight,
			&page.Excerpt, &page.HTML, &page.Contents, &page.Licence, &page.SourceAuthor, &page.SeriesID, &page.AnnouncesID,
			&page.CoverCredit, &page.CoverLicence, &page.SeriesSlug, &page.SeriesTitle, &page.GroupSlug, &page.GroupName,
			&page.IntroducesSlug, &page.IntroducesName, &page.IntroducesTitle, &page.IntroducesEmployer, &page.IntroducesCity, &page.IntroducesCountry,
			&page.IntroducesPhoto)
	})
	if err != nil {
		return page, err
	}
	if page.ID == 0 {
		return page, s.whereaboutsOfPost(ctx, slug)
	}
	related, err := s.postTerms(ctx, &page)
	if err != nil {
		return page, err
	}
	if err := s.postNeighbours(ctx, &page, now); err != nil {
		return page, err
	}
	return page, s.postRelated(ctx, &page, related, now)
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

var postTermsQuery = func() string {
	// Beside each term stand the newest posts that share it: to read them in the same walk is cheaper than to ask again.
	newest := func(table, column, term string) string {
		return "(SELECT string_agg(CAST(newest.post_id AS text), ' ') FROM (SELECT post_id FROM " + table + " WHERE " + column + " = " + term +
			" ORDER BY post_id DESC LIMIT " + strconv.Itoa(relatedEach) + ") AS newest)"
	}
	return `SELECT 'category' AS kind, c.id, c.slug, c.name, pc.position, ` + newest("post_categories", "category_id", "c.id") + `
			FROM post_categories pc JOIN categories c ON c.id = pc.category_id WHERE pc.post_id IN ($1)
		UNION ALL SELECT 'tag' AS kind, t.id, t.slug, t.name, pt.position, ` + newest("post_tags", "tag_id", "t.id") + `
			FROM post_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id IN ($1) ORDER BY 1, 5`
}()

// postTerms reads categories and tags, and finds the posts that share the most of them: a tag counts double. Of those
// that share as much, the one with the higher id comes first.
func (s *Store) postTerms(ctx context.Context, page *PostPage) ([]sharing, error) {
	weights := make(map[int64]int, 4*relatedEach)
	err := s.each(ctx, postTermsQuery, []any{page.ID}, func(scan scanner) error {
		var kind, slug, name, posts string
		var id int64
		var position int
		if err := scan(&kind, &id, &slug, &name, &position, &posts); err != nil {
			return err
		}
		weight := 1
		if kind == "category" {
			page.Categories = append(page.Categories, Category{ID: id, Slug: slug, Name: name})
		} else {
			page.Tags, weight = append(page.Tags, Tag{ID: id, Slug: slug, Name: name}), 2
		}
		for post := range strings.SplitSeq(posts, " ") {
			id, err := strconv.ParseInt(post, 10, 64)
			if err != nil {
				return err
			}
			weights[id] += weight
		}
		return nil
	})
	delete(weights, page.ID)
	all := make([]sharing, 0, len(weights))
	for post, weight := range weights {
		all = append(all, sharing{post, weight})
	}
	slices.SortFunc(all, func(a, b sharing) int { return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(b.post, a.post)) })
	return all[:min(len(all), relatedAmong)], err
}

// sharing is how much another post shares with one.
type sharing struct {
	post   int64
	weight int
}

var postNeighboursQuery = func() string {
	const columns = "p.id, p.slug, p.title, p.language, p.publish_at FROM posts p WHERE "
	// SQLite walks an index from one bound only, so that of older posts is this one's time instead of now.
	older := strings.Replace(strings.Replace(publicPosts, "?", "$2", 1), "?", "$1", 1)
	return `SELECT * FROM (SELECT 'newer' AS place, ` + columns + publicPostsAt1 + ` AND p.publish_at >= $2 AND (p.publish_at > $2 OR p.id > $3) ORDER BY p.publish_at, p.id LIMIT 1) AS newer
		UNION ALL SELECT * FROM (SELECT 'older' AS place, ` + columns + older + ` AND (p.publish_at < $2 OR p.id < $3) ORDER BY p.publish_at DESC, p.id DESC LIMIT 1) AS older
		UNION ALL SELECT * FROM (SELECT 'series' AS place, ` + columns + publicPostsAt1 + ` AND p.series_id IN ($4) ORDER BY p.publish_at, p.id) AS series`
}()

// postNeighbours reads the posts before and after this one, in the blog and in its series.
func (s *Store) postNeighbours(ctx context.Context, page *PostPage, now time.Time) error {
	return s.each(ctx, postNeighboursQuery, []any{now, page.PublishAt, page.ID, page.SeriesID}, func(scan scanner) error {
		var place string
		var row PostRow
		if err := scan(&place, &row.ID, &row.Slug, &row.Title, &row.Language, &row.PublishAt); err != nil {
			return err
		}
		switch place {
		case "newer":
			page.Newer = &row
		case "older":
			page.Older = &row
		default:
			page.Series = append(page.Series, row)
		}
		return nil
	})
}

// SQLite keeps to the order of a CROSS JOIN: without statistics it would begin with all public posts.
var postRelatedQuery = `SELECT p.id, p.slug, p.title, p.language, p.publish_at, coalesce(m.name, ''), coalesce(m.alt, ''), coalesce(m.width, 0), coalesce(m.height, 0)
	FROM posts chosen CROSS JOIN posts p LEFT JOIN media m ON m.id = p.cover_id
	WHERE ` + publicPostsAt1 + ` AND p.id = chosen.id AND chosen.id IN (` + placeholders(2, relatedAmong) + `)`

// postRelated reads the posts to recommend, of which a title and a date are shown, and the post's own bylines.
func (s *Store) postRelated(ctx context.Context, page *PostPage, related []sharing, now time.Time) error {
	if len(related) > 0 {
		weights := make(map[int64]int, len(related))
		args := []any{now}
		for i := range relatedAmong {
			r := related[min(i, len(related)-1)]
			weights[r.post] = r.weight
			args = append(args, r.post)
		}
		page.Related = make([]PostRow, 0, relatedAmong)
		err := s.each(ctx, postRelatedQuery, args, func(scan scanner) error {
			var row PostRow
			err := scan(&row.ID, &row.Slug, &row.Title, &row.Language, &row.PublishAt, &row.CoverName, &row.CoverAlt, &row.CoverWidth, &row.CoverHeight)
			page.Related = append(page.Related, row)
			return err
		})
		if err != nil {
			return err
		}
		slices.SortFunc(page.Related, func(a, b PostRow) int {
			return cmp.Or(cmp.Compare(weights[b.ID], weights[a.ID]), b.PublishAt.Compare(a.PublishAt), cmp.Compare(b.ID, a.ID))
		})
		page.Related = page.Related[:min(len(page.Related), relatedPosts)]
	}
	var err error
	page.Authors, err = s.postAuthors(ctx, []int64{page.ID})
	return err
}
