package models

import "context"

// Count is how many rows of something there are.
type Count struct {
	Of string `json:"of"`
	N  int64  `json:"n"`
}

// Stats counts posts, ambassadors, users, groups and events by their state, registrations by state and event, and
// mails by state.
func (s *Store) Stats(ctx context.Context) ([]Count, error) {
	var counts []Count
	err := s.read(ctx).Raw(`
		SELECT 'posts ' || status AS of, count(*) AS n FROM posts GROUP BY status
		UNION ALL SELECT 'ambassadors ' || status, count(*) FROM ambassadors GROUP BY status
		UNION ALL SELECT 'users ' || role, count(*) FROM users GROUP BY role
		UNION ALL SELECT 'groups ' || status, count(*) FROM groups GROUP BY status
		UNION ALL SELECT 'events ' || status, count(*) FROM events GROUP BY status
		UNION ALL SELECT 'registrations ' || r.status || ' ' || e.slug, count(*) FROM registrations r JOIN events e ON e.id = r.event_id GROUP BY r.status, e.slug
		UNION ALL SELECT 'mails ' || CASE WHEN sent_at IS NOT NULL THEN 'sent' WHEN failed_at IS NOT NULL THEN 'failed' ELSE 'waiting' END, count(*)
			FROM mails GROUP BY CASE WHEN sent_at IS NOT NULL THEN 'sent' WHEN failed_at IS NOT NULL THEN 'failed' ELSE 'waiting' END
		ORDER BY 1`).Scan(&counts).Error
	return counts, translate(err)
}
