package handlers_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/backup"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// keeper makes the backups of a world, as the background work does.
func (w *deskWorld) keeper() backup.Keeper {
	return backup.Keeper{Store: w.store, Backups: storage.Backups{Dir: w.backups}, Portal: backup.Portal{DB: w.db, Uploads: w.uploads, Key: testkit.Keys()[0], Clock: w.clock.Clock()}}
}

// work lets the background work look for backups once.
func (w *deskWorld) work() (made bool, err error) { return w.keeper().Run(w.t.Context()) }

func TestABackupIsAskedForLookedAtTakenAndDeleted(t *testing.T) {
	w := newDeskWorld(t)
	if page := w.page(w.get("ada", "/admin/backups"), http.StatusOK); page.Text("h1") != "There is no backup yet" || !page.Has(".empty") {
		t.Errorf("at first it says %q", page.Text("main"))
	}
	w.leads(w.post("ada", "/admin/backups"), "/admin/backups")
	w.leads(w.post("ada", "/admin/backups"), "/admin/backups") // an impatient one
	page := w.page(w.get("ada", "/admin/backups"), http.StatusOK)
	if page.Count(".backups > section") != 1 || page.Text(".backups .badge") != "Waits" || page.Has(`.hi form`) || !strings.Contains(page.Text(".hi"), "being made") {
		t.Errorf("while it waits: %q", page.Text("main"))
	}
	if made, err := w.work(); !made || err != nil {
		t.Fatal(made, err)
	}
	w.clock.Advance(3 * time.Hour)
	w.exec("UPDATE sessions SET proved_at = ?", w.store.Now())
	page = w.page(w.get("ada", "/admin/backups"), http.StatusOK)
	if page.Text("h1") != "The last good backup is 3 hours old" || page.Text(".backups .badge") != "Restores" || !strings.Contains(page.Text(".backups small"), "Asked for, ") {
		t.Errorf("when it is made: %q", page.Text("main"))
	}
	taken := w.get("ada", page.Attr(".backups a[download]", "href"))
	if _, err := zip.NewReader(bytes.NewReader(taken.body), int64(len(taken.body))); err != nil || taken.Header.Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(taken.Header.Get("Content-Disposition"), `attachment; filename="portal-2020`) {
		t.Errorf("taken out: %v, %v", err, taken.Header)
	}
	var entries int
	if w.scan(&entries, "SELECT count(*) FROM audit_entries WHERE action = 'backup.take'"); entries != 1 {
		t.Errorf("%d entries say that it was taken out", entries)
	}
	w.leads(w.post("ada", page.Attr(".backups .ask form", "action")), "/admin/backups")
	if files, _ := os.ReadDir(w.backups); len(files) != 0 || w.page(w.get("ada", "/admin/backups"), http.StatusOK).Has(".backups") {
		t.Error("it is still there")
	}
	if a := w.get("ada", "/admin/backups/1/file"); a.StatusCode != http.StatusNotFound {
		t.Errorf("its file answers %d", a.StatusCode)
	}
}

func TestABackupWhoseFileIsNotAsItWasIsShownAsSuch(t *testing.T) {
	w := newDeskWorld(t)
	w.leads(w.post("ada", "/admin/backups"), "/admin/backups")
	if made, err := w.work(); !made || err != nil {
		t.Fatal(made, err)
	}
	files, _ := filepath.Glob(filepath.Join(w.backups, "*.zip"))
	if err := os.Truncate(files[0], 10); err != nil {
		t.Fatal(err)
	}
	if page := w.page(w.get("ada", "/admin/backups"), http.StatusOK); page.Text(".backups .badge") != "Changed" || !strings.HasSuffix(page.Text("h1"), "but its file was changed") || page.Has("a[download]") {
		t.Errorf("a short file: %q", page.Text("main"))
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if page := w.page(w.get("ada", "/admin/backups"), http.StatusOK); page.Text(".backups .badge") != "Not here" || !strings.HasSuffix(page.Text("h1"), "but its file is not here") || page.Has("a[download]") {
		t.Errorf("no file: %q", page.Text("main"))
	}
	if a := w.get("ada", "/admin/backups/1/file"); a.StatusCode != http.StatusNotFound {
		t.Errorf("its file answers %d", a.StatusCode)
	}
	w.exec("UPDATE backups SET state = 'running'")
	if a := w.post("ada", "/admin/backups/1/deletion"); a.StatusCode != http.StatusConflict {
		t.Errorf("deleting one that is made answers %d", a.StatusCode)
	}
}

func TestTheDeletionOfABackupThatLiesElsewhereIsToldUntilItIsDone(t *testing.T) {
	w := newDeskWorld(t)
	w.leads(w.post("ada", "/admin/backups"), "/admin/backups")
	elsewhere := w.keeper()
	elsewhere.Backups.Dir = t.TempDir()
	if made, err := elsewhere.Run(t.Context()); !made || err != nil {
		t.Fatal(made, err)
	}
	page := w.page(w.get("ada", "/admin/backups"), http.StatusOK)
	if page.Text(".backups .badge") != "Not here" || !strings.Contains(page.Text(".backups"), "another machine") || page.Has("a[download]") {
		t.Errorf("of another machine: %q", page.Text(".backups"))
	}
	w.leads(w.post("ada", page.Attr(".backups .ask form", "action")), "/admin/backups")
	if page = w.page(w.get("ada", "/admin/backups"), http.StatusOK); page.Has(".backups") || !strings.Contains(page.Text("main"), "Deleted, but not on this machine: portal-2020") {
		t.Errorf("after the deletion: %q", page.Text("main"))
	}
	if err := elsewhere.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(elsewhere.Backups.Dir); len(left) != 0 {
		t.Errorf("there is still %v", left)
	}
	if page = w.page(w.get("ada", "/admin/backups"), http.StatusOK); strings.Contains(page.Text("main"), "not on this machine") {
		t.Errorf("when it is gone: %q", page.Text("main"))
	}
}

func TestThePlanOfBackupsIsChosen(t *testing.T) {
	w := newDeskWorld(t)
	if made, err := w.work(); made || err != nil {
		t.Fatal(made, err)
	}
	page := w.page(w.post("ada", "/admin/backups/plan", "every", "7", "hour", "25", "daily", "none", "weekly", "-1"), http.StatusUnprocessableEntity)
	if page.Count("[data-error-summary] a") != 4 || page.Attr("#daily", "value") != "none" {
		t.Errorf("errors %q", page.Texts("[data-error-summary] a"))
	}
	w.leads(w.post("ada", "/admin/backups/plan", "every", "6", "hour", "5", "daily", "2", "weekly", "0"), "/admin/backups")
	page = w.page(w.get("ada", "/admin/backups"), http.StatusOK)
	if page.Attr("#every [selected]", "value") != "6" || page.Attr("#hour [selected]", "value") != "5" || page.Attr("#daily", "value") != "2" || page.Attr("#weekly", "value") != "0" ||
		!strings.Contains(page.Text(".hi"), "The next is made Thu 18 June, 17:00 UTC.") {
		t.Errorf("the page says %q", page.Text("main"))
	}
	w.clock.Advance(time.Hour)
	if made, err := w.work(); !made || err != nil {
		t.Error("none was made when it was due", err)
	}
	w.leads(w.post("ada", "/admin/backups/plan", "every", "0", "hour", "5", "daily", "2", "weekly", "0"), "/admin/backups")
	if page := w.page(w.get("ada", "/admin/backups"), http.StatusOK); !strings.Contains(page.Text(".hi"), "None is made by itself.") {
		t.Errorf("the page says %q", page.Text(".hi"))
	}
}

func TestAnOperatorIsToldWhenTheDataIsNotSafe(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		need       bool
		do         func(w *deskWorld)
	}{
		{"a new portal", "Well: There is none yet; the next is made in ", false, func(*deskWorld) {}},
		{"a portal without a plan", "Look at it: There is none yet Make one now", false, func(w *deskWorld) {
			w.leads(w.post("ada", "/admin/backups/plan", "every", "0", "hour", "5", "daily", "2", "weekly", "0"), "/admin/backups")
		}},
		{"a good backup", "Well: The last good one is 5 minutes old, ", false, func(w *deskWorld) { w.backedUp("good", "", 5*time.Minute) }},
		{"a good backup with findings", "Look at it: The last good one is 5 minutes old, ", false, func(w *deskWorld) { w.backedUp("good", "seats counted otherwise", 5*time.Minute) }},
		{"an old one", "Act now: The last good one is 3 days old, ", true, func(w *deskWorld) { w.backedUp("good", "", 75*time.Hour) }},
		{"one that failed", "Act now: The last one failed: the disk is full Mend", true, func(w *deskWorld) {
			w.backedUp("good", "", 30*time.Hour)
			w.backedUp("failed", "the disk is full", 5*time.Minute)
		}},
		{"one that failed before a good one", "Well: The last good one is 5 minutes old, ", false, func(w *deskWorld) {
			w.backedUp("failed", "the disk is full", 30*time.Hour)
			w.backedUp("good", "", 5*time.Minute)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newDeskWorld(t)
			tt.do(w)
			if got := w.health()["Backups"]; !strings.HasPrefix(got, tt.line) {
				t.Errorf("the health page says %q, want %q…", got, tt.line)
			}
			if needs := w.page(w.get("ada", "/admin"), http.StatusOK).Text("main"); strings.Contains(needs, "The data is not safe") != tt.need {
				t.Errorf("the desk says %q", needs)
			}
			if strings.Contains(w.page(w.get("sam", "/admin"), http.StatusOK).Text("main"), "not safe") {
				t.Error("staff are told, who can do nothing")
			}
		})
	}
}

// backedUp notes a backup that was made some time ago.
func (w *deskWorld) backedUp(state models.BackupState, note string, ago time.Duration) {
	w.t.Helper()
	w.exec("INSERT INTO backups (state, note, created_at, taken_at) VALUES (?, ?, ?, ?)", state, note, w.store.Now().Add(-ago), w.store.Now().Add(-ago))
}
