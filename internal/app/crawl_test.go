package app_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/testkit"
)

// crawled is a page that a crawl met.
type crawled struct {
	path string
	body []byte
	doc  *testkit.Doc
}

// crawl follows every link of the site from / and returns its pages. It fails on what answers neither 200 nor a
// redirect, and on a redirect that is linked to.
func crawl(t *testing.T, p *portal) []crawled {
	t.Helper()
	type visit struct{ path, from string }
	queue := []visit{{"/", "the start"}}
	seen := map[string]bool{"/": true}
	var pages []crawled
	for len(queue) > 0 {
		v := queue[0]
		queue = queue[1:]
		response, body := p.get(t, v.path)
		if response.StatusCode != http.StatusOK && (response.StatusCode != http.StatusSeeOther || !strings.HasSuffix(v.path, "/register")) &&
			(response.StatusCode != http.StatusConflict || !strings.HasSuffix(v.path, "/register")) {
			t.Errorf("%s answers %d; linked from %s", v.path, response.StatusCode, v.from)
			continue
		}
		if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
			continue
		}
		doc := testkit.Parse(t, body)
		pages = append(pages, crawled{v.path, body, doc})
		for _, link := range doc.Links() {
			u, err := url.Parse(link)
			if err != nil {
				t.Errorf("%s has a link that is none: %q", v.path, link)
				continue
			}
			if u.Host != "" && u.Scheme+"://"+u.Host != p.URL || u.Scheme != "" && u.Host == "" {
				continue // another site, or a mail address
			}
			if u.Path == "" {
				continue // a place on this page, or a query of it
			}
			next := u.EscapedPath()
			if u.RawQuery != "" {
				next += "?" + u.RawQuery
			}
			if !seen[next] && strings.HasPrefix(next, "/") {
				seen[next] = true
				queue = append(queue, visit{next, v.path})
			}
		}
	}
	return pages
}

// kinds are addresses of which each stands for one template.
func kinds(pages []crawled) []string {
	var kinds []string
	patterns := map[string]bool{}
	for _, page := range pages {
		path, _, _ := strings.Cut(page.path, "?")
		parts := strings.Split(path, "/")
		if len(parts) > 2 {
			parts[len(parts)-1] = "*"
		}
		if len(parts) > 3 && parts[3] == "register" {
			parts[2] = "*"
		}
		if pattern := strings.Join(parts, "/"); !patterns[pattern] {
			patterns[pattern] = true
			kinds = append(kinds, page.path)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// inaccessible is what axe-core finds in the page that the browser shows, in light and dark colours. In the dark nothing but
// colours differs.
func inaccessible(b *testkit.Browser) []testkit.Violation {
	b.EmulateDark(false)
	found := b.Axe()
	b.EmulateDark(true)
	return append(found, testkit.Eval[[]testkit.Violation](b,
		`axe.run({runOnly: ["color-contrast"], resultTypes: ["violations"]}).then(r => r.violations)`)...)
}

// extra are pages that no link leads to.
var extra = []string{"/nothing-here", "/events/lagos-build-cost-workshop/register", "/search?q=" + url.QueryEscape(`<b>"tekton`)}

func TestBrowserFindsNothingWrongWithAnyPage(t *testing.T) {
	t.Parallel()
	p := serve(t)
	pages := crawl(t, p)
	t.Run("every link leads somewhere and every page says what it is", func(t *testing.T) {
		if len(pages) < 80 {
			t.Errorf("the crawl met only %d pages", len(pages))
		}
		titles := map[string]string{}
		for _, page := range pages {
			doc := page.doc
			title, description := doc.Text("head title"), doc.Attr(`meta[name="description"]`, "content")
			if title == "" || description == "" || doc.Count("h1") != 1 || doc.Text("h1") == "" {
				t.Errorf("%s: title %q, description %q, %d h1; want one of each", page.path, title, description, doc.Count("h1"))
			}
			path, _, _ := strings.Cut(page.path, "?")
			if other, taken := titles[title]; taken && other != path {
				t.Errorf("%s and %s have one title: %q", page.path, other, title)
			}
			titles[title] = path
			if doc.Count("[style], style, [onclick], script:not([src]):not([type='application/ld+json'])") > 0 {
				t.Errorf("%s has an inline style or script, which the content security policy forbids", page.path)
			}
		}
	})
	t.Run("the Nu checker", func(t *testing.T) {
		t.Parallel()
		sources := map[string][]byte{}
		for _, page := range pages {
			sources[page.path] = page.body
		}
		for _, path := range extra {
			_, sources[path] = p.get(t, path)
		}
		testkit.CheckHTML(t, sources)
	})
	t.Run("axe", func(t *testing.T) {
		t.Parallel()
		b := testkit.NewBrowser(t)
		b.AllowConsole("status of 404")
		b.AllowConsole("status of 409")
		for _, path := range append(kinds(pages), extra...) {
			b.Open(p.URL + path)
			for _, violation := range inaccessible(b) {
				t.Errorf("%s: %s", path, violation)
			}
		}
	})
}
