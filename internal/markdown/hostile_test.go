package markdown

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
)

// hostile texts try to get script, style or a foreign address through. What a browser would make of the result is
// what counts, so the tests parse it.
var hostile = []string{
	"[a](javascript:alert(1))",
	"[a](JaVaScRiPt:alert(1))",
	"[a](javascript&colon;alert(1))",
	"[a](javascript&#58;alert(1))",
	"[a](javascript&#x3A;alert(1))",
	"[a](java&Tab;script:alert(1))",
	"[a](java&NewLine;script:alert(1))",
	"[a](<java\tscript:alert(1)>)",
	"[a](\\javascript:alert(1))",
	"[a](&#1;javascript:alert(1))",
	"[a](data:text/html;base64,PHNjcmlwdD4=)",
	"[a](vbscript:x)",
	"[a](file:///etc/passwd)",
	"[a](//evil.example/x)",
	"[a](/\\evil.example)",
	"[a](\\\\evil.example)",
	"[a](relative.html)",
	"[a](https:evil)",
	"[a](feed:javascript:alert(1))",
	"[a]: javascript:alert(1)\n\n[a]",
	"<javascript:alert(1)>",
	"<data:text/html,x>",
	"![a](javascript:alert(1))",
	"![a](data:image/svg+xml;base64,PHN2Zz4=)",
	"![a](/media/../admin/logout)",
	"![a](/media/%2e%2e/logout)",
	"![a](/logout)",
	"![a](//evil.example/a.png)",
	"![a\" onerror=\"alert(1)](/media/a.png)",
	"![a](/media/a.png\"onerror=alert(1)//)",
	"![a](/media/a.png '\" onerror=\"alert(1)')",
	"[a](/x \"\\\" onmouseover=\\\"alert(1)\")",
	"[a](/x '&quot; onclick=&quot;alert(1)')",
	"[![a](javascript:x)](javascript:y)",
	"<script>alert(1)</script>",
	"<img src=x onerror=alert(1)>",
	"<a href=\"javascript:alert(1)\" style=\"position:fixed\">x</a>",
	"<svg/onload=alert(1)>",
	"<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
	"<!--><script>alert(1)</script>-->",
	"<!-- --!><script>alert(1)</script> -->",
	"a <!--> <b onclick=x> -->",
	"<?php <script>alert(1)</script> ?>",
	"<![CDATA[<script>alert(1)</script>]]>",
	"`<script>alert(1)</script>`",
	"```html title=\"\"><script>alert(1)</script>\"\n<script>alert(1)</script>\n```",
	"```\"><script>alert(1)</script>\nx\n```",
	"```js\" onload=\"alert(1)\nx\n```",
	"## <img src=x onerror=alert(1)>",
	"## \"><script>alert(1)</script>",
	"## x {onclick=alert(1) style=color:red #main}",
	"|<script>|`\"><img src=x onerror=alert(1)>`|\n|-|-|\n|a|b|",
	"[^\"><script>]: x\n\na[^\"><script>]",
	"> [!NOTE\"><script>]\n> x",
	"> [!note onclick=x]\n> x",
	"\"><svg onload=alert(1)>//`;'/*\\\"/*--></title></style></textarea></script><html onmouseover=alert()>",
	"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
	"&lt;script&gt;alert(1)&lt;/script&gt;",
	"&#60;img src=x onerror=alert(1)&#62;",
	"\x00<\x00script>alert(1)</script>",
	"https://example.org/\"onmouseover=alert(1)",
	"www.example.org/<script>",
	"a@example.org\"onclick=x",
}

func TestHostileTextsComeOutHarmless(t *testing.T) {
	for _, source := range hostile {
		t.Run(source, func(t *testing.T) {
			r := render(t, source, Options{})
			checkSafe(t, r.HTML)
			checkSafe(t, FeedHTML(r.HTML, "https://example.org/blog/p"))
		})
	}
}

func TestARefusedAddressLeavesItsWords(t *testing.T) {
	for _, source := range []string{"[words](javascript:x)", "![words](data:image/png;base64,x)", "[**words**](//evil.example)"} {
		r := render(t, source, Options{})
		if !strings.Contains(r.HTML, "words") {
			t.Errorf("%s became %s", source, r.HTML)
		}
		for _, n := range elements(t, r.HTML) {
			if n.Data == "a" || n.Data == "img" {
				t.Errorf("%s became %s", source, r.HTML)
			}
		}
	}
}

func TestTheSanitiserIsAWallOfItsOwn(t *testing.T) {
	for _, raw := range []string{
		`<script>alert(1)</script>`,
		`<p style="position:fixed" onclick="x">a</p>`,
		`<a href="javascript:alert(1)">a</a>`,
		`<a href="java&#10;script:alert(1)">a</a>`,
		`<img src="/logout" alt="a">`,
		`<img src="data:image/svg+xml,x">`,
		`<form action="/x"><input type="text" name="q"></form>`,
		`<iframe src="https://evil.example"></iframe>`,
		`<h2 id="a b">x</h2>`,
		`<div class="admin-bar" role="dialog">x</div>`,
		`<svg><style>*{}</style></svg>`,
	} {
		checkSafe(t, policy.Sanitize(raw))
	}
	for _, ours := range []string{
		`<ol start="3"><li>a</li></ol>`,
		`<input type="checkbox" checked="" disabled="" aria-label="Done">`,
		`<figure class="code"><pre tabindex="0"><code class="language-c++"><span class="k">x</span></code></pre></figure>`,
		`<sup id="p1-fnref:1"><a href="#p1-fn:1" class="footnote-ref" role="doc-noteref" aria-label="Footnote 1">1</a></sup>`,
		`<th scope="col" class="align-right">a</th>`,
		`<h2 id="中文">a</h2>`,
		`<a href="https://example.org" rel="noopener">a</a>`,
	} {
		if got := policy.Sanitize(ours); got != ours {
			t.Errorf("the sanitiser changed\n%s to\n%s", ours, got)
		}
	}
}

// allowed are the elements that a rendered text may have, and their attributes.
var allowed = map[string][]string{
	"a": {"href", "title", "class", "rel", "role", "aria-label"}, "img": {"src", "alt", "title", "width", "height", "loading", "decoding"},
	"p": {"class"}, "br": {}, "hr": {}, "em": {}, "strong": {}, "del": {}, "ul": {}, "ol": {"start"}, "li": {"id"}, "blockquote": {},
	"h2": {"id"}, "h3": {"id"}, "h4": {"id"}, "h5": {"id"}, "h6": {"id"}, "sup": {"id"},
	"figure": {"class"}, "figcaption": {}, "pre": {"tabindex"}, "code": {"class"}, "span": {"class"},
	"div": {"class", "role", "tabindex", "aria-label"}, "section": {"class", "role", "aria-label"},
	"table": {"class"}, "thead": {}, "tbody": {}, "tr": {}, "th": {"scope", "class", "align"}, "td": {"class", "align"},
	"input": {"type", "checked", "disabled", "aria-label"},
}

func checkSafe(t testing.TB, rendered string) {
	t.Helper()
	for _, n := range elements(t, rendered) {
		attributes, ok := allowed[n.Data]
		if !ok {
			t.Errorf("<%s> in %s", n.Data, rendered)
		}
		for _, a := range n.Attr {
			if !slices.Contains(attributes, a.Key) {
				t.Errorf("%s=%q on <%s> in %s", a.Key, a.Val, n.Data, rendered)
			}
			switch a.Key {
			case "id":
				if strings.ContainsAny(a.Val, " \t\n\"'<>") || pageIDs[a.Val] {
					t.Errorf("id %q", a.Val)
				}
			case "class":
				if strings.Contains(a.Val, "admin") {
					t.Errorf("class %q", a.Val)
				}
			case "href", "src":
				checkAddress(t, a.Key, a.Val)
			}
		}
	}
}

func checkAddress(t testing.TB, key, address string) {
	t.Helper()
	// A browser drops tabs, line ends and outer control characters, and reads \ as /.
	seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(strings.TrimFunc(address, func(r rune) bool { return r <= ' ' }))
	u, err := url.Parse(seen)
	if err != nil {
		t.Errorf("%s=%q: %v", key, address, err)
		return
	}
	switch {
	case key == "src":
		if u.Scheme != "https" && (u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/media/") || path.Clean(u.Path) != u.Path) {
			t.Errorf("src=%q", address)
		}
	case u.Scheme == "" && u.Host != "", !slices.Contains([]string{"", "http", "https", "mailto"}, u.Scheme):
		t.Errorf("href=%q", address)
	case u.Scheme == "" && !strings.HasPrefix(seen, "/") && !strings.HasPrefix(seen, "#"):
		t.Errorf("href=%q leads somewhere relative", address)
	}
}
