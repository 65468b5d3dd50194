package models

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// BackupState is how far a backup got.
type BackupState string

// The states of a backup.
const (
	BackupWaiting BackupState = "waiting" // somebody asked for it
	BackupRunning BackupState = "running" // is made, or tested
	BackupGood    BackupState = "good"    // was made, and restored as a test
	BackupFailed  BackupState = "failed"  // could not be made, or not be restored
)

// Value refuses a state that is not one of ours.
func (s BackupState) Value() (driver.Value, error) {
	return oneOf("state of a backup", s, BackupWaiting, BackupRunning, BackupGood, BackupFailed)
}

// Backup is one that the background work made, or is to make.
type Backup struct {
	ID          int64
	Slot        *time.Time // when it was due; nil when somebody asked for it
	UserID      *int64     // who asked
	State       BackupState
	File        string // its name in the folder of backups
	Size        int64  // bytes
	RowCount    int
	UploadCount int
	Note        string // why it failed, or what the test found
	Attempts    int
	LeasedUntil *time.Time
	CreatedAt   time.Time
	TakenAt     *time.Time
	TestedAt    *time.Time
}

// BackupPlan says when backups are made, and which are kept.
type BackupPlan struct {
	EveryHours int `json:"every_hours"` // 0: only when somebody asks
	Hour       int `json:"hour"`        // of the day in UTC, at which they begin
	Daily      int `json:"daily"`       // of so many days the newest is kept
	Weekly     int `json:"weekly"`      // of so many weeks the newest is kept
}

// DefaultBackupPlan is the plan until somebody makes another: every night.
func DefaultBackupPlan() BackupPlan { return BackupPlan{EveryHours: 24, Hour: 3, Daily: 7, Weekly: 4} }

const (
	backupPlanSetting  = "backup_plan"
	backupSinceSetting = "backup_since" // when the background work first looked: none is due from before

	backupRemovalsSetting = "backup_removals" // files of backups that are forgotten, and not yet removed
	removalsKept          = 90 * 24 * time.Hour

	backupLease    = 2 * time.Minute // renewed while one is made
	backupAttempts = 3
	failedKept     = 7 * 24 * time.Hour
)

// slot is the last moment until t at which a backup was due.
func (p BackupPlan) slot(t time.Time) time.Time {
	every, offset := time.Duration(p.EveryHours)*time.Hour, time.Duration(p.Hour)*time.Hour
	since := t.Sub(backupEpoch.Add(offset))
	return t.Add(-(since % every)).Truncate(time.Second)
}

// backupEpoch is a Sunday's midnight from which slots are counted, so that those of a week begin on Sundays.
var backupEpoch = time.Date(2000, time.January, 2, 0, 0, 0, 0, time.UTC)

// Next is when the next backup is due after t; the zero time when none is.
func (p BackupPlan) Next(t time.Time) time.Time {
	if p.EveryHours == 0 {
		return time.Time{}
	}
	return p.slot(t).Add(time.Duration(p.EveryHours) * time.Hour)
}

// BackupPlan is the plan that admins made.
func (s *Store) BackupPlan(ctx context.Context) (BackupPlan, error) {
	plan := DefaultBackupPlan()
	value, err := s.Setting(ctx, backupPlanSetting)
	if errors.Is(err, ErrNotFound) || err == nil && value == "" {
		return plan, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(value), &plan)
	}
	return plan, err
}

// SaveBackupPlan makes another plan. It refuses others than admins with ErrNotFound, and with FieldErrors.
func (s *Store) SaveBackupPlan(ctx context.Context, by Viewer, plan BackupPlan) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: backups", ErrNotFound)
	}
	var wrong FieldErrors
	if !slices.Contains([]int{0, 6, 12, 24, 7 * 24}, plan.EveryHours) {
		wrong.add("every", "Choose how often")
	}
	if plan.Hour < 0 || plan.Hour > 23 {
		wrong.add("hour", "Choose an hour of the day")
	}
	if plan.Daily < 1 || plan.Daily > 366 {
		wrong.add("daily", "Write a number from 1 to 366")
	}
	if plan.Weekly < 0 || plan.Weekly > 520 {
		wrong.add("weekly", "Write a number from 0 to 520")
	}
	if len(wrong) > 0 {
		return wrong
	}
	after, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	return s.tx(ctx, func(tx *Store) error {
		before, err := tx.lockedSetting(ctx, backupPlanSetting)
		if err != nil {
			return err
		}
		if err := tx.writeSetting(ctx, backupPlanSetting, string(after)); err != nil {
			return err
		}
		return tx.audit(ctx, by, "backup.plan", "settings", 0, before, string(after))
	})
}

// Backups lists them for who runs the site, the newest first.
func (s *Store) Backups(ctx context.Context, by Viewer) ([]Backup, error) {
	if !by.Can(ManageSite, Object{}) {
		return nil, fmt.Errorf("%w: backups", ErrNotFound)
	}
	var all []Backup
	err := s.read(ctx).Order("id DESC").Find(&all).Error
	return all, translate(err)
}

// Backup finds one for who runs the site.
func (s *Store) Backup(ctx context.Context, by Viewer, id int64) (Backup, error) {
	if !by.Can(ManageSite, Object{}) {
		return Backup{}, fmt.Errorf("%w: backup %d", ErrNotFound, id)
	}
	b, err := gorm.G[Backup](s.reader).Where("id = ?", id).Take(ctx)
	return one(b, err, "backup", strconv.FormatInt(id, 10))
}

// AskBackup asks the background work for a backup at once. While one waits or is made it is ErrTransition.
func (s *Store) AskBackup(ctx context.Context, by Viewer) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: backups", ErrNotFound)
	}
	return s.tx(ctx, func(tx *Store) error {
		if _, err := tx.lockedSetting(ctx, backupPlanSetting); err != nil {
			return err
		}
		var open int64
		if err := tx.read(ctx).Model(&Backup{}).Where("state IN ?", []BackupState{BackupWaiting, BackupRunning}).Count(&open).Error; err != nil {
			return err
		}
		if open > 0 {
			return ErrTransition
		}
		b := Backup{State: BackupWaiting, UserID: &by.UserID, CreatedAt: tx.Now()}
		if err := tx.write(ctx).Create(&b).Error; err != nil {
			return err
		}
		return tx.audit(ctx, by, "backup.ask", "backups", b.ID, "", "")
	})
}

// TakeBackup finds a backup whose file somebody takes out, and notes that they do.
func (s *Store) TakeBackup(ctx context.Context, by Viewer, id int64) (Backup, error) {
	b, err := s.Backup(ctx, by, id)
	if err != nil {
		return b, err
	}
	if b.File == "" {
		return b, fmt.Errorf("%w: file of backup %d", ErrNotFound, id)
	}
	return b, s.tx(ctx, func(tx *Store) error { return tx.audit(ctx, by, "backup.take", "backups", id, "", b.File) })
}

// DeleteBackup forgets a backup and wants its file to be removed, which is done by RemoveBackups. One that is made just now is
// ErrTransition.
func (s *Store) DeleteBackup(ctx context.Context, by Viewer, id int64) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: backup %d", ErrNotFound, id)
	}
	return s.tx(ctx, func(tx *Store) error {
		b, err := gorm.G[Backup](tx.reader).Where("id = ?", id).Take(ctx)
		if b, err = one(b, err, "backup", strconv.FormatInt(id, 10)); err != nil {
			return err
		}
		result := tx.write(ctx).Where("id = ? AND state <> ?", id, BackupRunning).Delete(&Backup{})
		if result.Error != nil {
			return result.Error
		}
		if result.RowsAffected == 0 {
			return ErrTransition
		}
		if err := tx.wantRemoved(ctx, b.File); err != nil {
			return err
		}
		return tx.audit(ctx, by, "backup.delete", "backups", id, b.File, "")
	})
}

// BackupRemoval is the file of a backup that is forgotten, until it is removed from where it lies.
type BackupRemoval struct {
	File  string    `json:"file"`
	Since time.Time `json:"since"`
}

// BackupRemovals are the files that are to be removed and were not found yet, the oldest first.
func (s *Store) BackupRemovals(ctx context.Context) ([]BackupRemoval, error) {
	value, err := s.Setting(ctx, backupRemovalsSetting)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return backupRemovals(value)
}

func backupRemovals(value string) (all []BackupRemoval, err error) {
	if value != "" {
		err = json.Unmarshal([]byte(value), &all)
	}
	return all, err
}

// RemoveBackups hands the files that are to be removed to remove, which reports whether it found a file, and goes on wanting those
// that were not found: another machine may have them. After some months they lie nowhere.
func (s *Store) RemoveBackups(ctx context.Context, remove func(file string) (found bool, err error)) error {
	wanted, err := s.BackupRemovals(ctx)
	if err != nil || len(wanted) == 0 {
		return err
	}
	var errs []error
	gone := map[string]bool{}
	for _, r := range wanted {
		found, err := remove(r.File)
		gone[r.File] = found || err == nil && s.Now().Sub(r.Since) > removalsKept
		errs = append(errs, err)
	}
	if !slices.ContainsFunc(wanted, func(r BackupRemoval) bool { return gone[r.File] }) {
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, s.tx(ctx, func(tx *Store) error {
		return tx.changeRemovals(ctx, func(all []BackupRemoval) []BackupRemoval {
			return slices.DeleteFunc(all, func(r BackupRemoval) bool { return gone[r.File] })
		})
	}))...)
}

// wantRemoved wants the file of a backup to be removed; a backup without one has an empty name.
func (s *Store) wantRemoved(ctx context.Context, file string) error {
	if file == "" {
		return nil
	}
	return s.changeRemovals(ctx, func(all []BackupRemoval) []BackupRemoval { return append(all, BackupRemoval{file, s.Now()}) })
}

func (s *Store) changeRemovals(ctx context.Context, change func([]BackupRemoval) []BackupRemoval) error {
	value, err := s.lockedSetting(ctx, backupRemovalsSetting)
	if err != nil {
		return err
	}
	all, err := backupRemovals(value)
	if err != nil {
		return err
	}
	after, err := json.Marshal(change(all))
	if err != nil {
		return err
	}
	return s.writeSetting(ctx, backupRemovalsSetting, string(after))
}

// ClaimBackup leases the backup that is to be made now: one that somebody asked for, one that another process did not finish, or
// the one that the plan wants. Without any it is ErrNotFound. At any time one is made, whichever process does it.
func (s *Store) ClaimBackup(ctx context.Context) (Backup, error) {
	plan, err := s.BackupPlan(ctx)
	if err != nil {
		return Backup{}, err
	}
	since, err := s.backupSince(ctx)
	if err != nil {
		return Backup{}, err
	}
	// Most of the time there is nothing to do, which needs no transaction.
	if slot, err := s.dueBackup(ctx, plan, since); err != nil || slot == nil && !s.openBackup(ctx) {
		return Backup{}, errors.Join(err, fmt.Errorf("%w: backup that is due", ErrNotFound))
	}
	var claimed Backup
	err = s.tx(ctx, func(tx *Store) error {
		if _, err := tx.lockedSetting(ctx, backupPlanSetting); err != nil {
			return err
		}
		now := tx.Now()
		var open []Backup
		if err := tx.read(ctx).Where("state IN ?", []BackupState{BackupWaiting, BackupRunning}).Order("id").Find(&open).Error; err != nil {
			return err
		}
		for _, b := range open {
			if b.LeasedUntil != nil && b.LeasedUntil.After(now) {
				return fmt.Errorf("%w: one is made", ErrNotFound)
			}
		}
		for _, b := range open {
			if b.Attempts < backupAttempts {
				claimed = b
				break
			}
			if err := tx.write(ctx).Model(&Backup{}).Where("id = ?", b.ID).Updates(map[string]any{
				"state": BackupFailed, "leased_until": nil, "note": "the program ended before it was finished, several times",
			}).Error; err != nil {
				return err
			}
		}
		if claimed.ID == 0 {
			slot, err := tx.dueBackup(ctx, plan, since)
			if err != nil {
				return err
			}
			if slot == nil {
				return nil
			}
			claimed = Backup{Slot: slot, State: BackupRunning, CreatedAt: now}
			result := tx.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&claimed)
			if result.Error != nil {
				return result.Error
			}
			if result.RowsAffected == 0 {
				return fmt.Errorf("%w: somebody else makes it", ErrNotFound)
			}
		}
		until := now.Add(backupLease)
		claimed.State, claimed.LeasedUntil = BackupRunning, &until
		claimed.Attempts++
		return tx.write(ctx).Model(&Backup{}).Where("id = ?", claimed.ID).
			Updates(map[string]any{"state": BackupRunning, "leased_until": until, "attempts": claimed.Attempts}).Error
	})
	if err == nil && claimed.ID == 0 {
		err = fmt.Errorf("%w: backup that is due", ErrNotFound)
	}
	return claimed, err
}

// backupSince is when the background work first looked for backups on this database.
func (s *Store) backupSince(ctx context.Context) (time.Time, error) {
	value, err := s.Setting(ctx, backupSinceSetting)
	if errors.Is(err, ErrNotFound) {
		value, err = s.KeepSetting(ctx, backupSinceSetting, s.Now().Format(time.RFC3339))
	}
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, value)
}

// dueBackup is the slot of the backup that the plan wants and that nobody began; nil when there is none.
func (s *Store) dueBackup(ctx context.Context, plan BackupPlan, since time.Time) (*time.Time, error) {
	if plan.EveryHours == 0 {
		return nil, nil //nolint:nilnil // none is due
	}
	slot := plan.slot(s.Now())
	var begun bool
	err := s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM backups WHERE slot >= ?)", slot).Scan(&begun).Error
	if err != nil || begun || !slot.After(since) {
		return nil, translate(err)
	}
	return &slot, nil
}

func (s *Store) openBackup(ctx context.Context) (open bool) {
	// What cannot be read now is asked again soon.
	_ = s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM backups WHERE state IN ('waiting', 'running'))").Scan(&open).Error
	return open
}

// RenewBackup keeps the lease of a backup that is being made.
func (s *Store) RenewBackup(ctx context.Context, id int64) error {
	return s.tx(ctx, func(tx *Store) error {
		return changed(tx.write(ctx).Model(&Backup{}).Where("id = ? AND state = ?", id, BackupRunning).
			Update("leased_until", tx.Now().Add(backupLease)), "backup", id)
	})
}

// ReleaseBackup lets another process make a backup that this one has to leave.
func (s *Store) ReleaseBackup(ctx context.Context, id int64) error {
	return s.tx(ctx, func(tx *Store) error {
		return changed(tx.write(ctx).Model(&Backup{}).Where("id = ? AND state = ?", id, BackupRunning).
			Updates(map[string]any{"state": BackupWaiting, "leased_until": nil, "attempts": gorm.Expr("attempts - 1")}), "backup", id)
	})
}

// BackupMade notes what became of a claimed backup: of b count state, file, size, counts, note and times.
func (s *Store) BackupMade(ctx context.Context, b Backup) error {
	return s.tx(ctx, func(tx *Store) error {
		return changed(tx.write(ctx).Model(&Backup{}).Where("id = ? AND state = ?", b.ID, BackupRunning).Updates(map[string]any{
			"state": b.State, "file": b.File, "size": b.Size, "row_count": b.RowCount, "upload_count": b.UploadCount, "note": b.Note,
			"taken_at": b.TakenAt, "tested_at": b.TestedAt, "leased_until": nil,
		}), "backup", b.ID)
	})
}

// SpentBackups lists the backups that the plan does not keep. What failed is kept for a week, so that somebody sees it.
func (s *Store) SpentBackups(ctx context.Context) ([]Backup, error) {
	plan, err := s.BackupPlan(ctx)
	if err != nil {
		return nil, err
	}
	var all []Backup
	if err := s.read(ctx).Where("state IN ?", []BackupState{BackupGood, BackupFailed}).Order("COALESCE(taken_at, created_at) DESC, id DESC").Find(&all).Error; err != nil {
		return nil, translate(err)
	}
	now := s.Now()
	days, weeks := map[string]bool{}, map[string]bool{}
	var spent []Backup
	for _, b := range all {
		if b.State == BackupFailed {
			if now.Sub(b.CreatedAt) > failedKept {
				spent = append(spent, b)
			}
			continue
		}
		taken := b.CreatedAt.UTC()
		if b.TakenAt != nil {
			taken = b.TakenAt.UTC()
		}
		year, week := taken.ISOWeek()
		// The newest of a day, and of a week: the first that is met.
		keep := first(days, taken.Format(time.DateOnly), plan.Daily)
		if first(weeks, fmt.Sprint(year, " ", week), plan.Weekly) {
			keep = true
		}
		if !keep {
			spent = append(spent, b)
		}
	}
	return spent, nil
}

// first reports whether a key is new among at most so many.
func first(seen map[string]bool, key string, most int) bool {
	if seen[key] || len(seen) >= most {
		return false
	}
	seen[key] = true
	return true
}

// ForgetBackup forgets a backup that the plan does not keep, and wants its file to be removed, as DeleteBackup does.
func (s *Store) ForgetBackup(ctx context.Context, b Backup) error {
	return s.tx(ctx, func(tx *Store) error {
		if err := changed(tx.write(ctx).Where("id = ?", b.ID).Delete(&Backup{}), "backup", b.ID); err != nil {
			return err
		}
		return tx.wantRemoved(ctx, b.File)
	})
}

// MediaNames lists the names of all uploaded pictures.
func (s *Store) MediaNames(ctx context.Context) (names []string, err error) {
	err = s.read(ctx).Model(&Medium{}).Order("name").Pluck("name", &names).Error
	return names, translate(err)
}
