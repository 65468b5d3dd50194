package archtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEveryMigrationIsThereForBothDatabases(t *testing.T) {
	root := os.DirFS("../..")
	if _, err := fs.Stat(root, "internal/database"); errors.Is(err, fs.ErrNotExist) {
		return // without the package there is no schema to hold to anything
	}
	for _, fault := range migrationFaults(t, root) {
		t.Error(fault)
	}
}

func TestAMigrationThatIsAloneOrMisnumberedIsFound(t *testing.T) {
	const folder = "internal/database/migrations/"
	for _, tt := range []struct {
		name  string
		files []string
		want  string
	}{
		{"pairs are right", []string{"sqlite/0001_start.sql", "postgres/0001_start.sql"}, ""},
		{"nothing at all", nil, "no migrations"},
		{"SQLite only", []string{"sqlite/0001_start.sql"}, "0001_start.sql is missing in postgres"},
		{"PostgreSQL only", []string{"postgres/0001_start.sql"}, "0001_start.sql is missing in sqlite"},
		{"a gap", []string{"sqlite/0001_a.sql", "postgres/0001_a.sql", "sqlite/0003_c.sql", "postgres/0003_c.sql"}, "0003_c.sql should have the number 0002"},
		{"a number twice", []string{"sqlite/0001_a.sql", "postgres/0001_a.sql", "sqlite/0001_b.sql", "postgres/0001_b.sql"}, "0001_b.sql should have the number 0002"},
		{"a name of another form", []string{"sqlite/1-start.sql", "postgres/1-start.sql"}, "1-start.sql is not named like 0001_what_it_does.sql"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := fstest.MapFS{"go.mod": {}}
			for _, file := range tt.files {
				root[folder+file] = &fstest.MapFile{}
			}
			got := strings.Join(migrationFaults(t, root), "\n")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("faults = %q, want %q", got, tt.want)
			}
		})
	}
}

var migrationName = regexp.MustCompile(`^\d{4}_[a-z0-9_]+\.sql$`)

func migrationFaults(t *testing.T, root fs.FS) (faults []string) {
	t.Helper()
	files := map[string][]string{}
	for _, kind := range []string{"sqlite", "postgres"} {
		paths, err := fs.Glob(root, "internal/database/migrations/"+kind+"/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			files[kind] = append(files[kind], p[strings.LastIndexByte(p, '/')+1:])
		}
	}
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(files["sqlite"], files["postgres"]))))
	if len(all) == 0 {
		return []string{"no migrations in internal/database/migrations/{sqlite,postgres}"}
	}
	for i, name := range all {
		if !migrationName.MatchString(name) {
			faults = append(faults, name+" is not named like 0001_what_it_does.sql")
		} else if number := fmt.Sprintf("%04d", i+1); !strings.HasPrefix(name, number) {
			faults = append(faults, fmt.Sprintf("%s should have the number %s", name, number))
		}
		for _, kind := range []string{"sqlite", "postgres"} {
			if !slices.Contains(files[kind], name) {
				faults = append(faults, fmt.Sprintf("%s is missing in %s", name, kind))
			}
		}
	}
	return faults
}
