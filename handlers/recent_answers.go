package handlers

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// recentSpan is how far back the desk looks at requests.
const recentSpan = 5 * time.Minute

// recentAnswers tells what the counters of requests counted of late, which Prometheus would ask for again and again. It looks at
// them whenever a request is the first of its minute.
type recentAnswers struct {
	counters *prometheus.Registry // those of requests alone
	minute   atomic.Int64         // of the last look

	mu    sync.Mutex
	looks []look
}

// look is what was counted until the first request of a minute. Until then nothing happened since the minute began.
type look struct {
	at       time.Time
	statuses map[string]float64 // by family: 2xx
	routes   map[string]routeCount
}

// routeCount is how many answers of a route, or commits, took how long.
type routeCount struct {
	answers uint64
	buckets []bucket
}

type bucket struct {
	seconds float64 // at most
	answers uint64  // so far
}

// RecentRoute is how a route answered of late.
type RecentRoute struct {
	Route   string
	Answers int
	P95     time.Duration
	Slow    bool
}

func (r *recentAnswers) watch(m metrics) error {
	r.counters = prometheus.NewRegistry()
	if err := r.counters.Register(m.requests); err != nil {
		return err
	}
	return r.counters.Register(m.seconds)
}

// tick keeps what was counted before a request, when it is the first of its minute.
func (r *recentAnswers) tick(now time.Time) {
	minute := now.Unix() / 60
	if last := r.minute.Load(); last == minute || !r.minute.CompareAndSwap(last, minute) {
		return
	}
	fresh := r.look(now.Truncate(time.Minute))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks = append(slices.DeleteFunc(r.looks, func(l look) bool { return now.Sub(l.at) > recentSpan }), fresh)
}

func (r *recentAnswers) look(at time.Time) look {
	l := look{at: at, statuses: map[string]float64{}, routes: map[string]routeCount{}}
	families, err := r.counters.Gather()
	if err != nil {
		return l // a counter that contradicts itself; Prometheus is told of it
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			switch {
			case m.GetCounter() != nil:
				l.statuses[labelOf(m, "status")] += m.GetCounter().GetValue()
			case m.GetHistogram() != nil:
				l.routes[labelOf(m, "method")+" "+labelOf(m, "route")] = countOf(m.GetHistogram())
			}
		}
	}
	return l
}

func countOf(h *dto.Histogram) routeCount {
	count := routeCount{answers: h.GetSampleCount()}
	for _, b := range h.GetBucket() {
		count.buckets = append(count.buckets, bucket{b.GetUpperBound(), b.GetCumulativeCount()})
	}
	return count
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// since tells how many answers there were of each family of status in the last minutes, and how each route answered, the slowest
// first.
func (r *recentAnswers) since(now time.Time) (statuses map[string]int, routes []RecentRoute) {
	r.mu.Lock()
	before := look{}
	for _, l := range r.looks {
		if now.Sub(l.at) <= recentSpan {
			before = l
			break
		}
	}
	r.mu.Unlock()
	statuses = map[string]int{}
	if before.at.IsZero() {
		return statuses, nil
	}
	after := r.look(now)
	for family, n := range after.statuses {
		if d := n - before.statuses[family]; d > 0 {
			statuses[family] = int(d)
		}
	}
	for route, count := range after.routes {
		was := before.routes[route]
		if count.answers > was.answers {
			routes = append(routes, RecentRoute{Route: route, Answers: int(count.answers - was.answers), P95: quantile(.95, was, count)}) //nolint:gosec // no process answers so many
		}
	}
	slices.SortFunc(routes, func(a, b RecentRoute) int {
		if a.P95 != b.P95 {
			return int(b.P95 - a.P95)
		}
		return b.Answers - a.Answers
	})
	return statuses, routes
}

// quantile is how long at most that part of the answers took which came between two counts, as Prometheus estimates it: within
// a bucket they are taken to lie evenly.
func quantile(part float64, before, after routeCount) time.Duration {
	rank := part * float64(after.answers-before.answers)
	lower, below := 0.0, 0.0
	for i, b := range after.buckets {
		n := float64(b.answers)
		if i < len(before.buckets) {
			n -= float64(before.buckets[i].answers)
		}
		if n >= rank && n > below {
			return time.Duration((lower + (b.seconds-lower)*(rank-below)/(n-below)) * float64(time.Second))
		}
		lower, below = b.seconds, n
	}
	return time.Duration(lower * float64(time.Second)) // longer than the last bucket tells
}
