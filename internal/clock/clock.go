// Package clock tells the time to those who must not ask the machine for it
// themselves. It knows nothing of zones: every time it gives is in UTC.
package clock

import (
	"sync"
	"time"
)

// Clock answers what time it is, in UTC. Rules, jobs and pages are handed one,
// so that a test decides about the moment and a trial can shift it.
type Clock func() time.Time

// Now returns the present moment in UTC.
func (c Clock) Now() time.Time { return c() }

// System returns the machine's clock shifted by offset (PORTAL_CLOCK_OFFSET;
// zero in production). Its times are whole microseconds without a monotonic
// part: what PostgreSQL keeps, so a time read back equals the one written.
func System(offset time.Duration) Clock {
	return func() time.Time {
		return time.Now().Add(offset).UTC().Truncate(time.Microsecond)
	}
}

// Fake is a clock that stands still until it is moved. It may be read and moved
// by many goroutines at once.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake returns a clock that stands at t0.
func NewFake(t0 time.Time) *Fake {
	return &Fake{now: t0.UTC()}
}

// Clock returns the clock to hand to the code under test: it follows f.
func (f *Fake) Clock() Clock { return f.Now }

// Now returns the moment at which the clock stands, in UTC.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Set moves the clock to t, which may be in its past.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = t.UTC()
}

// Advance moves the clock by d, backwards when d is negative.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}
