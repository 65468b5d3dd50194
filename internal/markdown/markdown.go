// Package markdown turns what people write into HTML that may stand on a page, into the same HTML made for feeds,
// and into the plain text, excerpt and contents that belong to it. It is the only place that blesses HTML, and it
// knows neither tables nor HTTP: it returns strings.
//
// There are two walls. The renderer never writes markup that came from an author: raw HTML is printed as text and
// addresses outside a short list lose their link. What it wrote then passes a sanitiser that lets through just the
// elements and attributes that this package writes.
package markdown

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	emoji "github.com/yuin/goldmark-emoji"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Version is the renderer's version. It is stored with what was rendered; raise it with every change that alters
// the result, so that old rows are rendered anew.
const Version = 1

// Options say what the text itself cannot.
type Options struct {
	// IDPrefix stands before the ids of footnotes, so that two posts can share a page. "p12-" for the post 12.
	IDPrefix string
	// ImageSize tells the size in pixels of the picture at an address as it is written in src. It may be nil;
	// pictures whose size it does not know get no width and height.
	ImageSize func(src string) (width, height int, ok bool)
}

// Rendered is a text in all the shapes in which it is shown and searched.
type Rendered struct {
	// HTML is safe to put on a page as it is.
	HTML string
	// Text is everything readable as plain text, a line a block, for search. It is not escaped.
	Text string
	// Excerpt is plain text of one line: what stands before <!--more-->, else about 200 characters that end at a
	// sentence or a word. It is not escaped, and empty when the text has no paragraph.
	Excerpt string
	// Contents are the headings of level 2 and 3 in order, without those inside quotes, lists and footnotes.
	Contents []Heading
	// Words is the length for a reading time: words outside code, where two Chinese or Japanese characters count
	// as one word, since those scripts are read at about twice as many characters a minute as English words.
	Words int
	// Warnings are for the author, in the order of lines; at most 100.
	Warnings []Warning
}

// Heading is a line of the contents.
type Heading struct {
	Level int    // 2 or 3
	ID    string // without #
	Text  string // plain
}

// Warning tells the author of something that will not come out as they may expect.
type Warning struct {
	Line    int // of the source, from 1
	Message string
}

// authorText is the parser of all texts. The typographer is off: it would turn <<x>> in prose into «x».
var authorText = goldmark.New(
	goldmark.WithExtensions(
		extension.Table,
		extension.Strikethrough,
		extension.TaskList,
		// The library's own patterns want a top-level domain in lower case.
		extension.NewLinkify(
			extension.WithLinkifyAllowedProtocols([]string{"http:", "https:"}),
			extension.WithLinkifyURLRegexp(urlPattern),
			extension.WithLinkifyWWWRegexp(wwwPattern),
		),
		extension.Footnote,
		emoji.Emoji,
	),
	goldmark.WithParserOptions(parser.WithInlineParsers(
		util.Prioritized(markCounter{}, 1),
		util.Prioritized(emphasisParser{}, 450), // before the library's, at 500
	)),
).Parser()

// Render turns source into HTML and what belongs to it. It fails with ErrTooComplex, and a reason that an author
// can act on, when the text is beyond the limits that keep rendering fast.
func Render(source string, opts Options) (result Rendered, err error) {
	source = strings.ToValidUTF8(strings.ReplaceAll(source, "\r\n", "\n"), "\uFFFD")
	if err := checkLimits(source); err != nil {
		return Rendered{}, err
	}
	defer func() {
		// The parser has met texts that it panicked on; one author's text must not end the program.
		if r := recover(); r != nil {
			refused, ok := r.(error)
			if !ok || !errors.Is(refused, ErrTooComplex) {
				refused = fmt.Errorf("render markdown: %v", r)
			}
			result, err = Rendered{}, refused
		}
	}()

	p := &page{source: []byte(source), opts: opts}
	doc := authorText.Parse(text.NewReader(p.source))
	if err := p.prepare(doc); err != nil {
		return Rendered{}, err
	}
	out := &limitedBuffer{limit: maxOutput}
	if err := p.renderer().Render(out, p.source, doc); err != nil {
		return Rendered{}, err
	}
	words, plain := p.plainText(doc)
	return Rendered{
		HTML:     policy.Sanitize(out.String()),
		Text:     plain,
		Excerpt:  p.excerpt(doc),
		Contents: p.contents,
		Words:    words,
		Warnings: p.warnings,
	}, nil
}

// renderer is made for each text, because its functions ask the page for what was found out before.
func (p *page) renderer() renderer.Renderer {
	return renderer.NewRenderer(renderer.WithNodeRenderers(
		util.Prioritized(p, 100),
		util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
		util.Prioritized(emoji.NewHTMLRenderer(emoji.WithRenderingMethod(emoji.Unicode).(emoji.RendererOption)), 500), //nolint:errcheck // the library gives it the wider type
		util.Prioritized(html.NewRenderer(), 1000),
	))
}
