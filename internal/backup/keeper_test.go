package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/backup"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// safe is a portal whose backups are kept.
type safe struct {
	t      *testing.T
	clock  *clock.Fake
	db     *database.DB
	store  *models.Store
	keeper backup.Keeper
	admin  models.Viewer
}

func eachDatabase(t *testing.T, test func(s *safe)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"SQLite": testkit.SQLiteURL, "PostgreSQL": testkit.PostgresURL} {
		t.Run(name, func(t *testing.T) { test(newSafe(t, url(t))) })
	}
}

func newSafe(t *testing.T, url string) *safe {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &safe{t: t, db: db, clock: testkit.Clock()} // noon on a Saturday
	s.store = models.NewStore(db.Reader, db.Writer, s.clock.Clock(), testkit.Keys())
	s.keeper = backup.Keeper{Store: s.store, Backups: storage.Backups{Dir: filepath.Join(t.TempDir(), "backups")}, Portal: backup.Portal{
		DB: db, Uploads: testUploads(t), Key: testkit.Keys()[0], KeepKey: true, Clock: s.clock.Clock(),
	}}
	user, _, err := s.store.AddUser(t.Context(), models.Viewer{Role: models.RoleAdmin}, models.NewUser{Email: "ada@example.org", Name: "Ada", Role: models.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	s.admin = models.Viewer{UserID: user.ID, Role: user.Role, Email: user.Email}
	return s
}

// testUploads holds one picture.
func testUploads(t *testing.T) storage.Storage {
	t.Helper()
	uploads, err := storage.OpenDirectory(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = uploads.Close() })
	if err := uploads.Put(t.Context(), "a.png", []byte("a picture")); err != nil {
		t.Fatal(err)
	}
	return uploads
}

// run lets the keeper look once and fails unless it made a backup as wanted.
func (s *safe) run(want bool) {
	s.t.Helper()
	if did, err := s.keeper.Run(s.t.Context()); err != nil || did != want {
		s.t.Fatalf("at %s it made one: %t (%v), want %t", s.store.Now(), did, err, want)
	}
}

func (s *safe) all() []models.Backup {
	s.t.Helper()
	all, err := s.store.Backups(s.t.Context(), s.admin)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *safe) exec(sql string, args ...any) {
	s.t.Helper()
	if err := s.db.Writer.Exec(sql, args...).Error; err != nil {
		s.t.Fatal(err)
	}
}

// files are the names in the folder of backups.
func (s *safe) files() (names []string) {
	s.t.Helper()
	entries, err := os.ReadDir(s.keeper.Backups.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestABackupIsMadeWhenItIsDueAndOnce(t *testing.T) {
	eachDatabase(t, func(s *safe) {
		s.run(false) // the portal is new: the first night is to come
		s.clock.Advance(15*time.Hour - time.Second)
		s.run(false)
		s.clock.Advance(time.Second)
		var made atomic.Int64
		var processes sync.WaitGroup
		for range 6 {
			processes.Go(func() {
				if did, err := s.keeper.Run(context.Background()); err != nil {
					s.t.Error(err)
				} else if did {
					made.Add(1)
				}
			})
		}
		processes.Wait()
		if made.Load() != 1 {
			s.t.Fatalf("six processes made %d", made.Load())
		}
		all := s.all()
		if len(all) != 1 || all[0].State != models.BackupGood || all[0].Note != "" || all[0].TestedAt == nil || all[0].RowCount == 0 || all[0].UploadCount != 1 ||
			!all[0].Slot.Equal(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)) {
			s.t.Fatalf("it is %+v", all)
		}
		info, err := os.Stat(filepath.Join(s.keeper.Backups.Dir, all[0].File))
		if err != nil || info.Size() != all[0].Size || info.Mode().Perm() != 0o600 {
			s.t.Errorf("its file: %v, %v", info, err)
		}
		if names := s.files(); len(names) != 1 {
			s.t.Errorf("in the folder lie %q", names)
		}
		s.clock.Advance(23 * time.Hour)
		s.run(false)
		s.clock.Advance(50 * time.Hour) // the machine was off: what was missed is made once
		s.run(true)
		s.run(false)
	})
}

func TestThePlanSaysWhenBackupsAreMade(t *testing.T) {
	eachDatabase(t, func(s *safe) {
		plan := models.BackupPlan{EveryHours: 6, Hour: 1, Daily: 1, Weekly: 0}
		for _, wrong := range []models.BackupPlan{{EveryHours: 5, Daily: 1}, {EveryHours: 6, Hour: 24, Daily: 1}, {EveryHours: 6}, {EveryHours: 6, Daily: 1, Weekly: -1}} {
			if err := s.store.SaveBackupPlan(s.t.Context(), s.admin, wrong); !errors.Is(err, models.ErrInvalid) {
				s.t.Errorf("%+v: %v", wrong, err)
			}
		}
		if err := s.store.SaveBackupPlan(s.t.Context(), s.admin, plan); err != nil {
			s.t.Fatal(err)
		}
		if next := plan.Next(s.store.Now()); !next.Equal(time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)) {
			s.t.Errorf("the next is at %s", next)
		}
		s.run(false)
		for range 3 {
			s.clock.Advance(6 * time.Hour)
			s.run(true)
		}
		if names := s.files(); len(names) != 1 {
			s.t.Errorf("of one day %q are kept", names)
		}
		plan.EveryHours = 0
		if err := s.store.SaveBackupPlan(s.t.Context(), s.admin, plan); err != nil {
			s.t.Fatal(err)
		}
		s.clock.Advance(48 * time.Hour)
		s.run(false)
	})
}

func TestABackupThatSomebodyAsksForIsMadeAtOnce(t *testing.T) {
	eachDatabase(t, func(s *safe) {
		if err := s.store.AskBackup(s.t.Context(), s.admin); err != nil {
			s.t.Fatal(err)
		}
		if err := s.store.AskBackup(s.t.Context(), s.admin); !errors.Is(err, models.ErrTransition) {
			s.t.Errorf("asking twice: %v", err)
		}
		if err := s.store.AskBackup(s.t.Context(), models.Viewer{UserID: 9, Role: models.RoleStaff}); !errors.Is(err, models.ErrNotFound) {
			s.t.Errorf("staff ask: %v", err)
		}
		s.run(true)
		s.run(false)
		b := s.all()[0]
		if b.Slot != nil || b.State != models.BackupGood {
			s.t.Errorf("it is %+v", b)
		}
		// It restores into an empty database of the other kind as well as the command does; here the archive is enough.
		counts, findings, err := backup.Test(s.t.Context(), filepath.Join(s.keeper.Backups.Dir, b.File), s.t.TempDir())
		if err != nil || len(findings) > 0 || counts.Rows != b.RowCount || counts.Uploads != 1 {
			s.t.Errorf("testing it again: %+v %q %v", counts, findings, err)
		}
		if err := errors.Join(s.store.DeleteBackup(s.t.Context(), s.admin, b.ID), s.keeper.Remove(s.t.Context())); err != nil || len(s.all()) != 0 || len(s.files()) != 0 {
			s.t.Errorf("deleting it: %v, and %q is left", err, s.files())
		}
	})
}

func TestTheNewestOfDaysAndWeeksAreKept(t *testing.T) {
	eachDatabase(t, func(s *safe) {
		s.run(false)
		if err := os.MkdirAll(s.keeper.Backups.Dir, 0o700); err != nil {
			s.t.Fatal(err)
		}
		// Sixty nights, with two backups each.
		for night := range 60 {
			for n := range 2 {
				at := testkit.Start.AddDate(0, 0, night).Add(time.Duration(n) * time.Hour)
				name := fmt.Sprintf("portal-%s.zip", at.Format("20060102T150405Z"))
				if err := os.WriteFile(filepath.Join(s.keeper.Backups.Dir, name), nil, 0o600); err != nil {
					s.t.Fatal(err)
				}
				s.exec("INSERT INTO backups (state, file, created_at, taken_at) VALUES ('good', ?, ?, ?)", name, at, at)
			}
		}
		s.exec("INSERT INTO backups (state, note, created_at) VALUES ('failed', 'long ago', ?), ('failed', 'lately', ?)", testkit.Start, testkit.Start.AddDate(0, 0, 58))
		s.exec("INSERT INTO backups (state, file, created_at, taken_at) VALUES ('good', 'of-another-machine.zip', ?, ?)", testkit.Start.AddDate(0, 0, -1), testkit.Start.AddDate(0, 0, -1))
		s.clock.Set(testkit.Start.AddDate(0, 0, 59).Add(2 * time.Hour)) // Tuesday, 19 January 2027
		s.run(true)
		var kept []string
		for _, b := range s.all() {
			kept = append(kept, b.File+b.Note)
		}
		got := strings.Join(kept, " ")
		want := strings.Join([]string{
			s.all()[0].File, "lately",
			// The newest of seven days, the first of which is the one that was just made, and of four weeks, which end on Sundays.
			"portal-20270118T130000Z.zip", "portal-20270117T130000Z.zip", "portal-20270116T130000Z.zip", "portal-20270115T130000Z.zip",
			"portal-20270114T130000Z.zip", "portal-20270113T130000Z.zip", "portal-20270110T130000Z.zip", "portal-20270103T130000Z.zip",
		}, " ")
		if got != want {
			s.t.Errorf("kept are\n%s, want\n%s", got, want)
		}
		if names := s.files(); len(names) != 9 {
			s.t.Errorf("in the folder lie %q", names)
		}
		left, err := s.store.BackupRemovals(s.t.Context())
		if err != nil || len(left) != 1 || left[0].File != "of-another-machine.zip" {
			s.t.Errorf("left to others is %v, %v", left, err)
		}
	})
}

func TestABackupOfAnotherMachineIsRemovedThere(t *testing.T) {
	eachDatabase(t, func(s *safe) {
		other := s.keeper
		other.Backups.Dir = filepath.Join(s.t.TempDir(), "backups")
		if err := s.store.AskBackup(s.t.Context(), s.admin); err != nil {
			s.t.Fatal(err)
		}
		s.run(true)
		b := s.all()[0]
		if err := errors.Join(s.store.DeleteBackup(s.t.Context(), s.admin, b.ID), other.Remove(s.t.Context())); err != nil {
			s.t.Fatal(err)
		}
		if left, err := s.store.BackupRemovals(s.t.Context()); err != nil || len(left) != 1 || len(s.files()) != 1 {
			s.t.Errorf("the machine that has it not leaves %v (%v), and the other has %q", left, err, s.files())
		}
		if err := s.keeper.Remove(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		if left, err := s.store.BackupRemovals(s.t.Context()); err != nil || len(left) != 0 || len(s.files()) != 0 {
			s.t.Errorf("after it looked there are %v (%v) and %q", left, err, s.files())
		}
		// A machine that never comes back is not waited for without end.
		s.exec("INSERT INTO backups (state, file, created_at) VALUES ('good', 'lost.zip', ?)", s.store.Now())
		if err := s.store.DeleteBackup(s.t.Context(), s.admin, s.all()[0].ID); err != nil {
			s.t.Fatal(err)
		}
		s.clock.Advance(91 * 24 * time.Hour)
		if err := s.keeper.Remove(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		if left, err := s.store.BackupRemovals(s.t.Context()); err != nil || len(left) != 0 {
			s.t.Errorf("after months %v is looked for, %v", left, err)
		}
	})
}

func TestBackupsLieInTheBucketForEveryProcess(t *testing.T) {
	server := testkit.NewBucket(t)
	s := newSafe(t, testkit.SQLiteURL(t))
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := storage.NewBucket(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.Put(t.Context(), "a.png", []byte("a picture")); err != nil {
		t.Fatal(err)
	}
	s.keeper.Backups.Bucket, s.keeper.Portal.Uploads = bucket, bucket
	for range 2 { // the second holds no backup, though the first lies beside the uploads
		if err := s.store.AskBackup(t.Context(), s.admin); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(time.Minute)
		s.run(true)
	}
	b := s.all()[0]
	if b.UploadCount != 1 || len(s.files()) != 0 {
		t.Errorf("it holds %d uploads, and on the machine lie %q", b.UploadCount, s.files())
	}
	for name, err := range bucket.Names(t.Context()) {
		if name != "a.png" || err != nil {
			t.Errorf("among the uploads is %q, %v", name, err)
		}
	}
	if err := bucket.Put(t.Context(), ".backups/x.zip", nil); err == nil {
		t.Error("an upload takes the place of a backup")
	}
	elsewhere := storage.Backups{Dir: t.TempDir(), Bucket: bucket}
	sizes, err := elsewhere.Sizes(t.Context())
	if err != nil || len(sizes) != 1 || sizes[b.File] != b.Size { // the plan keeps one of a day
		t.Errorf("from another machine there are %v, %v", sizes, err)
	}
	asking, answered := context.WithCancel(t.Context())
	file, size, err := elsewhere.Open(asking, b.File)
	answered() // as a request ends before its answer is sent
	if err != nil || size != b.Size {
		t.Fatalf("it has %d bytes, %v", size, err)
	}
	content, err := io.ReadAll(file)
	if err = errors.Join(err, file.Close()); err != nil || int64(len(content)) != size {
		t.Errorf("%d bytes come, %v", len(content), err)
	}
	fetched := filepath.Join(t.TempDir(), "portal.zip")
	if err := os.WriteFile(fetched, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if counts, _, err := backup.Test(t.Context(), fetched, t.TempDir()); err != nil || counts.Rows != b.RowCount {
		t.Errorf("it holds %+v, %v", counts, err)
	}
	if err := s.store.DeleteBackup(t.Context(), s.admin, b.ID); err != nil {
		t.Fatal(err)
	}
	server.Away(true)
	if err := s.keeper.Remove(t.Context()); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("while the bucket is away: %v", err)
	}
	server.Away(false)
	if err := s.keeper.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := elsewhere.Open(t.Context(), b.File); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a deleted one: %v", err)
	}

	// What the bucket does not take stays where it was made, and is told as failed.
	if err := s.store.AskBackup(t.Context(), s.admin); err != nil {
		t.Fatal(err)
	}
	s.keeper.Portal.Uploads = testUploads(t)
	server.Away(true)
	if did, err := s.keeper.Run(t.Context()); !did || !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("made: %t, %v", did, err)
	}
	if b := s.all()[0]; b.State != models.BackupFailed || !strings.Contains(b.Note, "stays on the machine") || len(s.files()) != 1 || s.files()[0] != b.File {
		t.Errorf("it is %+v, and on the machine lie %q", b, s.files())
	}
}

func TestADamagedBackupIsFoundOut(t *testing.T) {
	s := newSafe(t, testkit.SQLiteURL(t))
	if err := s.store.AskBackup(t.Context(), s.admin); err != nil {
		t.Fatal(err)
	}
	s.run(true)
	whole, err := os.ReadFile(filepath.Join(s.keeper.Backups.Dir, s.all()[0].File))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.zip")
	test := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		folder := t.TempDir()
		if _, _, err := backup.Test(t.Context(), path, folder); err == nil {
			t.Errorf("%s is taken for good", name)
		}
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("%s: the test leaves %v", name, left)
		}
	}
	flipped := bytes.Clone(whole)
	flipped[200] ^= 0x40
	test("one whose rows are damaged", flipped)
	test("one whose end is missing", whole[:len(whole)-100])
	test("an empty one", nil)
	upload := bytes.Index(whole, []byte("a picture"))
	damaged := bytes.Clone(whole)
	damaged[upload] = 'A'
	test("one whose picture is damaged", damaged)
}

func TestWhatCannotBeRestoredIsNoGoodBackup(t *testing.T) {
	s := newSafe(t, testkit.SQLiteURL(t))
	s.exec("PRAGMA foreign_keys = OFF")
	s.exec("INSERT INTO sessions (user_id, token_hash, created_at, seen_at, expires_at) VALUES (999, 'x', ?, ?, ?)", s.store.Now(), s.store.Now(), s.store.Now())
	s.exec("PRAGMA foreign_keys = ON")
	if err := s.store.AskBackup(t.Context(), s.admin); err != nil {
		t.Fatal(err)
	}
	if did, err := s.keeper.Run(t.Context()); !did || err == nil {
		t.Errorf("made: %t, %v", did, err)
	}
	if b := s.all()[0]; b.State != models.BackupFailed || !strings.Contains(b.Note, "cannot be restored: table \"sessions\"") || b.File == "" {
		t.Errorf("it is %+v", b)
	}
}

func TestWhatTheTestFindsIsNoted(t *testing.T) {
	s := newSafe(t, testkit.SQLiteURL(t))
	s.exec("INSERT INTO media (name, content_type, width, height, size, alt, created_at) VALUES ('lost.png', 'image/png', 1, 1, 1, '', ?)", s.store.Now())
	if err := s.store.AskBackup(t.Context(), s.admin); err != nil {
		t.Fatal(err)
	}
	s.run(true)
	if b := s.all()[0]; b.State != models.BackupGood || b.Note != "pictures without a file: 1" {
		t.Errorf("it is %+v", b)
	}
}

func TestABackupThatCannotBeWrittenIsNoted(t *testing.T) {
	s := newSafe(t, testkit.SQLiteURL(t))
	if err := os.WriteFile(s.keeper.Backups.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.store.AskBackup(t.Context(), s.admin); err != nil {
		t.Fatal(err)
	}
	if did, err := s.keeper.Run(t.Context()); !did || err == nil {
		t.Errorf("made: %t, %v", did, err)
	}
	if b := s.all()[0]; b.State != models.BackupFailed || b.Note == "" || b.File != "" {
		t.Errorf("it is %+v", b)
	}
}

func TestABackupThatAProcessLeftIsMadeByAnother(t *testing.T) {
	eachDatabase(t, func(s *safe) {
		if err := s.store.AskBackup(s.t.Context(), s.admin); err != nil {
			s.t.Fatal(err)
		}
		// A process that is told to stop gives it back at once.
		stopped, stop := context.WithCancel(s.t.Context())
		media := s.keeper
		media.Portal.Clock = func() time.Time { stop(); return s.store.Now() }
		if did, err := media.Run(stopped); did || err != nil {
			s.t.Errorf("made: %t, %v", did, err)
		}
		if b := s.all()[0]; b.State != models.BackupWaiting || b.Attempts != 0 {
			s.t.Errorf("it is %+v", b)
		}
		// One that is killed holds it until its lease ends, and leaves what it was writing.
		if _, err := s.store.ClaimBackup(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.keeper.Backups.Dir, "portal-x.zip.part-1"), nil, 0o600); err != nil {
			s.t.Fatal(err)
		}
		s.run(false)
		s.clock.Advance(3 * time.Minute)
		s.run(true)
		if b := s.all()[0]; b.State != models.BackupGood || b.Attempts != 2 || len(s.files()) != 1 {
			s.t.Errorf("it is %+v, beside %q", b, s.files())
		}
		// What ends the program each time is not tried for ever.
		if err := s.store.AskBackup(s.t.Context(), s.admin); err != nil {
			s.t.Fatal(err)
		}
		for range 3 {
			if _, err := s.store.ClaimBackup(s.t.Context()); err != nil {
				s.t.Fatal(err)
			}
			s.clock.Advance(3 * time.Minute)
		}
		s.run(false)
		if b := s.all()[0]; b.State != models.BackupFailed || b.Note == "" {
			s.t.Errorf("it is %+v", b)
		}
	})
}
