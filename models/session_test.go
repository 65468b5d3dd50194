package models_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// links makes an unused one-time link of each kind for an account: one that a command printed, and one whose mail waits.
func links(t *testing.T, store *models.Store, email string) (printed string) {
	t.Helper()
	printed, err := store.NewSignInLink(t.Context(), email)
	must(t, err, store.RequestSignIn(t.Context(), email, ""))
	return printed
}

func TestEndingTheSessionsOfAnAccountEndsItsUnusedLinks(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		s := &stage{Store: store}
		admin := s.admin(t)
		ben := s.account(t, "ben@example.org", "Ben", models.RoleAmbassador)
		for name, end := range map[string]func() error{
			"staff end them":       func() error { return s.EndSessions(t.Context(), admin, ben.UserID) },
			"staff reset factors":  func() error { return s.ResetFactors(t.Context(), admin, ben.UserID) },
			"the owner ends them":  func() error { return s.EndOtherSessions(t.Context(), ben) },
			"a password is set":    func() error { return s.SetPassword(t.Context(), ben, "", goodPassword) },
			"the password is gone": func() error { return s.RemovePassword(t.Context(), ben) },
		} {
			if name == "the password is gone" {
				must(t, s.SetPassword(t.Context(), ben, "", goodPassword))
			}
			benLink, adminLink := links(t, store, ben.Email), links(t, store, admin.Email)
			must(t, end())
			if _, err := s.SignInLinkFor(t.Context(), benLink); !errors.Is(err, models.ErrLinkUsed) {
				t.Errorf("%s: the link still works: %v", name, err)
			}
			if _, err := s.SignInLinkFor(t.Context(), adminLink); err != nil {
				t.Errorf("%s: another's link ended: %v", name, err)
			}
			s.exec(t, "DELETE FROM passwords")
			s.exec(t, "DELETE FROM mails WHERE user_id = ?", admin.UserID)
			var waiting int
			must(t, testkit.DB(t, store).Raw("SELECT count(*) FROM mails WHERE kind = 'sign_in' AND sent_at IS NULL").Scan(&waiting).Error)
			if waiting != 0 {
				t.Errorf("%s: a mail would bring another", name)
			}
		}
	})
}

func TestSigningInAndOutIsInTheAuditLog(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ctx := t.Context()
		s := &stage{Store: store}
		ana := s.account(t, "ana@example.org", "Ana", models.RoleAttendee)
		s.account(t, "bob@example.org", "Bob", models.RoleAttendee) // who has no password
		must(t, s.SetPassword(ctx, ana, "", goodPassword))
		// of returns the entries that something adds, and how many commits it waits for.
		commits := 0
		store.WatchCommits(func(models.Commit) { commits++ })
		of := func(do func()) (added string, waited int) {
			t.Helper()
			var last int64
			must(t, testkit.DB(t, store).Raw("SELECT max(id) FROM audit_entries").Scan(&last).Error)
			commits = 0
			do()
			var rows []string
			must(t, testkit.DB(t, store).Raw(`SELECT actor || ' ' || COALESCE(CAST(user_id AS text), '-') || ' ' || action || ' ' || subject || ' ' || CAST(subject_id AS text) || ' ' || after_value
				FROM audit_entries WHERE id > ? ORDER BY id`, last).Scan(&rows).Error)
			return strings.Join(rows, "\n"), commits
		}
		wrong := func(email string) (added string, waited int) {
			t.Helper()
			return of(func() {
				_, _, err := s.SignInWithPassword(ctx, models.Viewer{}, email, "wrong", "192.0.2.1", "", "")
				mustBe(t, email, err, models.ErrWrongPassword)
			})
		}
		for i := range 2 { // the second try finds the count of the first
			known, waited := wrong("ana@example.org")
			if want := fmt.Sprintf("visitor - session.refuse users %d password", ana.UserID); known != want {
				t.Errorf("a wrong password adds %q, want %q", known, want)
			}
			if added, w := wrong("bob@example.org"); added == "" || w != waited {
				t.Errorf("%d: an account without a password adds %q and waits for %d commits, another for %d", i, added, w, waited)
			}
			if added, w := wrong("nobody@example.org"); added != "" || w != waited {
				t.Errorf("%d: an unknown address adds %q and waits for %d commits, a known one for %d", i, added, w, waited)
			}
		}
		phone := newApp(t, store, ana)
		_, err := s.AddAuthenticator(ctx, ana, phone.nonce, phone.code(now.Now()))
		must(t, err)
		half, _, err := s.SignInWithPassword(ctx, models.Viewer{}, "ana@example.org", goodPassword, "", "", "")
		mustBe(t, "the right password", err, models.ErrSecondFactor)
		if added, _ := of(func() {
			_, _, err := s.SignInWithCode(ctx, models.Viewer{}, half, "000000", "")
			mustBe(t, "a wrong code", err, models.ErrWrongCode)
		}); added != fmt.Sprintf("visitor - session.refuse users %d password and a wrong code", ana.UserID) {
			t.Errorf("a wrong code adds %q", added)
		}
		other := s.account(t, "cleo@example.org", "Cleo", models.RoleAttendee)
		link, err := s.NewSignInLink(ctx, "cleo@example.org")
		must(t, err)
		session, _, err := s.SignIn(ctx, models.Viewer{}, link, "")
		must(t, err)
		cleo, err := s.ViewerBySession(ctx, session)
		must(t, err)
		for _, tt := range []struct {
			action  string
			session int64
			do      func() error
		}{
			{"session.end_other", other.SessionID, func() error { return s.EndSession(ctx, cleo, other.SessionID) }},
			{"session.end_others", cleo.SessionID, func() error { return s.EndOtherSessions(ctx, cleo) }},
			{"session.end", cleo.SessionID, func() error { return s.EndSession(ctx, cleo, cleo.SessionID) }},
		} {
			added, _ := of(func() { must(t, tt.do()) })
			if want := fmt.Sprintf("attendee %d %s sessions %d ", cleo.UserID, tt.action, tt.session); added != want {
				t.Errorf("it adds %q, want %q", added, want)
			}
		}
	})
}

func TestAllSessionsAndLinksEndTogether(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		s := &stage{Store: store}
		admin := s.admin(t)
		s.account(t, "ben@example.org", "Ben", models.RoleAmbassador)
		_, err := s.Invite(t.Context(), admin, models.NewUser{Email: "eva@example.org", Name: "Eva", Role: models.RoleAmbassador})
		must(t, err)
		links(t, store, admin.Email)
		sessions, ended, err := s.EndAllSessions(t.Context(), models.Viewer{Role: "command"})
		if err != nil || sessions != 2 || ended != 3 {
			t.Errorf("%d sessions and %d links ended (%v), want 2 and 3", sessions, ended, err)
		}
		var left int
		must(t, testkit.DB(t, store).Raw(`SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM half_sign_ins) + (SELECT count(*) FROM mails)
			+ (SELECT count(*) FROM sign_in_links WHERE used_at IS NULL)`).Scan(&left).Error)
		if left != 0 {
			t.Errorf("%d are left", left)
		}
	})
}
