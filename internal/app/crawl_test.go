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
	from string
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
		pages = append(pages, crawled{v.path, body, v.from})
		for _, link := range testkit.Parse(t, body).Links() {
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

func TestEveryLinkLeadsSomewhereAndEveryPageSaysWhatItIs(t *testing.T) {
	p := serve(t)
	pages := crawl(t, p)
	if len(pages) < 80 {
		t.Errorf("the crawl met only %d pages", len(pages))
	}
	titles := map[string]string{}
	for _, page := range pages {
		doc := testkit.Parse(t, page.body)
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
}

func TestPagesPassTheNuChecker(t *testing.T) {
	p := serve(t)
	files := map[string][]byte{}
	for _, page := range crawl(t, p) {
		files[strings.NewReplacer("/", "_", "?", "-", "=", "-", "&", "-").Replace(page.path)+".html"] = page.body
	}
	for _, path := range []string{"/nothing-here", "/events/lagos-build-cost-workshop/register", "/search?q=" + url.QueryEscape(`<b>"tekton`)} {
		_, body := p.get(t, path)
		files["extra_"+url.QueryEscape(path)+".html"] = body
	}
	testkit.CheckHTML(t, files)
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

func TestBrowserFindsNothingInaccessibleInLightAndDark(t *testing.T) {
	p := serve(t)
	b := testkit.NewBrowser(t)
	b.AllowConsole("status of 404")
	b.AllowConsole("status of 409")
	for _, path := range append(kinds(crawl(t, p)), "/nothing-here", "/events/lagos-build-cost-workshop/register") {
		for _, dark := range []bool{false, true} {
			b.EmulateDark(dark)
			b.Open(p.URL + path)
			for _, violation := range b.Axe() {
				t.Errorf("%s (dark: %t): %s", path, dark, violation)
			}
		}
	}
}
