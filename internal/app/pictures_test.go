package app_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/testkit"
)

// TestBrowserPictures takes the pictures that people look at: one page of every template at three widths in both
// schemes. It checks nothing, so it runs only where the pictures are kept: `make browser`.
func TestBrowserPictures(t *testing.T) {
	if kept := flag.Lookup("test.artifacts"); kept == nil || kept.Value.String() != "true" {
		t.Skip("pictures are taken by `make browser`")
	}
	p := serve(t)
	paths := kinds(crawl(t, p))
	b := testkit.NewBrowser(t)
	for _, status := range []string{"403", "404", "409", "410"} {
		b.AllowConsole("status of " + status)
	}
	paths = append(paths, "/nothing-here", "/search?q=tekton", "/search?q=zzzz", "/events/lagos-build-cost-workshop/register", "/events/krakow-supply-chain-hackathon")
	for _, path := range paths {
		name := strings.Trim(strings.NewReplacer("/", "_", "?", "-", "=", "-", "&", "-").Replace(path), "_")
		if name == "" {
			name = "home"
		}
		b.Open(p.URL + path)
		for _, width := range []int{390, 768, 1440} {
			for _, scheme := range []string{"light", "dark"} {
				b.Screenshot(filepath.Join(t.ArtifactDir(), fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), width, 900, scheme == "dark")
			}
		}
	}
}
