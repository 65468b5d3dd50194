package markdown

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/util"
)

var (
	urlPattern = regexp.MustCompile(`^(?i:https?)://[-a-zA-Z0-9@:%._+~#=]{1,256}\.[a-zA-Z]+(?::\d+)?(?:[/#?][-a-zA-Z0-9@:%_+.~#$!?&/=(),;'">^{}\[\]` + "`" + `]*)?`)
	wwwPattern = regexp.MustCompile(`^www\.[-a-zA-Z0-9@:%._+~#=]{1,256}\.[a-zA-Z]+(?:[/#?][-a-zA-Z0-9@:%_+.~#!?&/=(),;'">^{}\[\]` + "`" + `]*)?`)
)

// destination is an address as a browser will see it: escapes and entities resolved first, so that none can hide
// a scheme from the checks below.
func destination(written []byte) string {
	return string(util.URLEscape(written, true))
}

// linkAllowed tells whether a page may link to an address, and whether that leads off the site. Only http, https,
// mailto, paths from the root and fragments may; //host is refused because it looks like a path and is none.
func linkAllowed(address string) (allowed, external bool) {
	u, err := url.Parse(address)
	if err != nil {
		return false, false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != "", true
	case "mailto":
		return u.Opaque != "", false
	case "":
		return u.Host == "" && !strings.HasPrefix(address, "//") && (strings.HasPrefix(address, "/") || strings.HasPrefix(address, "#")), false
	}
	return false, false
}

// imageAllowed tells whether a page may show the picture at an address: our own uploads, or https.
func imageAllowed(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if u.Scheme == "https" {
		return u.Host != ""
	}
	return u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, "/media/") && path.Clean(u.Path) == u.Path
}

// policy is the second wall: it knows exactly what the renderer writes. A general policy for what users send in
// would not do: it removes check boxes, classes of code, roles of footnotes and the alignment of tables.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto")

	p.AllowElements("p", "br", "hr", "em", "strong", "del", "ul", "blockquote", "thead", "tbody", "tr", "figcaption", "code")
	// These may also stand without an attribute, which the sanitiser otherwise takes for a reason to drop them.
	p.AllowNoAttrs().OnElements("span", "sup", "div", "section", "figure", "pre", "table", "td", "th", "li", "ol", "h2", "h3", "h4", "h5", "h6")

	only := func(values string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + values + `)$`) }
	ids := only(`[\p{L}\p{M}\p{N}:_-]+`)
	number := only(`[0-9]{1,9}`)

	p.AllowAttrs("id").Matching(ids).OnElements("h2", "h3", "h4", "h5", "h6", "li", "sup")
	p.AllowAttrs("start").Matching(number).OnElements("ol")
	p.AllowAttrs("href", "title", "aria-label").OnElements("a")
	p.AllowAttrs("class").Matching(only(`anchor|footnote-ref|footnote-backref`)).OnElements("a")
	p.AllowAttrs("role").Matching(only(`doc-noteref|doc-backlink`)).OnElements("a")
	p.AllowAttrs("rel").Matching(only(`noopener`)).OnElements("a")
	p.AllowAttrs("src").Matching(regexp.MustCompile(`^(?:/media/|https://)`)).OnElements("img")
	p.AllowAttrs("alt", "title").OnElements("img")
	p.AllowAttrs("width", "height").Matching(number).OnElements("img")
	p.AllowAttrs("loading").Matching(only(`lazy`)).OnElements("img")
	p.AllowAttrs("decoding").Matching(only(`async`)).OnElements("img")
	p.AllowAttrs("type").Matching(only(`checkbox`)).OnElements("input")
	p.AllowAttrs("checked", "disabled").Matching(only(``)).OnElements("input")
	p.AllowAttrs("aria-label").Matching(only(`Done|To do`)).OnElements("input")
	p.AllowAttrs("class").Matching(only(`figure|code`)).OnElements("figure")
	p.AllowAttrs("class").Matching(only(`language-[\w+#.-]+`)).OnElements("code")
	p.AllowAttrs("class").Matching(only(`credit|[a-z][a-z0-9]{0,3}`)).OnElements("span")
	p.AllowAttrs("tabindex").Matching(only(`0`)).OnElements("pre", "div")
	p.AllowAttrs("class").Matching(only(`table-box(?: wide)?|alert alert-[a-z]+`)).OnElements("div")
	p.AllowAttrs("class").Matching(only(`alert-title`)).OnElements("p")
	p.AllowAttrs("role").Matching(only(`region|note`)).OnElements("div")
	p.AllowAttrs("aria-label").OnElements("div", "section")
	p.AllowAttrs("class").Matching(only(`footnotes`)).OnElements("section")
	p.AllowAttrs("role").Matching(only(`doc-endnotes`)).OnElements("section")
	p.AllowAttrs("class").Matching(only(`table`)).OnElements("table")
	p.AllowAttrs("scope").Matching(only(`col`)).OnElements("th")
	p.AllowAttrs("class").Matching(only(`align-(?:left|center|right)`)).OnElements("th", "td")
	return p
}
