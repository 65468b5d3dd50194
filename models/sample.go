package models

import (
	"context"
	"fmt"
	"strings"
)

// SampleReport tells what RemoveSample did.
type SampleReport struct {
	Posts, Events, Groups, Ambassadors, Registrations int      // removed
	Kept                                              []string // a line for each thing that stays, and why
}

// String is a line of counts, and a line for each thing that stays.
func (r SampleReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "removed %d posts, %d events, %d groups, %d ambassadors, %d registrations\n", r.Posts, r.Events, r.Groups, r.Ambassadors, r.Registrations)
	for _, line := range r.Kept {
		b.WriteString("kept " + line + "\n")
	}
	return b.String()
}

// RemoveSample removes what is marked as sample, in one transaction, with what hangs on it. Events that anybody
// registered for in earnest stay, and so do groups with events or posts that stay and profiles that belong to an account.
// The audit log keeps what it was told of all of them.
func (s *Store) RemoveSample(ctx context.Context) (SampleReport, error) {
	var report SampleReport
	err := s.tx(ctx, func(tx *Store) error {
		var err error
		if report.Registrations, err = tx.removeSampleRegistrations(ctx); err != nil {
			return err
		}
		leftovers := sampleLeftovers()
		for n := range leftovers {
			if err := tx.read(ctx).Raw(leftovers[n].of).Scan(&leftovers[n].ids).Error; err != nil {
				return err
			}
		}
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
			err = tx.read(ctx).Raw("SELECT t.slug FROM " + kind.table + " t WHERE t.sample AND (" + kind.keep + ") ORDER BY t.slug").Scan(&kept).Error
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
		return tx.removeLeftovers(ctx, leftovers)
	})
	if err != nil {
		return SampleReport{}, err
	}
	return report, nil
}

// removeSampleRegistrations removes the generated registrations, and gives the places that they took to people.
func (s *Store) removeSampleRegistrations(ctx context.Context) (removed int, err error) {
	err = s.write(ctx).Exec("UPDATE quotas SET taken = taken - " + sampleOfQuota + " WHERE event_id IN (SELECT event_id FROM registrations WHERE sample)").Error
	if err != nil {
		return 0, err
	}
	result := s.write(ctx).Exec("DELETE FROM registrations WHERE sample")
	return int(result.RowsAffected), result.Error
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
	if err := s.indexDocument(ctx, SearchKind(kind), id); err != nil {
		return err
	}
	before := slug
	if table == "ambassadors" {
		before = "" // a person's name, more or less
	}
	return s.audit(ctx, Viewer{Role: "command"}, kind+".remove_sample", table, id, before, "")
}

// sampleLeftover is a table of things that sample rows lead to, and that go with them when nothing else does.
type sampleLeftover struct {
	table string
	of    string // a query for the ids that sample rows lead to
	keep  string // the condition under which a row called t stays all the same
	ids   []int64
}

func sampleLeftovers() []sampleLeftover {
	return []sampleLeftover{
		{
			table: "event_series", of: "SELECT DISTINCT series_id FROM events WHERE sample AND series_id IS NOT NULL",
			keep: "EXISTS (SELECT 1 FROM events e WHERE e.series_id = t.id)",
		},
		{
			table: "post_series", of: "SELECT DISTINCT series_id FROM posts WHERE sample AND series_id IS NOT NULL",
			keep: "EXISTS (SELECT 1 FROM posts p WHERE p.series_id = t.id)",
		},
		{
			table: "categories", of: "SELECT DISTINCT l.category_id FROM post_categories l JOIN posts p ON p.id = l.post_id WHERE p.sample",
			keep: "EXISTS (SELECT 1 FROM post_categories l WHERE l.category_id = t.id)",
		},
		{
			table: "tags", of: "SELECT DISTINCT l.tag_id FROM post_tags l JOIN posts p ON p.id = l.post_id WHERE p.sample",
			keep: "EXISTS (SELECT 1 FROM post_tags l WHERE l.tag_id = t.id)",
		},
		{
			table: "bylines", of: "SELECT DISTINCT l.byline_id FROM post_bylines l JOIN posts p ON p.id = l.post_id WHERE p.sample",
			keep: "t.user_id IS NOT NULL OR EXISTS (SELECT 1 FROM post_bylines l WHERE l.byline_id = t.id)",
		},
	}
}

// removeLeftovers removes those of the things that nothing leads to any more.
func (s *Store) removeLeftovers(ctx context.Context, leftovers []sampleLeftover) error {
	for _, l := range leftovers {
		if len(l.ids) == 0 {
			continue
		}
		var gone []struct {
			ID   int64
			Slug string
		}
		err := s.read(ctx).Raw("SELECT t.id, t.slug FROM "+l.table+" t WHERE t.id IN ? AND NOT ("+l.keep+")", l.ids).Scan(&gone).Error
		if err != nil {
			return err
		}
		for _, row := range gone {
			if err := s.write(ctx).Exec("DELETE FROM "+l.table+" WHERE id = ?", row.ID).Error; err != nil {
				return err
			}
			if l.table != "event_series" {
				continue
			}
			if err := s.write(ctx).Exec("DELETE FROM content_files WHERE path = ?", "events/"+row.Slug+".md").Error; err != nil {
				return err
			}
		}
	}
	return nil
}
