package handlers

import (
	"testing"
	"time"

	"github.com/cdfoundation/portal/models"
)

func TestNobodyInvitesToACancelledEvent(t *testing.T) {
	d := models.EventDetail{Inviters: []models.EventPerson{{Name: "Helen Example"}}}
	if got := invitation(d); got != "Helen Example invites you to" {
		t.Errorf("before: %q", got)
	}
	d.Status = models.EventCancelled
	if got := invitation(d); got != "" {
		t.Errorf("cancelled: %q", got)
	}
}

func TestTheYearGoesFromDatesWhenPagesAreMadeAnew(t *testing.T) {
	// There it is the new year 13 hours before midnight in UTC, at which pages are made anew.
	e := models.Event{Timezone: "Pacific/Auckland", StartsAt: time.Date(2027, 1, 5, 6, 0, 0, 0, time.UTC), EndsAt: time.Date(2027, 1, 5, 8, 0, 0, 0, time.UTC)}
	midnight := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for now, want := range map[time.Time]string{midnight.Add(-12 * time.Hour): "Tue 5 January 2027", midnight.Add(-time.Second): "Tue 5 January 2027", midnight: "Tue 5 January"} {
		line := newEventLine(models.EventRow{Event: e}, now)
		if short := shortDate(e.LocalStart(), now); short != want || line.DateShown != (now != midnight) {
			t.Errorf("at %s the date is %q, want %q, and stands in words: %t", now, short, want, line.DateShown)
		}
	}
}
