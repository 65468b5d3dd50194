package models_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

func TestNobodyFillsAMailboxByRegisteringAndGivingUp(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		again := func(n int) error {
			in := ada("b")
			in.Email = fmt.Sprintf("ADA+%d@example.org", n) // another spelling of one mailbox
			r, err := s.Register(ctx, s.event.Slug, in)
			if err != nil {
				return err
			}
			if _, err := s.Cancel(ctx, s.RegistrationToken(r)); err != nil {
				t.Fatal(err)
			}
			_, err = s.EraseRegistration(ctx, s.RegistrationToken(r))
			return err
		}
		for n := range 30 {
			if err := again(n); err != nil {
				t.Fatalf("registration %d: %v", n+1, err)
			}
			s.clock.Advance(time.Minute)
		}
		var wrong models.FieldErrors
		if err := again(31); !errors.As(err, &wrong) || wrong[0].Field != "email" {
			t.Errorf("after 30 registrations: %v", err)
		}
		if _, err := s.Register(ctx, s.event.Slug, models.RegisterInput{Name: "Bob", Email: "bob@example.org", Tickets: []string{"b"}, Consent: true}); err != nil {
			t.Errorf("another address: %v", err)
		}
		s.clock.Advance(23*time.Hour + 30*time.Minute)
		if err := again(32); err != nil {
			t.Errorf("a day after the first: %v", err)
		}
		s.sound(t)
	})
}

func TestTheLinkIsNotMailedAgainWithoutEnd(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		for range 60 {
			if _, err := s.Register(t.Context(), s.event.Slug, ada("b")); err != nil && !errors.Is(err, models.ErrAlreadyRegistered) {
				t.Fatal(err)
			}
			s.clock.Advance(11 * time.Minute)
		}
		if n := s.count(t, "SELECT count(*) FROM mails"); n != 30 {
			t.Errorf("%d mails in eleven hours, want 30", n)
		}
	})
}

func TestManyLinksToSignInComeSlowerButNeverEnd(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ana := signedIn(t, store, "ana", models.RoleAttendee)
		mailed, longest, last := 0, time.Duration(0), store.Now()
		seen := map[int64]bool{}
		for range 24 * 60 {
			if err := store.RequestSignIn(t.Context(), ana.Email, ""); err != nil {
				t.Fatal(err)
			}
			claimed, err := store.ClaimMails(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range claimed {
				if err := store.MailSent(t.Context(), m.ID); err != nil {
					t.Fatal(err)
				}
				if !seen[m.ID] {
					seen[m.ID] = true
					mailed++
					longest, last = max(longest, store.Now().Sub(last)), store.Now()
				}
			}
			now.Advance(time.Minute)
		}
		if mailed > 90 || longest > 25*time.Minute {
			t.Errorf("in a day %d links are mailed, with up to %v between two; want up to 90, each before the last has ended", mailed, longest)
		}
	})
}

func TestNothingOfAnAccountChangesBeyondWhatItsOwnerIsTold(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		ana := signedIn(t, s.Store, "ana", models.RoleAttendee)
		change := func() error {
			key := models.Passkey{UserID: ana.UserID, Name: "Laptop", CredentialID: auth.NewToken(), Handle: auth.NewToken(), Credential: "{}", CreatedAt: noon}
			s.create(t, &key)
			return s.RemovePasskey(t.Context(), ana, key.ID)
		}
		for n := range 30 {
			if err := change(); err != nil {
				t.Fatalf("change %d: %v", n+1, err)
			}
			s.clock.Advance(time.Second)
		}
		if err := change(); !errors.Is(err, models.ErrManyMails) {
			t.Errorf("after 30 changes: %v", err)
		}
		if mails, left := s.count(t, "SELECT count(*) FROM mails"), s.count(t, "SELECT count(*) FROM passkeys"); mails != 30 || left != 1 {
			t.Errorf("%d mails, %d passkeys, want 30 mails and the last passkey kept", mails, left)
		}
		s.clock.Advance(24 * time.Hour)
		if err := change(); err != nil {
			t.Errorf("a day later: %v", err)
		}
	})
}

func TestAskingToSignInIsWrittenDownForEveryAddress(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ana := signedIn(t, store, "ana", models.RoleAttendee)
		for n, email := range []string{"nobody@example.org", ana.Email} {
			for range 2 { // the second time too, when no mail follows
				now.Advance(time.Second)
				if err := store.RequestSignIn(t.Context(), email, ""); err != nil {
					t.Fatal(err)
				}
				var asked int
				if err := testkit.DB(t, store).Raw("SELECT count(*) FROM guesses").Scan(&asked).Error; err != nil || asked != n+1 {
					t.Errorf("%s: %d addresses are written down: who asks for another is answered sooner (%v)", email, asked, err)
				}
			}
		}
	})
}
