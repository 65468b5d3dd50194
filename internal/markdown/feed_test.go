package markdown

import (
	"net/url"
	"strings"
	"testing"
)

func TestFeedHTMLStandsOnItsOwn(t *testing.T) {
	const page = "https://example.org/blog/post"
	for _, tt := range []struct{ name, stored, want string }{
		{"a path", `<a href="/x?a=1#b">y</a>`, `<a href="https://example.org/x?a=1#b">y</a>`},
		{"a fragment", `<a href="#s">y</a>`, `<a href="https://example.org/blog/post#s">y</a>`},
		{"an address elsewhere", `<a href="https://a.example/" rel="noopener">y</a>`, `<a href="https://a.example/" rel="noopener">y</a>`},
		{"mail", `<a href="mailto:a@b.c">y</a>`, `<a href="mailto:a@b.c">y</a>`},
		{"a script as an address", `<a href="javascript:x">y</a>`, `y`},
		{
			"a picture in sizes", `<img src="/media/a.png" srcset="/media/a-320.png 320w, /media/b,c.png 2x" sizes="1px" alt="z" width="4" height="3" loading="lazy">`,
			`<img src="https://example.org/media/a.png" srcset="https://example.org/media/a-320.png 320w, https://example.org/media/b,c.png 2x" alt="z" width="4" height="3"/>`,
		},
		{"a film", `<video poster="/p.png" src="/v.mp4" controls autoplay></video>`, `<video poster="https://example.org/p.png" src="https://example.org/v.mp4" controls=""></video>`},
		{"a quote's source", `<blockquote cite="/q">y</blockquote>`, `<blockquote cite="https://example.org/q">y</blockquote>`},
		{"an anchor", `<h2 id="a">A <a class="anchor" href="#a" aria-label="Link to A">#</a></h2>`, `<h2>A</h2>`},
		{"coloured code", `<figure class="code"><pre tabindex="0"><code class="language-go"><span class="k">if</span> a &lt; b</code></pre></figure>`, `<pre><code>if a &lt; b</code></pre>`},
		{
			"code with a name and a button", `<figure class="code"><figcaption><span>a.go</span><button>Copy</button></figcaption><pre><code>x</code></pre></figure>`,
			`<figure><figcaption>a.go</figcaption><pre><code>x</code></pre></figure>`,
		},
		{
			"alignment by class", `<div class="table-box" role="region"><table class="table"><tbody><tr><td class="align-right">1</td></tr></tbody></table></div>`,
			`<table><tbody><tr><td align="right">1</td></tr></tbody></table>`,
		},
		{"an alert", `<div class="alert alert-tip" role="note"><p class="alert-title">Tip</p><p>x</p></div>`, `<blockquote><p><strong>Tip</strong></p><p>x</p></blockquote>`},
		{"a box", `<ul><li><input type="checkbox" checked disabled> x</li></ul>`, `<ul><li>☑ x</li></ul>`},
		{"a script", `a<script>x</script><style>y</style>b<!-- c -->`, `ab`},
		{"a form", `<form action="/x"><label>y</label><input name="z"><button>go</button></form>`, `y`},
		{"handlers and styles", `<p onclick="x" style="y" class="z" dir="rtl">a</p>`, `<p dir="rtl">a</p>`},
		{"a frame", `<iframe src="https://video.example/1" title="Talk"></iframe>`, `<a href="https://video.example/1">Talk</a>`},
		{"nothing", ``, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := FeedHTML(tt.stored, page); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestEveryAddressInAFeedIsAbsolute(t *testing.T) {
	r := render(t, "## A\n\n[a](/b) [c](#a) https://d.example ![e](/media/f.png)\n\ng[^1]\n\n[^1]: h\n", Options{IDPrefix: "p7-"})
	seen := 0
	for _, n := range elements(t, FeedHTML(r.HTML, "https://example.org/blog/post")) {
		for _, a := range n.Attr {
			if a.Key == "href" || a.Key == "src" {
				seen++
				if u, err := url.Parse(a.Val); err != nil || !u.IsAbs() {
					t.Errorf("%s=%q", a.Key, a.Val)
				}
			}
			if a.Key == "class" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s=%q on <%s>", a.Key, a.Val, n.Data)
			}
		}
	}
	if seen != 6 {
		t.Errorf("%d addresses, want 6", seen)
	}
}
