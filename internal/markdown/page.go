package markdown

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/fnv"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	goldmarkhtml "github.com/yuin/goldmark/renderer/html"
)

// page is one text on its way: what prepare finds out about the parsed document, and what the renderer then asks.
type page struct {
	source []byte
	opts   Options

	ids      map[ast.Node]string // of headings
	anchors  map[string]string   // what an author would write after # → id
	repeats  map[string]int      // how often an id was wanted again
	figures  map[ast.Node]bool   // paragraphs that hold one picture and nothing else
	alerts   map[ast.Node]string // block quotes that begin with [!KIND] → kind
	labels   map[ast.Node]string // of tables
	first    ast.Node            // the first picture shown: it is not loaded lazily
	hilited  int                 // bytes of code highlighted so far
	contents []Heading
	warnings []Warning
}

const maxWarnings = 100

func (p *page) warn(pos int, format string, args ...any) {
	if len(p.warnings) < maxWarnings {
		line := 1 + bytes.Count(p.source[:max(pos, 0)], []byte("\n"))
		p.warnings = append(p.warnings, Warning{Line: line, Message: fmt.Sprintf(format, args...)})
	}
}

// prepare walks the document once before it is rendered: it moves headings to where a page wants them, gives them
// ids, finds figures and alerts, and collects warnings.
func (p *page) prepare(doc ast.Node) error {
	p.ids, p.anchors, p.repeats = map[ast.Node]string{}, map[string]string{}, map[string]int{}
	p.figures, p.alerts, p.labels = map[ast.Node]bool{}, map[ast.Node]string{}, map[ast.Node]string{}
	shift := p.headingShift(doc)
	section := ""
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			n.Level = min(n.Level+shift, 6)
			section = p.heading(n)
		case *ast.Blockquote:
			p.alert(n)
		case *ast.Paragraph:
			p.figures[n] = p.lonePicture(n) != nil
			p.brokenTable(n)
		case *ast.Image:
			p.picture(n)
		case *ast.RawHTML:
			// A closing tag follows an opening one, which has been told of.
			if value := n.Segments.Value(p.source); !isComment(value) && !bytes.HasPrefix(value, []byte("</")) {
				p.warn(n.Segments.At(0).Start, "HTML is shown as text: %s", short(string(value)))
			}
		case *ast.HTMLBlock:
			if value := p.htmlBlock(n); !isComment(value) {
				p.warn(n.Lines().At(0).Start, "HTML is shown as text: %s", short(string(value)))
			}
		case *ast.Link:
			if allowed, _ := linkAllowed(destination(n.Destination)); !allowed {
				p.warn(n.Pos(), "This address cannot be linked, only its words are shown: %s", short(string(n.Destination)))
			}
		case *ast.List:
			p.restartedList(n)
		case *extast.Table:
			p.labels[n] = strings.TrimSuffix(fmt.Sprintf("Table %d: %s", len(p.labels)+1, section), ": ")
			p.splitCells(n)
		default:
		}
		return ast.WalkContinue, nil
	})
	slices.SortStableFunc(p.warnings, func(a, b Warning) int { return a.Line - b.Line })
	return err
}

// headingShift is what to add to every heading's level so that the highest becomes h2: the h1 is the page's title.
func (p *page) headingShift(doc ast.Node) int {
	highest := 7
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok && entering {
			if h.Level == 1 {
				p.warn(h.Pos(), "The page's title is its only heading of the first level; this one and all below become one smaller. Begin with ##.")
			}
			highest = min(highest, h.Level)
		}
		return ast.WalkContinue, nil
	})
	return 2 - highest
}

// heading gives a heading its id and its line in the contents, and returns its words.
func (p *page) heading(n *ast.Heading) string {
	words := p.inlineText(n, true)
	written := headingID(words)
	id := written
	if pageIDs[id] {
		id += "-section"
	}
	// Counting on from the last one keeps a text of nothing but equal headings from taking for ever.
	for base := id; p.anchors[id] == id; id = fmt.Sprintf("%s-%d", base, p.repeats[base]+1) {
		p.repeats[base]++
	}
	p.ids[n] = id
	if _, ok := p.anchors[written]; !ok {
		p.anchors[written] = id
	}
	p.anchors[id] = id
	if _, top := n.Parent().(*ast.Document); top && n.Level <= 3 && words != "" {
		p.contents = append(p.contents, Heading{Level: n.Level, ID: id, Text: words})
	}
	return words
}

// pageIDs are the ids that our pages use themselves, outside what authors write.
var pageIDs = func() map[string]bool {
	ids := map[string]bool{}
	for id := range strings.FieldsSeq(`main nav navigation menu header footer content contents toc top search q skip
		filter filters sort form errors error-summary flash dialog theme map agenda tickets ticket register registration
		name email consent nonce title body excerpt slug date time tags categories bylines series related author authors
		comments share newsletter subscribe feeds calendar speakers sponsors venue people organisers ambassadors groups
		events posts preview editor`) {
		ids[id] = true
	}
	return ids
}()

// headingID is the fragment that GitHub makes of a heading: letters and digits of all scripts in lower case,
// hyphens for spaces. A heading without any gets an id of its signs, so that it does not move with its neighbours.
func headingID(words string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(words) {
		switch {
		case unicode.In(r, unicode.L, unicode.M, unicode.N):
			b.WriteRune(r)
		case r == ' ' || r == '-' || r == '_':
			if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
				b.WriteByte('-')
			}
		}
	}
	if id := strings.Trim(b.String(), "-"); strings.ContainsFunc(id, func(r rune) bool { return unicode.In(r, unicode.L, unicode.N) }) {
		return id
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(words))
	return fmt.Sprintf("section-%x", h.Sum32())
}

var alertTitles = map[string]string{
	"note": "Note", "tip": "Tip", "important": "Important", "warning": "Warning", "caution": "Caution",
}

// alert recognises GitHub's > [!NOTE] and takes the mark out of the text.
func (p *page) alert(n *ast.Blockquote) {
	paragraph, ok := n.FirstChild().(*ast.Paragraph)
	if !ok || paragraph.Lines().Len() == 0 {
		return
	}
	line := paragraph.Lines().At(0)
	mark := strings.ToLower(strings.TrimSpace(string(line.Value(p.source))))
	kind, ok := strings.CutPrefix(strings.TrimSuffix(mark, "]"), "[!")
	if !ok || alertTitles[kind] == "" || mark != "[!"+kind+"]" {
		return
	}
	p.alerts[n] = kind
	for paragraph.FirstChild() != nil {
		c := paragraph.FirstChild()
		paragraph.RemoveChild(paragraph, c)
		if t, ok := c.(*ast.Text); ok && (t.SoftLineBreak() || t.HardLineBreak()) {
			break
		}
	}
	if paragraph.FirstChild() == nil {
		n.RemoveChild(n, paragraph)
	}
}

// lonePicture returns the picture that a paragraph consists of, with or without a link around it, or nil.
func (p *page) lonePicture(n ast.Node) *ast.Image {
	child := n.FirstChild()
	if child == nil || child.NextSibling() != nil {
		return nil
	}
	switch c := child.(type) {
	case *ast.Image:
		if imageAllowed(destination(c.Destination)) {
			return c
		}
	case *ast.Link:
		return p.lonePicture(c)
	default:
	}
	return nil
}

func (p *page) picture(n *ast.Image) {
	if src := destination(n.Destination); !imageAllowed(src) {
		p.warn(p.position(n), "Only pictures from /media/ or https are shown, so this one is not: %s", short(src))
		return
	}
	if p.first == nil {
		p.first = n
	}
	switch alt := p.inlineText(n, true); {
	case alt == "":
		p.warn(p.position(n), "This picture has no description. Say between [ and ] what it shows.")
	case junkAlt.MatchString(alt):
		p.warn(p.position(n), "This picture's description does not say what it shows: %s", short(alt))
	}
}

// junkAlt matches descriptions that programs put in: Word's note, names of files, and words that say nothing.
var junkAlt = regexp.MustCompile(`(?i)description automatically generated|\.(?:jpe?g|png|gif|webp|svg|avif|heic|tiff?|bmp)$|` +
	`^(?:img|dsc|dscn|pxl|screen ?shot|screenshot|image|picture|photo|untitled|unnamed)?[\s_()\-.:0-9]*$|^(?:img|dsc|pxl|image|photo)[_-]\S+$`)

// position is where a picture or link stands in the source; for some the parser knows only where the words begin.
func (p *page) position(n ast.Node) int {
	for ; n != nil; n = n.Parent() {
		if pos := n.Pos(); pos >= 0 {
			return pos
		}
	}
	return 0
}

// restartedList warns where numbers begin anew because the code before was not indented: it ended the list.
func (p *page) restartedList(n *ast.List) {
	code, ok := n.PreviousSibling().(*ast.FencedCodeBlock)
	if !ok || !n.IsOrdered() || n.Start != 1 {
		return
	}
	if before, ok := code.PreviousSibling().(*ast.List); ok && before.IsOrdered() {
		p.warn(p.position(n.FirstChild()), "The numbers begin again at 1, because the code above ends the list. Indent the code by three spaces to keep it inside its step.")
	}
}

// splitCells warns of rows with more cells than the head: the parser drops what is too much.
func (p *page) splitCells(table ast.Node) {
	columns := table.FirstChild().ChildCount()
	for row := table.FirstChild().NextSibling(); row != nil; row = row.NextSibling() {
		line := p.lineAt(row.Pos())
		if n := cellCount(line); n > columns {
			hint := ""
			if strings.Contains(line, "`") {
				hint = ` A | in code also parts cells: write \|.`
			}
			p.warn(row.Pos(), "This row has %d cells and its table %d columns: the last are not shown.%s", n, columns, hint)
		}
	}
}

// brokenTable warns of a table whose head does not fit the line under it, which makes it plain text.
func (p *page) brokenTable(n *ast.Paragraph) {
	for i := 1; i < n.Lines().Len(); i++ {
		at, head := n.Lines().At(i), n.Lines().At(i-1)
		columns := delimiterColumns(string(at.Value(p.source)))
		if line := string(head.Value(p.source)); columns > 1 && strings.Contains(line, "|") {
			p.warn(head.Start, "This table is shown as text: its head has %d cells and the line under it %d.", cellCount(line), columns)
			return
		}
	}
}

func (p *page) lineAt(pos int) string {
	line, _, _ := bytes.Cut(p.source[max(pos, 0):], []byte("\n"))
	return string(line)
}

// cellCount counts the cells of a table's row as the parser does: each | parts them that has no \ before it.
func cellCount(row string) int {
	row = strings.TrimPrefix(strings.TrimSpace(row), "|")
	if strings.HasSuffix(row, "|") && !strings.HasSuffix(row, `\|`) {
		row = row[:len(row)-1]
	}
	return strings.Count(row, "|") - strings.Count(row, `\|`) + 1
}

// htmlBlock is the source of a block that begins with a tag.
func (p *page) htmlBlock(n *ast.HTMLBlock) []byte {
	value := slices.Clone(n.Lines().Value(p.source))
	if n.HasClosure() {
		value = append(value, n.ClosureLine.Value(p.source)...)
	}
	return bytes.TrimSpace(value)
}

// isComment tells whether raw HTML is one comment and nothing else. Comments are not shown: whoever writes one
// does not want it read.
func isComment(value []byte) bool {
	rest, ok := bytes.CutPrefix(value, []byte("<!--"))
	return ok && bytes.Index(rest, []byte("-->")) == len(rest)-3 && len(rest) >= 3
}

var moreMark = regexp.MustCompile(`^<!--\s*more\s*-->$`)

// inlineText is the plain text of what stands inside a block or an inline element, with escapes and entities
// resolved. Pictures count with their description only if withPictures is set.
func (p *page) inlineText(n ast.Node, withPictures bool) string {
	var b bytes.Buffer
	p.writeText(&b, n, withPictures)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (p *page) writeText(b *bytes.Buffer, n ast.Node, withPictures bool) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			value := c.Segment.Value(p.source)
			if c.IsRaw() {
				b.Write(value)
			} else {
				b.WriteString(resolve(value))
			}
			if c.HardLineBreak() || c.SoftLineBreak() && !p.breaksCJK(c) {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.WriteString(resolve(c.Value))
		case *ast.AutoLink:
			b.Write(c.Label(p.source))
		case *ast.RawHTML:
			if value := c.Segments.Value(p.source); withPictures && !isComment(value) {
				b.Write(value)
			}
		case *ast.Image:
			if withPictures {
				p.writeText(b, c, withPictures)
			}
		default:
			if e, ok := emojiOf(c); ok {
				b.WriteString(e)
			}
			p.writeText(b, c, withPictures)
		}
	}
}

// breaksCJK tells of a line break between two CJK characters, which stands for nothing.
func (p *page) breaksCJK(n *ast.Text) bool {
	next, ok := n.NextSibling().(*ast.Text)
	if !ok {
		return false
	}
	before := []rune(string(n.Segment.Value(p.source)))
	after := []rune(string(next.Segment.Value(p.source)))
	return len(before) > 0 && len(after) > 0 && isCJK(before[len(before)-1]) && isCJK(after[0])
}

// resolve turns Markdown's escapes and entities into the characters that they stand for. It goes through HTML,
// so that a page and its plain text cannot differ.
func resolve(value []byte) string {
	if bytes.IndexByte(value, '\\') < 0 && bytes.IndexByte(value, '&') < 0 {
		return string(value)
	}
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	goldmarkhtml.DefaultWriter.Write(w, value)
	_ = w.Flush()
	return html.UnescapeString(b.String())
}

// fragment resolves an in-page link to the heading that its author means.
func (p *page) fragment(address string) string {
	name, ok := strings.CutPrefix(address, "#")
	if !ok {
		return address
	}
	if plain, err := url.PathUnescape(name); err == nil {
		if id, ok := p.anchors[plain]; ok {
			return "#" + id
		}
	}
	return address
}

// short cuts what a warning repeats.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if cut := cutClusters(s, 60); len(cut) < len(s) {
		return cut + "…"
	}
	return s
}
