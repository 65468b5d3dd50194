package database_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/testkit"
)

// eachFilled runs a test on both databases with what makes an empty one, and with the migrations that there are.
func eachFilled(t *testing.T, test func(t *testing.T, empty func(t *testing.T) string, all []database.Migration)) {
	t.Helper()
	for name, empty := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { t.Helper(); return "sqlite:" + filepath.Join(t.TempDir(), "portal.db") },
		"PostgreSQL": func(t *testing.T) string { t.Helper(); return testkit.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := database.Migrations(t.Context(), empty(t))
			if err != nil || len(all) < 2 {
				t.Fatalf("%d migrations, %v", len(all), err)
			}
			test(t, empty, all)
		})
	}
}

// filled migrates an empty database up to a version and fills it with the rows of a portal in use.
func filled(t *testing.T, url string, version int64) string {
	t.Helper()
	if err := database.MigrateTo(t.Context(), url, version); err != nil {
		t.Fatal(err)
	}
	rows, err := os.ReadFile("testdata/rows.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := exec(t, url, string(rows)); err != nil {
		t.Fatalf("rows at %d: %v", version, err)
	}
	return url
}

func exec(t *testing.T, url, statements string) error {
	t.Helper()
	return testkit.DB(t, testkit.Open(t, url, testkit.Clock())).Exec(statements).Error
}

// everything is every row of a database.
func everything(t *testing.T, url string) []string {
	t.Helper()
	return testkit.Dump(t, testkit.Open(t, url, testkit.Clock()))
}

// told are the rows of a database that was filled at a version, without what two migrations do to old rows and no new row gets:
// that is checked here.
func told(t *testing.T, url string, from int64) (lines []string) {
	t.Helper()
	for _, line := range everything(t, url) {
		switch {
		case strings.HasPrefix(line, "audit_entries ") && strings.Contains(line, "action=user.name"):
			if named := strings.Contains(line, "before_value=Benjamin"); named != (from >= 6) {
				t.Errorf("names in the audit log: %s", line)
			}
			continue
		case strings.HasPrefix(line, "sessions "):
			if proved := strings.Contains(line, "proved_at=2026-11-01 08:00:00"); proved != (from < 8) {
				t.Errorf("when a session was proved: %s", line)
			}
			line = regexp.MustCompile(`proved_at=\S+ \S+ \S+ \S+ `).ReplaceAllString(line, "")
		case strings.HasPrefix(line, "post_counts ") && strings.Contains(line, "posts=0"):
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// same fails unless a database that was migrated holds what one holds that was filled at the newest schema.
func same(t *testing.T, url string, from int64, want []string) {
	t.Helper()
	got := told(t, url, from)
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("from %d there is\n%s", from, line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("from %d there is no\n%s", from, line)
		}
	}
	store := testkit.Open(t, url, testkit.Clock())
	if broken, err := store.Invariants(t.Context()); err != nil || len(broken) > 0 {
		t.Errorf("from %d: %q, %v", from, broken, err)
	}
	var counted []string
	if err := testkit.DB(t, store).Raw(`SELECT list || ' ' || object_id || ' ' || posts FROM post_counts WHERE posts <> 0 ORDER BY 1`).Scan(&counted).Error; err != nil {
		t.Fatal(err)
	}
	if want := []string{"all 0 3", "byline 1 3", "byline 2 1", "category 1 2", "tag 1 2", "tag 2 2"}; !slices.Equal(counted, want) {
		t.Errorf("from %d the lists count %q, want %q", from, counted, want)
	}
}

func TestAFilledDatabaseOfEverySchemaBecomesTheNewest(t *testing.T) {
	t.Parallel()
	eachFilled(t, func(t *testing.T, empty func(t *testing.T) string, all []database.Migration) {
		newest := all[len(all)-1].Version
		want := told(t, filled(t, empty(t), newest), newest)
		for _, from := range all {
			url := filled(t, empty(t), from.Version)
			applied, err := database.Migrate(t.Context(), url)
			if err != nil || len(applied) != int(newest-from.Version) {
				t.Fatalf("from %d: %d were applied, %v", from.Version, len(applied), err)
			}
			same(t, url, from.Version, want)
		}
	})
}

// made finds what a migration makes that cannot be made beside a table of its name.
var made = regexp.MustCompile(`(?m)^CREATE (?:UNIQUE |VIRTUAL |UNLOGGED )*(?:TABLE|INDEX) (\w+)`)

func TestAMigrationThatBreaksOffLeavesNothingAndCanBeRepeated(t *testing.T) {
	t.Parallel()
	eachFilled(t, func(t *testing.T, empty func(t *testing.T) string, all []database.Migration) {
		newest, total := all[len(all)-1].Version, 0
		want := told(t, filled(t, empty(t), newest), newest)
		for _, from := range all[:len(all)-1] {
			url := filled(t, empty(t), from.Version)
			folder := "postgres"
			if strings.HasPrefix(url, "sqlite:") {
				folder = "sqlite"
			}
			broken := 0
			for _, next := range all[from.Version:] {
				text, err := os.ReadFile(filepath.Join("migrations", folder, next.Name))
				if err != nil {
					t.Fatal(err)
				}
				names := made.FindAllSubmatch(text, -1)
				last := len(names) - 1
				for last >= 0 && exec(t, url, "CREATE TABLE "+string(names[last][1])+" (obstacle integer)") != nil {
					last-- // it is made anew: the name is taken already
				}
				if last < 0 {
					continue // it makes nothing that something could be in the way of
				}
				broken++
				before := everything(t, url)
				if _, err := database.Migrate(t.Context(), url); err == nil {
					t.Fatalf("from %d: %s went over an obstacle", from.Version, next.Name)
				}
				states, err := database.Migrations(t.Context(), url)
				if err != nil || states[next.Version-2].Applied.IsZero() || !states[next.Version-1].Applied.IsZero() {
					t.Fatalf("from %d, broken off in %s: %+v, %v", from.Version, next.Name, states, err)
				}
				if next.Version == from.Version+1 && !slices.Equal(everything(t, url), before) {
					t.Errorf("from %d, broken off in %s: rows were changed", from.Version, next.Name)
				}
				if err := exec(t, url, "DROP TABLE "+string(names[last][1])); err != nil {
					t.Fatal(err)
				}
			}
			total += broken
			if _, err := database.Migrate(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			same(t, url, from.Version, want)
		}
		// Most make something from each schema before them.
		if total < len(all)*len(all)/4 {
			t.Errorf("only %d migrations were broken off", total)
		}
	})
}

func TestOfMigrationsStartedTogetherEachIsAppliedOnce(t *testing.T) {
	t.Parallel()
	eachFilled(t, func(t *testing.T, empty func(t *testing.T) string, all []database.Migration) {
		for _, from := range []int{0, 1, len(all) - 1} {
			url := empty(t)
			if from > 0 {
				url = filled(t, url, int64(from))
			}
			var applied sync.Map
			var together sync.WaitGroup
			for range 3 {
				together.Go(func() {
					done, err := database.Migrate(t.Context(), url)
					if err != nil {
						t.Errorf("from %d: %v", from, err)
					}
					for _, m := range done {
						if _, twice := applied.LoadOrStore(m.Version, true); twice {
							t.Errorf("from %d: %s was applied twice", from, m.Name)
						}
					}
				})
			}
			together.Wait()
			for _, m := range all[from:] {
				if _, ok := applied.Load(m.Version); !ok {
					t.Errorf("from %d: nobody applied %s", from, m.Name)
				}
			}
		}
	})
}
