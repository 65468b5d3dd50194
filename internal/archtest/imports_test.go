// Package archtest holds the code to its own plan: who may import whom, which
// library lives where, which files come in pairs.
package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/cdfoundation/portal/"

// mayImport lists, for each room, the rooms that it may import. A room without a
// row may import nothing of ours. "*" is every room but those that nobody
// imports: cmd, internal/app, internal/testkit and internal/archtest.
var mayImport = map[string][]string{
	"cmd/portal":        {"internal/app"},
	"internal/app":      {"*"},
	"handlers":          {"*"},
	"models":            {"internal/slug", "internal/paging", "internal/clock", "internal/auth", "internal/markdown"},
	"internal/feed":     {"models", "internal/links"},
	"internal/calendar": {"models", "internal/links"},
	"internal/backup":   {"models", "internal/database", "internal/storage", "internal/clock"},
	"internal/jobs": {
		"models", "internal/backup", "internal/storage", "templates", "internal/mail", "internal/markdown", "internal/calendar",
		"internal/artwork", "internal/auth", "internal/links", "internal/clock",
	},
	"internal/importer": {"models", "internal/markdown", "internal/slug", "internal/links"},
	"internal/exporter": {"models", "internal/markdown", "internal/slug", "internal/links"},
	"internal/testkit":  {"*"},
}

// mayNotImport takes rooms out of a "*".
var mayNotImport = map[string][]string{
	"handlers": {"internal/backup", "internal/database", "internal/jobs"},
}

// imports of nobody, unless a row of mayImport names them.
var private = []string{"cmd/portal", "internal/app", "internal/testkit", "internal/archtest"}

// onlyIn lists, for what is not ours, the rooms that may import it. A path ends
// in a slash where it means everything below it too.
var onlyIn = map[string][]string{
	"github.com/gofiber/":                 {"handlers", "internal/bench"},
	"github.com/valyala/fasthttp/":        {"handlers"},
	"gorm.io/":                            {"models", "internal/database", "internal/testkit"},
	"database/sql":                        {"models", "internal/database", "internal/testkit"},
	"github.com/jackc/":                   {"models", "internal/database", "internal/testkit"},
	"github.com/mattn/go-sqlite3/":        {"models", "internal/database"},
	"github.com/pressly/goose/":           {"internal/database"},
	"html/template":                       {"handlers", "templates"},
	"net/smtp":                            {},
	"github.com/wneessen/":                {"internal/mail"},
	"github.com/minio/":                   {"internal/storage"},
	"github.com/johannesboyne/":           {"internal/testkit"},
	"github.com/yuin/":                    {"internal/markdown"},
	"github.com/microcosm-cc/bluemonday":  {"internal/markdown"},
	"github.com/gorilla/feeds":            {"internal/feed"},
	"go.opentelemetry.io/otel/sdk/":       {"internal/app"},
	"go.opentelemetry.io/otel/exporters/": {"internal/app"},
	"github.com/alecthomas/kong":          {"internal/app", "internal/config"},
	"github.com/chromedp/":                {"internal/testkit"},
	"testing":                             {"internal/testkit"},
}

// never lists what a room must not import although others may.
var never = map[string][]string{
	"models": {"net/http"},
}

func TestImportsFollowThePlan(t *testing.T) {
	imports := readImports(t, "../..")
	if len(imports) == 0 {
		t.Fatal("found no package: the test looks in the wrong place")
	}
	for _, fault := range faults(imports) {
		t.Error(fault)
	}
}

func TestWhatBreaksThePlanIsFound(t *testing.T) {
	for _, tt := range []struct {
		name, from, to string
		want           bool
	}{
		{"main starts the program", "cmd/portal", module + "internal/app", false},
		{"main knows the models", "cmd/portal", module + "models", true},
		{"a page asks a model", "handlers", module + "models", false},
		{"a page opens the database", "handlers", module + "internal/database", true},
		{"a page calls the program", "handlers", module + "internal/app", true},
		{"a model renders Markdown", "models", module + "internal/markdown", false},
		{"a model sends mail", "models", module + "internal/mail", true},
		{"a model speaks HTTP", "models", "net/http", true},
		{"a leaf knows another leaf", "internal/slug", module + "internal/paging", true},
		{"a leaf knows models", "internal/database", module + "models", true},
		{"a room's folder uses the room", "internal/artwork/fonts", module + "internal/artwork", false},
		{"a room's folder has the room's rights", "internal/feed/rss", module + "models", false},
		{"a room uses its folder", "internal/artwork", module + "internal/artwork/fonts", false},
		{"the program uses the test kit", "internal/app", module + "internal/testkit", true},
		{"the program uses the handlers", "internal/app", module + "handlers", false},
		{"a leaf that is new knows models", "internal/brandnew", module + "models", true},
		{"Fiber in a page", "handlers", "github.com/gofiber/fiber/v2", false},
		{"Fiber in a job", "internal/jobs", "github.com/gofiber/fiber/v2/utils", true},
		{"GORM in a page", "handlers", "gorm.io/gorm", true},
		{"SQL in a page", "handlers", "database/sql", true},
		{"SQL values in a page", "handlers", "database/sql/driver", false},
		{"HTML templates in a feed", "internal/feed", "html/template", true},
		{"mail by the standard library", "internal/mail", "net/smtp", true},
		{"a program that tests", "internal/app", "testing", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := faults(map[string][]string{tt.from: {tt.to}})
			if (len(found) > 0) != tt.want {
				t.Errorf("faults = %q, want some: %t", found, tt.want)
			}
		})
	}
}

// faults returns a line for each import that the plan does not allow. Packages
// are named by their folder below the root, imports by their full path.
func faults(imports map[string][]string) (found []string) {
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		for _, to := range imports[from] {
			if ours, ok := strings.CutPrefix(to, module); ok {
				if !allowed(room(from), room(ours)) {
					found = append(found, fmt.Sprintf("%s imports %s: %s may import %v of ours", from, ours, room(from), mayImport[room(from)]))
				}
				continue
			}
			for _, pattern := range slices.Sorted(maps.Keys(onlyIn)) {
				if matches(pattern, to) && !slices.Contains(onlyIn[pattern], room(from)) {
					found = append(found, fmt.Sprintf("%s imports %s: only %v may", from, to, onlyIn[pattern]))
				}
			}
			if slices.Contains(never[room(from)], to) {
				found = append(found, fmt.Sprintf("%s imports %s: it must not", from, to))
			}
		}
	}
	return found
}

func allowed(from, to string) bool {
	if from == to || slices.Contains(mayImport[from], to) {
		return true
	}
	return slices.Contains(mayImport[from], "*") &&
		!slices.Contains(mayNotImport[from], to) && !slices.Contains(private, to)
}

// room is the part of a package's folder that the plan speaks of: the top folder,
// and one more below cmd and internal.
func room(folder string) string {
	parts := strings.SplitN(folder, "/", 3)
	if (parts[0] == "cmd" || parts[0] == "internal") && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

func matches(pattern, importPath string) bool {
	return importPath == strings.TrimSuffix(pattern, "/") ||
		strings.HasSuffix(pattern, "/") && strings.HasPrefix(importPath, pattern)
}

// readImports returns what each package below root imports directly, by its
// files that are not tests. The linters' module is not the program's.
func readImports(t *testing.T, root string) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			hidden := strings.HasPrefix(name, ".") && file != root
			if hidden || name == "testdata" || name == "node_modules" || filepath.ToSlash(file) == path.Join(root, "internal/tools") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		folder = filepath.ToSlash(folder)
		imports[folder] = slices.Clip(imports[folder])
		for _, spec := range parsed.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports[folder] = append(imports[folder], to)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return imports
}
