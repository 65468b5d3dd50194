package app_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/cdfoundation/portal/handlers"
)

// person is somebody with a browser without scripts: it keeps cookies and shows every answer to the watch.
type person struct {
	t      testing.TB
	p      *portal
	watch  *watch
	client *http.Client
}

// uncompressed asks for pages as they are: a person opens thousands, and under the race detector to compress them is most of the work.
var uncompressed = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4}

func (w *watch) newPerson(t testing.TB, p *portal) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, p: p, watch: w, client: &http.Client{
		Transport: uncompressed, Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what came back for a request.
type answer struct {
	route    string // method and address as in the table of routes
	path     string
	status   int
	kind     string // media type
	location string // path of a redirect, or its whole address when it leads elsewhere
	body     []byte
	root     *html.Node // of HTML
}

func (a *person) send(request *http.Request) answer {
	a.t.Helper()
	response, err := a.client.Do(request)
	if err != nil && len(request.URL.RequestURI()) > 8<<10 {
		// The connection was closed before the whole of it was sent, which is a refusal too.
		return answer{route: routeOf(request.Method, request.URL.EscapedPath()), path: request.URL.RequestURI(), status: http.StatusRequestHeaderFieldsTooLarge}
	}
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	got := answer{
		route: routeOf(request.Method, request.URL.EscapedPath()), path: request.URL.RequestURI(), status: response.StatusCode,
		location: strings.TrimPrefix(response.Header.Get("Location"), a.p.URL), body: body,
	}
	got.kind, _, _ = strings.Cut(response.Header.Get("Content-Type"), ";")
	if got.kind == "text/html" {
		if got.root, err = html.Parse(bytes.NewReader(body)); err != nil {
			a.t.Fatal(err)
		}
	}
	a.watch.see(a.t, got)
	if got.status >= 500 {
		a.t.Errorf("%s %s answers %d", request.Method, request.URL, got.status)
	}
	return got
}

func (a *person) get(path string) answer {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.p.URL+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.send(request)
}

// open gets a page that has to be there.
func (a *person) open(path string) answer {
	a.t.Helper()
	got := a.get(path)
	if got.status != http.StatusOK {
		a.t.Fatalf("%s answers %d to %s", path, got.status, got.location)
	}
	return got
}

// crawl follows every link within the site from the given paths, as far as want says so.
func (a *person) crawl(want func(path string) bool, from ...string) []answer {
	a.t.Helper()
	seen := map[string]bool{}
	var all []answer
	for queue := from; len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		if seen[path] {
			continue
		}
		seen[path] = true
		got := a.get(path)
		all = append(all, got)
		if got.location != "" {
			queue = append(queue, got.location)
		}
		for _, link := range got.links() {
			u, err := url.Parse(strings.TrimPrefix(link, a.p.URL))
			if err == nil && u.Host == "" && u.Scheme == "" && strings.HasPrefix(u.Path, "/") && !seen[u.RequestURI()] && want(u.RequestURI()) {
				queue = append(queue, u.RequestURI())
			}
		}
	}
	return all
}

// links are the addresses that a page leads to.
func (a answer) links() []string {
	var all []string
	for n := range elements(a.root) {
		for _, at := range n.Attr {
			if (n.Data == "a" || n.Data == "link" || n.Data == "iframe") && (at.Key == "href" || at.Key == "src") {
				all = append(all, at.Val)
			}
		}
	}
	return all
}

// form is a form of a page.
type form struct {
	method, action string
	multipart      bool
	controls       []control
	alternatives   []string // actions of buttons that post the form elsewhere
}

// control is what a form sends.
type control struct {
	name, kind, value string
	sent              bool // a box that is not ticked is not sent
}

// typed reports whether people type into the control.
func (c control) typed() bool {
	switch c.kind {
	case "text", "email", "url", "search", "number", "tel", "password", "date", "datetime-local", "time", "month", "week", "textarea":
		return true
	}
	return false
}

// forms are the forms of a page that have something to send.
func (a answer) forms() []form {
	var all []form
	for n := range elements(a.root) {
		if n.Data != "form" {
			continue
		}
		f := form{method: strings.ToUpper(attrOr(n, "method", "get")), action: attrOr(n, "action", a.path), multipart: attrOr(n, "enctype", "") == "multipart/form-data"}
		for c := range elements(n) {
			name := attrOr(c, "name", "")
			switch {
			case c.Data == "button":
				if action := attrOr(c, "formaction", ""); action != "" {
					f.alternatives = append(f.alternatives, action)
				}
			case name == "":
			case c.Data == "textarea":
				// The line break behind the tag is not part of the text; the parser leaves it out.
				f.controls = append(f.controls, control{name, "textarea", textOf(c), true})
			case c.Data == "select":
				chosen, first := control{name: name, kind: "select", sent: true}, true
				for o := range elements(c) {
					if o.Data == "option" && (first || has(o, "selected")) {
						chosen.value, first = attrOr(o, "value", textOf(o)), false
					}
				}
				f.controls = append(f.controls, chosen)
			case c.Data == "input":
				kind := strings.ToLower(attrOr(c, "type", "text"))
				sent := kind != "checkbox" && kind != "radio" || has(c, "checked")
				f.controls = append(f.controls, control{name, kind, attrOr(c, "value", ""), sent && kind != "file" && kind != "submit"})
			}
		}
		all = append(all, f)
	}
	return all
}

// form finds a form of the page by where it is sent.
func (a answer) form(t testing.TB, action string) form {
	t.Helper()
	for _, f := range a.forms() {
		if f.action == action || slices.Contains(f.alternatives, action) {
			return f
		}
	}
	t.Fatalf("%s (%d) has no form to %s", a.path, a.status, action)
	return form{}
}

// submit sends a form with some of its values set otherwise; several values to one name are separated by "\x00".
func (a *person) submit(f form, action string, set map[string]string) answer {
	a.t.Helper()
	return a.upload(f, action, set, nil)
}

// upload sends a form as submit does, with files: field to what a file is called and holds.
func (a *person) upload(f form, action string, set map[string]string, files map[string]file) answer {
	a.t.Helper()
	values := url.Values{}
	for _, c := range f.controls {
		if _, other := set[c.name]; !other && c.sent {
			values.Add(c.name, c.value)
		}
	}
	for name, value := range set {
		values[name] = strings.Split(value, "\x00")
	}
	target := a.p.URL + strings.TrimSuffix(action, "#"+fragmentOf(action))
	if f.method == http.MethodGet {
		u, err := url.Parse(target)
		if err != nil {
			a.t.Fatal(err)
		}
		u.RawQuery = values.Encode()
		return a.get(u.RequestURI())
	}
	var body bytes.Buffer
	kind := "application/x-www-form-urlencoded"
	if f.multipart {
		writer := multipart.NewWriter(&body)
		for name, all := range values {
			for _, value := range all {
				if err := writer.WriteField(name, value); err != nil {
					a.t.Fatal(err)
				}
			}
		}
		for name, file := range files {
			part, err := writer.CreateFormFile(name, file.name)
			if err != nil {
				a.t.Fatal(err)
			}
			_, _ = part.Write(file.content)
		}
		_ = writer.Close()
		kind = writer.FormDataContentType()
	} else {
		body.WriteString(values.Encode())
	}
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, target, &body)
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return a.send(request)
}

// file is what somebody uploads.
type file struct {
	name    string
	content []byte
}

func fragmentOf(address string) string {
	_, fragment, _ := strings.Cut(address, "#")
	return fragment
}

// routePatterns are the routes as expressions, in their order.
var routePatterns = func() (all []struct {
	method, path string
	expression   *regexp.Regexp
},
) {
	parameter := regexp.MustCompile(`:[a-z]+(<int>)?`)
	for _, r := range handlers.Routes() {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(r.Path), `\*`, ".+")
		pattern = parameter.ReplaceAllStringFunc(pattern, func(p string) string {
			if strings.HasSuffix(p, "<int>") {
				return "[0-9]+"
			}
			return "[^/]+"
		})
		all = append(all, struct {
			method, path string
			expression   *regexp.Regexp
		}{r.Method, r.Path, regexp.MustCompile("^" + pattern + "$")})
	}
	return all
}()

// routeOf names the route of a request: "POST /events/:slug/register".
func routeOf(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	for _, r := range routePatterns {
		if r.method == method && r.expression.MatchString(path) {
			return method + " " + r.path
		}
	}
	return fmt.Sprintf("%s %s (no route)", method, path)
}

// elements gives a node's elements, itself included, in the order of the page.
func elements(root *html.Node) func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		if root == nil {
			return
		}
		if root.Type == html.ElementNode && !yield(root) {
			return
		}
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && !yield(n) {
				return
			}
		}
	}
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func attrOr(n *html.Node, name, otherwise string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return otherwise
}

func textOf(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}
