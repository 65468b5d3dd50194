package markdown

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// FeedHTML makes stored HTML stand on its own in a feed reader: every address, fragments included, becomes
// absolute against pageURL; what needs our style sheets or scripts is said with plain elements or dropped. pageURL
// must be absolute; an address that cannot be made so is dropped, and the words around it stay.
func FeedHTML(stored, pageURL string) string {
	base, err := url.Parse(pageURL)
	if err != nil {
		base = &url.URL{}
	}
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(stored), body)
	if err != nil {
		return "" // nested in more than 512 elements, which no reader shows
	}
	for _, n := range nodes {
		body.AppendChild(n)
	}
	feed{base}.children(body)

	var b strings.Builder
	for n := range body.ChildNodes() {
		_ = html.Render(&b, n)
	}
	return b.String()
}

type feed struct{ base *url.URL }

// feedDropped are elements that go with all that is in them.
var feedDropped = []string{"script", "style", "template", "noscript", "object", "embed", "svg", "math", "button", "select", "textarea", "link", "meta", "base", "input"}

// feedUnwrapped are elements that go and leave what is in them.
var feedUnwrapped = []string{"form", "fieldset", "label", "span"}

// feedAttributes are what may stay on an element, addresses apart.
var feedAttributes = []string{"alt", "title", "width", "height", "start", "align", "scope", "colspan", "rowspan", "datetime", "lang", "dir", "rel", "controls"}

func (f feed) children(parent *html.Node) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		switch n.Type {
		case html.TextNode:
		case html.ElementNode:
			f.element(n)
		case html.ErrorNode, html.DocumentNode, html.CommentNode, html.DoctypeNode, html.RawNode:
			parent.RemoveChild(n)
		}
		n = next
	}
}

func (f feed) element(n *html.Node) {
	class := strings.Fields(attr(n, "class"))
	switch {
	case n.Data == "input" && attr(n, "type") == "checkbox":
		box := "☐"
		if has(n, "checked") {
			box = "☑"
		}
		n.Parent.InsertBefore(&html.Node{Type: html.TextNode, Data: box}, n)
		n.Parent.RemoveChild(n)
		return
	case slices.Contains(feedDropped, n.Data), n.Data == "a" && slices.Contains(class, "anchor"):
		trimBefore(n)
		n.Parent.RemoveChild(n)
		return
	case n.Data == "iframe":
		f.embed(n)
		return
	case n.Data == "pre":
		plainCode(n)
		return
	}

	f.children(n)
	switch {
	case slices.Contains(feedUnwrapped, n.Data),
		slices.Contains(class, "table-box"),
		slices.Contains(class, "code") && !hasChild(n, "figcaption"):
		unwrap(n)
		return
	case slices.Contains(class, "alert"):
		n.Data, n.DataAtom = "blockquote", atom.Blockquote
	case slices.Contains(class, "alert-title"):
		strong := &html.Node{Type: html.ElementNode, Data: "strong", DataAtom: atom.Strong}
		moveChildren(n, strong)
		n.AppendChild(strong)
	}
	f.attributes(n, class)
	if n.Data == "a" && attr(n, "href") == "" || n.Data == "img" && attr(n, "src") == "" {
		unwrap(n)
	}
}

func (f feed) attributes(n *html.Node, class []string) {
	var kept []html.Attribute
	for _, a := range n.Attr {
		switch a.Key {
		case "href", "src", "poster", "cite":
			if a.Val = f.absolute(a.Val); a.Val != "" {
				kept = append(kept, a)
			}
		case "srcset":
			if a.Val = f.srcset(a.Val); a.Val != "" {
				kept = append(kept, a)
			}
		case "id":
			// Footnotes carry the post's prefix. Other ids could meet those of another post on a reader's page.
			if n.Data == "li" || n.Data == "sup" {
				kept = append(kept, a)
			}
		default:
			if slices.Contains(feedAttributes, a.Key) {
				kept = append(kept, a)
			}
		}
	}
	for _, c := range class {
		if side, ok := strings.CutPrefix(c, "align-"); ok {
			kept = append(kept, html.Attribute{Key: "align", Val: side})
		}
	}
	n.Attr = kept
}

// absolute resolves an address, or returns "" when it is none that a reader may follow.
func (f feed) absolute(address string) string {
	u, err := f.base.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	switch {
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", u.Scheme == "mailto":
		return u.String()
	}
	return ""
}

// srcset resolves each candidate of a srcset (HTML, 4.8.4.2.1): an address without spaces, then its descriptor up
// to a comma.
func (f feed) srcset(value string) string {
	var out []string
	for {
		value = strings.TrimLeft(value, " \t\n,")
		if value == "" {
			return strings.Join(out, ", ")
		}
		end := strings.IndexAny(value+" ", " \t\n")
		address, descriptor := value[:end], ""
		value = value[end:]
		if trimmed := strings.TrimRight(address, ","); trimmed != address {
			address = trimmed
		} else {
			descriptor, value, _ = strings.Cut(value, ",")
		}
		if address = f.absolute(address); address != "" {
			out = append(out, strings.TrimSpace(address+" "+strings.TrimSpace(descriptor)))
		}
	}
}

// embed puts a link where a frame was.
func (f feed) embed(n *html.Node) {
	if address := f.absolute(attr(n, "src")); address != "" {
		words := attr(n, "title")
		if words == "" {
			words = address
		}
		a := &html.Node{Type: html.ElementNode, Data: "a", DataAtom: atom.A, Attr: []html.Attribute{{Key: "href", Val: address}}}
		a.AppendChild(&html.Node{Type: html.TextNode, Data: words})
		n.Parent.InsertBefore(a, n)
	}
	n.Parent.RemoveChild(n)
}

// plainCode leaves of a block of code its text.
func plainCode(pre *html.Node) {
	text := textOf(pre)
	for pre.FirstChild != nil {
		pre.RemoveChild(pre.FirstChild)
	}
	code := &html.Node{Type: html.ElementNode, Data: "code", DataAtom: atom.Code}
	code.AppendChild(&html.Node{Type: html.TextNode, Data: text})
	pre.AppendChild(code)
	pre.Attr = nil
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// unwrap puts what is in n in its place.
func unwrap(n *html.Node) {
	for n.FirstChild != nil {
		c := n.FirstChild
		n.RemoveChild(c)
		n.Parent.InsertBefore(c, n)
	}
	n.Parent.RemoveChild(n)
}

func moveChildren(from, to *html.Node) {
	for from.FirstChild != nil {
		c := from.FirstChild
		from.RemoveChild(c)
		to.AppendChild(c)
	}
}

// trimBefore takes away the space that parted n from the words before it.
func trimBefore(n *html.Node) {
	if p := n.PrevSibling; p != nil && p.Type == html.TextNode && n.NextSibling == nil {
		p.Data = strings.TrimRight(p.Data, " \n")
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func hasChild(n *html.Node, element string) bool {
	for c := range n.ChildNodes() {
		if c.Data == element {
			return true
		}
	}
	return false
}
