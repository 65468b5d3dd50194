package models_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

func slugsOf(rows []models.EventRow) string {
	var all []string
	for _, row := range rows {
		all = append(all, row.Slug)
	}
	return fmt.Sprint(all)
}

func TestListsOfEventsHoldWhatIsPublicInTheirOrder(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		db := testkit.DB(t, s.Store)
		group := models.Group{
			Slug: "berlin", Status: models.GroupListed, Name: "Berlin", City: "Berlin", Country: "DE", Timezone: "Europe/Berlin", Language: "de",
			Topics: []string{}, Links: []models.Link{}, Version: 1, CreatedAt: noon, UpdatedAt: noon,
		}
		s.create(t, &group)
		change := func(slug string, columns map[string]any) {
			t.Helper()
			if err := db.Model(&models.Event{}).Where("slug = ?", slug).Updates(columns).Error; err != nil {
				t.Fatal(err)
			}
		}
		for _, slug := range []string{"later", "draft", "scheduled", "over", "long-over", "cancelled", "far"} {
			s.newEvent(t, slug, 5)
		}
		day := 24 * time.Hour
		at := func(start time.Time) map[string]any {
			return map[string]any{"starts_at": start, "ends_at": start.Add(time.Hour)}
		}
		change("later", at(noon.Add(20*day)))
		change("later", map[string]any{"group_id": group.ID, "kind": models.KindCall, "mode": models.ModeOnline, "venue_country": ""})
		change("draft", map[string]any{"status": models.EventDraft, "published_at": nil})
		change("scheduled", map[string]any{"published_at": noon.Add(day)})
		change("over", at(noon.Add(-10*day)))
		change("long-over", at(noon.Add(-40*day)))
		change("cancelled", map[string]any{"status": models.EventCancelled, "published_at": noon.Add(-time.Hour)})
		change("far", at(noon.Add(400*day)))
		for _, test := range []struct {
			name   string
			filter models.EventFilter
			want   string
		}{
			{"coming", models.EventFilter{}, "[game-day cancelled later far]"},
			{"coming and taking place", models.EventFilter{Living: true}, "[game-day later far]"},
			{"past", models.EventFilter{Period: models.PastEvents}, "[over long-over]"},
			{"newest first", models.EventFilter{Period: models.NewEvents, Limit: 2}, "[far long-over]"},
			{"a kind", models.EventFilter{Kind: models.KindCall}, "[later]"},
			{"a country", models.EventFilter{Country: "DE", Living: true}, "[game-day far]"},
			{"a group", models.EventFilter{GroupID: group.ID}, "[later]"},
			{"a page", models.EventFilter{Limit: 2, Offset: 1}, "[cancelled later]"},
			{"an ambassador's", models.EventFilter{AmbassadorID: 99}, "[]"},
		} {
			rows, err := s.Events(t.Context(), test.filter)
			if err != nil || slugsOf(rows) != test.want {
				t.Errorf("%s: %s, %v; want %s", test.name, slugsOf(rows), err, test.want)
			}
			if test.filter.Limit == 0 {
				if n, err := s.CountEvents(t.Context(), test.filter); err != nil || n != len(rows) {
					t.Errorf("%s: counted %d, %v", test.name, n, err)
				}
			}
			for _, row := range rows {
				if open := row.RegistrationRefusal(noon) == nil; row.Limited != open || row.SeatsLeft > 0 != open {
					t.Errorf("%s has %d seats left, limited %t, open %t", row.Slug, row.SeatsLeft, row.Limited, open)
				}
			}
		}
		if rows, err := s.CalendarEvents(t.Context(), 0, 0); err != nil || slugsOf(rows) != "[over game-day cancelled later]" {
			t.Errorf("calendar: %s, %v", slugsOf(rows), err)
		}
		if rows, err := s.CalendarEvents(t.Context(), group.ID, 0); err != nil || slugsOf(rows) != "[later]" || rows[0].GroupName != "Berlin" {
			t.Errorf("calendar of the group: %s, %v", slugsOf(rows), err)
		}
		c, err := s.EventChoices(t.Context(), models.ComingEvents, "")
		if err != nil || fmt.Sprint(c.Countries) != "[DE]" || len(c.Groups) != 1 || c.Groups[0].Slug != "berlin" {
			t.Errorf("choices %+v, %v", c, err)
		}
	})
}

func TestAMailFindsWhatItTellsOf(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		r, err := s.Register(t.Context(), s.event.Slug, ada("c", "a"))
		if err != nil {
			t.Fatal(err)
		}
		letter, err := s.RegistrationLetter(t.Context(), r.ID)
		if err != nil || letter.Event.Slug != s.event.Slug || letter.Registration.Email != r.Email || fmt.Sprint(letter.Tickets) != "[Track a Track c]" {
			t.Errorf("letter %+v, %v", letter, err)
		}
		if _, err := s.PostLetter(t.Context(), 5, 0); err == nil {
			t.Error("a letter about a post that is not there")
		}
	})
}

func TestAnEventsDateIsSaidAsFarAsItIsKnown(t *testing.T) {
	for _, test := range []struct {
		start, end, zone string
		precision        models.DatePrecision
		date, hours      string
	}{
		{"2020-06-18T09:00", "2020-06-18T16:00", "America/Los_Angeles", models.PrecisionMinute, "Thu 18 June 2020", "09:00 to 16:00 PDT"},
		{"2020-06-18T09:00", "2020-06-18T23:59", "America/Los_Angeles", models.PrecisionStart, "Thu 18 June 2020", "from 09:00 PDT"},
		{"2020-04-15T09:00", "2020-04-17T16:00", "America/Los_Angeles", models.PrecisionMinute, "Wed 15 – Fri 17 April 2020", "from 09:00 PDT"},
		{"2020-04-30T09:00", "2020-05-01T16:00", "Asia/Singapore", models.PrecisionMinute, "Thu 30 April – Fri 1 May 2020", "from 09:00 UTC+8"},
		{"2020-12-31T09:00", "2021-01-01T16:00", "Asia/Kolkata", models.PrecisionMinute, "Thu 31 December 2020 – Fri 1 January 2021", "from 09:00 IST"},
		{"2020-06-18T21:00", "2020-06-19T02:00", "Europe/Berlin", models.PrecisionMinute, "Thu 18 June 2020", "21:00 to 02:00 CEST"},
		{"2020-06-18T00:00", "2020-06-18T23:59", "Europe/Berlin", models.PrecisionDay, "Thu 18 June 2020", ""},
		{"2020-04-01T00:00", "2020-04-30T23:59", "America/Los_Angeles", models.PrecisionMonth, "April 2020", ""},
	} {
		e := models.Event{Timezone: test.zone, DatePrecision: test.precision}
		e.StartsAt, _ = models.LocalTime(test.start, test.zone)
		e.EndsAt, _ = models.LocalTime(test.end, test.zone)
		if e.DateText() != test.date || e.TimeText() != test.hours {
			t.Errorf("%s to %s: %q, %q", test.start, test.end, e.DateText(), e.TimeText())
		}
	}
}

func TestSeatsOfASharedRoomAreCountedOnce(t *testing.T) {
	ten, three, none := 10, 3, 0
	room, bench := models.Quota{ID: 1, Size: &ten, Taken: 4}, models.Quota{ID: 2, Size: &three}
	for _, test := range []struct {
		name    string
		tickets []models.Ticket
		left    int
		limited bool
	}{
		{"no tickets", nil, 0, false},
		{"a shared room", []models.Ticket{{Quotas: []models.Quota{room, bench}}, {Quotas: []models.Quota{room}}}, 6, true},
		{"rooms of their own", []models.Ticket{{Quotas: []models.Quota{room}}, {Quotas: []models.Quota{bench}}}, 9, true},
		{"one without limit", []models.Ticket{{Quotas: []models.Quota{room}}, {}}, 0, false},
		{"full", []models.Ticket{{Quotas: []models.Quota{{ID: 3, Size: &none}}}}, 0, true},
	} {
		if left, limited := models.SeatsLeft(test.tickets); left != test.left || limited != test.limited {
			t.Errorf("%s: %d, %t", test.name, left, limited)
		}
	}
}
