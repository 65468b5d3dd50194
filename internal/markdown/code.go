package markdown

import (
	"regexp"
	"strings"
	"sync"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"
)

// maxHighlighted is how many bytes of code a text may have in colours; the rest is plain. Lexers are made of
// regular expressions that go back and forth, and some are slow.
const maxHighlighted = 64 << 10

var (
	codeTitle    = regexp.MustCompile(`(?:^|[\s{])title="([^"]*)"`)
	codeLanguage = regexp.MustCompile(`^[A-Za-z0-9_+#.-]{1,30}$`)
)

func (p *page) renderIndentedCode(w util.BufWriter, n *ast.CodeBlock, entering bool) ast.WalkStatus {
	if entering {
		p.renderCode(w, "", "", string(n.Lines().Value(p.source)))
	}
	return ast.WalkContinue
}

func (p *page) renderFencedCode(w util.BufWriter, n *ast.FencedCodeBlock, entering bool) ast.WalkStatus {
	if !entering {
		return ast.WalkContinue
	}
	title := ""
	if n.Info != nil {
		if m := codeTitle.FindSubmatch(n.Info.Segment.Value(p.source)); m != nil {
			title = resolve(m[1])
		}
	}
	language := string(n.Language(p.source))
	if !codeLanguage.MatchString(language) {
		language = ""
	}
	p.renderCode(w, language, title, string(n.Lines().Value(p.source)))
	return ast.WalkContinue
}

// renderCode writes a block of code with the file's name above it. The button that copies it is put there by a
// script, since it does nothing without one.
func (p *page) renderCode(w util.BufWriter, language, title, code string) {
	printf(w, `<figure class="code">`)
	if title != "" {
		printf(w, "<figcaption><span>%s</span></figcaption>", title)
	}
	printf(w, `<pre tabindex="0"><code`)
	if language != "" {
		printf(w, ` class="language-%s"`, language)
	}
	printf(w, ">")
	if tokens := p.tokens(language, code); tokens != nil {
		for _, t := range tokens {
			if class := tokenClass(t.Type); class != "" {
				printf(w, `<span class="%s">%s</span>`, class, t.Value)
			} else {
				printf(w, "%s", t.Value)
			}
		}
	} else {
		printf(w, "%s", code)
	}
	printf(w, "</code></pre></figure>\n")
}

// lexerNames are the lexers by name and alias in lower case. The library's own look-up goes on to compare a name
// that it does not know with the file patterns of every lexer, which takes 10 ms each time.
var lexerNames = sync.OnceValue(func() map[string]chroma.Lexer {
	names := map[string]chroma.Lexer{}
	for _, lexer := range lexers.GlobalLexerRegistry.Lexers {
		config := lexer.Config()
		for _, name := range append([]string{config.Name}, config.Aliases...) {
			if name = strings.ToLower(name); names[name] == nil {
				names[name] = lexer
			}
		}
	}
	return names
})

// tokens parts code into what is coloured alike. It returns nil where the code is to be shown plain: its language
// is unknown, there is too much of it, or the lexer would change the text.
func (p *page) tokens(language, code string) []chroma.Token {
	if language == "" || p.hilited+len(code) > maxHighlighted {
		return nil
	}
	lexer, ok := lexerNames()[strings.ToLower(language)]
	if !ok {
		return nil
	}
	p.hilited += len(code)
	tokens, err := chroma.Tokenise(chroma.Coalesce(lexer), nil, code)
	if err != nil || chroma.Stringify(tokens...) != code {
		return nil
	}
	return tokens
}

// tokenClass is the class of a kind of token, for those kinds only that HighlightCSS gives a colour.
func tokenClass(t chroma.TokenType) string {
	for _, kind := range []chroma.TokenType{t, t.SubCategory(), t.Category()} {
		if class := chroma.StandardTypes[kind]; coloured[class] {
			return class
		}
	}
	return ""
}

// colour is one of the colours of code: CSS in light and dark, and the classes that have it. Class names are
// Chroma's (and Pygments').
type colour struct {
	name        string
	light, dark string // arguments of oklch()
	extra       string // further declarations
	classes     string
}

// palette keeps to the hues of the page. Every colour has at least 4.5:1 on the ground of code blocks.
var palette = []colour{
	{"keyword", ".46 .095 210", ".80 .095 197", "", "k kc kd kn kp kr kt ow cp cpf"},
	{"string", ".45 .11 155", ".80 .13 155", "", "s sa sb sc dl sd s2 se sh si sx sr s1 ss gi"},
	{"comment", ".50 .025 252", ".70 .02 250", "font-style:italic", "c ch cm c1 cs"},
	{"name", ".36 .09 235", ".82 .06 225", "", "nf fm nb bp na nt nl"},
	{"type", ".45 .13 300", ".82 .08 300", "", "nc nn ne nd no nv vc vg vi vm"},
	{"number", ".48 .10 70", ".84 .12 82", "", "m mb mf mh mi il mo l ld"},
	{"quiet", ".43 .03 252", ".79 .018 250", "", "o p gp go gt"},
	{"removed", ".50 .19 25", ".76 .14 22", "", "gd gr"},
	{"heading", ".22 .03 255", ".955 .008 250", "font-weight:600", "gh gu gs"},
}

var coloured = func() map[string]bool {
	classes := map[string]bool{}
	for _, c := range palette {
		for class := range strings.FieldsSeq(c.classes) {
			classes[class] = true
		}
	}
	return classes
}()

// HighlightCSS is the style sheet of highlighted code: the colours as custom properties that follow the page's
// colour scheme, and the classes that use them. It belongs at static/css/components/highlight.css.
func HighlightCSS() string {
	var b strings.Builder
	b.WriteString("/* Made by internal/markdown (HighlightCSS); a test compares. Colours keep 4.5:1 on --soft in both schemes. */\n")
	b.WriteString("@layer components {\n  .code {\n")
	for _, c := range palette {
		b.WriteString("    --code-" + c.name + ": light-dark(oklch(" + c.light + "), oklch(" + c.dark + "));\n")
	}
	b.WriteString("  }\n")
	for _, c := range palette {
		b.WriteString("  .code :is(." + strings.Join(strings.Fields(c.classes), ", .") + ") { color: var(--code-" + c.name + ");")
		if c.extra != "" {
			b.WriteString(" " + strings.ReplaceAll(c.extra, ":", ": ") + ";")
		}
		b.WriteString(" }\n")
	}
	b.WriteString("}\n")
	return b.String()
}
