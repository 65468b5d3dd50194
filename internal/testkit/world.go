package testkit

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/models"
)

// Start is when the clock of a test stands unless the test moves it: noon in UTC on a Saturday.
var Start = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

// Clock returns a fake clock that stands at Start.
func Clock() *clock.Fake { return clock.NewFake(Start) }

// Keys are the keys that sign links in tests.
func Keys() auth.Keys { return auth.Keys{[]byte("test key of thirty-two bytes 0001")} }

// emptySQLite is the bytes of a migrated file without rows. Migrating once and copying takes a fraction of the time.
var emptySQLite = sync.OnceValues(func() (data []byte, err error) {
	dir, err := os.MkdirTemp("", "portal-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if gone := os.RemoveAll(dir); err == nil {
			err = gone
		}
	}()
	path := filepath.Join(dir, "template.db")
	if _, err := database.Migrate(context.Background(), "sqlite:"+path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLiteURL returns the address of a migrated SQLite file of the test's own, without rows.
func SQLiteURL(tb testing.TB) string {
	tb.Helper()
	data, err := emptySQLite()
	if err != nil {
		tb.Fatalf("migrating SQLite: %v", err)
	}
	path := filepath.Join(tb.TempDir(), "portal.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return "sqlite:" + path
}

// SQLite returns a store on a migrated SQLite file of the test's own, without rows.
func SQLite(tb testing.TB, now *clock.Fake) *models.Store {
	tb.Helper()
	return Open(tb, SQLiteURL(tb), now)
}

// PostgreSQL returns a store on a migrated PostgreSQL database of the test's own, without rows.
func PostgreSQL(tb testing.TB, now *clock.Fake) *models.Store {
	tb.Helper()
	return Open(tb, PostgresURL(tb), now)
}

// EachDatabase runs a test twice, as two subtests: with a store on SQLite, and with one on PostgreSQL. Both are
// migrated and without rows, and their clock stands at Start.
func EachDatabase(t *testing.T, test func(t *testing.T, store *models.Store, now *clock.Fake)) {
	t.Helper()
	for _, db := range []struct {
		name string
		url  func(testing.TB) string
	}{
		{"SQLite", SQLiteURL},
		{"PostgreSQL", PostgresURL},
	} {
		t.Run(db.name, func(t *testing.T) {
			now := Clock()
			test(t, Open(t, db.url(t), now), now)
		})
	}
}

// PostgresURL returns the address of a migrated PostgreSQL database of the test's own, without rows.
func PostgresURL(tb testing.TB) string {
	tb.Helper()
	return PostgresTemplate(tb, "portal", func(url string) error {
		_, err := database.Migrate(context.Background(), url)
		return err
	})
}

// opened finds the database under a store.
var opened sync.Map // *models.Store → under

type under struct {
	db  *database.DB
	url string
}

// Open returns a store on the database at an address, for as long as the test runs.
func Open(tb testing.TB, url string, now *clock.Fake) *models.Store {
	tb.Helper()
	db, err := database.Open(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	if db.SQLite() {
		if err := db.Writer.Exec("PRAGMA synchronous = OFF").Error; err != nil { // no test of a store pulls the plug
			tb.Fatal(err)
		}
	}
	store := models.NewStore(db.Reader, db.Writer, now.Clock(), Keys())
	opened.Store(store, under{db, url})
	tb.Cleanup(func() {
		opened.Delete(store)
		if err := db.Close(); err != nil {
			tb.Errorf("closing the database: %v", err)
		}
	})
	return store
}

// Beside returns another store on the database of a store, as a second process has it.
func Beside(tb testing.TB, store *models.Store) *models.Store {
	tb.Helper()
	return Open(tb, beneath(tb, store).url, clock.NewFake(store.Now()))
}

// DB returns the writing handle under a store, for what a test must see or do behind its back.
func DB(tb testing.TB, store *models.Store) *gorm.DB {
	tb.Helper()
	return beneath(tb, store).db.Writer.WithContext(tb.Context())
}

func beneath(tb testing.TB, store *models.Store) under {
	tb.Helper()
	found, ok := opened.Load(store)
	if !ok {
		tb.Fatal("the store was not opened by testkit")
	}
	return found.(under) //nolint:errcheck // the map holds nothing else
}

// Dump returns every row of every table save goose's, the content's version and the search index of SQLite, a line each: "posts id=1 slug=x …".
// Two dumps are equal when nothing was changed in between.
func Dump(tb testing.TB, store *models.Store) []string {
	tb.Helper()
	db := DB(tb, store)
	tables, err := db.Migrator().GetTables()
	if err != nil {
		tb.Fatal(err)
	}
	slices.Sort(tables)
	var lines []string
	for _, table := range tables {
		if strings.HasPrefix(table, "goose_") || table == "content_version" || strings.HasPrefix(table, "sqlite_") || strings.HasPrefix(table, "search_index") {
			continue
		}
		var rows []map[string]any
		if err := db.Table(table).Find(&rows).Error; err != nil {
			tb.Fatal(err)
		}
		first := len(lines)
		for _, row := range rows {
			words := []string{table}
			for _, column := range slices.Sorted(maps.Keys(row)) {
				words = append(words, fmt.Sprintf("%s=%v", column, row[column]))
			}
			lines = append(lines, strings.Join(words, " "))
		}
		slices.Sort(lines[first:])
	}
	return lines
}
