package app_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-ical"
	"golang.org/x/net/html"
)

// watch sees every answer of the portal: it notes which fields there are to type into and what is shown where, and
// reports what is not as harmless as it must be.
type watch struct {
	base   string
	fields map[string]bool     // "POST /login: email"
	texts  map[string][]string // route to what its answers say, as a reader, a feed reader or a calendar understands it
	worst  map[string]answer   // address to the newest page with hostile text in it
}

func newWatch(base string) *watch {
	return &watch{base: base, fields: map[string]bool{}, texts: map[string][]string{}, worst: map[string]answer{}}
}

var numberInName = regexp.MustCompile(`-[0-9]+-`)

func (w *watch) see(t testing.TB, a answer) {
	t.Helper()
	for _, f := range a.forms() {
		for _, c := range f.controls {
			if !c.typed() {
				continue
			}
			for _, action := range append([]string{f.action}, f.alternatives...) {
				w.fields[routeOf(f.method, action)+": "+numberInName.ReplaceAllString(c.name, "-*-")] = true
			}
		}
	}
	texts, faults := w.inspect(a)
	w.texts[a.route] = append(w.texts[a.route], spaced(strings.Join(texts, "\n")))
	for _, fault := range faults {
		t.Errorf("%s: %s", a.path, fault)
	}
	if a.kind == "text/html" && strings.HasPrefix(a.route, "GET ") && mark.Match(a.body) {
		w.worst[a.path] = a
	}
}

// inspect gives the texts of an answer and what is wrong with it.
func (w *watch) inspect(a answer) (texts, faults []string) {
	switch {
	case a.kind == "text/html":
		return w.inspectHTML(a.root, strings.HasSuffix(a.route, "/admin/mail/:name/html"))
	case strings.HasSuffix(a.kind, "xml"):
		return w.inspectXML(a.body)
	case strings.HasSuffix(a.kind, "json"):
		return w.inspectJSON(a.body)
	case a.kind == "text/calendar":
		return inspectCalendar(a.body)
	case a.kind == "text/csv":
		return inspectTable(a.body)
	}
	return nil, nil
}

// spaced is text with runs of white space made one space, and without the characters that only turn its direction.
func spaced(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("\u202e", "", "\u2066", "", "\u2069", "").Replace(text)), " ")
}

// forbidden are elements that no page of ours has.
var forbidden = []string{"object", "embed", "applet", "base", "frame", "frameset", "style", "math", "foreignobject", "portal", "noembed", "xmp", "plaintext", "marquee"}

// inspectHTML gives a page's texts and attribute values. In a mail, inline styles are usual.
func (w *watch) inspectHTML(root *html.Node, mail bool) (texts, faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for n := range root.Descendants() {
		switch n.Type {
		case html.CommentNode:
			if mark.MatchString(n.Data) {
				fault("a comment holds what was typed: %s", n.Data)
			}
			continue
		case html.TextNode:
			texts = append(texts, n.Data)
			continue
		case html.ElementNode:
		case html.ErrorNode, html.DocumentNode, html.DoctypeNode, html.RawNode:
			continue
		}
		switch {
		case n.Data == "script" && attrOr(n, "type", "") == "application/ld+json":
			var data any
			if err := json.Unmarshal([]byte(textOf(n)), &data); err != nil {
				fault("structured data is no JSON: %v: %.200s", err, textOf(n))
			}
			texts = append(texts, stringsOf(data)...)
		case n.Data == "script" && (!strings.HasPrefix(attrOr(n, "src", ""), "/static/") || strings.TrimSpace(textOf(n)) != ""):
			fault("a script that is not ours: src=%q %.80s", attrOr(n, "src", ""), textOf(n))
		case slices.Contains(forbidden, n.Data) && (!mail || n.Data != "style"):
			fault("an element %s", n.Data)
		case n.Data == "iframe" && (!strings.HasPrefix(attrOr(n, "src", ""), "/admin/mail/") || !has(n, "sandbox")):
			fault("a frame of %s", attrOr(n, "src", ""))
		case n.Data == "meta" && strings.EqualFold(attrOr(n, "http-equiv", ""), "refresh"):
			fault("a refresh")
		}
		for _, a := range n.Attr {
			texts = append(texts, a.Val)
			switch key := strings.ToLower(a.Key); {
			case strings.HasPrefix(key, "on"), key == "srcdoc", key == "autofocus", key == "style" && !mail:
				fault("%s has an attribute %s=%q", n.Data, a.Key, a.Val)
			case key == "action" || key == "formaction":
				if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
					fault("a form is sent to %q", a.Val)
				}
			case key == "href" || key == "src" || key == "data" || key == "poster" || key == "ping" || key == "background" || key == "cite":
				if strings.TrimSpace(a.Val) != "" && !harmlessAddress(a.Val) {
					fault("%s leads to %q", n.Data, a.Val)
				}
			}
			if mark.MatchString(a.Key) || strings.Contains(a.Key, "pwned") {
				fault("what was typed became an attribute of %s: %q", n.Data, a.Key)
			}
		}
		if mark.MatchString(n.Data) {
			fault("what was typed became an element: %q", n.Data)
		}
	}
	return texts, faults
}

// harmlessAddress reports whether an address cannot run anything, judged as browsers read addresses: without control
// characters, in any case.
func harmlessAddress(address string) bool {
	address = strings.ToLower(strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, address))
	scheme, _, found := strings.Cut(address, ":")
	if !found || strings.ContainsAny(scheme, "/?#") {
		return true
	}
	return slices.Contains([]string{"http", "https", "mailto", "webcal", "otpauth"}, scheme)
}

// stringsOf are the texts of a JSON value.
func stringsOf(value any) (all []string) {
	switch v := value.(type) {
	case string:
		all = append(all, v)
	case []any:
		for _, item := range v {
			all = append(all, stringsOf(item)...)
		}
	case map[string]any:
		for _, item := range v {
			all = append(all, stringsOf(item)...)
		}
	}
	return all
}

// inspectXML reads a feed, a sitemap or a picture. Feeds hold HTML as text.
func (w *watch) inspectXML(body []byte) (texts, faults []string) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	var within []string
	var content strings.Builder
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts, faults
		}
		if err != nil {
			return texts, append(faults, "no XML: "+err.Error())
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := strings.ToLower(token.Name.Local)
			within = append(within, name)
			content.Reset()
			if name == "script" || strings.Contains(name, "pwned") || mark.MatchString(name) {
				faults = append(faults, "an element "+name)
			}
			for _, a := range token.Attr {
				texts = append(texts, a.Value)
				if key := strings.ToLower(a.Name.Local); strings.HasPrefix(key, "on") || (key == "href" || key == "url") && !harmlessAddress(a.Value) {
					faults = append(faults, fmt.Sprintf("%s has an attribute %s=%q", name, key, a.Value))
				}
				if strings.ToLower(a.Name.Local) == "type" && a.Value == "html" {
					within[len(within)-1] = "html"
				}
			}
		case xml.CharData:
			content.Write(token)
			if last := lastOf(within); last == "title" || last == "name" {
				texts = append(texts, string(token))
			}
		case xml.EndElement:
			switch name := lastOf(within); name {
			case "encoded", "description", "html":
				more, wrong := w.inspectFragment(content.String())
				texts, faults = append(texts, more...), append(faults, wrong...)
			case "link", "id", "guid", "loc", "comments":
				if !harmlessAddress(content.String()) && !strings.HasPrefix(content.String(), "tag:") && !strings.HasPrefix(content.String(), "urn:") {
					faults = append(faults, fmt.Sprintf("%s is %q", name, content.String()))
				}
			default:
				texts = append(texts, content.String())
			}
			content.Reset()
			within = within[:max(0, len(within)-1)]
		}
	}
}

func lastOf(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// inspectFragment reads HTML as a feed reader does, that does not know our policy.
func (w *watch) inspectFragment(fragment string) (texts, faults []string) {
	root, err := html.Parse(strings.NewReader(fragment))
	if err != nil {
		return nil, []string{err.Error()}
	}
	texts, faults = w.inspectHTML(root, false)
	return append(texts, fragment), faults
}

func (w *watch) inspectJSON(body []byte) (texts, faults []string) {
	var data any
	if err := json.Unmarshal(body, &data); err != nil {
		return nil, []string{"no JSON: " + err.Error()}
	}
	var walk func(key string, value any)
	walk = func(key string, value any) {
		switch v := value.(type) {
		case string:
			texts = append(texts, v)
			switch {
			case key == "content_html":
				more, wrong := w.inspectFragment(v)
				texts, faults = append(texts, more...), append(faults, wrong...)
			case strings.HasSuffix(key, "url") && !harmlessAddress(v):
				faults = append(faults, fmt.Sprintf("%s is %q", key, v))
			}
		case []any:
			for _, item := range v {
				walk(key, item)
			}
		case map[string]any:
			for k, item := range v {
				walk(k, item)
			}
		}
	}
	walk("", data)
	return texts, faults
}

// calendarProperties are those that our calendars have, in any component.
var calendarProperties = []string{
	"VERSION", "PRODID", "CALSCALE", "METHOD", "NAME", "X-WR-CALNAME", "X-WR-CALDESC", "DESCRIPTION", "REFRESH-INTERVAL", "X-PUBLISHED-TTL", "SOURCE", "URL", "COLOR", "LAST-MODIFIED",
	"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "STATUS", "SEQUENCE", "CREATED", "ORGANIZER", "CATEGORIES", "GEO", "TRANSP", "CLASS", "CONFERENCE", "IMAGE",
	"TZID", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", "RRULE", "RDATE", "X-LIC-LOCATION",
	"ATTENDEE", // of invitations: who gets them is checked with the mails
}

// inspectCalendar checks that a calendar has only what we put in: no property of another name, every component closed.
func inspectCalendar(body []byte) (texts, faults []string) {
	decoder := ical.NewDecoder(bytes.NewReader(body))
	calendar, err := decoder.Decode()
	if err != nil {
		return nil, []string{"no calendar: " + err.Error()}
	}
	if _, err := decoder.Decode(); !errors.Is(err, io.EOF) {
		faults = append(faults, "something stands behind the calendar")
	}
	var walk func(c *ical.Component)
	walk = func(c *ical.Component) {
		for name, all := range c.Props {
			if !slices.Contains(calendarProperties, name) {
				faults = append(faults, "a property "+name)
			}
			if len(all) > 1 && !slices.Contains([]string{"ATTENDEE", "RDATE"}, name) {
				faults = append(faults, fmt.Sprintf("%d properties %s", len(all), name))
			}
			for _, p := range all {
				text, err := p.Text()
				if err != nil {
					text = p.Value
				}
				texts = append(texts, text)
				for _, parameter := range p.Params {
					texts = append(texts, parameter...)
				}
				if name == "ATTENDEE" && strings.Contains(p.Value, "x@evil.example") {
					faults = append(faults, "somebody else is invited: "+p.Value)
				}
				if (name == "URL" || name == "CONFERENCE" || name == "IMAGE") && !harmlessAddress(p.Value) {
					faults = append(faults, fmt.Sprintf("%s is %q", name, p.Value))
				}
			}
		}
		for _, child := range c.Children {
			if child.Name == "VALARM" {
				faults = append(faults, "an alarm")
			}
			if child.Name == "VEVENT" && (child.Props.Get("UID") == nil || child.Props.Get("DTSTAMP") == nil || child.Props.Get("SUMMARY") == nil) {
				faults = append(faults, "an event that is not ours")
			}
			walk(child)
		}
	}
	walk(calendar.Component)
	return texts, faults
}

// inspectTable checks that no cell of a table is taken for a formula.
func inspectTable(body []byte) (texts, faults []string) {
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	rows, err := reader.ReadAll() // as many cells in each row, or an error
	if err != nil {
		return nil, []string{"no table: " + err.Error()}
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				faults = append(faults, fmt.Sprintf("a cell that a spreadsheet would compute: %q", cell))
			}
			texts = append(texts, strings.TrimPrefix(cell, "'"))
		}
	}
	return texts, faults
}

// pathOnly is an address without its query.
func pathOnly(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Path
}

func TestTheWatchFindsWhatIsHarmful(t *testing.T) {
	w := newWatch("http://portal.example")
	const calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:a\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:a\r\n%sEND:VEVENT\r\n%sEND:VCALENDAR\r\n"
	feed := func(item string) string { return `<rss><channel><item>` + item + `</item></channel></rss>` }
	for kind, bodies := range map[string][]string{
		"text/html": {
			`<p onclick="a()">`, `<script>a()</script>`, `<script src="https://evil.example/a.js"></script>`, `<a href="java&#9;script:a()">`, `<img src="data:text/html,a">`,
			`<iframe src="/">`, `<style>a{}</style>`, `<form action="https://evil.example/">`, `<base href="/a">`, `<p m001r02="">`, `<m001r02>`, `<!-- m001r02 -->`,
			`<script type="application/ld+json">{"a":"</script>"}</script>`, `<p style="a:b">`, `<meta http-equiv="refresh" content="0">`,
		},
		"application/rss+xml": {
			feed(`<description>&lt;script>a()&lt;/script></description>`), feed(`<link>javascript:a()</link>`), feed(`<title>a`), feed(`<script/>`),
		},
		"application/feed+json": {`{"items":[{"content_html":"<img src=/a onerror=a()>"}]}`, `{"url":"javascript:a()"}`, `{`},
		"text/calendar": {
			fmt.Sprintf(calendar, "ATTENDEE:mailto:x@evil.example\r\n", ""), fmt.Sprintf(calendar, "X-PWNED:a\r\n", ""), fmt.Sprintf(calendar, "", "BEGIN:VEVENT\r\nEND:VEVENT\r\n"),
			fmt.Sprintf(calendar, "SUMMARY:b\r\n", ""), fmt.Sprintf(calendar, "", "")[:100],
		},
		"text/csv": {"a,b\r\n=1+1,c\r\n", "a,b\r\nc\r\n", "a,\"\t=1\"\r\n"},
	} {
		for _, body := range bodies {
			a := answer{route: "GET /", kind: kind, body: []byte(body)}
			if kind == "text/html" {
				root, err := html.Parse(strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				a.root = root
			}
			if _, faults := w.inspect(a); len(faults) == 0 {
				t.Errorf("nothing is found in %s", body)
			}
		}
	}
	if _, faults := w.inspect(answer{kind: "text/calendar", body: []byte(fmt.Sprintf(calendar, "", ""))}); len(faults) > 0 {
		t.Errorf("a good calendar: %q", faults)
	}
}
