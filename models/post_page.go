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
	Related      []PostRow // up to three that share the most tags and categories; titles and covers only
}

// relatedPosts is how many posts are recommended below one, relatedAmong of how many that share the most with it, should
// one of them have expired, and each tag and category adds the newest relatedEach to the choice, so that a full blog costs
// no more than a new one.
const (
	relatedPosts = 3
	relatedAmong = 4
	relatedEach  = 6
)

// What it counts to share a category or a tag.
const (
	categoryWeight = 1
	tagWeight      = 2
)

// publicPostsAt1 is the condition publicPosts for a statement whose first argument is the time.
var publicPostsAt1 = strings.ReplaceAll(publicPosts, "?", "$1")

// In the queries of a post's page a value is compared with IN, not with =: a join with = makes SQLite look at the value
// while it plans and plan anew on every execution, which takes longer than the query.
var postPageQuery = `SELECT ` + postColumns + `, p.excerpt, p.html, p.contents, p.licence, p.source_author, p.series_id, p.announces_id,
		coalesce(m.credit, ''), coalesce(m.licence, ''), coalesce(ps.slug, ''), coalesce(ps.title, ''), coalesce(g.slug, ''), coalesce(g.name, ''),
		coalesce(a.slug, ''), coalesce(a.name, ''), coalesce(a.title, ''), coalesce(a.employer, ''), coalesce(a.city, ''), coalesce(a.country, ''),
		coalesce(am.name, ''),
		coalesce(b.id, 0), coalesce(b.slug, ''), coalesce(b.name, ''), coalesce(b.title, ''), coalesce(b.employer, ''), coalesce(b.handle, ''),
		coalesce(b.url, ''), coalesce(b.bio, ''), b.user_id, b.ambassador_id,
		coalesce(ba.slug, ''), coalesce(bm.name, ''), coalesce(bm.width, 0), coalesce(bm.height, 0)
	FROM posts p LEFT JOIN media m ON m.id = p.cover_id
	LEFT JOIN post_series ps ON ps.id = p.series_id
	LEFT JOIN groups g ON g.id = p.group_id AND g.status = 'listed'
	LEFT JOIN ambassadors a ON a.id = p.introduces_id AND a.status = 'published'
	LEFT JOIN media am ON am.id = a.photo_id
	LEFT JOIN post_bylines pb ON pb.post_id = p.id
	LEFT JOIN bylines b ON b.id = pb.byline_id
	LEFT JOIN ambassadors ba ON ba.id = b.ambassador_id AND ba.status = 'published'
	LEFT JOIN media bm ON bm.id = ba.photo_id
	WHERE ` + publicPostsAt1 + ` AND p.slug IN ($2) ORDER BY pb.position`

// PostBySlug returns a public post with what its page shows, in a fixed number of queries. A slug of earlier is a
// *MovedError, a post that was taken back or has expired ErrGone, all else ErrNotFound.
func (s *Store) PostBySlug(ctx context.Context, slug string) (PostPage, error) {
	now := s.Now()
	var page PostPage
	err := s.each(ctx, postPageQuery, []any{now, slug}, func(scan scanner) error {
		var author PostAuthor
		err := scan(&page.ID, &page.UUID, &page.Slug, &page.Title, &page.Summary, &page.Language, &page.PublishAt, &page.ChangedAt, &page.Words, &page.Sample,
			&page.SourceName, &page.SourceURL, &page.CoverName, &page.CoverAlt, &page.CoverWidth, &page.CoverHeight,
			&page.Excerpt, &page.HTML, &page.Contents, &page.Licence, &page.SourceAuthor, &page.SeriesID, &page.AnnouncesID,
			&page.CoverCredit, &page.CoverLicence, &page.SeriesSlug, &page.SeriesTitle, &page.GroupSlug, &page.GroupName,
			&page.IntroducesSlug, &page.IntroducesName, &page.IntroducesTitle, &page.IntroducesEmployer, &page.IntroducesCity, &page.IntroducesCountry,
			&page.IntroducesPhoto,
			&author.ID, &author.Slug, &author.Name, &author.Title, &author.Employer, &author.Handle, &author.URL, &author.Bio, &author.UserID, &author.AmbassadorID,
			&author.AmbassadorSlug, &author.Photo, &author.PhotoWidth, &author.PhotoHeight)
		if author.ID != 0 {
			author.PostID = page.ID
			page.Authors = append(page.Authors, author)
		}
		return err
	})
	if err != nil {
		return page, err
	}
	if page.ID == 0 {
		return page, s.whereaboutsOfPost(ctx, slug)
	}
	related, err := s.postTerms(ctx, &page, now)
	if err != nil {
		return page, err
	}
	return page, s.postsBeside(ctx, &page, related, now)
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
		return "coalesce((SELECT string_agg(CAST(newest.post_id AS text), ' ') FROM (SELECT post_id FROM " + table + " WHERE " + column + " = " + term +
			" AND published_at <= $1 ORDER BY published_at DESC, post_id DESC LIMIT " + strconv.Itoa(relatedEach) + ") AS newest), '')"
	}
	return `SELECT ` + strconv.Itoa(categoryWeight) + ` AS weight, c.id, c.slug, c.name, pc.position, ` + newest("post_categories", "category_id", "c.id") + `
			FROM post_categories pc JOIN categories c ON c.id = pc.category_id WHERE pc.post_id IN ($2)
		UNION ALL SELECT ` + strconv.Itoa(tagWeight) + ` AS weight, t.id, t.slug, t.name, pt.position, ` + newest("post_tags", "tag_id", "t.id") + `
			FROM post_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id IN ($2) ORDER BY 1, 5`
}()

// postTerms reads categories and tags, and finds the posts that share the most of them. Of those that share as much, the
// one that was met first, which is the newer one of a term, comes first.
func (s *Store) postTerms(ctx context.Context, page *PostPage, now time.Time) ([]sharing, error) {
	all := make([]sharing, 0, 4*relatedEach)
	var slug, name, posts string
	var weight, id, position int64
	err := s.each(ctx, postTermsQuery, []any{now, page.ID}, func(scan scanner) error {
		if err := scan(&weight, &id, &slug, &name, &position, &posts); err != nil {
			return err
		}
		if weight == categoryWeight {
			page.Categories = append(page.Categories, Category{ID: id, Slug: slug, Name: name})
		} else {
			page.Tags = append(page.Tags, Tag{ID: id, Slug: slug, Name: name})
		}
		for text := range strings.FieldsSeq(posts) {
			post, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return err
			}
			if post == page.ID {
				continue
			}
			if i := slices.IndexFunc(all, func(s sharing) bool { return s.post == post }); i >= 0 {
				all[i].weight += weight
			} else {
				all = append(all, sharing{post, weight})
			}
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b sharing) int { return cmp.Compare(b.weight, a.weight) })
	return all[:min(len(all), relatedAmong)], err
}

// sharing is how much another post shares with one.
type sharing struct {
	post, weight int64
}

var postsBesideQuery = func() string {
	choose := func(place, from, where, order string) string {
		return "SELECT * FROM (SELECT '" + place + `' AS place, p.id, p.slug, p.title, p.language, p.publish_at,
			coalesce(m.name, ''), coalesce(m.alt, ''), coalesce(m.width, 0), coalesce(m.height, 0)
			FROM ` + from + "posts p LEFT JOIN media m ON m.id = p.cover_id WHERE " + where + order + ") AS " + place
	}
	// SQLite walks an index from one bound only, so that of older posts is this one's time instead of now.
	older := strings.Replace(strings.Replace(publicPosts, "?", "$2", 1), "?", "$1", 1)
	return strings.Join([]string{
		choose("newer", "", publicPostsAt1+" AND p.publish_at >= $2 AND (p.publish_at > $2 OR p.id > $3)", " ORDER BY p.publish_at, p.id LIMIT 1"),
		choose("older", "", older+" AND (p.publish_at < $2 OR p.id < $3)", " ORDER BY p.publish_at DESC, p.id DESC LIMIT 1"),
		choose("series", "", publicPostsAt1+" AND p.series_id IN ($4)", " ORDER BY p.publish_at, p.id"),
		// SQLite keeps to the order of a CROSS JOIN: without statistics it would begin with all public posts.
		choose("related", "posts chosen CROSS JOIN ", publicPostsAt1+" AND p.id = chosen.id AND chosen.id IN ("+placeholders(5, relatedAmong)+")", ""),
	}, " UNION ALL ")
}()

// postsBeside reads the posts before and after this one, in the blog and in its series, and those to recommend.
func (s *Store) postsBeside(ctx context.Context, page *PostPage, related []sharing, now time.Time) error {
	args := make([]any, 0, 4+relatedAmong)
	args = append(args, now, page.PublishAt, page.ID, page.SeriesID)
	weights := make(map[int64]int64, relatedAmong)
	for i := range relatedAmong {
		var r sharing // of nothing, there is no post 0
		if i < len(related) {
			r = related[i]
		}
		weights[r.post] = r.weight
		args = append(args, r.post)
	}
	page.Related = make([]PostRow, 0, relatedAmong)
	var place string
	var row PostRow // the same columns are read into it every time
	err := s.each(ctx, postsBesideQuery, args, func(scan scanner) error {
		if err := scan(&place, &row.ID, &row.Slug, &row.Title, &row.Language, &row.PublishAt, &row.CoverName, &row.CoverAlt, &row.CoverWidth, &row.CoverHeight); err != nil {
			return err
		}
		switch place {
		case "newer":
			page.Newer = new(row)
		case "older":
			page.Older = new(row)
		case "series":
			page.Series = append(page.Series, row)
		default:
			page.Related = append(page.Related, row)
		}
		return nil
	})
	slices.SortFunc(page.Related, func(a, b PostRow) int {
		return cmp.Or(cmp.Compare(weights[b.ID], weights[a.ID]), b.PublishAt.Compare(a.PublishAt), cmp.Compare(b.ID, a.ID))
	})
	page.Related = page.Related[:min(len(page.Related), relatedPosts)]
	return err
}
