package models_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// postTerms are the ids of what addPost puts on a post.
type postTerms struct {
	categories, tags, bylines []int64
}

// addPost writes a post that is public from an hour before Start unless it says otherwise.
func addPost(t testing.TB, db *gorm.DB, p models.Post, terms postTerms) models.Post {
	t.Helper()
	if p.UUID == "" {
		p.UUID = uuid.NewSHA1(uuid.Nil, []byte(p.Slug)).String()
	}
	if p.Status == "" {
		p.Status = models.PostPublished
	}
	if p.PublishAt == nil {
		p.PublishAt = new(testkit.Start.Add(-time.Hour))
	}
	if p.Title == "" {
		p.Title = "Title of " + p.Slug
	}
	if p.CreatedAt.IsZero() {
		p.CreatedAt = testkit.Start.Add(-2 * time.Hour)
	}
	if p.UpdatedAt.IsZero() {
		p.UpdatedAt = p.CreatedAt
	}
	p.Language = "en"
	if p.Contents == nil {
		p.Contents = []markdown.Heading{}
	}
	insert := func(row any) {
		if err := db.Create(row).Error; err != nil {
			t.Fatal(err)
		}
	}
	insert(&p)
	for i, id := range terms.categories {
		insert(&models.PostCategory{PostID: p.ID, CategoryID: id, Position: i})
	}
	for i, id := range terms.tags {
		insert(&models.PostTag{PostID: p.ID, TagID: id, Position: i})
	}
	for i, id := range terms.bylines {
		insert(&models.PostByline{PostID: p.ID, BylineID: id, Position: i})
	}
	return p
}

// addTerms writes two categories, four tags, two bylines and a series with the ids 1, 2, ….
func addTerms(t testing.TB, db *gorm.DB) {
	t.Helper()
	for _, rows := range []any{
		&[]models.Category{{ID: 1, Slug: "blog", Name: "Blog"}, {ID: 2, Slug: "project", Name: "Project"}},
		&[]models.Tag{{ID: 1, Slug: "tekton", Name: "tekton"}, {ID: 2, Slug: "jenkins", Name: "jenkins"}, {ID: 3, Slug: "aws", Name: "aws"}, {ID: 4, Slug: "lone", Name: "lone"}},
		&[]models.Byline{{ID: 1, Slug: "ana", Name: "Ana"}, {ID: 2, Slug: "bob", Name: "Bob"}},
		&models.PostSeries{ID: 1, Slug: "intros", Title: "Intros"},
	} {
		if err := db.Create(rows).Error; err != nil {
			t.Fatal(err)
		}
	}
}

func postSlugs(rows []models.PostRow) []string {
	all := make([]string, len(rows))
	for i, row := range rows {
		all[i] = row.Slug
	}
	return all
}

func TestAPostIsPublicFromItsMomentUntilItsEnd(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ctx, db := t.Context(), testkit.DB(t, store)
		addTerms(t, db)
		from, to := testkit.Start.Add(time.Hour), testkit.Start.Add(2*time.Hour)
		addPost(t, db, models.Post{Slug: "there"}, postTerms{categories: []int64{1}, tags: []int64{1}, bylines: []int64{1}})
		addPost(t, db, models.Post{Slug: "timed", PublishAt: &from, ExpireAt: &to, SeriesID: new(int64(1))}, postTerms{categories: []int64{1}, tags: []int64{1}, bylines: []int64{2}})
		for _, moment := range []struct {
			at     time.Time
			public bool
			err    error
		}{
			{from.Add(-time.Second), false, models.ErrNotFound},
			{from, true, nil},
			{from.Add(time.Second), true, nil},
			{to.Add(-time.Second), true, nil},
			{to, false, models.ErrGone},
			{to.Add(time.Second), false, models.ErrGone},
		} {
			now.Set(moment.at)
			shown := map[string]bool{}
			rows, err := store.Posts(ctx, models.PostFilter{})
			if err != nil {
				t.Fatal(err)
			}
			shown["list"] = slices.Contains(postSlugs(rows), "timed")
			for name, filter := range map[string]models.PostFilter{
				"category": {CategoryID: 1}, "tag": {TagID: 1}, "author": {BylineID: 2}, "series": {SeriesID: 1},
			} {
				n, err := store.CountPosts(ctx, filter)
				if err != nil {
					t.Fatal(err)
				}
				rows, err := store.Posts(ctx, filter)
				if err != nil || len(rows) != n {
					t.Fatalf("%s lists %d posts and counts %d: %v", name, len(rows), n, err)
				}
				shown[name] = slices.Contains(postSlugs(rows), "timed")
			}
			_, err = store.PostBySlug(ctx, "timed")
			if !errors.Is(err, moment.err) {
				t.Errorf("at %s the page is %v, want %v", moment.at, err, moment.err)
			}
			shown["page"] = err == nil
			there, err := store.PostBySlug(ctx, "there")
			if err != nil {
				t.Fatal(err)
			}
			shown["related"] = slices.Contains(postSlugs(there.Related), "timed")
			shown["neighbour"] = there.Newer != nil
			authors, err := store.Authors(ctx)
			if err != nil {
				t.Fatal(err)
			}
			shown["authors"] = len(authors) == 2
			tags, err := store.Tags(ctx)
			if err != nil {
				t.Fatal(err)
			}
			shown["count of a tag"] = tags[0].Posts == 2
			for place, is := range shown {
				if is != moment.public {
					t.Errorf("at %s the post stands in %s: %t, want %t", moment.at, place, is, moment.public)
				}
			}
		}
	})
}

func TestAPostThatIsNotPublicSaysOnlyWhatEverybodyKnew(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		ctx, db := t.Context(), testkit.DB(t, store)
		later := testkit.Start.Add(time.Hour)
		addPost(t, db, models.Post{Slug: "draft", Status: models.PostDraft}, postTerms{})
		addPost(t, db, models.Post{Slug: "submitted", Status: models.PostSubmitted}, postTerms{})
		addPost(t, db, models.Post{Slug: "scheduled", PublishAt: &later}, postTerms{})
		addPost(t, db, models.Post{Slug: "withdrawn", Status: models.PostWithdrawn, UpdatedAt: testkit.Start}, postTerms{})
		addPost(t, db, models.Post{Slug: "withdrawn-before", Status: models.PostWithdrawn, PublishAt: &later}, postTerms{})
		addPost(t, db, models.Post{Slug: "declined", Status: models.PostDeclined}, postTerms{})
		now := addPost(t, db, models.Post{Slug: "now"}, postTerms{})
		for _, old := range []models.SlugHistory{
			{Kind: "post", Slug: "before", ObjectID: now.ID},
			{Kind: "post", Slug: "before-that", ObjectID: now.ID},
			{Kind: "event", Slug: "event", ObjectID: now.ID},
			{Kind: "post", Slug: "old-draft", ObjectID: 1},
		} {
			old.CreatedAt = testkit.Start
			if err := db.Create(&old).Error; err != nil {
				t.Fatal(err)
			}
		}
		for slug, want := range map[string]error{
			"draft": models.ErrNotFound, "submitted": models.ErrNotFound, "scheduled": models.ErrNotFound, "declined": models.ErrNotFound,
			"withdrawn-before": models.ErrNotFound, "never": models.ErrNotFound, "event": models.ErrNotFound, "old-draft": models.ErrNotFound,
			"withdrawn": models.ErrGone,
		} {
			if _, err := store.PostBySlug(ctx, slug); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", slug, err, want)
			}
		}
		for _, slug := range []string{"before", "before-that"} {
			_, err := store.PostBySlug(ctx, slug)
			if moved, ok := errors.AsType[*models.MovedError](err); !ok || moved.Slug != "now" {
				t.Errorf("%s: %v, want it moved to now", slug, err)
			}
		}
	})
}

func TestAPageKnowsItsNeighboursSeriesAndRelatives(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		ctx, db := t.Context(), testkit.DB(t, store)
		addTerms(t, db)
		same := testkit.Start.Add(-24 * time.Hour)
		addPost(t, db, models.Post{Slug: "a", PublishAt: &same, SeriesID: new(int64(1))}, postTerms{categories: []int64{1}, tags: []int64{1}})
		addPost(t, db, models.Post{Slug: "b", PublishAt: &same, SeriesID: new(int64(1))}, postTerms{categories: []int64{1, 2}, tags: []int64{1, 2}, bylines: []int64{2, 1}})
		addPost(t, db, models.Post{Slug: "c", PublishAt: &same}, postTerms{categories: []int64{1}, tags: []int64{2, 1}, bylines: []int64{1}})
		addPost(t, db, models.Post{Slug: "d", SeriesID: new(int64(1))}, postTerms{categories: []int64{1}})
		addPost(t, db, models.Post{Slug: "e"}, postTerms{tags: []int64{4}})
		addPost(t, db, models.Post{Slug: "f", Status: models.PostDraft}, postTerms{categories: []int64{1, 2}, tags: []int64{1, 2}})
		page, err := store.PostBySlug(ctx, "b")
		if err != nil {
			t.Fatal(err)
		}
		if page.Older == nil || page.Older.Slug != "a" || page.Newer == nil || page.Newer.Slug != "c" {
			t.Errorf("beside b stand %v and %v, want a and c", page.Older, page.Newer)
		}
		if got := postSlugs(page.Series); !slices.Equal(got, []string{"a", "b", "d"}) {
			t.Errorf("the series is %v", got)
		}
		if got := postSlugs(page.Related); !slices.Equal(got, []string{"c", "a", "d"}) {
			t.Errorf("related are %v, want those that share most first", got)
		}
		if len(page.Authors) != 2 || page.Authors[0].Name != "Bob" {
			t.Errorf("authors are %v", page.Authors)
		}
		if len(page.Tags) != 2 || page.Tags[0].Slug != "tekton" || len(page.Categories) != 2 || page.Categories[1].Name != "Project" {
			t.Errorf("tags %v, categories %v", page.Tags, page.Categories)
		}
		rows, err := store.Posts(ctx, models.PostFilter{CategoryID: 1, Limit: 2, Offset: 1})
		if err != nil || !slices.Equal(postSlugs(rows), []string{"c", "b"}) {
			t.Errorf("the second and third post of the category are %v: %v", postSlugs(rows), err)
		}
	})
}

func TestPostsThatNobodySeesTakeNoRecommendationsPlace(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, at *clock.Fake) {
		ctx, db := t.Context(), testkit.DB(t, store)
		addTerms(t, db)
		alike := postTerms{categories: []int64{1}, tags: []int64{1, 2}}
		for i, slug := range []string{"asked", "old", "older", "oldest"} {
			addPost(t, db, models.Post{Slug: slug, PublishAt: new(testkit.Start.Add(-time.Duration(i+2) * time.Hour))}, alike)
		}
		tomorrow := testkit.Start.Add(24 * time.Hour)
		for i := range 20 {
			addPost(t, db, models.Post{Slug: fmt.Sprint("planned-", i), PublishAt: &tomorrow}, alike)
			addPost(t, db, models.Post{Slug: fmt.Sprint("draft-", i), Status: models.PostDraft}, alike)
		}
		related := func() []string {
			t.Helper()
			page, err := store.PostBySlug(ctx, "asked")
			if err != nil {
				t.Fatal(err)
			}
			return postSlugs(page.Related)
		}
		if got := related(); !slices.Equal(got, []string{"old", "older", "oldest"}) {
			t.Errorf("related are %v, want the public ones", got)
		}
		change := func(slug string, to map[string]any) {
			t.Helper()
			if err := db.Model(&models.Post{}).Where("slug = ?", slug).Updates(to).Error; err != nil {
				t.Fatal(err)
			}
		}
		change("old", map[string]any{"status": models.PostWithdrawn})
		change("draft-7", map[string]any{"status": models.PostPublished, "publish_at": testkit.Start.Add(-time.Minute)})
		if got := related(); !slices.Equal(got, []string{"draft-7", "older", "oldest"}) {
			t.Errorf("after one was taken back and one published, related are %v", got)
		}
		at.Set(tomorrow)
		if got := related(); len(got) != 3 || !strings.HasPrefix(got[0], "planned-") || !strings.HasPrefix(got[2], "planned-") {
			t.Errorf("when the planned are out, related are %v", got)
		}
	})
}

func TestAListTellsWhenItLastChanged(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ctx, db := t.Context(), testkit.DB(t, store)
		addTerms(t, db)
		changed := func() time.Time {
			t.Helper()
			at, err := store.PostsChangedAt(ctx, models.PostFilter{CategoryID: 1})
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		if at := changed(); !at.IsZero() {
			t.Errorf("a list without posts changed at %s", at)
		}
		end := testkit.Start.Add(time.Hour)
		addPost(t, db, models.Post{Slug: "a", ExpireAt: &end}, postTerms{categories: []int64{1}})
		addPost(t, db, models.Post{Slug: "draft", Status: models.PostDraft, UpdatedAt: testkit.Start}, postTerms{categories: []int64{1}})
		addPost(t, db, models.Post{Slug: "elsewhere", UpdatedAt: testkit.Start}, postTerms{categories: []int64{2}})
		if at, want := changed(), testkit.Start.Add(-time.Hour); !at.Equal(want) {
			t.Errorf("after a post came: %s, want %s", at, want)
		}
		now.Set(end)
		if at := changed(); !at.Equal(end) {
			t.Errorf("after a post expired: %s, want %s", at, end)
		}
		taken := end.Add(time.Minute)
		now.Set(taken)
		if err := db.Exec("UPDATE posts SET status = 'withdrawn', updated_at = ? WHERE slug = 'a'", taken).Error; err != nil {
			t.Fatal(err)
		}
		if at := changed(); !at.Equal(taken) {
			t.Errorf("after a post was taken back: %s, want %s", at, taken)
		}
	})
}

func TestAnAmbassadorsPostsAreThoseTheyWroteAndTheOneThatIntroducesThem(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		ctx, db := t.Context(), testkit.DB(t, store)
		addTerms(t, db)
		if err := db.Create(&models.Ambassador{
			ID: 7, Slug: "ana-sa", Name: "Ana Sá", Status: models.AmbassadorPublished, Languages: []string{}, Topics: []string{}, Links: []models.Link{}, CreatedAt: testkit.Start, UpdatedAt: testkit.Start,
		}).Error; err != nil {
			t.Fatal(err)
		}
		if err := db.Exec("UPDATE bylines SET ambassador_id = 7 WHERE id = 1").Error; err != nil {
			t.Fatal(err)
		}
		addPost(t, db, models.Post{Slug: "written"}, postTerms{bylines: []int64{2, 1}})
		addPost(t, db, models.Post{Slug: "introduced", IntroducesID: new(int64(7))}, postTerms{bylines: []int64{2}})
		addPost(t, db, models.Post{Slug: "other"}, postTerms{bylines: []int64{2}})
		rows, err := store.Posts(ctx, models.PostFilter{AmbassadorID: 7})
		if err != nil || !slices.Equal(postSlugs(rows), []string{"introduced", "written"}) {
			t.Errorf("posts of the ambassador: %v, %v", postSlugs(rows), err)
		}
		if got := rows[1].Authors[1].AmbassadorSlug; got != "ana-sa" {
			t.Errorf("the byline leads to %q", got)
		}
		_, ambassadors, err := store.FeedOwners(ctx, 100)
		if err != nil || len(ambassadors) != 1 || ambassadors[0].Posts != 2 {
			t.Errorf("people to follow: %v, %v", ambassadors, err)
		}
		page, err := store.PostBySlug(ctx, "introduced")
		if err != nil || page.IntroducesName != "Ana Sá" {
			t.Errorf("it introduces %q: %v", page.IntroducesName, err)
		}
	})
}

func TestAListAsksAsOftenForThreePostsAsForThreeHundred(t *testing.T) {
	ctx := t.Context()
	db, err := database.Open(ctx, testkit.SQLiteURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	queries := 0
	db.Reader.Statement.ConnPool = countingPool{db.Reader.Statement.ConnPool, &queries}
	store := models.NewStore(db.Reader, db.Writer, testkit.Clock().Clock(), testkit.Keys())
	writer := db.Writer.WithContext(context.Background())
	addTerms(t, writer)
	add := func(from, to int) {
		for i := from; i < to; i++ {
			addPost(t, writer, models.Post{Slug: fmt.Sprintf("post-%d", i)}, postTerms{categories: []int64{1, 2}, tags: []int64{1, 2}, bylines: []int64{1, 2}})
		}
	}
	measure := func() (list, page, texts int) {
		queries = 0
		rows, err := store.Posts(ctx, models.PostFilter{TagID: 1})
		if err != nil {
			t.Fatal(err)
		}
		list, queries = queries, 0
		if _, err := store.PostBySlug(ctx, "post-1"); err != nil {
			t.Fatal(err)
		}
		page, queries = queries, 0
		ids := make([]int64, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		if _, err := store.PostTexts(ctx, ids); err != nil {
			t.Fatal(err)
		}
		return list, page, queries
	}
	add(0, 3)
	list, page, texts := measure()
	add(3, 300)
	manyList, manyPage, manyTexts := measure()
	if list == 0 || list != manyList || page == 0 || page != manyPage || texts != manyTexts {
		t.Errorf("queries for 3 and 300 posts: list %d and %d, page %d and %d, texts %d and %d", list, manyList, page, manyPage, texts, manyTexts)
	}
	if list > 3 || page > 5 {
		t.Errorf("a list takes %d queries, a page %d", list, page)
	}
}

// countingPool counts the queries that pass through GORM's handle, with it or past it.
type countingPool struct {
	gorm.ConnPool
	queries *int
}

func (p countingPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	*p.queries++
	return p.ConnPool.QueryContext(ctx, query, args...)
}
