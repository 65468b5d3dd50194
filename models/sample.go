package models

import (
	"context"
	"fmt"
)

// SampleReport tells what RemoveSample did.
type SampleReport struct {
	Posts, Events, Groups, Ambassadors int      // removed
	Kept                               []string // a line for each thing that stays, and why
}

// String is a line of counts, and a line for each thing that stays.
func (r SampleReport) String() string {
	s := fmt.Sprintf("removed %d posts, %d events, %d groups, %d ambassadors\n", r.Posts, r.Events, r.Groups, r.Ambassadors)
	for _, line := range r.Kept {
		s += "kept " + line + "\n"
	}
	return s
}

// RemoveSample removes what is marked as sample, in one transaction, with what hangs on it. Events that anybody
// registered for stay, and so do groups with events or posts that stay and profiles that belong to an account.
func (s *Store) RemoveSample(ctx context.Context) (SampleReport, error) {
	var report SampleReport
	err := s.tx(ctx, func(tx *Store) error {
		report = SampleReport{}
		for _, kind := range []struct {
			name, table string
			keep        string // the condition under which a row called t stays
			why         string
			count       *int
		}{
			{"post", "posts", "1 = 0", "", &report.Posts},
			{"event", "events", "EXISTS (SELECT 1 FROM registrations r WHERE r.event_id = t.id)", "people registered for it", &report.Events},
			{
				"group", "groups", "EXISTS (SELECT 1 FROM events e WHERE e.group_id = t.id) OR EXISTS (SELECT 1 FROM posts p WHERE p.group_id = t.id)",
				"it has events or posts that stay", &report.Groups,
			},
			{"ambassador", "ambassadors", "t.user_id IS NOT NULL", "it belongs to an account", &report.Ambassadors},
		} {
			var kept []string
			err := tx.read(ctx).Raw("SELECT t.slug FROM " + kind.table + " t WHERE t.sample AND (" + kind.keep + ") ORDER BY t.slug").Scan(&kept).Error
			if err != nil {
				return err
			}
			for _, slug := range kept {
				report.Kept = append(report.Kept, fmt.Sprintf("%s %s: %s", kind.name, slug, kind.why))
			}
			var gone []struct {
				ID   int64
				Slug string
			}
			err = tx.read(ctx).Raw("SELECT t.id, t.slug FROM " + kind.table + " t WHERE t.sample AND NOT (" + kind.keep + ") ORDER BY t.id").Scan(&gone).Error
			if err != nil {
				return err
			}
			for _, row := range gone {
				if err := tx.removeSample(ctx, kind.name, kind.table, row.ID, row.Slug); err != nil {
					return fmt.Errorf("%s %s: %w", kind.name, row.Slug, err)
				}
			}
			*kind.count = len(gone)
		}
		return tx.removeLeftovers(ctx)
	})
	if err != nil {
		return SampleReport{}, err
	}
	return report, nil
}

// removeSample removes one row. Its slugs go as well: SQLite gives its id to a later row, which they would lead to.
func (s *Store) removeSample(ctx context.Context, kind, table string, id int64, slug string) error {
	db := s.write(ctx)
	if err := db.Exec("DELETE FROM "+table+" WHERE id = ?", id).Error; err != nil {
		return err
	}
	if err := db.Exec("DELETE FROM slug_history WHERE kind = ? AND object_id = ?", kind, id).Error; err != nil {
		return err
	}
	if err := db.Exec("DELETE FROM content_files WHERE path = ?", table+"/"+slug+".md").Error; err != nil {
		return err
	}
	return s.audit(ctx, Viewer{Role: "command"}, kind+".remove_sample", table, id, slug, "")
}

// removeLeftovers removes what nothing leads to any more: series without events or posts, tags without posts, and
// authors without posts who are neither a user nor an ambassador.
func (s *Store) removeLeftovers(ctx context.Context) error {
	for _, statement := range []string{
		`DELETE FROM content_files WHERE path IN (SELECT 'events/' || s.slug || '.md' FROM event_series s
			WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.series_id = s.id))`,
		"DELETE FROM event_series WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.series_id = event_series.id)",
		"DELETE FROM post_series WHERE NOT EXISTS (SELECT 1 FROM posts p WHERE p.series_id = post_series.id)",
		"DELETE FROM tags WHERE NOT EXISTS (SELECT 1 FROM post_tags p WHERE p.tag_id = tags.id)",
		`DELETE FROM bylines WHERE user_id IS NULL AND ambassador_id IS NULL
			AND NOT EXISTS (SELECT 1 FROM post_bylines p WHERE p.byline_id = bylines.id)`,
	} {
		if err := s.write(ctx).Exec(statement).Error; err != nil {
			return err
		}
	}
	return nil
}
