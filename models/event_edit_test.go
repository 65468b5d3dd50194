package models_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// The groups of these tests, with numbers that the database does not give out by itself.
const (
	berlin = 1001
	lagos  = 1002
)

// The people of these tests: Olu runs Berlin, Gil another group.
var (
	staff = models.Viewer{UserID: 1, Role: models.RoleStaff}
	olu   = models.Viewer{UserID: 2, Role: models.RoleAttendee, GroupIDs: []int64{berlin}}
	gil   = models.Viewer{UserID: 3, Role: models.RoleAmbassador, GroupIDs: []int64{lagos}}
)

// edited gives the stage's event to the group Berlin and returns it as the desk sees it, with what its form would send.
func (s *stage) edited(t *testing.T) (models.DeskEvent, models.EventInput) {
	t.Helper()
	for _, sql := range []string{
		`INSERT INTO users (id, email, email_key, name, role, created_at, updated_at) VALUES
			(1, 's@example.org', 's@example.org', 'Sam', 'staff', '2026-01-01', '2026-01-01'),
			(2, 'o@example.org', 'o@example.org', 'Olu', 'attendee', '2026-01-01', '2026-01-01'),
			(3, 'g@example.org', 'g@example.org', 'Gil', 'ambassador', '2026-01-01', '2026-01-01')`,
		`INSERT INTO groups (id, slug, status, name, city, country, latitude, longitude, timezone, created_at, updated_at) VALUES
			(1001, 'berlin', 'listed', 'Berlin', 'Berlin', 'DE', 52.5, 13.4, 'Europe/Berlin', '2026-01-01', '2026-01-01'),
			(1002, 'lagos', 'listed', 'Lagos', 'Lagos', 'NG', 6.5, 3.4, 'Africa/Lagos', '2026-01-01', '2026-01-01')`,
		"UPDATE events SET group_id = 1001",
	} {
		if err := testkit.DB(t, s.Store).Exec(sql).Error; err != nil {
			t.Fatal(err)
		}
	}
	return s.again(t)
}

func (s *stage) again(t *testing.T) (models.DeskEvent, models.EventInput) {
	t.Helper()
	d, err := s.DeskEvent(t.Context(), olu, s.event.ID)
	if err != nil {
		t.Fatal(err)
	}
	in := models.EventInput{
		GroupID: *d.GroupID, Kind: d.Kind, Mode: d.Mode, Title: d.Title, Summary: d.Summary, Language: d.Language, TextLanguage: d.TextLanguage,
		Timezone: d.Timezone, StartsLocal: d.StartsLocal, EndsLocal: d.EndsLocal, DatePrecision: d.DatePrecision, Hosts: d.Hosts, Links: d.Links,
		VenueName: d.VenueName, VenueAddress: d.VenueAddress, VenueCity: d.VenueCity, VenueCountry: d.VenueCountry, OnlineLink: d.OnlineLink,
		OnlinePlace: d.OnlinePlace, Registration: d.Registration, RegistrationURL: d.RegistrationURL, RegistrationNote: d.RegistrationNote,
		Choose: d.Choose, Markdown: d.Markdown, Quotas: d.Quotas, Speakers: d.Speakers, Agenda: d.Agenda, Sponsors: d.Sponsors,
	}
	for _, ticket := range d.Tickets {
		row := models.TicketInput{ID: ticket.ID, Name: ticket.Name, Description: ticket.Description}
		for _, q := range ticket.Quotas {
			for n, of := range d.Quotas {
				if of.ID == q.ID {
					row.Quotas = append(row.Quotas, n)
				}
			}
		}
		in.Tickets = append(in.Tickets, row)
	}
	return d, in
}

// fill registers so many people for a track.
func (s *stage) fill(t *testing.T, n int, track string) {
	t.Helper()
	for i := range n {
		in := ada(track)
		in.Email = fmt.Sprintf("%s%d@example.org", track, i)
		if _, err := s.Register(t.Context(), s.event.Slug, in); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnlyAChangeOfTimeOrPlaceIsMailedToThoseRegistered(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		s.edited(t)
		s.fill(t, 3, "b")
		gone := ada("b")
		gone.Email = "gone@example.org"
		r, err := s.Register(t.Context(), s.event.Slug, gone)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cancel(t.Context(), s.RegistrationToken(r)); err != nil {
			t.Fatal(err)
		}
		if n, err := s.RecipientsOf(t.Context(), olu, s.event.ID); err != nil || n != 3 {
			t.Errorf("%d would be told (%v), want 3", n, err)
		}
		was, _ := s.again(t)
		for _, step := range []struct {
			what     string
			edit     func(*models.EventInput)
			told     int
			sequence int
		}{
			{"title, text and agenda", func(in *models.EventInput) {
				in.Title, in.Markdown = "Games night", "Bring a laptop."
				in.Agenda = []models.AgendaSession{{Day: 1, Starts: "18:30", Title: "Doors"}}
			}, 0, 0},
			{"nothing", func(*models.EventInput) {}, 0, 0},
			{"start", func(in *models.EventInput) { in.StartsLocal = "2026-11-30T18:00" }, 3, 1},
			{"zone", func(in *models.EventInput) { in.Timezone = "Europe/London" }, 3, 2},
			{"room", func(in *models.EventInput) { in.VenueName = "c-base" }, 3, 3},
			{"mode", func(in *models.EventInput) { in.Mode = models.ModeHybrid }, 3, 4},
			{"summary", func(in *models.EventInput) { in.Summary = "With games" }, 0, 4},
		} {
			before := s.count(t, "SELECT count(*) FROM mails WHERE kind = 'event_changed'")
			d, in := s.again(t)
			step.edit(&in)
			told, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, in)
			if err != nil {
				t.Fatalf("%s: %v", step.what, err)
			}
			now, _ := s.again(t)
			mails := s.count(t, "SELECT count(*) FROM mails WHERE kind = 'event_changed'") - before
			if told != step.told || mails != step.told || now.Sequence != step.sequence || now.Version != d.Version+1 {
				t.Errorf("%s: %d told by %d mails, sequence %d; want %d told, sequence %d", step.what, told, mails, now.Sequence, step.told, step.sequence)
			}
		}
		var mail models.Mail
		if err := testkit.DB(t, s.Store).Where("kind = ?", models.MailEventChanged).Order("id").Take(&mail).Error; err != nil {
			t.Fatal(err)
		}
		if mail.Recipient != "b0@example.org" || mail.RecipientName != "Ada Example" || mail.RegistrationID == nil || mail.EventID == nil || !mail.NextAt.Equal(noon) {
			t.Errorf("mail %+v", mail)
		}
		if old := was.DateText() + ", " + was.TimeText() + "; " + was.WhereText(); mail.Note != old {
			t.Errorf("the mail about the new start has the note %q, want %q", mail.Note, old)
		}
		if claimed, err := s.ClaimMails(t.Context(), 100); err != nil || len(claimed) != 4 {
			t.Errorf("%d mails are due (%v), want the oldest of each of 4 people", len(claimed), err)
		}
		s.sound(t)
	})
}

func TestAnEditOfADraftIsToldToNobody(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		_, in := s.edited(t)
		in.Slug, in.Quotas, in.Tickets, in.Title = "", nil, nil, "Game day"
		event, err := s.CreateEvent(t.Context(), olu, in, "example.org")
		if err != nil {
			t.Fatal(err)
		}
		if event.Slug != "game-day-2" || event.Status != models.EventDraft || !strings.HasSuffix(event.UID, "@example.org") {
			t.Errorf("made %s %s %s", event.Slug, event.Status, event.UID)
		}
		if n := s.count(t, "SELECT count(*) FROM ticket_types WHERE event_id = ?", event.ID); n != 1 {
			t.Errorf("%d tickets, want the one that registration needs", n)
		}
		in.StartsLocal, in.Slug = "2026-11-30T10:00", "games"
		if _, err := s.UpdateEvent(t.Context(), olu, event.ID, event.Version, in); err != nil {
			t.Fatal(err)
		}
		d, err := s.DeskEvent(t.Context(), olu, event.ID)
		if err != nil || d.Sequence != 0 {
			t.Errorf("sequence %d, %v", d.Sequence, err)
		}
		if n := s.count(t, "SELECT count(*) FROM slug_history"); n != 0 {
			t.Error("an address that nobody could open is remembered")
		}
		if err := s.PublishEvent(t.Context(), olu, event.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.PublishEvent(t.Context(), olu, event.ID); !errors.Is(err, models.ErrTransition) {
			t.Errorf("publishing twice: %v", err)
		}
		if found, err := s.EventBySlug(t.Context(), "games"); err != nil || found.ID != event.ID {
			t.Errorf("found %d, %v", found.ID, err)
		}
		if n := s.count(t, "SELECT count(*) FROM mails"); n != 0 {
			t.Errorf("%d mails", n)
		}
	})
}

func TestAnAddressThatWasPublicStillLeadsToTheEvent(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		d, in := s.edited(t)
		in.Slug = "games"
		if _, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, in); err != nil {
			t.Fatal(err)
		}
		if found, err := s.EventBySlug(t.Context(), "game-day"); err != nil || found.Slug != "games" {
			t.Errorf("found %q, %v", found.Slug, err)
		}
		other := in
		other.Slug, other.Quotas, other.Tickets = "game-day", nil, nil
		if _, err := s.CreateEvent(t.Context(), olu, other, "example.org"); !errors.Is(err, models.ErrSlugTaken) {
			t.Errorf("another event took the old address: %v", err)
		}
		d, in = s.again(t)
		in.Slug = "game-day"
		if _, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, in); err != nil {
			t.Errorf("the event may have its own old address again: %v", err)
		}
	})
}

func TestSeatsCannotBeFewerThanAreTaken(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		d, in := s.edited(t)
		s.fill(t, 8, "b")
		seven := 7
		in.Quotas[0].Size = &seven
		_, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, in)
		below, ok := errors.AsType[*models.BelowTakenError](err)
		if !ok || !errors.Is(err, models.ErrBelowTaken) || below.Taken != 8 || below.Size != 7 || below.Position != 0 {
			t.Fatalf("got %v, want the numbers", err)
		}
		eight := 8
		in.Quotas[0].Size = &eight
		if _, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, in); err != nil {
			t.Errorf("as many as are taken: %v", err)
		}
		// A ticket that comes to draw on other seats brings its people with it.
		d, in = s.again(t)
		in.Tickets[1].Quotas = []int{0, 1}
		if _, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, in); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, "SELECT taken FROM quotas WHERE slug = 'benches'"); n != 8 {
			t.Errorf("%d benches are taken, want 8", n)
		}
		s.sound(t)
	})
}

func TestATicketThatSomebodyHoldsStays(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		d, in := s.edited(t)
		s.fill(t, 2, "b")
		without := in
		without.Tickets = []models.TicketInput{in.Tickets[0], in.Tickets[2]}
		_, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, without)
		if held, ok := errors.AsType[*models.TicketHeldError](err); !ok || held.Holders != 2 || held.Ticket != "Track b" {
			t.Fatalf("got %v", err)
		}
		without.Tickets = []models.TicketInput{in.Tickets[0], in.Tickets[1], {Name: "Track b evening", Quotas: []int{1}}}
		if _, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, without); err != nil {
			t.Fatal(err)
		}
		now, _ := s.again(t)
		var slugs []string
		for _, ticket := range now.Tickets {
			slugs = append(slugs, ticket.Slug)
		}
		if got := strings.Join(slugs, " "); got != "a b track-b-evening" {
			t.Errorf("tickets %q", got)
		}
		foreign := s.newEvent(t, "other", 5)
		in.Tickets[0].ID = int64(s.count(t, "SELECT min(id) FROM ticket_types WHERE event_id = ?", foreign.ID))
		if _, err := s.UpdateEvent(t.Context(), olu, d.ID, now.Version, in); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("an edit reached the ticket of another event: %v", err)
		}
	})
}

func TestAnEditFromAnOldStateIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		d, in := s.edited(t)
		first, second := in, in
		first.Title, second.Title = "First", "Second"
		if _, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, first); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UpdateEvent(t.Context(), staff, d.ID, d.Version, second); !errors.Is(err, models.ErrStale) {
			t.Errorf("got %v, want ErrStale", err)
		}
		if now, _ := s.again(t); now.Title != "First" {
			t.Errorf("title %q", now.Title)
		}
		errs := together(8, func(int) error {
			_, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version+1, second)
			return err
		})
		saved := 0
		for _, err := range errs {
			if err == nil {
				saved++
			} else if !errors.Is(err, models.ErrStale) {
				t.Error(err)
			}
		}
		if saved != 1 {
			t.Errorf("%d of 8 edits at once were saved, want 1", saved)
		}
	})
}

func TestCancellingIsForGoodAndToldToEverybody(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		d, in := s.edited(t)
		s.fill(t, 4, "c")
		if _, err := s.CancelEvent(t.Context(), olu, d.ID, " "); !errors.Is(err, models.ErrInvalid) {
			t.Errorf("without a reason: %v", err)
		}
		told, err := s.CancelEvent(t.Context(), olu, d.ID, "The room is flooded")
		if err != nil || told != 4 {
			t.Fatalf("%d told, %v", told, err)
		}
		if n := s.count(t, "SELECT count(*) FROM mails WHERE kind = 'event_cancelled'"); n != 4 {
			t.Errorf("%d mails, want 4", n)
		}
		now, _ := s.again(t)
		if now.Status != models.EventCancelled || now.Sequence != 1 || now.Cancellation == nil || now.Cancellation.Reason != "The room is flooded" || *now.Cancellation.UserID != olu.UserID {
			t.Errorf("state %s, sequence %d, %+v", now.Status, now.Sequence, now.Cancellation)
		}
		if _, err := s.CancelEvent(t.Context(), olu, d.ID, "Again"); !errors.Is(err, models.ErrTransition) {
			t.Errorf("cancelling twice: %v", err)
		}
		if err := s.PublishEvent(t.Context(), olu, d.ID); !errors.Is(err, models.ErrTransition) {
			t.Errorf("publishing again: %v", err)
		}
		if _, err := s.UpdateEvent(t.Context(), olu, d.ID, now.Version, in); !errors.Is(err, models.ErrEventCancelled) {
			t.Errorf("editing: %v", err)
		}
		if n := s.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'event.cancel' AND user_id = 2 AND after_value = 'The room is flooded'"); n != 1 {
			t.Error("the audit log does not tell")
		}
	})
}

func TestAnOrganiserReachesNoOtherGroupsEvents(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		d, in := s.edited(t)
		s.fill(t, 1, "b")
		registration := int64(s.count(t, "SELECT id FROM registrations"))
		before := testkit.Dump(t, s.Store)
		for what, attempt := range map[string]func() error{
			"read":  func() error { _, err := s.DeskEvent(t.Context(), gil, d.ID); return err },
			"count": func() error { _, err := s.RecipientsOf(t.Context(), gil, d.ID); return err },
			"save":  func() error { _, err := s.UpdateEvent(t.Context(), gil, d.ID, d.Version, in); return err },
			"save old": func() error {
				_, err := s.UpdateEvent(t.Context(), gil, d.ID, d.Version-1, models.EventInput{})
				return err
			},
			"create":    func() error { _, err := s.CreateEvent(t.Context(), gil, in, "example.org"); return err },
			"publish":   func() error { return s.PublishEvent(t.Context(), gil, d.ID) },
			"cancel":    func() error { _, err := s.CancelEvent(t.Context(), gil, d.ID, "No"); return err },
			"attendees": func() error { _, _, err := s.Attendees(t.Context(), gil, d.ID, models.AttendeeFilter{}); return err },
			"tally":     func() error { _, err := s.CountAttendees(t.Context(), gil, d.ID); return err },
			"export":    func() error { _, err := s.ExportAttendees(t.Context(), gil, d.ID); return err },
			"one":       func() error { _, err := s.AttendeeOf(t.Context(), gil, d.ID, registration); return err },
			"remove":    func() error { return s.CancelAttendee(t.Context(), gil, d.ID, registration) },
			"group":     func() error { _, err := s.DeskGroup(t.Context(), gil, berlin); return err },
			"give away": func() error {
				in := in
				in.GroupID = lagos
				_, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, in)
				return err
			},
		} {
			if err := attempt(); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("%s: %v, want ErrNotFound", what, err)
			}
		}
		if rows, counts, err := s.DeskEvents(t.Context(), gil, models.DeskEventFilter{View: models.ViewComing, Limit: 10}); err != nil || len(rows) != 0 || counts[models.ViewComing] != 0 {
			t.Errorf("sees %d events, counts %v, %v", len(rows), counts, err)
		}
		if after := testkit.Dump(t, s.Store); strings.Join(before, "\n") != strings.Join(after, "\n") {
			t.Error("something changed all the same")
		}
	})
}

func TestTheDeskCountsTakenSeatsOfOwnEvents(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		s.edited(t)
		s.newEvent(t, "unowned", 5)
		s.fill(t, 3, "b")
		s.fill(t, 2, "a")
		rows, _, err := s.DeskEvents(t.Context(), olu, models.DeskEventFilter{View: models.ViewComing, Search: "GAME berl", Limit: 10})
		if err != nil || len(rows) != 0 {
			t.Errorf("found %d for words that do not stand together, %v", len(rows), err)
		}
		rows, counts, err := s.DeskEvents(t.Context(), olu, models.DeskEventFilter{View: models.ViewComing, Search: "GAME", Limit: 10})
		if err != nil || len(rows) != 1 || rows[0].Registered != 5 || rows[0].Taken != 7 || rows[0].Seats != 30 || counts[models.ViewComing] != 1 {
			t.Errorf("%+v, counts %v, %v", rows, counts, err)
		}
		if _, counts, err = s.DeskEvents(t.Context(), staff, models.DeskEventFilter{View: models.ViewPast, Limit: 10}); err != nil || counts[models.ViewComing] != 2 {
			t.Errorf("staff counts %v, %v", counts, err)
		}
		if rows, _, err = s.DeskEvents(t.Context(), staff, models.DeskEventFilter{View: models.ViewComing, Search: "100%_!", Limit: 10}); err != nil || len(rows) != 0 {
			t.Errorf("signs of a pattern found %d, %v", len(rows), err)
		}
	})
}

func TestAnOrganiserFreesAPersonsSeat(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		d, _ := s.edited(t)
		s.fill(t, 3, "a")
		rows, total, err := s.Attendees(t.Context(), olu, d.ID, models.AttendeeFilter{Search: "A1@EXAMPLE", TicketID: d.Tickets[0].ID, Limit: 10})
		if err != nil || total != 1 || len(rows) != 1 || len(rows[0].TicketIDs) != 1 {
			t.Fatalf("%+v of %d, %v", rows, total, err)
		}
		if err := s.CancelAttendee(t.Context(), olu, d.ID, rows[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := s.CancelAttendee(t.Context(), olu, d.ID, rows[0].ID); err != nil {
			t.Errorf("twice: %v", err)
		}
		if n := s.count(t, "SELECT taken FROM quotas WHERE slug = 'benches'"); n != 2 {
			t.Errorf("%d taken, want 2", n)
		}
		if n := s.count(t, "SELECT count(*) FROM mails WHERE kind = 'unregistered'"); n != 1 {
			t.Errorf("%d mails, want 1", n)
		}
		if n := s.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'registration.cancel' AND user_id = 2"); n != 1 {
			t.Error("the audit log does not tell who")
		}
		counts, err := s.CountAttendees(t.Context(), olu, d.ID)
		if err != nil || counts.Confirmed != 2 || counts.Cancelled != 1 || counts.Tickets[d.Tickets[0].ID] != 2 {
			t.Errorf("%+v, %v", counts, err)
		}
		all, err := s.ExportAttendees(t.Context(), olu, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range all {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if logged := s.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'attendees.export' AND after_value = '3 registrations'"); n != 3 || logged != 1 {
			t.Errorf("%d exported, %d logged", n, logged)
		}
		s.clock.Set(d.EndsAt)
		if err := s.CancelAttendee(t.Context(), olu, d.ID, int64(s.count(t, "SELECT max(id) FROM registrations"))); !errors.Is(err, models.ErrEventPast) {
			t.Errorf("after the event: %v", err)
		}
		s.sound(t)
	})
}

func TestStaffNamesWhoRunsAGroup(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		s.edited(t)
		if err := s.AddOrganiser(t.Context(), olu, berlin, "g@example.org"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("an organiser named another: %v", err)
		}
		for range 2 {
			if err := s.AddOrganiser(t.Context(), staff, berlin, "G@example.org"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AddOrganiser(t.Context(), staff, berlin, "nobody"); !errors.Is(err, models.ErrInvalid) {
			t.Errorf("an unknown profile: %v", err)
		}
		group, err := s.DeskGroup(t.Context(), staff, berlin)
		if err != nil || len(group.Organisers) != 1 || group.Organisers[0].Name != "Gil" {
			t.Fatalf("%+v, %v", group.Organisers, err)
		}
		if err := s.RemoveOrganiser(t.Context(), staff, lagos, group.Organisers[0].ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("by another group: %v", err)
		}
		if err := s.RemoveOrganiser(t.Context(), staff, berlin, group.Organisers[0].ID); err != nil {
			t.Error(err)
		}
		if n := s.count(t, "SELECT count(*) FROM audit_entries WHERE action LIKE 'group.organiser%'"); n != 2 {
			t.Errorf("%d entries in the audit log, want 2", n)
		}
	})
}

func TestAGroupIsMadeEditedAndTakenOffTheLists(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		_, planned := s.edited(t)
		in := models.GroupInput{Name: "CD Zürich", City: "Zürich", Country: "ch", Latitude: 47.4, Longitude: 8.5, Timezone: "Europe/Zurich", Markdown: "We meet."}
		if _, err := s.CreateGroup(t.Context(), olu, in); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("an organiser made a group: %v", err)
		}
		group, err := s.CreateGroup(t.Context(), staff, in)
		if err != nil || group.Slug != "cd-zurich" || group.Country != "CH" {
			t.Fatalf("%+v, %v", group, err)
		}
		in.Slug = "zurich"
		if err := s.UpdateGroup(t.Context(), staff, group.ID, group.Version, in); err != nil {
			t.Fatal(err)
		}
		if err := s.UpdateGroup(t.Context(), staff, group.ID, group.Version, in); !errors.Is(err, models.ErrStale) {
			t.Errorf("stale: %v", err)
		}
		planned.GroupID, planned.Title, planned.Quotas, planned.Tickets = group.ID, "Summer evening", nil, nil
		event, err := s.CreateEvent(t.Context(), staff, planned, "example.org")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.PublishEvent(t.Context(), staff, event.ID); err != nil {
			t.Fatal(err)
		}
		findsEvent := func(query string) bool {
			t.Helper()
			found, err := s.Search(t.Context(), models.SearchFilter{Query: query, Kind: models.SearchEvent, Limit: 9})
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(found.Kinds, func(k models.SearchKindResults) bool { return k.Kind == models.SearchEvent })
		}
		in.Name = "Limmat delivery"
		if err := s.UpdateGroup(t.Context(), staff, group.ID, group.Version+1, in); err != nil || !findsEvent("limmat") {
			t.Errorf("its event is not found by the new name: %v", err)
		}
		group.Version++
		in.Slug = "berlin"
		if err := s.UpdateGroup(t.Context(), staff, group.ID, group.Version+1, in); !errors.Is(err, models.ErrSlugTaken) {
			t.Errorf("another's address: %v", err)
		}
		var moved *models.MovedError
		if _, err := s.GroupBySlug(t.Context(), "cd-zurich"); !errors.As(err, &moved) || moved.Slug != "zurich" {
			t.Errorf("the old address: %v", err)
		}
		if err := s.SetGroupStatus(t.Context(), staff, group.ID, models.GroupDelisted); err != nil {
			t.Fatal(err)
		}
		if _, err := s.GroupBySlug(t.Context(), "zurich"); !errors.Is(err, models.ErrGone) {
			t.Errorf("a delisted group: %v", err)
		}
		if findsEvent("limmat") {
			t.Error("its event is still found by the name of a group that is off the pages")
		}
	})
}

func TestWhatAnEventCannotBeIsRefusedFieldByField(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		_, good := s.edited(t)
		ten, eleven := 10, 11
		for field, spoil := range map[string]func(*models.EventInput){
			"title":            func(in *models.EventInput) { in.Title = " \n" },
			"slug":             func(in *models.EventInput) { in.Slug = "past" },
			"timezone":         func(in *models.EventInput) { in.Timezone = "Berlin" },
			"ends":             func(in *models.EventInput) { in.EndsLocal = in.StartsLocal },
			"starts":           func(in *models.EventInput) { in.StartsLocal = "tomorrow" },
			"closes":           func(in *models.EventInput) { in.ClosesLocal = "2026-12-01T00:00" },
			"registration_url": func(in *models.EventInput) { in.Registration = models.RegistrationOutside },
			"online_link":      func(in *models.EventInput) { in.OnlineLink = "javascript:alert(1)" },
			"venue_country":    func(in *models.EventInput) { in.VenueCountry = "Germany" },
			"quota-0-held":     func(in *models.EventInput) { in.Quotas = []models.Quota{{Name: "Room", Size: &ten, Held: eleven}} },
			"quota-1-name":     func(in *models.EventInput) { in.Quotas = []models.Quota{{Name: "Room"}, {Name: "room"}} },
			"ticket-0-quotas":  func(in *models.EventInput) { in.Tickets = []models.TicketInput{{Name: "T", Quotas: []int{7}}} },
			"agenda-0-starts": func(in *models.EventInput) {
				in.Agenda = []models.AgendaSession{{Day: 1, Title: "Doors", Starts: "half six"}}
			},
			"speaker-0-name":   func(in *models.EventInput) { in.Speakers = []models.Speaker{{Bio: "Speaks."}} },
			"sponsor-0-url":    func(in *models.EventInput) { in.Sponsors = []models.Sponsor{{Name: "S", URL: "example.org"}} },
			"links":            func(in *models.EventInput) { in.Links = []models.Link{{URL: "https://example.org"}} },
			"body":             func(in *models.EventInput) { in.Markdown = strings.Repeat("x", 300<<10) },
			"registration":     func(in *models.EventInput) { in.Registration = "" },
			"quota-0-size":     func(in *models.EventInput) { minus := -1; in.Quotas = []models.Quota{{Name: "Room", Size: &minus}} },
			"ticket-1-name":    func(in *models.EventInput) { in.Tickets = []models.TicketInput{{Name: "T"}, {Name: "t"}} },
			"agenda-0-day":     func(in *models.EventInput) { in.Agenda = []models.AgendaSession{{Title: "Doors"}} },
			"venue_address":    func(in *models.EventInput) { in.VenueAddress = strings.Repeat("x", 301) },
			"precision":        func(in *models.EventInput) { in.DatePrecision = "year" },
			"language":         func(in *models.EventInput) { in.Language = "??" },
			"agenda-0-minutes": func(in *models.EventInput) { in.Agenda = []models.AgendaSession{{Day: 1, Title: "Doors", Minutes: -5}} },
			"speaker-0-url":    func(in *models.EventInput) { in.Speakers = []models.Speaker{{Name: "A", URL: "ftp://x"}} },
			"kind":             func(in *models.EventInput) { in.Kind = "party" },
			"mode":             func(in *models.EventInput) { in.Mode = "" },
			"choose":           func(in *models.EventInput) { in.Choose = "all" },
			"opens":            func(in *models.EventInput) { in.OpensLocal = "soon" },
		} {
			in := good
			in.Quotas, in.Tickets = nil, nil
			spoil(&in)
			_, err := s.CreateEvent(t.Context(), olu, in, "example.org")
			fields, ok := errors.AsType[models.FieldErrors](err)
			if !ok || len(fields) != 1 || fields[0].Field != field {
				t.Errorf("%s: got %v", field, err)
			}
		}
	})
}

func TestAWallTimeOnTheDayTheClocksChangeIsToldApart(t *testing.T) {
	for _, test := range []struct {
		local, zone string
		want        models.WallTime
	}{
		{"2026-03-29T02:30", "Europe/Berlin", models.WallSkipped},
		{"2026-03-29T03:00", "Europe/Berlin", models.WallOnce},
		{"2026-10-25T02:30", "Europe/Berlin", models.WallTwice},
		{"2026-10-25T03:00", "Europe/Berlin", models.WallOnce},
		{"2026-04-05T01:45", "Australia/Lord_Howe", models.WallTwice},
		{"2026-10-25T02:30", "Asia/Kolkata", models.WallOnce},
	} {
		if got, err := models.WallTimeOf(test.local, test.zone); err != nil || got != test.want {
			t.Errorf("%s %s: %v, %v, want %v", test.local, test.zone, got, err, test.want)
		}
	}
}

func TestATimeInASpringGapIsMovedForwardAndStoredAsClocksShowIt(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		d, in := s.edited(t)
		in.StartsLocal, in.EndsLocal = "2027-03-28T02:30", "2027-03-28T06:00"
		if _, err := s.UpdateEvent(t.Context(), olu, d.ID, d.Version, in); err != nil {
			t.Fatal(err)
		}
		now, _ := s.again(t)
		if now.StartsLocal != "2027-03-28T03:30" || !now.StartsAt.Equal(time.Date(2027, 3, 28, 1, 30, 0, 0, time.UTC)) {
			t.Errorf("%s is %s", now.StartsLocal, now.StartsAt)
		}
	})
}
