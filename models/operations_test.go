package models_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

func TestTheDatabaseTellsHowItIs(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		admin := models.Viewer{UserID: 1, Role: models.RoleAdmin}
		for _, failure := range []error{errors.New("no table"), nil} {
			began := store.Now()
			now.Advance(time.Second)
			if err := store.JobRan(t.Context(), models.JobMail, began, time.Minute, failure); err != nil {
				t.Fatal(err)
			}
		}
		h, err := store.Health(t.Context(), admin)
		if err != nil {
			t.Fatal(err)
		}
		if (!strings.HasPrefix(h.Database, "SQLite 3.") && !strings.HasPrefix(h.Database, "PostgreSQL 1")) || h.Size < 4096 || h.Schema < 7 || h.ClockAhead == 0 ||
			h.Shared != strings.HasPrefix(h.Database, "PostgreSQL") {
			t.Errorf("it tells %+v", h)
		}
		if len(h.Jobs) != 1 || h.Jobs[0].Error != "" || !h.Jobs[0].BeganAt.Equal(testkit.Start.Add(time.Second)) || !h.Jobs[0].NextAt.Equal(testkit.Start.Add(62*time.Second)) {
			t.Errorf("the jobs are %+v", h.Jobs)
		}
		if last, err := store.LastChange(t.Context()); err != nil || !last.IsZero() {
			t.Errorf("before any change: %v, %v", last, err)
		}
		if _, _, err := store.AddUser(t.Context(), models.Viewer{Role: "command"}, models.NewUser{Email: "ana@example.org", Name: "Ana", Role: models.RoleStaff}); err != nil {
			t.Fatal(err)
		}
		if last, err := store.LastChange(t.Context()); err != nil || !last.Equal(store.Now()) {
			t.Errorf("after one: %v, %v", last, err)
		}
		if _, err := store.Health(t.Context(), models.Viewer{UserID: 2, Role: models.RoleStaff}); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("staff are told: %v", err)
		}
	})
}
