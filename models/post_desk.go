package models

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"
)

// DeskPostFilter chooses posts of the desk.
type DeskPostFilter struct {
	Status    PostStatus // empty: all
	Scheduled bool       // of the published: those whose time has not come, or else those that are public
	Query     string     // words of the title
	Limit     int
	Offset    int
}

// DeskPost is a post in the desk's list.
type DeskPost struct {
	ID          int64
	Slug        string
	Title       string
	Status      PostStatus
	PublishAt   *time.Time
	Words       int
	Sample      bool
	Version     int64
	UpdatedAt   time.Time
	Author      string       // the account's name, perhaps empty
	SubmittedAt *time.Time   // the last time that it was
	Comment     string       // of the last step on its way
	Authors     []PostAuthor `gorm:"-"`
}

// DeskPostCounts counts the posts of each state that the viewer may edit. Scheduled ones count apart from published.
type DeskPostCounts struct {
	All, Scheduled int
	ByStatus       map[PostStatus]int
}

// of is how many of them a filter without words lets through.
func (c DeskPostCounts) of(f DeskPostFilter) int {
	switch {
	case f.Status == "":
		return c.All
	case f.Status == PostPublished && f.Scheduled:
		return c.Scheduled
	}
	return c.ByStatus[f.Status]
}

// editablePosts is the condition of EditPost for a table called p.
func editablePosts(by Viewer) (condition string, args []any) {
	switch {
	case by.Can(ReviewPosts, Object{}):
		return "1 = 1", nil
	case by.Can(WritePosts, Object{}):
		return "(p.user_id = ? OR p.group_id IN ?)", []any{by.UserID, append([]int64{0}, by.GroupIDs...)}
	}
	return "1 = 0", nil
}

// DeskPosts lists what the viewer may edit, the last changed first, those that wait for review the oldest first. total
// counts all that the filter matches.
func (s *Store) DeskPosts(ctx context.Context, by Viewer, f DeskPostFilter) (rows []DeskPost, total int, err error) {
	condition, args := editablePosts(by)
	if f.Status != "" {
		condition += " AND p.status = ?"
		args = append(args, f.Status)
	}
	if f.Status == PostPublished {
		condition += " AND (p.publish_at > ?) = ?"
		args = append(args, s.Now(), f.Scheduled)
	}
	if oneLine(f.Query) != "" {
		condition += " AND LOWER(p.title) LIKE ? ESCAPE '!'"
		args = append(args, s.likeAll(f.Query))
	}
	order := "p.updated_at DESC, p.id DESC"
	if f.Status == PostSubmitted {
		order = "submitted_at, p.id"
	}
	var count int64
	if oneLine(f.Query) == "" {
		counts, err := s.CountDeskPosts(ctx, by)
		if err != nil {
			return nil, 0, err
		}
		count = int64(counts.of(f))
	} else if err := s.read(ctx).Raw("SELECT count(*) FROM posts p WHERE "+condition, args...).Scan(&count).Error; err != nil {
		return nil, 0, translate(err)
	}
	err = s.read(ctx).Raw(`SELECT p.id, p.slug, p.title, p.status, p.publish_at, p.words, p.sample, p.version, p.updated_at,
			COALESCE(u.name, '') AS author,
			sent.created_at AS submitted_at, COALESCE(latest.comment, '') AS comment
		FROM posts p LEFT JOIN users u ON u.id = p.user_id
		LEFT JOIN reviews sent ON sent.id = (SELECT max(id) FROM reviews WHERE post_id = p.id AND status = 'submitted')
		LEFT JOIN reviews latest ON latest.id = (SELECT max(id) FROM reviews WHERE post_id = p.id)
		WHERE `+condition+" ORDER BY "+order+" LIMIT ? OFFSET ?", append(args, f.Limit, f.Offset)...).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, int(count), translate(err)
	}
	ids := make([]int64, len(rows))
	at := make(map[int64]*DeskPost, len(rows))
	for i := range rows {
		ids[i], at[rows[i].ID] = rows[i].ID, &rows[i]
	}
	authors, err := s.postAuthors(ctx, ids)
	for _, author := range authors {
		at[author.PostID].Authors = append(at[author.PostID].Authors, author)
	}
	return rows, int(count), err
}

// CountDeskPosts counts what the viewer may edit, by state.
func (s *Store) CountDeskPosts(ctx context.Context, by Viewer) (DeskPostCounts, error) {
	condition, args := editablePosts(by)
	var rows []struct {
		Status    PostStatus
		Scheduled bool
		Count     int
	}
	query := `SELECT p.status, (p.status = 'published' AND p.publish_at > ?) AS scheduled, count(*) AS count FROM posts p WHERE ` + condition + " GROUP BY 1, 2"
	args = append([]any{s.Now()}, args...)
	if by.Can(ReviewPosts, Object{}) {
		// Nearly all are published: these are counted already.
		query = `SELECT status, 1 = 0 AS scheduled, count(*) AS count FROM posts WHERE status IN ('draft', 'submitted', 'changes_asked', 'declined', 'withdrawn') GROUP BY 1
			UNION ALL SELECT 'published', 1 = 1, count(*) FROM posts WHERE status = 'published' AND publish_at > ?
			UNION ALL SELECT 'published', 1 = 0, posts - (SELECT count(*) FROM posts WHERE status = 'published' AND publish_at > ?) FROM post_counts WHERE list = 'all'`
		args = []any{s.Now(), s.Now()}
	}
	err := s.read(ctx).Raw(query, args...).Scan(&rows).Error
	counts := DeskPostCounts{ByStatus: map[PostStatus]int{}}
	for _, row := range rows {
		counts.All += row.Count
		if row.Scheduled {
			counts.Scheduled += row.Count
		} else {
			counts.ByStatus[row.Status] += row.Count
		}
	}
	return counts, translate(err)
}

// PostFiling is how a post is filed: what stands beside its text.
type PostFiling struct {
	Categories []Category
	Tags       []Tag
	Bylines    []PostAuthor
	Cover      *Medium
}

// PostFiling reads how a post is filed.
func (s *Store) PostFiling(ctx context.Context, p Post) (f PostFiling, err error) {
	db := s.read(ctx)
	if err = db.Raw(`SELECT c.* FROM post_categories pc JOIN categories c ON c.id = pc.category_id
		WHERE pc.post_id = ? ORDER BY pc.position`, p.ID).Scan(&f.Categories).Error; err != nil {
		return f, translate(err)
	}
	if err = db.Raw(`SELECT t.* FROM post_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id = ? ORDER BY pt.position`, p.ID).Scan(&f.Tags).Error; err != nil {
		return f, translate(err)
	}
	if f.Bylines, err = s.postAuthors(ctx, []int64{p.ID}); err != nil {
		return f, err
	}
	if p.CoverID != nil {
		cover, err := s.Medium(ctx, *p.CoverID)
		if err != nil {
			return f, err
		}
		f.Cover = &cover
	}
	return f, nil
}

// PostChoices is what an editor can choose from.
type PostChoices struct {
	Categories  []Category // without the root, which every post is in
	Tags        []Tag
	Series      []PostSeries
	Groups      []Group      // that the viewer may write for
	Ambassadors []Ambassador // for staff
	Events      []Event      // that are on or to come, of the viewer's groups or for staff all; and the one chosen
	Bylines     []Byline     // for staff
}

// PostChoices reads what an editor of the post can choose from.
func (s *Store) PostChoices(ctx context.Context, by Viewer, p Post) (c PostChoices, err error) {
	staff := by.Can(ReviewPosts, Object{})
	db := s.read(ctx)
	own := append([]int64{0}, by.GroupIDs...)
	if p.GroupID != nil {
		own = append(own, *p.GroupID)
	}
	announced := int64(0)
	if p.AnnouncesID != nil {
		announced = *p.AnnouncesID
	}
	queries := []func() *gorm.DB{
		func() *gorm.DB { return db.Where("slug <> 'blog'").Order("name").Find(&c.Categories) },
		func() *gorm.DB { return db.Order("name").Limit(500).Find(&c.Tags) },
		func() *gorm.DB { return db.Order("title").Find(&c.Series) },
		func() *gorm.DB {
			return db.Select("id", "name", "slug").Where("status = 'listed' AND (? OR id IN ?)", staff, own).Order("name").Find(&c.Groups)
		},
		func() *gorm.DB {
			return db.Select("id", "title", "slug", "timezone", "starts_at", "ends_at").
				Where("id = ? OR status = 'published' AND ends_at > ? AND (? OR group_id IN ?)", announced, s.Now(), staff, own).
				Order("starts_at").Limit(200).Find(&c.Events)
		},
	}
	if staff {
		queries = append(queries,
			func() *gorm.DB { return db.Select("id", "name", "slug").Order("name").Find(&c.Ambassadors) },
			func() *gorm.DB { return db.Order("name").Limit(500).Find(&c.Bylines) })
	}
	for _, query := range queries {
		if err := query().Error; err != nil {
			return c, translate(err)
		}
	}
	return c, nil
}

// PostStep is a step of a post's history: a review or a revision, with who made it.
type PostStep struct {
	ID        int64
	Person    string // empty: an account that is gone, or the import
	Status    PostStatus
	Comment   string
	Title     string
	CreatedAt time.Time
}

// PostHistory reads what happened to a post and what its text was, the latest first.
func (s *Store) PostHistory(ctx context.Context, id int64) (reviews, revisions []PostStep, err error) {
	err = s.read(ctx).Raw(`SELECT r.id, r.status, r.comment, r.created_at, COALESCE(u.name, '') AS person
		FROM reviews r LEFT JOIN users u ON u.id = r.user_id WHERE r.post_id = ? ORDER BY r.id DESC`, id).Scan(&reviews).Error
	if err != nil {
		return nil, nil, translate(err)
	}
	err = s.read(ctx).Raw(`SELECT r.id, r.title, r.created_at, COALESCE(u.name, '') AS person
		FROM revisions r LEFT JOIN users u ON u.id = r.user_id WHERE r.post_id = ? ORDER BY r.id DESC LIMIT 100`, id).Scan(&revisions).Error
	return reviews, revisions, translate(err)
}

// PostRevision is a post's text as it was saved once. Whose post one may not edit, has none.
func (s *Store) PostRevision(ctx context.Context, by Viewer, postID, revisionID int64) (Post, Revision, error) {
	p, err := s.DeskPost(ctx, by, postID)
	if err != nil {
		return p, Revision{}, err
	}
	r, err := gorm.G[Revision](s.reader).Where("id = ? AND post_id = ?", revisionID, postID).Take(ctx)
	r, err = one(r, err, "revision", strconv.FormatInt(revisionID, 10))
	return p, r, err
}
