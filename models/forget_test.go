package models_test

import (
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

func TestEndedSessionsAndLinksAreForgottenAndOthersKept(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		_, first, err := store.AddUser(t.Context(), models.Viewer{}, models.NewUser{Email: "ana@example.org", Name: "Ana", Role: models.RoleStaff})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := store.SignIn(t.Context(), models.Viewer{}, first, "a browser"); err != nil {
			t.Fatal(err)
		}
		count := func() (sessions, links int64) {
			db := testkit.DB(t, store)
			db.Model(&models.Session{}).Count(&sessions)
			db.Model(&models.SignInLink{}).Count(&links)
			return sessions, links
		}
		for _, step := range []struct {
			after           time.Duration
			sessions, links int64
		}{
			{29 * 24 * time.Hour, 1, 0},
			{31 * 24 * time.Hour, 0, 0},
		} {
			now.Set(testkit.Start.Add(step.after))
			if err := store.ForgetSessions(t.Context()); err != nil {
				t.Fatal(err)
			}
			if sessions, links := count(); sessions != step.sessions || links != step.links {
				t.Errorf("after %s: %d sessions and %d links, want %d and %d", step.after, sessions, links, step.sessions, step.links)
			}
		}
	})
}
