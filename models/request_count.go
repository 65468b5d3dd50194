package models

import (
	"context"
	"time"
)

const (
	requestCountLimit  = time.Second      // for counting a request: it is not worth more
	requestCountMemory = 10 * time.Minute // more than the clocks of several machines differ
)

// CountRequest counts a request of a client in the minute that it is, among all processes, and returns how many there were. Who
// the client is cannot be read from what is kept. On SQLite, where one process serves, it counts nothing.
func (s *Store) CountRequest(ctx context.Context, route, client string) (n int, err error) {
	if !s.postgres() {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestCountLimit)
	defer cancel()
	err = s.each(ctx, `INSERT INTO request_counts (client, minute, requests) VALUES ($1, $2, 1)
		ON CONFLICT (client, minute) DO UPDATE SET requests = request_counts.requests + 1 RETURNING requests`,
		[]any{s.keys.Sign("requests", route, client), s.Now().Truncate(time.Minute)}, func(scan scanner) error { return scan(&n) })
	return n, err
}

// forgetRequests forgets who asked how often.
func (s *Store) forgetRequests(ctx context.Context) error {
	if !s.postgres() {
		return nil
	}
	return s.tx(ctx, func(tx *Store) error {
		return tx.write(ctx).Exec("DELETE FROM request_counts WHERE minute < ?", tx.Now().Add(-requestCountMemory)).Error
	})
}
