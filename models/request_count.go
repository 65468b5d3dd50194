package models

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	requestCountLimit  = time.Second      // for counting a request: it is not worth more
	requestCountMemory = 10 * time.Minute // more than the clocks of several machines differ
)

// requestCounts are the requests of one minute where one process serves.
type requestCounts struct {
	mu     sync.Mutex
	minute time.Time
	counts *simplelru.LRU[string, int] // by route and client
}

// mostRequestCounts is of how many clients' routes one process knows how often they were asked for.
const mostRequestCounts = 1 << 16

// add counts n more requests in a minute and returns how many there are.
func (r *requestCounts) add(minute time.Time, key string, n int) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil || !r.minute.Equal(minute) {
		fresh, err := simplelru.NewLRU[string, int](mostRequestCounts, nil)
		if err != nil {
			return 0, err
		}
		r.counts, r.minute = fresh, minute
	}
	known, _ := r.counts.Get(key)
	if n > 0 {
		r.counts.Add(key, known+n)
	}
	return known + n, nil
}

// CountRequest counts a request of a client in the minute that it is, among all processes, and returns how many there were. Who
// the client is cannot be read from what is kept. On SQLite, where one process serves, it is kept in memory.
func (s *Store) CountRequest(ctx context.Context, route, client string) (n int, err error) {
	if !s.postgres() {
		return s.requests.add(s.minute(), route+" "+client, 1)
	}
	ctx, cancel := context.WithTimeout(ctx, requestCountLimit)
	defer cancel()
	err = s.each(ctx, `INSERT INTO request_counts (client, minute, requests) VALUES ($1, $2, 1)
		ON CONFLICT (client, minute) DO UPDATE SET requests = request_counts.requests + 1 RETURNING requests`,
		[]any{s.requestClient(route, client), s.minute()}, func(scan scanner) error { return scan(&n) })
	return n, err
}

// RequestCount is how many requests of a client CountRequest counted in the minute that it is.
func (s *Store) RequestCount(ctx context.Context, route, client string) (n int, err error) {
	if !s.postgres() {
		return s.requests.add(s.minute(), route+" "+client, 0)
	}
	ctx, cancel := context.WithTimeout(ctx, requestCountLimit)
	defer cancel()
	err = s.each(ctx, "SELECT requests FROM request_counts WHERE client = $1 AND minute = $2", []any{s.requestClient(route, client), s.minute()},
		func(scan scanner) error { return scan(&n) })
	return n, err
}

func (s *Store) minute() time.Time { return s.Now().Truncate(time.Minute) }

// requestClient names a client of a route without telling who it is.
func (s *Store) requestClient(route, client string) string {
	return s.keys.Sign("requests", route, client)
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
