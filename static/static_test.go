package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func open(t *testing.T, name string) Asset {
	t.Helper()
	a, ok := Open(Path(name))
	if !ok {
		t.Fatalf("Open(Path(%q)) finds nothing", name)
	}
	return a
}

func TestEveryAssetHasATypeATagAndAHashedAddress(t *testing.T) {
	hashed := regexp.MustCompile(`^/static/[a-z0-9/-]+\.[0-9a-f]{12}\.[a-z0-9]+$`)
	for _, name := range Names() {
		address := Path(name)
		if !hashed.MatchString(strings.Replace(address, "LICENSE", "license", 1)) {
			t.Errorf("the address of %s is %s", name, address)
		}
		a := open(t, name)
		if a.ContentType == "" || len(a.ETag) < 10 || len(a.Bytes) == 0 {
			t.Errorf("%s: type %q, tag %q, %d bytes", name, a.ContentType, a.ETag, len(a.Bytes))
		}
	}
}

func TestAnUnknownAddressIsNotFound(t *testing.T) {
	for _, address := range []string{"", "/static/main.css", "/static/main.000000000000.css", "main.css", "/static/../static.go"} {
		if _, ok := Open(address); ok {
			t.Errorf("Open(%q) finds something", address)
		}
	}
}

func TestAnUnknownNamePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Path of an unknown name returned")
		}
	}()
	Path("nothing.css")
}

func TestStyleSheetsPointToHashedFonts(t *testing.T) {
	refs := regexp.MustCompile(`url\(([^)]*)\)`).FindAllSubmatch(open(t, "main.css").Bytes, -1)
	if len(refs) < 8 {
		t.Fatalf("main.css has %d references", len(refs))
	}
	for _, ref := range refs {
		if _, ok := Open(string(ref[1])); !ok {
			t.Errorf("main.css asks for %s, which cannot be opened", ref[1])
		}
	}
}

func TestCompressedFormsUnpackToTheSameBytes(t *testing.T) {
	for _, name := range []string{"main.css", "desk.css", "js/editor.js", "img/world.svg"} {
		a := open(t, name)
		gz, err := gzip.NewReader(bytes.NewReader(a.Gzip()))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for form, r := range map[string]io.Reader{"gzip": gz, "brotli": brotli.NewReader(bytes.NewReader(a.Brotli()))} {
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, a.Bytes) {
				t.Errorf("%s by %s: %d bytes, want %d (%v)", name, form, len(got), len(a.Bytes), err)
			}
		}
	}
}

func TestPackedFormatsAreNotPackedAgain(t *testing.T) {
	for _, name := range []string{"fonts/figtree-latin.woff2", "img/icon-192.png"} {
		if a := open(t, name); a.Gzip() != nil || a.Brotli() != nil {
			t.Errorf("%s has a compressed form", name)
		}
	}
}

func TestAPageStaysWithinItsWeight(t *testing.T) {
	const kilobyte = 1024
	size := func(names ...string) (sum int) {
		for _, name := range names {
			a := open(t, name)
			if packed := a.Gzip(); packed != nil {
				sum += len(packed)
				continue
			}
			sum += len(a.Bytes)
		}
		return sum
	}
	var scripts []string
	for _, name := range Names() {
		if strings.HasPrefix(name, "js/") {
			scripts = append(scripts, name)
			if n := size(name); n > 2*kilobyte {
				t.Errorf("%s has %d bytes compressed, want at most 2 KB", name, n)
			}
		}
	}
	sans, serif := "fonts/figtree-latin.woff2", "fonts/source-serif-4-latin.woff2"
	for _, tt := range []struct {
		what  string
		names []string
		most  int
	}{
		{"the style sheet of public pages", []string{"main.css"}, 15 * kilobyte},
		{"all scripts together", scripts, 15 * kilobyte},
		{"the fonts of a page", []string{sans, serif}, 75 * kilobyte},
		{"the fonts of a post with italics and code", []string{sans, serif, "fonts/source-serif-4-latin-italic.woff2", "fonts/jetbrains-mono-latin.woff2"}, 130 * kilobyte},
	} {
		if n := size(tt.names...); n > tt.most {
			t.Errorf("%s: %d bytes, at most %d", tt.what, n, tt.most)
		}
	}
}

func TestEveryRuleStandsInALayer(t *testing.T) {
	for _, name := range []string{"main.css", "desk.css"} {
		css := string(open(t, name).Bytes)
		if opened, closed := strings.Count(css, "{"), strings.Count(css, "}"); opened != closed {
			t.Errorf("%s has %d opening and %d closing braces", name, opened, closed)
		}
		depth := 0
		for line := range strings.Lines(css) {
			if depth == 0 && strings.Contains(line, "{") && !strings.HasPrefix(line, "@layer") && !strings.HasPrefix(line, "@font-face") {
				t.Errorf("%s has a rule outside of the layers: %s", name, line)
			}
			depth += strings.Count(line, "{") - strings.Count(line, "}")
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s := &set{paths: map[string]string{}, byPath: map[string]Asset{}}
		for _, name := range list("fonts/*") {
			s.add(name, read(name))
		}
		s.add("main.css", s.sheet("css/main.css", "css/components/*.css", "css/pages/*.css"))
	}
}
