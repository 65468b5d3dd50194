package models_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// counted are the rows of post_counts that are not 0, and counting those that the posts themselves give.
const (
	counted  = "SELECT list || ' ' || object_id || ' ' || posts FROM post_counts WHERE posts <> 0 ORDER BY 1"
	counting = `SELECT * FROM (SELECT 'all 0 ' || count(*) AS line FROM posts WHERE status = 'published' HAVING count(*) > 0
		UNION ALL SELECT 'category ' || l.category_id || ' ' || count(*) FROM post_categories l JOIN posts p ON p.id = l.post_id WHERE p.status = 'published' GROUP BY l.category_id
		UNION ALL SELECT 'tag ' || l.tag_id || ' ' || count(*) FROM post_tags l JOIN posts p ON p.id = l.post_id WHERE p.status = 'published' GROUP BY l.tag_id
		UNION ALL SELECT 'byline ' || l.byline_id || ' ' || count(*) FROM post_bylines l JOIN posts p ON p.id = l.post_id WHERE p.status = 'published' GROUP BY l.byline_id) AS lines ORDER BY 1`
)

func TestPostsAreCountedWhateverBecomesOfThem(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		fill(t, store, models.SampleSize{Posts: 150, Seed: 5})
		for _, change := range []string{
			"UPDATE posts SET title = title || '.'",
			"UPDATE posts SET status = 'withdrawn' WHERE id % 5 = 0",
			"UPDATE posts SET status = 'published', publish_at = created_at WHERE id % 10 = 0",
			"UPDATE posts SET publish_at = created_at WHERE publish_at IS NOT NULL AND id % 7 = 0",
			"DELETE FROM post_tags WHERE tag_id % 2 = 0",
			"UPDATE post_bylines SET position = position + 1",
			"INSERT INTO post_tags (post_id, tag_id, position) SELECT id, (SELECT max(id) FROM tags), 9 FROM posts p WHERE id % 3 = 0 AND NOT EXISTS (SELECT 1 FROM post_tags l WHERE l.post_id = p.id AND l.tag_id = (SELECT max(id) FROM tags))",
			"DELETE FROM posts WHERE id % 4 = 0",
			"DELETE FROM posts",
		} {
			exec(t, store, change)
			if got, want := names(t, store, counted), names(t, store, counting); !slices.Equal(got, want) {
				t.Errorf("after %s:\n%q\nwant\n%q", change, got, want)
			}
		}
	})
}

func TestPagesBehindTheMiddleHoldTheSamePostsWhenTheTotalIsKnown(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		fill(t, store, models.SampleSize{Posts: 101, Seed: 5})
		exec(t, store, "UPDATE posts SET expire_at = publish_at WHERE id % 9 = 0")
		exec(t, store, "UPDATE posts SET publish_at = (SELECT min(publish_at) FROM posts) WHERE publish_at IS NOT NULL AND id < 20")
		for name, filter := range map[string]models.PostFilter{"all": {}, "category": {CategoryID: 1}, "tag": {TagID: 1}, "byline": {BylineID: 1}} {
			all, err := store.Posts(t.Context(), filter)
			if err != nil || len(all) < 5 {
				t.Fatalf("%s: %d posts, %v", name, len(all), err)
			}
			if filter.Total, err = store.CountPosts(t.Context(), filter); err != nil || filter.Total != len(all) {
				t.Errorf("%s: counts %d, lists %d: %v", name, filter.Total, len(all), err)
			}
			filter.Limit = 4
			for filter.Offset = 0; filter.Offset < len(all); filter.Offset += filter.Limit {
				rows, err := store.Posts(t.Context(), filter)
				want := postSlugs(all[filter.Offset:min(filter.Offset+filter.Limit, len(all))])
				if got := postSlugs(rows); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s from %d: %q, want %q; %v", name, filter.Offset, got, want, err)
				}
			}
		}
	})
}

func TestTheDeskCountsPostsAsItListsThem(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		fill(t, store, models.SampleSize{Posts: 400, Seed: 5})
		staff := models.Viewer{UserID: 1, Role: models.RoleStaff}
		for _, status := range []models.PostStatus{"", models.PostDraft, models.PostSubmitted, models.PostPublished} {
			for _, scheduled := range []bool{false, true} {
				rows, total, err := store.DeskPosts(t.Context(), staff, models.DeskPostFilter{Status: status, Scheduled: scheduled, Limit: 1000})
				if err != nil || len(rows) != total || total == 0 {
					t.Errorf("%s: %d posts and a count of %d, %v", fmt.Sprint(status, scheduled), len(rows), total, err)
				}
			}
		}
	})
}
