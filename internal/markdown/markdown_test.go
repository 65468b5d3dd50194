package markdown

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestRenderWritesTheGoldenFiles(t *testing.T) {
	sources, err := filepath.Glob("testdata/*.md")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, name := range sources {
		t.Run(filepath.Base(name), func(t *testing.T) {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r := render(t, string(source), Options{IDPrefix: "p12-", ImageSize: func(src string) (int, int, bool) {
				return 640, 480, src == "/media/a.png"
			}})
			golden(t, strings.TrimSuffix(name, ".md")+".html", r.HTML)
			golden(t, strings.TrimSuffix(name, ".md")+".feed.html", FeedHTML(r.HTML, "https://example.org/blog/post"))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test -update and look at the difference\n%s", name, got)
	}
}

func render(t testing.TB, source string, opts Options) Rendered {
	t.Helper()
	r, err := Render(source, opts)
	if err != nil {
		t.Fatalf("Render(%.60q): %v", source, err)
	}
	return r
}

func TestRenderKeepsClearOfThePitfalls(t *testing.T) {
	for _, tt := range []struct{ name, source, has, hasNot string }{
		{"an id keeps Chinese letters", "## 中文标题", `<h2 id="中文标题">`, ""},
		{"an id keeps an umlaut", "## Überblick", `<h2 id="überblick">`, ""},
		{"an id of an emoji does not depend on its neighbours", "## x\n\n## 🎂", `id="section-` + strings.TrimPrefix(headingID("🎂"), "section-"), `id="section-2"`},
		{"an id never is the page's", "## Main", `<h2 id="main-section">`, `id="main"`},
		{"a link finds the heading whose id was changed", "## Main\n\n[x](#main)", `href="#main-section"`, `href="#main"`},
		{"equal headings get different ids", "## A\n\n## A\n\n## A 2\n\n## A", `<h2 id="a-3">`, ""},
		{"the first level is lowered", "# A\n\n## B", `<h3 id="b">`, "<h1"},
		{"the smallest level is raised to the second", "### A\n\n#### B", `<h2 id="a">`, "<h4"},
		{"levels end at six", "# A\n\n###### B", `<h6 id="b">`, "h7"},
		{"attributes of headings are text", `## x {style="position:fixed"}`, "{style=", "<h2 style"},
		{"an upper-case domain is linked", "see https://Spinnaker.Live now", `<a href="https://Spinnaker.Live" rel="noopener">https://Spinnaker.Live</a>`, ""},
		{"words between angles are not swallowed", "<<image>>", "&lt;&lt;image&gt;&gt;", "omitted"},
		{"raw HTML is text", "<b>x</b>", "&lt;b&gt;x&lt;/b&gt;", "<b>"},
		{"a block of HTML is text", "<div onclick=x>\nhi\n</div>", "&lt;div onclick=x&gt;", "<div"},
		{"a comment is not shown", "a <!-- b --> c\n\n<!-- d -->", "a  c", "b"},
		{"the end of a comment does not hide what follows", "<!-- a --> <i>b</i> -->", "&lt;i&gt;b", ""},
		{"emphasis stands beside Japanese brackets", "太郎は**「こんにちわ」**と", "<strong>「こんにちわ」</strong>", "**"},
		{"emphasis stands beside Chinese letters", "**注意：**请看 *中文*。", "<strong>注意：</strong>", "*"},
		{"emphasis among Latin letters is as ever", "a**b** 2 * 3 * 4 snake_case_word", "a<strong>b</strong> 2 * 3 * 4 snake_case_word", "<em>"},
		{"the typographer is off", `<<x>> "q" -- ...`, "-- ...", "«"},
		{"a soft break stays a line end", "a\nb", "<p>a\nb</p>", "<br"},
		{"a soft break stays beside a link", "[a](/b).\nC\nwww.example.org", "</a>.\nC\n<a ", ""},
		{"a soft break between Chinese letters is none", "中\n文\n*字*", "<p>中文\n<em>", ""},
		{"a list keeps its start", "3. x", `<ol start="3">`, ""},
		{"a box stays in its item", "- [x] y", `<li><input type="checkbox" checked="" disabled="" aria-label="Done"> y</li>`, ""},
		{"a pipe with a backslash stays in its cell", "|a|b|\n|-|-|\n|`x\\|y`|z|", "<code>x|y</code>", ""},
		{"an in-page link is not followed with a rel", "## A\n\n[x](#a)", `<a href="#a">`, "noopener"},
		{"a path is ours", "[x](/blog)", `<a href="/blog">`, ""},
		{"mail is linked", "<a@example.org>", `<a href="mailto:a@example.org">`, ""},
		{"an inline picture keeps its title", `a ![b](/media/c.png "t")`, `title="t"`, "<figure"},
		{"lines may end as on Windows", "a\r\n\r\n```go\r\nx\r\n```\r\n", "<p>a</p>", "\r"},
		{"broken UTF-8 is marked", "a\xffb", "a\uFFFDb", ""},
		{"code keeps what it says when its lexer would not", "```go\n\tx\t:= `y`\n```", "<pre tabindex=\"0\"><code class=\"language-go\">", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := render(t, tt.source, Options{}).HTML
			if !strings.Contains(got, tt.has) {
				t.Errorf("has no %s:\n%s", tt.has, got)
			}
			if tt.hasNot != "" && strings.Contains(got, tt.hasNot) {
				t.Errorf("has %s:\n%s", tt.hasNot, got)
			}
		})
	}
}

func TestAHeadingsIDStaysWhenAnotherIsPutBeforeIt(t *testing.T) {
	last := func(source string) Heading {
		c := render(t, source, Options{}).Contents
		return c[len(c)-1]
	}
	for _, title := range []string{"Setup", "中文", "🎂"} {
		if a, b := last("## "+title), last("## New\n\n## 🇳🇿\n\n## "+title); a != b {
			t.Errorf("%q: %+v became %+v", title, a, b)
		}
	}
}

func TestContentsHoldTheTopHeadings(t *testing.T) {
	got := render(t, "## A `b` &amp; *c*\n\n### D\n\n#### E\n\n> ## quoted\n\n- ## listed\n", Options{}).Contents
	want := []Heading{{2, "a-b-c", "A b & c"}, {3, "d", "D"}}
	if !slices.Equal(got, want) {
		t.Errorf("contents = %+v, want %+v", got, want)
	}
}

func TestTwoPostsMayShareAPage(t *testing.T) {
	source := "a[^1] b[^1]\n\n[^1]: c"
	ids := map[string]int{}
	for _, prefix := range []string{"p1-", "p2-"} {
		for _, n := range elements(t, render(t, source, Options{IDPrefix: prefix}).HTML) {
			if id := attr(n, "id"); id != "" {
				ids[id]++
			}
		}
	}
	if len(ids) != 6 {
		t.Errorf("ids = %v, want six different ones", ids)
	}
}

func TestOnlyTheFirstPictureIsLoadedAtOnce(t *testing.T) {
	var lazy []string
	for _, n := range elements(t, render(t, "![a](http://refused.example/a.png)\n\n![b](/media/b.png)\n\nx ![c](/media/c.png)", Options{}).HTML) {
		if n.Data == "img" {
			lazy = append(lazy, attr(n, "src")+" "+attr(n, "loading")+" "+attr(n, "decoding"))
		}
	}
	if want := []string{"/media/b.png  async", "/media/c.png lazy async"}; !slices.Equal(lazy, want) {
		t.Errorf("pictures = %q, want %q", lazy, want)
	}
}

func TestWarningsNameTheLine(t *testing.T) {
	for _, tt := range []struct {
		name, source string
		line         int
		has          string
	}{
		{"the first level", "a\n\n# b", 3, "one smaller"},
		{"HTML in a line", "a\n\nb <u>c</u>", 3, "<u>"},
		{"HTML in a block", "a\n\n<div>\nx\n</div>", 3, "<div>"},
		{"a refused address", "a\n\n[x](javascript:alert)", 3, "cannot be linked"},
		{"a refused picture", "a\n\n![x](http://example.org/a.png)", 3, "/media/"},
		{"a picture without words", "a\n\n![](/media/a.png)", 3, "no description"},
		{"a description by a program", "a\n\nx ![A dog\nDescription automatically generated](/media/a.png)", 3, "does not say"},
		{"the name of a file", "![IMG_1234.JPG](/media/a.png)", 1, "does not say"},
		{"a camera's name", "![DSC-0042](/media/a.png)", 1, "does not say"},
		{"a word that says nothing", "![image](/media/a.png)", 1, "does not say"},
		{"a pipe in code", "|a|b|\n|-|-|\n|`x|y`|z|", 3, "code"},
		{"a head that does not fit", "a\n\n|`x|y`|b|\n|-|-|\n|1|2|", 3, "head has 3"},
		{"numbers that begin again", "1. a\n\n```\nx\n```\n\n1. b", 7, "Indent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := render(t, tt.source, Options{}).Warnings
			if len(got) != 1 || got[0].Line != tt.line || !strings.Contains(got[0].Message, tt.has) {
				t.Errorf("warnings = %+v, want one at line %d with %q", got, tt.line, tt.has)
			}
		})
	}
	clean := "## A\n\n![A red bird on a wire](/media/IMG_1.jpg)\n\n1. a\n\n   ```\n   x\n   ```\n\n2. b\n\n|a|b|\n|-|-|\n|`x\\|y`|z|\n\n<!--more-->\n\n[^1]\n\n[^1]: n\n"
	if got := render(t, clean, Options{}).Warnings; len(got) != 0 {
		t.Errorf("a clean text has warnings: %+v", got)
	}
}

func TestRenderRefusesWhatBlowsUp(t *testing.T) {
	table := func(columns, rows int) string {
		return strings.Repeat("a|", columns) + "\n" + strings.Repeat("-|", columns) + "\n" + strings.Repeat("b\n", rows)
	}
	for _, tt := range []struct{ name, source, reason string }{
		{"a very long text", strings.Repeat("a ", 129<<10), "256 KB"},
		{"a very wide table", table(65, 1), "65 columns"},
		{"a very large table", table(60, 400), "20000 cells"},
		{"a large table in a quote", "> " + strings.ReplaceAll(table(60, 400), "\n", "\n> "), "20000 cells"},
		{"many tables", strings.Repeat(table(60, 10)+"\n", 40), "20000 cells"},
		{"lists in lists", strings.Repeat("- ", 20_000), "marks"},
		{"numbered lists in lists", strings.Repeat("1) ", 101), "marks"},
		{"quotes in quotes", strings.Repeat(">", 101), "marks"},
		{"footnotes in footnotes", strings.Repeat("[^a]:", 101), "marks"},
		{"links without an end", strings.Repeat("[a](", 2_001), "links"},
		{"links without an end, a line each", strings.Repeat("[a](b\n", 2_001), "links"},
		{"definitions", strings.Repeat("[a]: /b\n", 2_001), "definitions"},
		{"emphasis that never fits", strings.Repeat("*a_ ", 60_000), "marks"},
		{"brackets in brackets", strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), "marks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Render(tt.source, Options{})
			if !errors.Is(err, ErrTooComplex) || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("error = %v, want ErrTooComplex with %q", err, tt.reason)
			}
			if r.HTML != "" {
				t.Error("something was rendered all the same")
			}
		})
	}
}

func TestRenderRefusesAPageThatGrowsTooLong(t *testing.T) {
	marks := strings.Repeat("[^1]\n\n", 3_000) + "[^1]: a"
	if _, err := Render(marks, Options{IDPrefix: strings.Repeat("p", 1_500)}); !errors.Is(err, ErrTooComplex) || !strings.Contains(err.Error(), "8 MB") {
		t.Errorf("error = %v, want ErrTooComplex with 8 MB", err)
	}
	if _, err := Render(marks, Options{}); err != nil {
		t.Error(err)
	}
}

func TestRenderAllowsWhatIsOnlyLarge(t *testing.T) {
	for name, source := range map[string]string{
		"a table at the limit":              strings.Repeat("a|", 64) + "\n" + strings.Repeat("-|", 64) + "\n" + strings.Repeat("b|\n", 200),
		"many blocks of unknown languages":  strings.Repeat("```nosuch\n```\n", 10_000),
		"many whole links":                  strings.Repeat("[a](/b)\n\n", 5_000),
		"much YAML with block scalars":      "```yaml\n" + strings.Repeat("- |\n  x: y_z\n", 5_000) + "```",
		"many marks, a paragraph each":      strings.Repeat("*a* **b** _c_\n\n", 5_000),
		"code full of marks and underlines": "```\n" + strings.Repeat("a_b_c*d[0]\n", 5_000) + "```",
	} {
		if _, err := Render(source, Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWordsCountForReading(t *testing.T) {
	for _, tt := range []struct {
		name, source string
		want         int
	}{
		{"words", "It isn't well-known, v1.2 is.", 5},
		{"code in blocks is not read word by word", "One two\n\n```\na b c\n```", 2},
		{"two characters are a word", "持续交付基金会", 4},
		{"scripts mix", "CDF 基金会 rocks", 4},
		{"nothing", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := render(t, tt.source, Options{}).Words; got != tt.want {
				t.Errorf("words = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestTextIsPlain(t *testing.T) {
	got := render(t, "## A &amp; B\n\n*c* `d` :tada:\n\n![e](/media/f.png \"g | h\")\n\n|i|j|\n|-|-|\n|k|l|\n\n```\nm <n>\n```\n\n<!-- o -->\n", Options{}).Text
	if want := "A & B\nc d 🎉\ne\ng | h\ni\nj\nk\nl\nm <n>"; got != want {
		t.Errorf("text = %q, want %q", got, want)
	}
}

func elements(t testing.TB, s string) []*html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader("<body>" + s))
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && !slices.Contains([]string{"html", "head", "body"}, n.Data) {
			all = append(all, n)
		}
	}
	return all
}

func BenchmarkRender(b *testing.B) {
	source := ""
	var sourceSb291 strings.Builder
	for _, name := range []string{"prose", "code", "blocks"} {
		s, err := os.ReadFile("testdata/" + name + ".md")
		if err != nil {
			b.Fatal(err)
		}
		sourceSb291.WriteString(string(s) + "\n\n")
	}
	source += sourceSb291.String()
	source = strings.Repeat(source, 10)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		render(b, source, Options{})
	}
}

func FuzzRenderIsSafeAndQuick(f *testing.F) {
	for _, name := range []string{"prose", "code", "blocks"} {
		s, err := os.ReadFile("testdata/" + name + ".md")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(s))
	}
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		start := time.Now()
		r, err := Render(source, Options{IDPrefix: "p1-"})
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%d bytes took %v", len(source), d)
		}
		if err != nil {
			if !errors.Is(err, ErrTooComplex) {
				t.Error(err)
			}
			return
		}
		checkSafe(t, r.HTML)
		checkSafe(t, FeedHTML(r.HTML, "https://example.org/p"))
	})
}
