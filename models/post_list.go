package models

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"
)

// PostFilter chooses among the public posts. What is zero does not narrow the choice.
type PostFilter struct {
	CategoryID, TagID, BylineID, SeriesID, GroupID int64
	AmbassadorID                                   int64 // posts under this ambassador's byline, and the one that introduces them
	Limit, Offset                                  int   // 0: all
	Total                                          int   // as CountPosts says, where it was asked: to page behind the middle is then faster
}

// PostRow is what a list shows of a post.
type PostRow struct {
	ID          int64
	UUID        string `gorm:"column:uuid"`
	Slug        string
	Title       string
	Summary     string
	Language    string // BCP 47
	PublishAt   time.Time
	ChangedAt   *time.Time
	Words       int
	Sample      bool
	SourceName  string
	SourceURL   string `gorm:"column:source_url"`
	CoverName   string // media name of the uploaded cover; empty: one is drawn
	CoverAlt    string
	CoverWidth  int // pixels
	CoverHeight int
	Authors     []PostAuthor `gorm:"-"` // in the post's order
	Categories  []Category   `gorm:"-"` // in the post's order, the first is the main one
}

// PostAuthor is a byline of a post with what is public of the ambassador behind it.
type PostAuthor struct {
	PostID         int64
	Byline         `gorm:"embedded"`
	AmbassadorSlug string // empty without a public profile
	Photo          string // media name, may be empty
	PhotoWidth     int    // pixels
	PhotoHeight    int
}

// postColumns are those of a PostRow, from posts p with its cover m.
const postColumns = `p.id, p.uuid, p.slug, p.title, p.summary, p.language, p.publish_at, p.changed_at, p.words, p.sample,
	p.source_name, p.source_url, coalesce(m.name, '') AS cover_name, coalesce(m.alt, '') AS cover_alt,
	coalesce(m.width, 0) AS cover_width, coalesce(m.height, 0) AS cover_height`

// where is the filter's condition on posts p, beside their being public.
func (f PostFilter) where() (string, []any) {
	var conditions []string
	var args []any
	add := func(id int64, condition string) {
		if id != 0 {
			conditions = append(conditions, condition)
			args = append(args, slices.Repeat([]any{id}, strings.Count(condition, "?"))...)
		}
	}
	add(f.CategoryID, "EXISTS (SELECT 1 FROM post_categories l WHERE l.post_id = p.id AND l.category_id = ?)")
	add(f.TagID, "EXISTS (SELECT 1 FROM post_tags l WHERE l.post_id = p.id AND l.tag_id = ?)")
	add(f.BylineID, "EXISTS (SELECT 1 FROM post_bylines l WHERE l.post_id = p.id AND l.byline_id = ?)")
	add(f.SeriesID, "p.series_id = ?")
	add(f.GroupID, "p.group_id = ?")
	add(f.AmbassadorID, `(p.introduces_id = ? OR EXISTS (SELECT 1 FROM post_bylines l
		JOIN bylines b ON b.id = l.byline_id WHERE l.post_id = p.id AND b.ambassador_id = ?))`)
	if len(conditions) == 0 {
		return "", nil
	}
	return " AND " + strings.Join(conditions, " AND "), args
}

// term is the one list that post_counts counts and that the filter asks for, or empty.
func (f PostFilter) term() (list string, id int64) {
	switch f.Limit, f.Offset, f.Total = 0, 0, 0; f {
	case PostFilter{}:
		return "all", 0
	case PostFilter{CategoryID: f.CategoryID}:
		return "category", f.CategoryID
	case PostFilter{TagID: f.TagID}:
		return "tag", f.TagID
	case PostFilter{BylineID: f.BylineID}:
		return "byline", f.BylineID
	}
	return "", 0
}

// page is the query for the ids of a page of the filter's posts, read from an index without the rows.
func (f PostFilter) page(now time.Time) (string, []any) {
	const expired = " NOT IN (SELECT id FROM posts WHERE status = 'published' AND expire_at <= ?)"
	filed := func(link, column string) string {
		return "SELECT l.post_id AS id, l.published_at AS publish_at FROM " + link + " l WHERE l." + column + " = ? AND l.published_at <= ? AND l.post_id" + expired
	}
	const order = " ORDER BY publish_at DESC, id DESC LIMIT ?"
	paged := order + " OFFSET ?"
	if f.Offset > f.Total/2 && f.Offset < f.Total {
		// The same posts counted from the other end.
		f.Limit = min(f.Limit, f.Total-f.Offset)
		f.Offset = f.Total - f.Offset - f.Limit
		paged = " ORDER BY publish_at, id LIMIT ? OFFSET ?"
	}
	switch list, id := f.term(); {
	case list != "" && list != "all":
		return filed("post_"+termTables[list], list+"_id") + paged, []any{id, now, now, f.Limit, f.Offset}
	case f == PostFilter{AmbassadorID: f.AmbassadorID, Limit: f.Limit, Offset: f.Offset, Total: f.Total} && f.AmbassadorID != 0:
		// The newest under the byline and the newest that introduce them hold the newest of both.
		reach := min(f.Limit, math.MaxInt32-f.Offset) + f.Offset
		return "SELECT * FROM (SELECT * FROM (SELECT l.post_id AS id, l.published_at AS publish_at FROM post_bylines l WHERE l.byline_id = (SELECT id FROM bylines WHERE ambassador_id = ?)" +
			" AND l.published_at <= ? AND l.post_id" + expired + order + `) AS written
			UNION SELECT * FROM (SELECT p.id, p.publish_at FROM posts p WHERE p.introduces_id = ? AND ` + publicPosts + order + ") AS introducing) AS either" + paged, []any{f.AmbassadorID, now, now, reach, f.AmbassadorID, now, now, reach, f.Limit, f.Offset}
	}
	where, args := f.where()
	return "SELECT p.id, p.publish_at FROM posts p WHERE " + publicPosts + where + paged,
		append(append([]any{now, now}, args...), f.Limit, f.Offset)
}

// Posts lists public posts with bylines and categories, the newest first, in three queries however many they are.
func (s *Store) Posts(ctx context.Context, f PostFilter) ([]PostRow, error) {
	if f.Limit == 0 {
		f.Limit = math.MaxInt32
	}
	// The page is cut out before its columns are read: some of them lie behind the texts, which are long. SQLite keeps to
	// the order of a CROSS JOIN.
	page, args := f.page(s.Now())
	var rows []PostRow
	err := s.read(ctx).Raw("SELECT "+postColumns+" FROM ("+page+") AS page CROSS JOIN posts p "+
		"LEFT JOIN media m ON m.id = p.cover_id WHERE p.id = page.id ORDER BY p.publish_at DESC, p.id DESC", args...).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	return rows, s.describe(ctx, rows)
}

// CountPosts counts the public posts of a filter, whatever its limit.
func (s *Store) CountPosts(ctx context.Context, f PostFilter) (int, error) {
	now := s.Now()
	if list, id := f.term(); list != "" {
		return s.keptCount(ctx, list, id, now)
	}
	where, args := f.where()
	var n int
	err := s.read(ctx).Raw("SELECT count(*) FROM posts p WHERE "+publicPosts+where, append([]any{now, now}, args...)...).Scan(&n).Error
	return n, translate(err)
}

// describe adds bylines and categories to posts.
func (s *Store) describe(ctx context.Context, rows []PostRow) error {
	if len(rows) == 0 {
		return nil
	}
	ids := make([]int64, len(rows))
	at := make(map[int64]*PostRow, len(rows))
	for i := range rows {
		ids[i], at[rows[i].ID] = rows[i].ID, &rows[i]
	}
	authors, err := s.postAuthors(ctx, ids)
	if err != nil {
		return err
	}
	for _, author := range authors {
		row := at[author.PostID]
		row.Authors = append(row.Authors, author)
	}
	var categories []struct {
		PostID   int64
		Category `gorm:"embedded"`
	}
	err = s.read(ctx).Raw(`SELECT pc.post_id, c.id, c.slug, c.name FROM post_categories pc JOIN categories c ON c.id = pc.category_id
		WHERE pc.post_id IN ? ORDER BY pc.post_id, pc.position`, ids).Scan(&categories).Error
	for _, c := range categories {
		row := at[c.PostID]
		row.Categories = append(row.Categories, c.Category)
	}
	return translate(err)
}

// postAuthors reads the bylines of posts, those of one post together and in its order.
func (s *Store) postAuthors(ctx context.Context, ids []int64) ([]PostAuthor, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	var authors []PostAuthor
	err := s.each(ctx, `SELECT pb.post_id, b.id, b.slug, b.name, b.title, b.employer, b.handle, b.url, b.bio, b.user_id, b.ambassador_id,
			coalesce(a.slug, ''), coalesce(m.name, ''), coalesce(m.width, 0), coalesce(m.height, 0)
		FROM post_bylines pb JOIN bylines b ON b.id = pb.byline_id
		LEFT JOIN ambassadors a ON a.id = b.ambassador_id AND a.status = 'published'
		LEFT JOIN media m ON m.id = a.photo_id
		WHERE pb.post_id IN (`+placeholders(1, len(ids))+`) ORDER BY pb.post_id, pb.position`, args, func(scan scanner) error {
		var author PostAuthor
		err := scan(&author.PostID, &author.ID, &author.Slug, &author.Name, &author.Title, &author.Employer, &author.Handle, &author.URL, &author.Bio,
			&author.UserID, &author.AmbassadorID, &author.AmbassadorSlug, &author.Photo, &author.PhotoWidth, &author.PhotoHeight)
		authors = append(authors, author)
		return err
	})
	return authors, err
}
