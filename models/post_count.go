package models

import (
	"context"
	"time"
)

// hiddenPosts are the published posts that are not public: their time has not come, or is over. They are few, and each part
// is read from an index. It takes the time twice.
const hiddenPosts = `(SELECT id FROM posts WHERE status = 'published' AND publish_at > ?
	UNION SELECT id FROM posts WHERE status = 'published' AND expire_at <= ?)`

// keptCount is how many posts are published in a list, as the table post_counts keeps it by triggers: "all" of them, or those
// of a "category", "tag" or "byline".
func (s *Store) keptCount(ctx context.Context, list string, id int64, now time.Time) (n int, err error) {
	hidden, args := hiddenPosts, []any{list, id, now, now}
	if list != "all" {
		hidden += " AS hidden JOIN post_" + termTables[list] + " l ON l.post_id = hidden.id AND l." + list + "_id = ?"
		args = append(args, id)
	} else {
		hidden += " AS hidden"
	}
	err = s.read(ctx).Raw("SELECT coalesce((SELECT posts FROM post_counts WHERE list = ? AND object_id = ?), 0) - (SELECT count(*) FROM "+hidden+")", args...).Scan(&n).Error
	return n, translate(err)
}

// termTables are the plurals of the lists that post_counts counts by.
var termTables = map[string]string{"category": "categories", "tag": "tags", "byline": "bylines"}

// keptArchives lists what posts can be filed under, with the counts of public ones; order is of SQL.
func (s *Store) keptArchives(ctx context.Context, list, order string) ([]ArchiveRow, error) {
	table := termTables[list]
	return s.archives(ctx, `SELECT t.id, t.slug, t.name, coalesce(kept.posts, 0) - coalesce(hidden.posts, 0) AS posts
		FROM `+table+` t LEFT JOIN post_counts kept ON kept.list = '`+list+`' AND kept.object_id = t.id
		LEFT JOIN (SELECT l.`+list+`_id AS id, count(*) AS posts FROM `+hiddenPosts+` AS p JOIN post_`+table+` l ON l.post_id = p.id GROUP BY 1) AS hidden
			ON hidden.id = t.id ORDER BY `+order)
}
