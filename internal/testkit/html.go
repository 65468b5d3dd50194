package testkit

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
)

// Doc is a parsed page, or a part of one, that answers questions. A question is
// a CSS selector; one that is not well formed ends the test.
type Doc struct {
	tb   testing.TB
	root *html.Node
}

// Parse reads a page as a browser does, which repairs what is not well formed:
// CheckHTML is for finding that.
func Parse(tb testing.TB, body []byte) *Doc {
	tb.Helper()
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		tb.Fatalf("parsing HTML: %v", err)
	}
	return &Doc{tb: tb, root: root}
}

// Has reports whether anything matches.
func (d *Doc) Has(selector string) bool {
	d.tb.Helper()
	return d.first(selector) != nil
}

// Count returns how many elements match.
func (d *Doc) Count(selector string) int {
	d.tb.Helper()
	return len(d.All(selector))
}

// Text returns the text of the first match with runs of white space made one
// space, and "" when nothing matches.
func (d *Doc) Text(selector string) string {
	d.tb.Helper()
	if n := d.first(selector); n != nil {
		return text(n)
	}
	return ""
}

// Texts returns the text of every match, in the order of the page.
func (d *Doc) Texts(selector string) []string {
	d.tb.Helper()
	var texts []string
	for _, match := range d.All(selector) {
		texts = append(texts, text(match.root))
	}
	return texts
}

// Attr returns an attribute of the first match, and "" when nothing matches or
// the match has none; a selector such as a[download] tells these apart.
func (d *Doc) Attr(selector, name string) string {
	d.tb.Helper()
	if n := d.first(selector); n != nil {
		return attr(n, name)
	}
	return ""
}

// All returns every match, each to be asked further questions. Those search
// below the match; its own attributes and text are at the selector ":scope".
func (d *Doc) All(selector string) []*Doc {
	d.tb.Helper()
	var docs []*Doc
	for _, n := range cascadia.QueryAll(d.root, d.compile(selector)) {
		docs = append(docs, &Doc{tb: d.tb, root: n})
	}
	return docs
}

// Links returns every address that the page points at, each once, in the order
// of the page and as written: links, images, scripts, style sheets, forms.
func (d *Doc) Links() []string {
	var links []string
	for n := range d.root.Descendants() {
		for _, a := range n.Attr {
			switch a.Key {
			case "href", "src", "action", "formaction", "poster":
				links = append(links, a.Val)
			case "srcset", "imagesrcset":
				for candidate := range strings.SplitSeq(a.Val, ",") {
					if fields := strings.Fields(candidate); len(fields) > 0 {
						links = append(links, fields[0])
					}
				}
			}
		}
	}
	var once []string
	for _, link := range links {
		if !slices.Contains(once, link) {
			once = append(once, link)
		}
	}
	return once
}

func (d *Doc) first(selector string) *html.Node {
	d.tb.Helper()
	if selector == ":scope" {
		return d.root
	}
	return cascadia.Query(d.root, d.compile(selector))
}

func (d *Doc) compile(selector string) cascadia.SelectorGroup {
	d.tb.Helper()
	group, err := cascadia.ParseGroup(selector)
	if err != nil {
		d.tb.Fatalf("selector %q: %v", selector, err)
	}
	return group
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text leaves out what a reader never sees as text.
func text(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data)
		case n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style" || n.Data == "template"):
			return
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}
