package models_test

import (
	"errors"
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
			"a password is set":    func() error { return s.SetPassword(t.Context(), ben, "", "four quiet green kettles") },
			"the password is gone": func() error { return s.RemovePassword(t.Context(), ben) },
		} {
			if name == "the password is gone" {
				must(t, s.SetPassword(t.Context(), ben, "", "four quiet green kettles"))
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
