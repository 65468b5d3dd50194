package archtest

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	testName = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	fileName = regexp.MustCompile("`((?:handlers|models|internal)/[a-z0-9_/]+\\.go)`")
	testFunc = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
)

func TestWhatSECURITYNamesIsThere(t *testing.T) {
	root := os.DirFS("../..")
	text, err := fs.ReadFile(root, ".github/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, folder := range []string{"handlers", "models", "internal", "static"} {
		err := fs.WalkDir(root, folder, func(name string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".go") {
				return err
			}
			known[name] = true
			if !strings.HasSuffix(name, "_test.go") {
				return nil
			}
			code, err := fs.ReadFile(root, name)
			for _, found := range testFunc.FindAllSubmatch(code, -1) {
				known[string(found[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	named := append(testName.FindAllSubmatch(text, -1), fileName.FindAllSubmatch(text, -1)...)
	if len(named) < 100 {
		t.Errorf("it names %d tests and files only", len(named))
	}
	for _, name := range named {
		if !known[string(name[1])] {
			t.Errorf("%s is named but not there", name[1])
		}
	}
}
