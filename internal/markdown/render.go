package markdown

import (
	"fmt"
	"html"
	"strings"

	emojiast "github.com/yuin/goldmark-emoji/ast"
	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	goldmarkhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// RegisterFuncs names the elements that we write ourselves; the library writes the rest.
func (p *page) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindHeading, on(p.renderHeading))
	reg.Register(ast.KindParagraph, on(p.renderParagraph))
	reg.Register(ast.KindBlockquote, on(p.renderBlockquote))
	reg.Register(ast.KindText, on(p.renderText))
	reg.Register(ast.KindLink, on(p.renderLink))
	reg.Register(ast.KindAutoLink, on(p.renderAutoLink))
	reg.Register(ast.KindImage, on(p.renderImage))
	reg.Register(ast.KindRawHTML, on(p.renderRawHTML))
	reg.Register(ast.KindHTMLBlock, on(p.renderHTMLBlock))
	reg.Register(ast.KindFencedCodeBlock, on(p.renderFencedCode))
	reg.Register(ast.KindCodeBlock, on(p.renderIndentedCode))
	reg.Register(extast.KindTaskCheckBox, on(p.renderTaskCheckBox))
	reg.Register(extast.KindTable, on(p.renderTable))
	reg.Register(extast.KindTableHeader, on(p.renderTableHeader))
	reg.Register(extast.KindTableRow, on(p.renderTableRow))
	reg.Register(extast.KindTableCell, on(p.renderTableCell))
	reg.Register(extast.KindFootnoteLink, on(p.renderFootnoteLink))
	reg.Register(extast.KindFootnoteBacklink, on(p.renderFootnoteBacklink))
	reg.Register(extast.KindFootnote, on(p.renderFootnote))
	reg.Register(extast.KindFootnoteList, on(p.renderFootnoteList))
}

// on makes a function for one kind of element into one for any, as the library wants it.
func on[N ast.Node](render func(w util.BufWriter, n N, entering bool) ast.WalkStatus) renderer.NodeRendererFunc {
	return func(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		n, ok := node.(N)
		if !ok {
			return ast.WalkStop, fmt.Errorf("render markdown: %T is not what its kind %s says", node, node.Kind())
		}
		return render(w, n, entering), nil
	}
}

// printf writes markup whose arguments are escaped where they are text. Errors are the writer's to keep: it
// reports the first one when it is flushed.
func printf(w util.BufWriter, format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = html.EscapeString(s)
		}
	}
	_, _ = fmt.Fprintf(w, format, args...)
}

func (p *page) renderHeading(w util.BufWriter, n *ast.Heading, entering bool) ast.WalkStatus {
	if entering {
		printf(w, `<h%d id="%s">`, n.Level, p.ids[n])
		return ast.WalkContinue
	}
	if words := p.inlineText(n, true); words != "" {
		printf(w, ` <a class="anchor" href="#%s" aria-label="%s">#</a>`, p.ids[n], "Link to "+words)
	}
	printf(w, "</h%d>\n", n.Level)
	return ast.WalkContinue
}

func (p *page) renderParagraph(w util.BufWriter, n *ast.Paragraph, entering bool) ast.WalkStatus {
	switch figure := p.figures[n]; {
	case figure && entering:
		printf(w, "<figure class=\"figure\">")
	case figure:
		p.renderCaption(w, p.lonePicture(n))
		printf(w, "</figure>\n")
	case entering:
		printf(w, "<p>")
	default:
		printf(w, "</p>\n")
	}
	return ast.WalkContinue
}

// renderCaption writes a picture's title, "Caption | Credit".
func (p *page) renderCaption(w util.BufWriter, n *ast.Image) {
	caption, credit, _ := strings.Cut(resolve(n.Title), "|")
	caption, credit = strings.TrimSpace(caption), strings.TrimSpace(credit)
	if caption+credit == "" {
		return
	}
	printf(w, "<figcaption>%s", caption)
	if caption != "" && credit != "" {
		printf(w, " ")
	}
	if credit != "" {
		printf(w, `<span class="credit">%s</span>`, credit)
	}
	printf(w, "</figcaption>")
}

func (p *page) renderBlockquote(w util.BufWriter, n *ast.Blockquote, entering bool) ast.WalkStatus {
	switch kind := p.alerts[n]; {
	case kind == "" && entering:
		printf(w, "<blockquote>\n")
	case kind == "":
		printf(w, "</blockquote>\n")
	case entering:
		printf(w, `<div class="alert alert-%s" role="note"><p class="alert-title">%s</p>`+"\n", kind, alertTitles[kind])
	default:
		printf(w, "</div>\n")
	}
	return ast.WalkContinue
}

// renderText keeps a line end as one, except between two CJK characters: browsers would show a space there. The
// library's own option for that loses line ends beside links.
func (p *page) renderText(w util.BufWriter, n *ast.Text, entering bool) ast.WalkStatus {
	if !entering {
		return ast.WalkContinue
	}
	if value := n.Segment.Value(p.source); n.IsRaw() {
		goldmarkhtml.DefaultWriter.RawWrite(w, value)
	} else {
		goldmarkhtml.DefaultWriter.Write(w, value)
	}
	switch {
	case n.HardLineBreak():
		printf(w, "<br>\n")
	case n.SoftLineBreak() && !p.breaksCJK(n):
		printf(w, "\n")
	}
	return ast.WalkContinue
}

func (p *page) renderLink(w util.BufWriter, n *ast.Link, entering bool) ast.WalkStatus {
	address := destination(n.Destination)
	allowed, external := linkAllowed(address)
	switch {
	case !allowed:
	case entering:
		p.openLink(w, p.fragment(address), resolve(n.Title), external)
	default:
		printf(w, "</a>")
	}
	return ast.WalkContinue
}

func (p *page) renderAutoLink(w util.BufWriter, n *ast.AutoLink, entering bool) ast.WalkStatus {
	if !entering {
		return ast.WalkContinue
	}
	address := string(util.URLEscape(n.URL(p.source), false))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(address), "mailto:") {
		address = "mailto:" + address
	}
	label := string(n.Label(p.source))
	if allowed, external := linkAllowed(address); allowed {
		p.openLink(w, address, "", external)
		printf(w, "%s</a>", label)
	} else {
		printf(w, "%s", label)
	}
	return ast.WalkContinue
}

func (p *page) openLink(w util.BufWriter, address, title string, external bool) {
	printf(w, `<a href="%s"`, address)
	if title != "" {
		printf(w, ` title="%s"`, title)
	}
	if external {
		printf(w, ` rel="noopener"`)
	}
	printf(w, ">")
}

func (p *page) renderImage(w util.BufWriter, n *ast.Image, entering bool) ast.WalkStatus {
	if !entering {
		return ast.WalkContinue
	}
	src, alt := destination(n.Destination), p.inlineText(n, true)
	if !imageAllowed(src) {
		printf(w, "%s", alt)
		return ast.WalkSkipChildren
	}
	printf(w, `<img src="%s" alt="%s"`, src, alt)
	if title := resolve(n.Title); title != "" && !p.inFigure(n) {
		printf(w, ` title="%s"`, title)
	}
	if p.opts.ImageSize != nil {
		if width, height, ok := p.opts.ImageSize(src); ok {
			printf(w, ` width="%d" height="%d"`, width, height)
		}
	}
	if n != p.first {
		printf(w, ` loading="lazy"`)
	}
	printf(w, ` decoding="async">`)
	return ast.WalkSkipChildren
}

func (p *page) inFigure(n ast.Node) bool {
	return p.figures[n.Parent()] || p.figures[n.Parent().Parent()]
}

func (p *page) renderRawHTML(w util.BufWriter, n *ast.RawHTML, entering bool) ast.WalkStatus {
	if value := n.Segments.Value(p.source); entering && !isComment(value) {
		printf(w, "%s", string(value))
	}
	return ast.WalkSkipChildren
}

func (p *page) renderHTMLBlock(w util.BufWriter, n *ast.HTMLBlock, entering bool) ast.WalkStatus {
	if value := p.htmlBlock(n); entering && !isComment(value) {
		printf(w, "<p>%s</p>\n", string(value))
	}
	return ast.WalkContinue
}

func (p *page) renderTaskCheckBox(w util.BufWriter, n *extast.TaskCheckBox, entering bool) ast.WalkStatus {
	switch {
	case !entering:
	case n.IsChecked:
		printf(w, `<input type="checkbox" checked disabled aria-label="Done"> `)
	default:
		printf(w, `<input type="checkbox" disabled aria-label="To do"> `)
	}
	return ast.WalkContinue
}

// wideColumns is from how many columns on a table may use the page's margin.
const wideColumns = 4

func (p *page) renderTable(w util.BufWriter, n *extast.Table, entering bool) ast.WalkStatus {
	if !entering {
		printf(w, "</table></div>\n")
		return ast.WalkContinue
	}
	class := "table-box"
	if n.FirstChild().ChildCount() >= wideColumns {
		class += " wide"
	}
	printf(w, `<div class="%s" role="region" tabindex="0" aria-label="%s"><table class="table">`+"\n", class, p.labels[n])
	return ast.WalkContinue
}

func (p *page) renderTableHeader(w util.BufWriter, n *extast.TableHeader, entering bool) ast.WalkStatus {
	switch {
	case entering:
		printf(w, "<thead>\n<tr>\n")
	case n.NextSibling() != nil:
		printf(w, "</tr>\n</thead>\n<tbody>\n")
	default:
		printf(w, "</tr>\n</thead>\n")
	}
	return ast.WalkContinue
}

func (p *page) renderTableRow(w util.BufWriter, n *extast.TableRow, entering bool) ast.WalkStatus {
	switch {
	case entering:
		printf(w, "<tr>\n")
	case n.NextSibling() != nil:
		printf(w, "</tr>\n")
	default:
		printf(w, "</tr>\n</tbody>\n")
	}
	return ast.WalkContinue
}

func (p *page) renderTableCell(w util.BufWriter, n *extast.TableCell, entering bool) ast.WalkStatus {
	tag, scope := "td", ""
	// An empty corner heads nothing, so it is no heading.
	if n.Parent().Kind() == extast.KindTableHeader && n.HasChildren() {
		tag, scope = "th", ` scope="col"`
	}
	if !entering {
		printf(w, "</%s>\n", tag)
		return ast.WalkContinue
	}
	_, _ = w.WriteString("<" + tag + scope)
	if n.Alignment != extast.AlignNone {
		printf(w, ` class="align-%s"`, n.Alignment.String())
	}
	printf(w, ">")
	return ast.WalkContinue
}

// footnoteRef is the id of a mark in the text; the second mark of the same footnote is fnref1.
func (p *page) footnoteRef(index, ref int) string {
	if ref == 0 {
		return fmt.Sprintf("%sfnref:%d", p.opts.IDPrefix, index)
	}
	return fmt.Sprintf("%sfnref%d:%d", p.opts.IDPrefix, ref, index)
}

func (p *page) renderFootnoteLink(w util.BufWriter, n *extast.FootnoteLink, entering bool) ast.WalkStatus {
	if entering {
		printf(w, `<sup id="%s"><a href="#%sfn:%d" class="footnote-ref" role="doc-noteref" aria-label="Footnote %d">%d</a></sup>`,
			p.footnoteRef(n.Index, n.RefIndex), p.opts.IDPrefix, n.Index, n.Index, n.Index)
	}
	return ast.WalkContinue
}

func (p *page) renderFootnoteBacklink(w util.BufWriter, n *extast.FootnoteBacklink, entering bool) ast.WalkStatus {
	if !entering {
		return ast.WalkContinue
	}
	label := fmt.Sprintf("Back to footnote mark %d", n.Index)
	if n.RefCount > 1 {
		label = fmt.Sprintf("%s, place %d", label, n.RefIndex+1)
	}
	// The variation selector keeps the arrow from being drawn as a coloured picture.
	printf(w, ` <a href="#%s" class="footnote-backref" role="doc-backlink" aria-label="%s">`+"\u21a9\ufe0e</a>",
		p.footnoteRef(n.Index, n.RefIndex), label)
	return ast.WalkContinue
}

func (p *page) renderFootnote(w util.BufWriter, n *extast.Footnote, entering bool) ast.WalkStatus {
	if entering {
		printf(w, `<li id="%sfn:%d">`+"\n", p.opts.IDPrefix, n.Index)
	} else {
		printf(w, "</li>\n")
	}
	return ast.WalkContinue
}

func (p *page) renderFootnoteList(w util.BufWriter, _ *extast.FootnoteList, entering bool) ast.WalkStatus {
	if entering {
		printf(w, `<section class="footnotes" role="doc-endnotes" aria-label="Footnotes"><ol>`+"\n")
	} else {
		printf(w, "</ol></section>\n")
	}
	return ast.WalkContinue
}

func emojiOf(n ast.Node) (string, bool) {
	e, ok := n.(*emojiast.Emoji)
	if !ok {
		return "", false
	}
	return string(e.Value.Unicode), true
}
