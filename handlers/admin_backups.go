package handlers

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/templates"
)

// AdminBackups is the list of backups, and the plan by which they are made.
type AdminBackups struct {
	Layout
	Heading string
	Words   string
	Open    bool // one waits or is made
	Shared  bool // they lie in a bucket
	Backups []BackupLine
	Leaving []string // files that are deleted, and not found on this machine
	Errors  FieldErrors
	Plan    [][]Field
}

// BackupLine is a backup in the list.
type BackupLine struct {
	ID                int64
	When              time.Time
	Asked             bool // by somebody, not by the plan
	State             State
	Facts, Note       string
	FileURL           string // empty: it is not here
	DeleteURL         string // empty: it is made just now
	DeleteWord, Label string
}

var backupStates = map[models.BackupState]State{
	models.BackupWaiting: {"Waits", ""}, models.BackupRunning: {"Is made", "live"}, models.BackupGood: {"Restores", "ok"}, models.BackupFailed: {"Failed", "bad"},
}

func (a *App) showBackups(c *fiber.Ctx) error {
	plan, err := a.Store.BackupPlan(c.UserContext())
	if err != nil {
		return err
	}
	return a.backupsPage(c, http.StatusOK, map[string]string{
		"every": strconv.Itoa(plan.EveryHours), "hour": strconv.Itoa(plan.Hour), "daily": strconv.Itoa(plan.Daily), "weekly": strconv.Itoa(plan.Weekly),
	}, nil)
}

func (a *App) backupsPage(c *fiber.Ctx, status int, v map[string]string, errs FieldErrors) error {
	all, err := a.Store.Backups(c.UserContext(), viewer(c))
	if err != nil {
		return err
	}
	plan, err := a.Store.BackupPlan(c.UserContext())
	if err != nil {
		return err
	}
	removals, err := a.Store.BackupRemovals(c.UserContext())
	if err != nil {
		return err
	}
	sizes, err := a.Backups.Sizes(c.UserContext())
	if errors.Is(err, storage.ErrUnavailable) {
		sizes, err = nil, nil
	}
	if err != nil {
		return err
	}
	now, zone := a.Store.Now(), location(viewer(c).Timezone)
	page := AdminBackups{Errors: errs, Plan: backupPlanRows(v, errs), Shared: a.Backups.Bucket != nil}
	for _, r := range removals {
		page.Leaving = append(page.Leaving, r.File)
	}
	page.Heading, page.Words = backupHeading(all, sizes, plan, now, zone)
	for _, b := range all {
		page.Open = page.Open || b.State == models.BackupWaiting || b.State == models.BackupRunning
		page.Backups = append(page.Backups, newBackupLine(b, sizes, zone))
	}
	page.Layout = a.deskLayout(c, "Backups", "Backups")
	page.Scripts = append(page.Scripts, "js/form.js")
	return show(c, status, a.pages.adminBackups, page)
}

// backupHeading says in a sentence how old the newest good backup is, whether its file is there, and when the next is due.
func backupHeading(all []models.Backup, sizes map[string]int64, plan models.BackupPlan, now time.Time, zone *time.Location) (heading, words string) {
	heading = "There is no backup yet"
	if last := lastGood(all); last != nil {
		heading = "The last good backup is " + spanWords(now.Sub(*last.TakenAt)) + " old"
		switch size, here := sizes[last.File]; {
		case sizes == nil:
		case !here:
			heading += ", but its file is not here"
		case size != last.Size:
			heading += ", but its file was changed"
		}
	}
	words = "None is made by itself."
	if next := plan.Next(now); !next.IsZero() {
		words = "The next is made " + next.In(zone).Format("Mon 2 January, 15:04 MST") + "."
	}
	return heading, words
}

func lastGood(all []models.Backup) *models.Backup {
	for i := range all {
		if all[i].State == models.BackupGood && all[i].TakenAt != nil {
			return &all[i]
		}
	}
	return nil
}

// newBackupLine is a backup's line. sizes are those of the files that can be reached; nil while the bucket is away.
func newBackupLine(b models.Backup, sizes map[string]int64, zone *time.Location) BackupLine {
	line := BackupLine{ID: b.ID, When: b.CreatedAt.In(zone), Asked: b.Slot == nil, State: backupStates[b.State], Note: b.Note, DeleteWord: "Delete it for good"}
	if b.TakenAt != nil {
		line.When = b.TakenAt.In(zone)
	}
	line.Label = line.When.Format("2 January 2006, 15:04")
	if b.File != "" {
		line.Facts = byteWords(uint64(max(0, b.Size))) + ", " + templates.Plural(b.RowCount, "row", "rows") + ", " + templates.Plural(b.UploadCount, "upload", "uploads")
		size, here := sizes[b.File]
		switch {
		case sizes == nil:
			line.State, line.Note = State{"Not reached", "warn"}, "The bucket in which it lies does not answer at the moment."
		case !here:
			line.State = State{"Not here", "warn"}
			line.Note = "Its file, " + b.File + ", is not in the data folder here: somebody took it away, or another machine made it and has it. Deleting it here removes it there as well, when that machine does the background work."
		case size != b.Size:
			line.State, line.Note = State{"Changed", "bad"}, "Its file has another size than when it was made: do not trust it."
		default:
			line.FileURL = links.DeskBackup(b.ID) + "/file"
		}
	}
	switch b.State {
	case models.BackupWaiting:
		line.DeleteURL, line.DeleteWord = links.DeskBackup(b.ID)+"/deletion", "Do not make it"
	case models.BackupGood, models.BackupFailed:
		line.DeleteURL = links.DeskBackup(b.ID) + "/deletion"
	case models.BackupRunning:
	}
	return line
}

func backupPlanRows(v map[string]string, errs FieldErrors) [][]Field {
	choice := func(name, label, hint string, options ...Option) Field {
		for i := range options {
			options[i].Selected = options[i].Value == v[name]
		}
		return Field{Name: name, Label: label, Hint: hint, Type: "select", Options: options, Error: errs.Of(name)}
	}
	number := func(name, label, hint string) Field {
		return Field{Name: name, Label: label, Hint: hint, Type: "text", Value: v[name], Max: 3, Digits: true, Required: true, Error: errs.Of(name)}
	}
	var hours []Option
	for h := range 24 {
		hours = append(hours, Option{Value: strconv.Itoa(h), Label: fmt.Sprintf("%02d:00 UTC", h)})
	}
	return [][]Field{
		{
			choice("every", "How often", "", Option{Value: "6", Label: "Every 6 hours"}, Option{Value: "12", Label: "Every 12 hours"}, Option{Value: "24", Label: "Every day"},
				Option{Value: "168", Label: "Every Sunday"}, Option{Value: "0", Label: "Only when asked"}),
			choice("hour", "Beginning at", "", hours...),
		},
		{number("daily", "Days to keep", "Of each the newest."), number("weekly", "Weeks to keep", "Of each the newest.")},
	}
}

func (a *App) saveBackupPlan(c *fiber.Ctx) error {
	v := map[string]string{}
	numbers := map[string]int{}
	for _, name := range []string{"every", "hour", "daily", "weekly"} {
		v[name] = typed(c, name)
		n, err := strconv.Atoi(v[name])
		if err != nil {
			n = -1 // which models refuse with their words
		}
		numbers[name] = n
	}
	err := a.Store.SaveBackupPlan(c.UserContext(), viewer(c), models.BackupPlan{
		EveryHours: numbers["every"], Hour: numbers["hour"], Daily: numbers["daily"], Weekly: numbers["weekly"],
	})
	var errs FieldErrors
	switch {
	case err == nil:
		a.flash(c, "saved")
		return seeOther(c, links.DeskBackups)
	case errs.Take(err):
		return a.backupsPage(c, http.StatusUnprocessableEntity, v, errs)
	}
	return err
}

// askBackup asks for a backup now. Who asks twice is told the same.
func (a *App) askBackup(c *fiber.Ctx) error {
	if err := a.Store.AskBackup(c.UserContext(), viewer(c)); err != nil && !errors.Is(err, models.ErrTransition) {
		return err
	}
	a.flash(c, "backup-asked")
	return seeOther(c, links.DeskBackups)
}

// sendBackup hands out the file of a backup.
func (a *App) sendBackup(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	b, err := a.Store.TakeBackup(c.UserContext(), viewer(c), id)
	if err != nil {
		return err
	}
	file, size, err := a.Backups.Open(c.UserContext(), b.File)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: file of backup %d", models.ErrNotFound, id)
	}
	if err != nil {
		return err
	}
	private(c)
	c.Set(fiber.HeaderContentType, "application/zip")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+b.File+`"`)
	return c.SendStream(file, int(size)) // closed when it is sent
}

// backupLength is how long the download of a backup may take; other answers have less time.
const backupLength = time.Hour

func (a *App) deleteBackup(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Store.DeleteBackup(c.UserContext(), viewer(c), id); err != nil {
		return err
	}
	// What is not removed now is left to the background work, on the machine where it lies.
	if err := a.Store.RemoveBackups(c.UserContext(), func(file string) (bool, error) { return a.Backups.Remove(c.UserContext(), file) }); err != nil {
		a.Log.LogAttrs(c.UserContext(), slog.LevelWarn, "a backup was not removed", slog.String("error", err.Error()))
	}
	a.flash(c, "backup-deleted")
	return seeOther(c, links.DeskBackups)
}

// backupPart is how safe the data is.
func backupPart(all []models.Backup, plan models.BackupPlan, now time.Time) HealthPart {
	part := HealthPart{Name: "Backups", Facts: "There is none yet", State: poorState, URL: links.DeskBackups, Label: "See the backups"}
	last := lastGood(all)
	next := ""
	if at := plan.Next(now); !at.IsZero() {
		next = "; the next is made " + inWords(at.Sub(now))
	}
	tried := slices.IndexFunc(all, func(b models.Backup) bool { return b.State == models.BackupFailed })
	switch {
	case len(all) > 0 && tried >= 0 && (last == nil || all[tried].ID > last.ID):
		part.Facts = "The last one failed: " + shortened(cmp.Or(all[tried].Note, "without a word"), 200)
		part.State, part.Do = sickState, "Mend what it says, then make one by hand."
	case last == nil && next == "":
		part.Do = "Make one now, or let them be made every night."
	case last == nil:
		part.Facts += next
		part.State, part.URL, part.Label = wellState, "", ""
	default:
		part.Facts, part.State = "The last good one is "+spanWords(now.Sub(*last.TakenAt))+" old, "+byteWords(uint64(max(0, last.Size)))+", and was restored as a test"+next, wellState
		part.URL, part.Label = "", ""
		switch {
		case last.Note != "":
			part.Facts, part.State = part.Facts+". The test found: "+shortened(last.Note, 200), poorState
			part.Do = "The backup is whole; what it copied is not. Run `portal doctor`."
		case next != "" && now.Sub(*last.TakenAt) > 2*time.Duration(plan.EveryHours)*time.Hour+time.Hour:
			part.State, part.Do, part.URL, part.Label = sickState, "Backups were missed: see whether the background work runs.", links.DeskBackups, "See the backups"
		}
	}
	return part
}

// backupNeed is what about the backups waits for an admin.
func (a *App) backupNeed(c *fiber.Ctx) ([]Need, error) {
	all, err := a.Store.Backups(c.UserContext(), viewer(c))
	if err != nil {
		return nil, err
	}
	plan, err := a.Store.BackupPlan(c.UserContext())
	if part := backupPart(all, plan, a.Store.Now()); err == nil && part.State == sickState {
		return []Need{{Icon: "backup", What: "The data is not safe", Why: part.Facts, URL: links.DeskBackups, Action: "See the backups"}}, nil
	}
	return nil, err
}
