package models_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// stage is a database with one event whose three tracks share a room.
type stage struct {
	*models.Store
	clock *clock.Fake
	event models.Event
}

var noon = testkit.Start

// onEach runs a test on SQLite and on PostgreSQL.
func onEach(t *testing.T, test func(t *testing.T, s *stage)) {
	t.Helper()
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		s := &stage{Store: store, clock: now}
		s.event = s.newEvent(t, "game-day", 20)
		test(t, s)
	})
}

// newEvent makes an event in a week with tracks a, b and c, which share a room of that size; the first track has
// ten seats of its own.
func (s *stage) newEvent(t *testing.T, slug string, room int) models.Event {
	t.Helper()
	e := models.Event{
		Slug: slug, UID: slug + "@example.org", Status: models.EventPublished, Kind: models.KindMeetup, Mode: models.ModeInPerson,
		Title: "Game day", Language: "en", TextLanguage: "en", Timezone: "Europe/Berlin",
		StartsLocal: "2026-11-30T18:30", EndsLocal: "2026-11-30T21:00",
		StartsAt: time.Date(2026, 11, 30, 17, 30, 0, 0, time.UTC), EndsAt: time.Date(2026, 11, 30, 20, 0, 0, 0, time.UTC),
		DatePrecision: models.PrecisionMinute, Hosts: []string{"Armory"}, Links: []models.Link{}, VenueCity: "Berlin", VenueCountry: "DE",
		Registration: models.RegistrationPortal, Choose: models.ChooseSeveral, Version: 1,
		PublishedAt: &noon, CreatedAt: noon, UpdatedAt: noon,
	}
	s.create(t, &e)
	ten := 10
	shared := models.Quota{EventID: e.ID, Slug: "room", Name: "room", Size: &room}
	own := models.Quota{EventID: e.ID, Slug: "benches", Name: "benches", Size: &ten}
	s.create(t, &shared)
	s.create(t, &own)
	for i, track := range []string{"a", "b", "c"} {
		ticket := models.TicketType{EventID: e.ID, Slug: track, Name: "Track " + track, Position: i}
		s.create(t, &ticket)
		s.create(t, &models.TicketTypeQuota{TicketTypeID: ticket.ID, QuotaID: shared.ID})
		if track == "a" {
			s.create(t, &models.TicketTypeQuota{TicketTypeID: ticket.ID, QuotaID: own.ID})
		}
	}
	return e
}

func (s *stage) create(t *testing.T, row any) {
	t.Helper()
	if err := testkit.DB(t, s.Store).Create(row).Error; err != nil {
		t.Fatal(err)
	}
}

func (s *stage) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := testkit.DB(t, s.Store).Raw(query, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func (s *stage) sound(t *testing.T) {
	t.Helper()
	broken, err := s.Invariants(t.Context())
	if err != nil || len(broken) > 0 {
		t.Errorf("invariants: %v %v", broken, err)
	}
}

func ada(tickets ...string) models.RegisterInput {
	return models.RegisterInput{Name: "Ada Example", Email: "ada@example.org", Tickets: tickets, Consent: true}
}

// together runs fn n times at the same moment and returns the errors.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func tally(errs []error) (ok, full, other int, first error) {
	for _, err := range errs {
		switch {
		case err == nil:
			ok++
		case errors.Is(err, models.ErrEventFull), errors.Is(err, models.ErrTicketFull):
			full++
		default:
			other++
			first = err
		}
	}
	return ok, full, other, first
}

func TestManyPeopleAtOnceTakeExactlyTheSeatsThereAre(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		tracks := [][]string{{"a"}, {"b"}, {"c", "b"}, {"a", "b", "c"}}
		errs := together(200, func(i int) error {
			in := ada(tracks[i%len(tracks)]...)
			in.Email = fmt.Sprintf("person%d@example.org", i)
			_, err := s.Register(t.Context(), s.event.Slug, in)
			return err
		})
		if ok, full, other, first := tally(errs); ok != 20 || full != 180 {
			t.Errorf("%d registered, %d told it is full, %d other (%v); want 20 and 180", ok, full, other, first)
		}
		if n := s.count(t, "SELECT count(*) FROM registrations"); n != 20 {
			t.Errorf("%d rows, want 20", n)
		}
		if n := s.count(t, "SELECT count(*) FROM mails"); n != 20 {
			t.Errorf("%d mails, want 20", n)
		}
		s.sound(t)
	})
}

func TestOnePersonAtOnceInManySpellingsHasOnePlace(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		spellings := []string{"ada@example.org", "ADA@example.org", "ada+cdf@example.org", "Ada@EXAMPLE.org"}
		errs := together(20, func(i int) error {
			in := ada("b")
			in.Email = spellings[i%len(spellings)]
			_, err := s.Register(t.Context(), s.event.Slug, in)
			return err
		})
		again := 0
		for _, err := range errs {
			if errors.Is(err, models.ErrAlreadyRegistered) {
				again++
			} else if err != nil {
				t.Error(err)
			}
		}
		if n := s.count(t, "SELECT count(*) FROM registrations"); n != 1 || again != 19 {
			t.Errorf("%d rows, %d told so; want 1 and 19", n, again)
		}
		if n := s.count(t, "SELECT count(*) FROM mails WHERE kind = 'registration_link'"); n != 1 {
			t.Errorf("the link was mailed %d times, want once", n)
		}
		s.sound(t)
	})
}

func TestARepeatedRequestGetsTheSameRegistration(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		in := ada("a")
		in.Nonce = "from-the-form"
		ids := make([]string, 20)
		errs := together(20, func(i int) error {
			r, err := s.Register(t.Context(), s.event.Slug, in)
			ids[i] = r.PublicID
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		slices.Sort(ids)
		if one := slices.Compact(ids); len(one) != 1 || one[0] == "" {
			t.Errorf("registrations %q, want one", one)
		}
		in.Email = "friend@example.org"
		friend, err := s.Register(t.Context(), s.event.Slug, in)
		if err != nil || friend.PublicID == ids[0] {
			t.Errorf("a friend on the same page got %q, %v; want a place of their own", friend.PublicID, err)
		}
	})
}

func TestTheLinkIsMailedAgainAfterAWhileOnly(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		if _, err := s.Register(t.Context(), s.event.Slug, ada("b")); err != nil {
			t.Fatal(err)
		}
		for _, pause := range []time.Duration{0, 9 * time.Minute, 2 * time.Minute} {
			s.clock.Advance(pause)
			if _, err := s.Register(t.Context(), s.event.Slug, ada("b")); !errors.Is(err, models.ErrAlreadyRegistered) {
				t.Fatalf("got %v", err)
			}
		}
		if n := s.count(t, "SELECT count(*) FROM mails WHERE kind = 'registration_link'"); n != 2 {
			t.Errorf("mailed %d times in 11 minutes, want twice", n)
		}
	})
}

func TestACancelledSeatIsFreeAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		small := s.newEvent(t, "small", 1)
		first, err := s.Register(t.Context(), small.Slug, ada("a", "b"))
		if err != nil {
			t.Fatal(err)
		}
		other := ada("c")
		other.Email = "grace@example.org"
		if _, err := s.Register(t.Context(), small.Slug, other); !errors.Is(err, models.ErrEventFull) {
			t.Fatalf("second person: %v, want full", err)
		}
		token := s.RegistrationToken(first)
		errs := together(5, func(int) error {
			r, err := s.Cancel(t.Context(), token)
			if err == nil && r.Status != models.RegistrationCancelled {
				err = fmt.Errorf("status %s", r.Status)
			}
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Register(t.Context(), small.Slug, other); err != nil {
			t.Errorf("after the cancellation: %v", err)
		}
		if n := s.count(t, "SELECT count(*) FROM mails WHERE kind = 'unregistered'"); n != 1 {
			t.Errorf("%d mails about the cancellation, want one", n)
		}
		if _, err := s.Register(t.Context(), s.event.Slug, ada("b")); err != nil {
			t.Errorf("at another event: %v", err)
		}
		s.sound(t)
	})
}

func TestWhoCancelledMayComeAgain(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		first, err := s.Register(t.Context(), s.event.Slug, ada("a"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cancel(t.Context(), s.RegistrationToken(first)); err != nil {
			t.Fatal(err)
		}
		second, err := s.Register(t.Context(), s.event.Slug, ada("a"))
		if err != nil || second.ID == first.ID {
			t.Errorf("got registration %d, %v", second.ID, err)
		}
		s.sound(t)
	})
}

func TestAFullTrackLeavesTheOthersOpen(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		for i := range 10 {
			in := ada("a")
			in.Email = fmt.Sprintf("p%d@example.org", i)
			if _, err := s.Register(t.Context(), s.event.Slug, in); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Register(t.Context(), s.event.Slug, ada("a", "b")); !errors.Is(err, models.ErrTicketFull) {
			t.Errorf("got %v, want a full ticket", err)
		}
		if _, err := s.Register(t.Context(), s.event.Slug, ada("b", "c")); err != nil {
			t.Error(err)
		}
		d, err := s.EventBySlug(t.Context(), s.event.Slug)
		if err != nil {
			t.Fatal(err)
		}
		if left, limited := models.SeatsLeft(d.Tickets); left != 9 || !limited {
			t.Errorf("%d seats left, want 9 of the shared room", left)
		}
	})
}

func TestTheWindowOfRegistrationIsJudgedToTheSecond(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		opens, closes := noon.Add(time.Hour), noon.Add(2*time.Hour)
		if err := testkit.DB(t, s.Store).Model(&s.event).Updates(map[string]any{"opens_at": opens, "closes_at": closes}).Error; err != nil {
			t.Fatal(err)
		}
		for _, at := range []struct {
			when time.Time
			want error
		}{
			{opens.Add(-time.Second), models.ErrNotOpenYet},
			{opens, nil},
			{closes.Add(-time.Second), models.ErrAlreadyRegistered},
			{closes, models.ErrClosed},
			{s.event.EndsAt, models.ErrEventPast},
		} {
			s.clock.Set(at.when)
			if _, err := s.Register(t.Context(), s.event.Slug, ada("b")); !errors.Is(err, at.want) {
				t.Errorf("at %s: %v, want %v", at.when, err, at.want)
			}
		}
	})
}

func TestWrongInputIsNamedFieldByField(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		_, err := s.Register(t.Context(), s.event.Slug, models.RegisterInput{Email: "ada@", Tickets: []string{"nonesuch"}})
		var wrong models.FieldErrors
		if !errors.As(err, &wrong) || !errors.Is(err, models.ErrInvalid) {
			t.Fatalf("got %v", err)
		}
		var fields []string
		for _, w := range wrong {
			fields = append(fields, w.Field)
		}
		if got := strings.Join(fields, " "); got != "tickets name email consent" {
			t.Errorf("fields %q", got)
		}
		if n := s.count(t, "SELECT count(*) FROM registrations"); n != 0 {
			t.Errorf("%d rows were left", n)
		}
	})
}

func TestOnlyTheRightTokenOpensARegistration(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		r, err := s.Register(t.Context(), s.event.Slug, ada("b", "c"))
		if err != nil {
			t.Fatal(err)
		}
		token := s.RegistrationToken(r)
		d, err := s.RegistrationByToken(t.Context(), token)
		if err != nil || d.Name != "Ada Example" || len(d.Tickets) != 2 || d.Event.Slug != s.event.Slug {
			t.Errorf("got %+v, %v", d.Registration, err)
		}
		wrong := []string{"", r.PublicID, s.TicketCode(r), token[:len(token)-1], token + "A", strings.ToLower(token)}
		for _, w := range wrong {
			if _, err := s.RegistrationByToken(t.Context(), w); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("token %q: %v", w, err)
			}
		}
		if err := testkit.DB(t, s.Store).Model(&models.Registration{}).Where("id = ?", r.ID).Update("link_version", 2).Error; err != nil {
			t.Fatal(err)
		}
		if _, err := s.RegistrationByToken(t.Context(), token); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a revoked link: %v", err)
		}
	})
}

func TestNobodyCancelsAfterTheEvent(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		r, err := s.Register(t.Context(), s.event.Slug, ada("b"))
		if err != nil {
			t.Fatal(err)
		}
		s.clock.Set(s.event.EndsAt)
		if _, err := s.Cancel(t.Context(), s.RegistrationToken(r)); !errors.Is(err, models.ErrEventPast) {
			t.Errorf("got %v", err)
		}
	})
}

func TestInvariantsFindASeatThatNobodyTook(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		s.sound(t)
		if err := testkit.DB(t, s.Store).Exec("UPDATE quotas SET taken = 3 WHERE slug = 'room'").Error; err != nil {
			t.Fatal(err)
		}
		if broken, err := s.Invariants(t.Context()); err != nil || len(broken) != 1 {
			t.Errorf("found %q, %v; want one", broken, err)
		}
	})
}

func TestALinkToSignInIsMailedBeforeThousandsOfTickets(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		signedIn(t, s.Store, "ana", models.RoleAttendee)
		for n := range 5 {
			who := ada("b")
			who.Email = fmt.Sprintf("ada-%d@example.org", n)
			if _, err := s.Register(t.Context(), s.event.Slug, who); err != nil {
				t.Fatal(err)
			}
		}
		s.clock.Advance(time.Second)
		if err := s.RequestSignIn(t.Context(), "ana@example.org", ""); err != nil {
			t.Fatal(err)
		}
		var kinds []models.MailKind
		for _, limit := range []int{2, 9} {
			mails, err := s.ClaimMails(t.Context(), limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range mails {
				kinds = append(kinds, m.Kind)
			}
			kinds = append(kinds, "")
		}
		slices.Sort(kinds[:2]) // those of a batch are sent together
		if got, want := fmt.Sprint(kinds), "[registered sign_in  registered registered registered registered ]"; got != want {
			t.Errorf("claimed were %s, want %s", got, want)
		}
	})
}

func TestMailsToOnePersonKeepTheirOrder(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		r, err := s.Register(t.Context(), s.event.Slug, ada("b"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cancel(t.Context(), s.RegistrationToken(r)); err != nil {
			t.Fatal(err)
		}
		var order []models.MailKind
		for range 3 {
			mails, err := s.ClaimMails(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range mails {
				order = append(order, m.Kind)
				if err := s.MailSent(t.Context(), m.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !slices.Equal(order, []models.MailKind{models.MailRegistered, models.MailUnregistered}) {
			t.Errorf("sent %v", order)
		}
	})
}
