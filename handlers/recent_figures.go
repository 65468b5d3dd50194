package handlers

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// recentSpan is how far back the desk looks.
const recentSpan = 5 * time.Minute

// processFigures are the figures of the process by name, as Prometheus would get them. None of them asks the database.
type processFigures map[string][]*dto.Metric

func (a *App) figures() processFigures {
	families, err := a.Metrics.Gather()
	if err != nil {
		families = nil // a figure that contradicts itself; Prometheus is told of it
	}
	all := processFigures{}
	for _, family := range families {
		all[family.GetName()] = family.GetMetric()
	}
	return all
}

// of are the series of a name that carry the labels: name and value in turn.
func (f processFigures) of(name string, labels ...string) (found []*dto.Metric) {
	for _, m := range f[name] {
		fits := true
		for i := 0; i < len(labels); i += 2 {
			fits = fits && labelOf(m, labels[i]) == labels[i+1]
		}
		if fits {
			found = append(found, m)
		}
	}
	return found
}

// sum adds counters and gauges up, and what histograms were told.
func (f processFigures) sum(name string, labels ...string) (total float64) {
	for _, m := range f.of(name, labels...) {
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
	}
	return total
}

// durations adds histograms up.
func (f processFigures) durations(name string, labels ...string) (all durations) {
	for _, m := range f.of(name, labels...) {
		all.n += m.GetHistogram().GetSampleCount()
		for i, b := range m.GetHistogram().GetBucket() {
			if i == len(all.buckets) {
				all.buckets = append(all.buckets, bucket{seconds: b.GetUpperBound()})
			}
			all.buckets[i].n += b.GetCumulativeCount()
		}
	}
	return all
}

// durations is how many answers of a route, or commits, took how long.
type durations struct {
	n       uint64
	buckets []bucket
}

type bucket struct {
	seconds float64 // at most
	n       uint64  // so far
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// recentFigures tells what the process counted of late, which Prometheus would ask for again and again. It looks at the figures
// whenever a request is the first of its minute.
type recentFigures struct {
	minute atomic.Int64 // of the last look

	mu    sync.Mutex
	looks []look
}

// look is what was counted until the first request of a minute. Until then nothing happened since the minute began.
type look struct {
	at      time.Time
	figures processFigures
}

// tick keeps what was counted before a request, when it is the first of its minute.
func (a *App) tick(now time.Time) {
	r, minute := &a.recent, now.Unix()/60
	if last := r.minute.Load(); last == minute || !r.minute.CompareAndSwap(last, minute) {
		return
	}
	fresh := look{now.Truncate(time.Minute), a.figures()}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks = append(slices.DeleteFunc(r.looks, func(l look) bool { return now.Sub(l.at) > recentSpan }), fresh)
}

// lately is what the process counted until some minutes ago, and until now.
type lately struct{ before, now processFigures }

func (a *App) lately(now time.Time) lately {
	a.recent.mu.Lock()
	defer a.recent.mu.Unlock()
	current := a.figures()
	for _, l := range a.recent.looks {
		if now.Sub(l.at) <= recentSpan {
			return lately{l.figures, current}
		}
	}
	return lately{current, current} // nobody asked for anything
}

// count is by how much counters grew.
func (l lately) count(name string, labels ...string) int {
	return int(l.now.sum(name, labels...) - l.before.sum(name, labels...))
}

// within is how long at most 95% took of what a histogram was told, and how much that was.
func (l lately) within(name string, labels ...string) (n int, p95 time.Duration) {
	before, now := l.before.durations(name, labels...), l.now.durations(name, labels...)
	return int(now.n - before.n), quantile(.95, before, now) //nolint:gosec // no process answers so many
}

// RecentRoute is how a route answered of late.
type RecentRoute struct {
	Route   string
	Answers int
	P95     time.Duration
	Slow    bool
}

// routes tells how each route answered, the slowest first.
func (l lately) routes() (routes []RecentRoute) {
	for _, m := range l.now[requestSeconds] {
		method, route := labelOf(m, "method"), labelOf(m, "route")
		if n, p95 := l.within(requestSeconds, "method", method, "route", route); n > 0 {
			routes = append(routes, RecentRoute{Route: method + " " + route, Answers: n, P95: p95, Slow: p95 >= slowAnswer})
		}
	}
	slices.SortFunc(routes, func(a, b RecentRoute) int {
		if a.P95 != b.P95 {
			return int(b.P95 - a.P95)
		}
		return b.Answers - a.Answers
	})
	return routes
}

// quantile is how long at most that part of the answers took which came between two counts, as Prometheus estimates it: within
// a bucket they are taken to lie evenly.
func quantile(part float64, before, after durations) time.Duration {
	rank := part * float64(after.n-before.n)
	lower, below := 0.0, 0.0
	for i, b := range after.buckets {
		n := float64(b.n)
		if i < len(before.buckets) {
			n -= float64(before.buckets[i].n)
		}
		if n >= rank && n > below {
			return time.Duration((lower + (b.seconds-lower)*(rank-below)/(n-below)) * float64(time.Second))
		}
		lower, below = b.seconds, n
	}
	return time.Duration(lower * float64(time.Second)) // longer than the last bucket tells
}
