package clock_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
)

func TestSystemShiftsTheMachinesTimeAndGivesUTC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machine := time.Now()
		for _, offset := range []time.Duration{0, 26 * time.Hour, -40 * time.Minute} {
			got := clock.System(offset).Now()
			if !got.Equal(machine.Add(offset)) {
				t.Errorf("System(%s) = %s, want %s", offset, got, machine.Add(offset))
			}
			if got.Location() != time.UTC {
				t.Errorf("System(%s) is in %s, want UTC", offset, got.Location())
			}
		}
	})
}

func TestSystemGivesWholeMicroseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1234567 * time.Nanosecond)
		if ns := clock.System(0).Now().Nanosecond(); ns != 1234000 {
			t.Errorf("nanoseconds = %d, want 1234000", ns)
		}
	})
}

func TestAFakeStandsUntilItIsMoved(t *testing.T) {
	t0 := time.Date(2026, 3, 29, 1, 30, 0, 0, time.FixedZone("CET", 3600))
	f := clock.NewFake(t0)
	c := f.Clock()

	if !c.Now().Equal(t0) || c.Now().Location() != time.UTC {
		t.Errorf("Now() = %s, want %s in UTC", c.Now(), t0)
	}
	f.Advance(90 * time.Minute)
	if want := t0.Add(90 * time.Minute); !c.Now().Equal(want) {
		t.Errorf("after Advance: %s, want %s", c.Now(), want)
	}
	f.Set(t0)
	if !c.Now().Equal(t0) {
		t.Errorf("after Set: %s, want %s", c.Now(), t0)
	}
}

func TestAFakeIsMovedByManyAtOnce(t *testing.T) {
	f := clock.NewFake(time.Unix(0, 0))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			f.Advance(time.Second)
			_ = f.Now()
		})
	}
	wg.Wait()
	if got := f.Now().Unix(); got != 50 {
		t.Errorf("moved %d seconds, want 50", got)
	}
}
