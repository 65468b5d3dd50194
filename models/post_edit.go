package models

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/text/language"
	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/slug"
)

// PostEdit is what an editor saves of a post. Of what an author may not set, the stored value stays.
type PostEdit struct {
	Version      int64 // that the editor started from
	Title        string
	Slug         string // empty: made from the title
	Excerpt      string
	Markdown     string
	Language     string // BCP 47
	Licence      string // SPDX identifier
	SourceName   string
	SourceAuthor string
	SourceURL    string
	SeriesID     int64  // 0: none
	NewSeries    string // title of a series to be made; for staff
	GroupID      int64
	IntroducesID int64 // for staff
	AnnouncesID  int64
	CoverID      int64
	CategoryIDs  []int64
	Tags         []string     // names
	Bylines      []BylineEdit // for staff; none: the author's own
}

// BylineEdit names an author as printed. A known name stands for the byline that has it.
type BylineEdit struct {
	Name, Title, Employer string
}

// object is what decides who may do something to the post.
func (p Post) object() Object {
	var o Object
	if p.UserID != nil {
		o.UserID = *p.UserID
	}
	if p.GroupID != nil {
		o.GroupID = *p.GroupID
	}
	return o
}

// EditRefusal is why the viewer cannot change the post's text now, or nil. What is public, or was, only staff change,
// so that nothing is published without a review.
func (p Post) EditRefusal(by Viewer) error {
	switch {
	case !by.Can(EditPost, p.object()):
		return fmt.Errorf("%w: post %d", ErrNotFound, p.ID)
	case by.Can(ReviewPosts, p.object()):
		return nil
	case p.Status == PostDraft || p.Status == PostSubmitted || p.Status == PostChangesAsked:
		return nil
	}
	return ErrTransition
}

// DeskPost is the post for its editor. One that the viewer may not edit is ErrNotFound.
func (s *Store) DeskPost(ctx context.Context, by Viewer, id int64) (Post, error) {
	return s.deskPost(ctx, by, id, "")
}

func (s *Store) deskPost(ctx context.Context, by Viewer, id int64, lock string) (Post, error) {
	var p Post
	err := s.read(ctx).Raw("SELECT * FROM posts WHERE id = ?"+lock, id).Take(&p).Error
	if p, err = one(p, err, "post", strconv.FormatInt(id, 10)); err != nil {
		return p, err
	}
	if !by.Can(EditPost, p.object()) {
		return Post{}, fmt.Errorf("%w: post %d", ErrNotFound, id)
	}
	return p, nil
}

// CreatePost makes a draft of the viewer's. It refuses with ErrNotFound whoever may not write posts, with ErrInvalid,
// and with ErrSlugTaken.
func (s *Store) CreatePost(ctx context.Context, by Viewer, e PostEdit) (Post, error) {
	if !by.Can(WritePosts, Object{}) {
		return Post{}, fmt.Errorf("%w: posts", ErrNotFound)
	}
	p := Post{UUID: uuid.NewString(), Status: PostDraft, Version: 1, UserID: &by.UserID}
	err := s.tx(ctx, func(tx *Store) error {
		p.CreatedAt, p.UpdatedAt = tx.Now(), tx.Now()
		if err := tx.fillPost(ctx, by, &p, e); err != nil {
			return err
		}
		if err := tx.write(ctx).Create(&p).Error; err != nil {
			return slugTaken(err)
		}
		if err := tx.filePost(ctx, by, p, e); err != nil {
			return err
		}
		if err := tx.revise(ctx, by, p); err != nil {
			return err
		}
		if err := tx.indexDocument(ctx, SearchPost, p.ID); err != nil {
			return err
		}
		return tx.audit(ctx, by, "post.create", "posts", p.ID, "", "")
	})
	return p, err
}

// SavePost changes a post and keeps the text as a revision. It refuses with ErrNotFound, ErrStale when somebody else
// saved since the editor started, ErrTransition when it is not the viewer's to change any more, ErrInvalid, and
// ErrSlugTaken.
func (s *Store) SavePost(ctx context.Context, by Viewer, id int64, e PostEdit) (Post, error) {
	var p Post
	err := s.tx(ctx, func(tx *Store) error {
		old, err := tx.deskPost(ctx, by, id, tx.forUpdate())
		if err != nil {
			return err
		}
		if err := old.EditRefusal(by); err != nil {
			return err
		}
		if old.Version != e.Version {
			return ErrStale
		}
		p = old
		if err := tx.fillPost(ctx, by, &p, e); err != nil {
			return err
		}
		rewritten := p.Title != old.Title || p.Excerpt != old.Excerpt || p.Markdown != old.Markdown
		p.Version, p.UpdatedAt = old.Version+1, tx.Now()
		if now := tx.Now(); rewritten && old.PublicAt(now) {
			p.ChangedAt = &now
		}
		if p.Slug != old.Slug {
			if err := tx.moveSlug(ctx, "post", id, old.Slug, p.Slug, old.PublishAt != nil); err != nil {
				return err
			}
		}
		result := tx.write(ctx).Model(&Post{}).Where("id = ? AND version = ?", id, e.Version).
			Select("*").Omit("ID", "UUID", "Status", "PublishAt", "ExpireAt", "UserID", "Sample", "CreatedAt").Updates(&p)
		if err := slugTaken(changed(result, "post", id)); err != nil {
			return err
		}
		if err := tx.filePost(ctx, by, p, e); err != nil {
			return err
		}
		if rewritten {
			if err := tx.revise(ctx, by, p); err != nil {
				return err
			}
		}
		if err := tx.indexDocument(ctx, SearchPost, id); err != nil {
			return err
		}
		return tx.audit(ctx, by, "post.save", "posts", id, "", "")
	})
	return p, err
}

// fillPost puts an edit into a post, as far as the viewer may.
func (s *Store) fillPost(ctx context.Context, by Viewer, p *Post, e PostEdit) error {
	staff := by.Can(ReviewPosts, Object{})
	p.Title = oneLine(e.Title)
	rendered, err := s.render(ctx, e.Markdown, p.idPrefix())
	if err != nil && !errors.Is(err, ErrInvalid) {
		return err
	}
	invalid := e.faults(p.Title, err)
	if staff || e.GroupID == 0 || by.Can(EditGroup, Object{GroupID: e.GroupID}) || p.GroupID != nil && *p.GroupID == e.GroupID {
		p.GroupID = reference(e.GroupID)
	} else {
		invalid.add("group", "Choose a group that you organise")
	}
	refused, err := s.refusedReferences(ctx, by, *p, e)
	if err != nil {
		return err
	}
	if invalid = append(invalid, refused...); len(invalid) > 0 {
		return invalid
	}
	p.Language, p.Licence = e.Language, e.Licence
	p.SourceName, p.SourceAuthor, p.SourceURL = e.SourceName, e.SourceAuthor, e.SourceURL
	p.AnnouncesID, p.CoverID, p.SeriesID = reference(e.AnnouncesID), reference(e.CoverID), reference(e.SeriesID)
	if staff {
		p.IntroducesID = reference(e.IntroducesID)
	}
	if e.NewSeries != "" && staff {
		row := PostSeries{Slug: slug.Make(e.NewSeries), Title: e.NewSeries}
		if err := s.write(ctx).Where(PostSeries{Slug: row.Slug}).FirstOrCreate(&row).Error; err != nil {
			return err
		}
		p.SeriesID = &row.ID
	}
	if p.Slug, err = s.editedSlug(ctx, "post", p.ID, p.Slug, e.Slug, p.Title); err != nil {
		return err
	}
	p.setText(e.Markdown, e.Excerpt, rendered)
	return nil
}

// refusedReferences is what an edit newly refers to and the editor would not offer: a form can be sent with any number.
func (s *Store) refusedReferences(ctx context.Context, by Viewer, p Post, e PostEdit) (refused FieldErrors, err error) {
	staff := by.Can(ReviewPosts, Object{})
	for _, r := range []struct {
		field     string
		id        int64
		present   *int64
		table     any
		condition string
		args      []any
		message   string
	}{
		{"announces", e.AnnouncesID, p.AnnouncesID, &Event{}, "status = ? AND (? OR group_id IN ?)", []any{EventPublished, staff, append([]int64{0}, by.GroupIDs...)}, "Choose an event of a group that you organise"},
		{"series", e.SeriesID, p.SeriesID, &PostSeries{}, "1 = 1", nil, "Choose a series from the list"},
		{"introduces", e.IntroducesID, p.IntroducesID, &Ambassador{}, "1 = 1", nil, "Choose an ambassador from the list"},
		{"cover", e.CoverID, p.CoverID, &Medium{}, "user_id = ?", []any{by.UserID}, "Choose the picture again"},
	} {
		if r.id == 0 || r.present != nil && *r.present == r.id || r.field == "introduces" && !staff {
			continue
		}
		var found int64
		if err := s.read(ctx).Model(r.table).Where("id = ?", r.id).Where(r.condition, r.args...).Count(&found).Error; err != nil {
			return nil, err
		}
		if found == 0 {
			refused.add(r.field, r.message)
		}
	}
	return refused, nil
}

// faults is what is wrong with an edit by itself; tooComplex is why its text cannot be rendered, or nil.
func (e PostEdit) faults(title string, tooComplex error) (invalid FieldErrors) {
	if title == "" || tooLong(title, maxLine) {
		invalid.add("title", "Give the post a title, of up to 300 letters")
	}
	if tooLong(e.Excerpt, 1000) {
		invalid.add("excerpt", "Shorten the standfirst to 1,000 letters")
	}
	if tooComplex != nil {
		invalid.add("body", "The text cannot be shown: "+lastError(tooComplex))
	}
	if e.Slug != "" {
		if err := slug.Valid(e.Slug); err != nil {
			invalid.add("slug", fmt.Sprintf("Choose another address: “%s” %s", e.Slug, err))
		}
	}
	if _, err := language.Parse(e.Language); err != nil {
		invalid.add("language", "Enter a language as its tag, such as en, de or zh-Hans")
	}
	for _, tag := range e.Tags {
		if slug.Valid(slug.Make(tag)) != nil || tooLong(tag, 60) {
			invalid.add("tags", fmt.Sprintf("Choose another word than “%s” as a tag", tag))
		}
	}
	if len(e.Tags) > 12 {
		invalid.add("tags", "Choose up to 12 tags")
	}
	if e.NewSeries != "" && (slug.Valid(slug.Make(e.NewSeries)) != nil || tooLong(e.NewSeries, 200)) {
		invalid.add("new_series", "Choose another title for the series")
	}
	for _, b := range e.Bylines {
		if _, err := parseName(b.Name); err != nil || tooLong(b.Title, 200) || tooLong(b.Employer, 200) {
			invalid.add("bylines", "Give every author a name, of up to 200 letters")
		}
	}
	if e.SourceURL != "" && !webAddress(e.SourceURL) {
		invalid.add("source_url", "Enter the whole address, with https:// in front")
	}
	if e.SourceName == "" && (e.SourceURL != "" || e.SourceAuthor != "") {
		invalid.add("source_name", "Name the site where it was published first")
	}
	for _, part := range []struct {
		field, value string
		most         int
	}{{"source_name", e.SourceName, 200}, {"source_author", e.SourceAuthor, 200}, {"source_url", e.SourceURL, 1000}, {"licence", e.Licence, 60}} {
		if tooLong(part.value, part.most) {
			invalid.add(part.field, fmt.Sprintf("Shorten this to %d letters", part.most))
		}
	}
	return invalid
}

// lastError is the innermost reason of an error, in its own words.
func lastError(err error) string {
	text := err.Error()
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// webAddress reports whether an address is a whole one of the web.
func webAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(address, " \t\r\n")
}

// moveSlug remembers the address that a thing had when it was public, and forgets the one that it has again.
func (s *Store) moveSlug(ctx context.Context, kind string, id int64, from, to string, public bool) error {
	if err := s.write(ctx).Where("kind = ? AND slug = ? AND object_id = ?", kind, to, id).Delete(&SlugHistory{}).Error; err != nil || !public {
		return err
	}
	return s.write(ctx).Create(&SlugHistory{Kind: kind, Slug: from, ObjectID: id, CreatedAt: s.Now()}).Error
}

// filePost writes the lists that a post is found by, in the editor's order.
func (s *Store) filePost(ctx context.Context, by Viewer, p Post, e PostEdit) error {
	for _, row := range []any{&PostCategory{}, &PostTag{}} {
		if err := s.write(ctx).Where("post_id = ?", p.ID).Delete(row).Error; err != nil {
			return err
		}
	}
	// Every post is in the root category.
	var categories []Category
	if err := s.read(ctx).Where("id IN ? OR slug = 'blog'", append(e.CategoryIDs, 0)).Order("CASE slug WHEN 'blog' THEN 0 ELSE 1 END, name").Find(&categories).Error; err != nil {
		return err
	}
	for n, category := range categories {
		if err := s.write(ctx).Create(&PostCategory{PostID: p.ID, CategoryID: category.ID, Position: n + 1}).Error; err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, name := range e.Tags {
		row := Tag{Slug: slug.Make(name), Name: name}
		if slug.Valid(row.Slug) != nil {
			return fmt.Errorf("%w: tag %q", ErrInvalid, name)
		}
		if seen[row.Slug] {
			continue
		}
		seen[row.Slug] = true
		if err := s.write(ctx).Where(Tag{Slug: row.Slug}).FirstOrCreate(&row).Error; err != nil {
			return err
		}
		if err := s.write(ctx).Create(&PostTag{PostID: p.ID, TagID: row.ID, Position: len(seen)}).Error; err != nil {
			return err
		}
	}
	return s.signPost(ctx, by, p, e.Bylines)
}

// signPost puts the bylines on a post: those that staff named, else the ones that it has, else its author's own.
func (s *Store) signPost(ctx context.Context, by Viewer, p Post, named []BylineEdit) error {
	if !by.Can(ReviewPosts, Object{}) {
		named = nil
	}
	var ids []int64
	for _, n := range named {
		id, err := s.namedByline(ctx, n)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		var had int64
		if err := s.read(ctx).Model(&PostByline{}).Where("post_id = ?", p.ID).Count(&had).Error; err != nil || had > 0 {
			return err
		}
		if p.UserID == nil {
			return nil
		}
		id, err := s.ownByline(ctx, *p.UserID)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if err := s.write(ctx).Where("post_id = ?", p.ID).Delete(&PostByline{}).Error; err != nil {
		return err
	}
	seen := map[int64]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		if err := s.write(ctx).Create(&PostByline{PostID: p.ID, BylineID: id, Position: len(seen)}).Error; err != nil {
			return err
		}
	}
	return nil
}

// namedByline is the byline of that name, with the title and employer that are new; it is made when there is none.
func (s *Store) namedByline(ctx context.Context, n BylineEdit) (int64, error) {
	name, err := parseName(n.Name)
	if err != nil {
		return 0, err
	}
	var row Byline
	err = s.read(ctx).Where("lower(name) = lower(?)", name).Order("id").Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		free, err := s.freeSlug(ctx, "bylines", slug.Make(name))
		if err != nil {
			return 0, err
		}
		row = Byline{Slug: free, Name: name, Title: n.Title, Employer: n.Employer}
		err = s.write(ctx).Create(&row).Error
		return row.ID, err
	}
	if err != nil {
		return 0, err
	}
	if n.Title != "" && n.Title != row.Title || n.Employer != "" && n.Employer != row.Employer {
		err = s.write(ctx).Model(&Byline{}).Where("id = ?", row.ID).Updates(&Byline{Title: n.Title, Employer: n.Employer}).Error
	}
	return row.ID, err
}

// ownByline is the byline of an account, by itself or by its profile; it is made when there is none.
func (s *Store) ownByline(ctx context.Context, userID int64) (int64, error) {
	var profile Ambassador
	err := s.read(ctx).Where("user_id = ?", userID).Take(&profile).Error
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return 0, err
	}
	var row Byline
	err = s.read(ctx).Where("user_id = ? OR ambassador_id = ? AND ambassador_id > 0", userID, profile.ID).Order("id").Take(&row).Error
	if err == nil || !errors.Is(err, gorm.ErrRecordNotFound) {
		return row.ID, err
	}
	row = Byline{Name: profile.Name, Title: profile.Title, Employer: profile.Employer, Handle: profile.Handle, UserID: &userID}
	if profile.ID != 0 {
		row.AmbassadorID = &profile.ID
	} else {
		user, err := s.UserByID(ctx, userID)
		if err != nil {
			return 0, err
		}
		row.Name = user.Name
	}
	if row.Slug, err = s.freeSlug(ctx, "bylines", slug.Make(row.Name)); err != nil {
		return 0, err
	}
	err = s.write(ctx).Create(&row).Error
	return row.ID, err
}

// revise keeps a post's text as it was just saved.
func (s *Store) revise(ctx context.Context, by Viewer, p Post) error {
	return s.write(ctx).Create(&Revision{
		PostID: p.ID, UserID: reference(by.UserID), Title: p.Title, Excerpt: p.Excerpt, Markdown: p.Markdown, CreatedAt: s.Now(),
	}).Error
}

// RestoreRevision makes a revision the post's text again, which is a revision of its own. It refuses as SavePost does.
func (s *Store) RestoreRevision(ctx context.Context, by Viewer, postID, revisionID, version int64) error {
	return s.tx(ctx, func(tx *Store) error {
		p, err := tx.deskPost(ctx, by, postID, tx.forUpdate())
		if err != nil {
			return err
		}
		if err := p.EditRefusal(by); err != nil {
			return err
		}
		if p.Version != version {
			return ErrStale
		}
		r, err := gorm.G[Revision](tx.reader).Where("id = ? AND post_id = ?", revisionID, postID).Take(ctx)
		if r, err = one(r, err, "revision", strconv.FormatInt(revisionID, 10)); err != nil {
			return err
		}
		now := tx.Now()
		if p.PublicAt(now) {
			p.ChangedAt = &now
		}
		rendered, err := tx.render(ctx, r.Markdown, p.idPrefix())
		if err != nil {
			return err
		}
		p.Title, p.Version, p.UpdatedAt = r.Title, version+1, now
		p.setText(r.Markdown, r.Excerpt, rendered)
		columns := append([]any{"Version", "UpdatedAt", "ChangedAt"}, names(postText)...)
		if err := changed(tx.write(ctx).Model(&Post{}).Where("id = ? AND version = ?", postID, version).
			Select("Title", columns...).Updates(&p), "post", postID); err != nil {
			return err
		}
		if err := tx.revise(ctx, by, p); err != nil {
			return err
		}
		if err := tx.indexDocument(ctx, SearchPost, postID); err != nil {
			return err
		}
		return tx.audit(ctx, by, "post.restore", "posts", postID, "", strconv.FormatInt(revisionID, 10))
	})
}

func names(columns []string) []any {
	all := make([]any, len(columns))
	for i, c := range columns {
		all[i] = c
	}
	return all
}

// reference is a key that may be missing.
func reference(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
