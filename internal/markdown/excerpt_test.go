package markdown

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

func TestExcerptIsCleanText(t *testing.T) {
	long := strings.Repeat("Words that go on ", 30)
	for _, tt := range []struct{ name, source, want string }{
		{"short text is whole", "Hello, *world*.", "Hello, world."},
		{"entities become characters", "AT&amp;T &lt;b&gt; &#x1F382;", "AT&T <b> 🎂"},
		{"escapes are resolved", `2 \* 3 \&amp; 4`, "2 * 3 &amp; 4"},
		{"links leave their words", "See [the `docs`](/x) :tada:", "See the docs 🎉"},
		{"paragraphs are joined", "One.\n\n- two\n- three", "One. two three"},
		{"a first table is passed over", "|a|b|\n|-|-|\n|c|d|\n\nText.", "Text."},
		{"first code is passed over", "```go\nx\n```\n\nText.", "Text."},
		{"a first picture is passed over", "![alt](/media/a.png \"c | d\")\n\nText.", "Text."},
		{"headings and HTML are passed over", "## H\n\n<div>x</div>\n\nText<br>.", "Text."},
		{"footnote marks are left out", "Text[^1].\n\n[^1]: Note.", "Text."},
		{"empty post", "", ""},
		{"only code", "```\nx\n```", ""},
		{"it ends where the author says", "One.\n\nTwo.\n\n<!--more-->\n\nThree.", "One. Two."},
		{"also inside a paragraph", "One. <!-- more --> Two.", "One."},
		{"the mark in code is code", "One.\n\n```\n<!--more-->\n```\n\nTwo.", "One. Two."},
		{"it may be longer than the usual", long[:255] + "end.\n\n<!--more-->\n\nx", long[:255] + "end."},
		{"it ends with a sentence", strings.Repeat("a", 120) + " b. Then " + long, strings.Repeat("a", 120) + " b."},
		{"not after an abbreviation", strings.Repeat("a ", 90) + "e.g. lower " + long, strings.Repeat("a ", 90) + "e.g. lower Words…"},
		{"a Chinese sentence", strings.Repeat("中", 150) + "。" + strings.Repeat("文", 150), strings.Repeat("中", 150) + "。"},
		{"a long word is cut between letters", strings.Repeat("x", 300), strings.Repeat("x", 200) + "…"},
		{"Chinese without spaces", strings.Repeat("中", 300), strings.Repeat("中", 200) + "…"},
		{"turned directions are left out", "a\u202Eb\u2066c", "abc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := render(t, tt.source, Options{}).Excerpt; got != tt.want {
				t.Errorf("excerpt = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExcerptNeverCutsACharacter(t *testing.T) {
	for _, c := range []string{"b̶", "🎂", "🇳🇿", "👩‍👩‍👧", "é", "각", "&", "中"} {
		for lead := range 4 {
			text := strings.Repeat("a", lead) + strings.Repeat(c, 400)
			for limit := 195; limit < 205; limit++ {
				got := strings.TrimSuffix(shorten(text, limit), "…")
				rest := strings.TrimPrefix(text, got)
				whole := uniseg.GraphemeClusterCount(got) + uniseg.GraphemeClusterCount(rest)
				if !utf8.ValidString(got) || whole != uniseg.GraphemeClusterCount(text) || uniseg.GraphemeClusterCount(got) > limit {
					t.Fatalf("%q, limit %d: cut to %q", c, limit, got)
				}
			}
		}
	}
	if got := shorten("a"+strings.Repeat("\u0336", 100_000)+" b", 200); got != "…" {
		t.Errorf("an endless character gave %d bytes", len(got))
	}
}
