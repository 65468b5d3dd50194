package artwork

import (
	"bytes"
	_ "embed" // the typeface of share images
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// The size of a share image in pixels, which the networks that show it agree on.
const (
	ShareWidth  = 1200
	ShareHeight = 630
)

const (
	inkColour   = "#111b28"
	paperColour = "#fcfeff"
	linkColour  = "#006575"
	tealColour  = "#00878e"

	// smallest is the size below which a title is broken and cut instead, most the lines that it then has.
	smallest = 48
	most     = 6

	margin    = 72
	artLeft   = 800
	textWidth = artLeft - 2*margin + 24
)

//go:embed fonts/figtree-latin.ttf
var latinTTF []byte

//go:embed fonts/figtree-latin-ext.ttf
var latinExtTTF []byte

// typeface is one weight of Figtree in the two files that it comes in.
type typeface []*sfnt.Font

var figtree = sync.OnceValues(func() (typeface, error) {
	var faces typeface
	for _, ttf := range [][]byte{latinTTF, latinExtTTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			return nil, fmt.Errorf("read the typeface of share images: %w", err)
		}
		faces = append(faces, f)
	}
	return faces, nil
})

// Share returns a PNG of 1200 by 630 pixels for links to a page: the title large, the kicker above it in colour, and beside
// them the drawing of the page's path (see Cover), the name of the site at the foot. Emoji are left out of the words. A title in a script that the typeface
// lacks gives way to the kicker; when the typeface lacks that too, the drawing fills the image.
func Share(title, kicker, slug, site string) ([]byte, error) {
	faces, err := figtree()
	if err != nil {
		return nil, err
	}
	title, kicker = faces.words(title), faces.words(kicker)
	if title == "" {
		title, kicker = kicker, ""
	}
	dst := image.NewRGBA(image.Rect(0, 0, ShareWidth, ShareHeight))
	if title == "" {
		paint(dst, dst.Bounds(), cover(slug, ShareWidth, ShareHeight))
		return encode(dst)
	}
	draw.Draw(dst, dst.Bounds(), image.NewUniform(hexColour(paperColour)), image.Point{}, draw.Src)
	paint(dst, image.Rect(artLeft, 0, ShareWidth, ShareHeight), cover(slug, ShareWidth-artLeft, ShareHeight))
	if err := faces.letter(dst, title, kicker, faces.words(site)); err != nil {
		return nil, err
	}
	return encode(dst)
}

func encode(m image.Image) ([]byte, error) {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := e.Encode(&b, m); err != nil {
		return nil, fmt.Errorf("encode a share image: %w", err)
	}
	return b.Bytes(), nil
}

// words returns the text as it can be drawn: composed, in one line, without emoji; empty when letters would be missing.
func (t typeface) words(text string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(text) {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case t.has(r) != nil:
			b.WriteRune(r)
		case unicode.In(r, unicode.So, unicode.Sk, unicode.Cf, unicode.Variation_Selector):
			// Emoji and what joins and colours them.
		default:
			return ""
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// has returns the file that holds the rune, or nil.
func (t typeface) has(r rune) *sfnt.Font {
	var buf sfnt.Buffer
	for _, f := range t {
		if i, err := f.GlyphIndex(&buf, r); err == nil && i != 0 {
			return f
		}
	}
	return nil
}

// letter draws the words of a share image: kicker on top, title under it, the site at the foot.
func (t typeface) letter(dst *image.RGBA, title, kicker, site string) error {
	small, err := t.at(30, -.005)
	if err != nil {
		return err
	}
	y := margin + 26
	if kicker != "" {
		small.draw(dst, margin, y, small.shortened(kicker, textWidth), linkColour)
		y += 36
	}
	foot := ShareHeight - margin
	for _, size := range []float64{88, 78, 69, 61, 54, smallest} {
		big, err := t.at(size, -.03)
		if err != nil {
			return err
		}
		lines := big.wrapped(title, textWidth)
		height := int(float64(len(lines)) * size * 1.08)
		if size > smallest && (y+height > foot-48 || big.widest(lines) > textWidth) {
			continue
		}
		lines = big.broken(lines, textWidth)
		if len(lines) > most {
			lines = append(lines[:most-1], big.shortened(lines[most-1]+" "+lines[most], textWidth))
		}
		for i, line := range lines {
			big.draw(dst, margin-3, y+int(size*(.92+1.08*float64(i))), line, inkColour)
		}
		break
	}
	c := canvas{dst: dst, box: dst.Bounds(), scale: 1.5, dx: margin, dy: float64(foot) - 32}
	for _, m := range logo() {
		if m.lane != nil {
			c.stroke(m.lane, m.size/2, false, logoColours[m.tone])
			continue
		}
		c.disc(m.at, m.size, logoColours[m.tone])
		if m.tone == toneB {
			c.disc(m.at, m.size-2.6, paperColour)
		}
	}
	small.draw(dst, margin+66, foot-4, small.shortened(site, textWidth-66), inkColour)
	return nil
}

var logoColours = map[tone]string{toneA: tealColour, toneB: inkColour, toneLive: coral}

// logo is the mark of the portal on a field of 34 by 24: a lane that changes, a second one that waits, a change in flight.
func logo() []mark {
	return []mark{
		{lane: from(0, 6).across(13).arc(13, 12, 6, -1, 0).arc(25, 12, 6, 2, 1).across(34), size: 4.5, tone: toneA},
		{lane: from(0, 18).across(9), size: 4.5, tone: toneB},
		{at: point{28, 6}, size: 4.5, tone: toneLive},
		{at: point{11, 18}, size: 4.7, tone: toneB},
	}
}

// lettering is a typeface at a size.
type lettering struct {
	files    typeface
	faces    map[*sfnt.Font]font.Face
	tracking fixed.Int26_6
}

// at returns the typeface at a size in pixels, with tracking as a part of the size.
func (t typeface) at(size, tracking float64) (*lettering, error) {
	l := &lettering{files: t, faces: map[*sfnt.Font]font.Face{}, tracking: fixed.Int26_6(size * tracking * 64)}
	for _, f := range t {
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			return nil, fmt.Errorf("set the typeface at %g pixels: %w", size, err)
		}
		l.faces[f] = face
	}
	return l, nil
}

// each calls do with every glyph's face and its offset, and returns the width of the line.
func (l *lettering) each(text string, do func(face font.Face, r rune, at fixed.Int26_6)) fixed.Int26_6 {
	var at fixed.Int26_6
	var before rune
	var last font.Face
	for _, r := range text {
		face := l.faces[l.files.has(r)]
		if face == nil {
			continue
		}
		if last == face {
			at += face.Kern(before, r)
		}
		if do != nil {
			do(face, r, at)
		}
		advance, _ := face.GlyphAdvance(r)
		at += advance + l.tracking
		before, last = r, face
	}
	return at
}

func (l *lettering) width(text string) int { return l.each(text, nil).Ceil() }

func (l *lettering) widest(lines []string) int {
	var width int
	for _, line := range lines {
		width = max(width, l.width(line))
	}
	return width
}

func (l *lettering) draw(dst *image.RGBA, x, y int, text, colour string) {
	src := image.NewUniform(hexColour(colour))
	l.each(text, func(face font.Face, r rune, at fixed.Int26_6) {
		d := font.Drawer{Dst: dst, Src: src, Face: face, Dot: fixed.Point26_6{X: fixed.I(x) + at, Y: fixed.I(y)}}
		d.DrawString(string(r))
	})
}

// wrapped breaks the text between words into lines of at most that width; a word that is wider stands alone.
func (l *lettering) wrapped(text string, width int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		if n := len(lines); n > 0 && l.width(lines[n-1]+" "+word) <= width {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// broken breaks lines of one word that is too wide, with a hyphen.
func (l *lettering) broken(lines []string, width int) []string {
	var all []string
	for _, line := range lines {
		for l.width(line) > width {
			letters := []rune(line)
			n := len(letters) - 1
			for n > 1 && l.width(string(letters[:n])+"-") > width {
				n--
			}
			all = append(all, string(letters[:n])+"-")
			line = string(letters[n:])
		}
		all = append(all, line)
	}
	return all
}

// shortened returns the text, cut with an ellipsis when it is wider.
func (l *lettering) shortened(text string, width int) string {
	if l.width(text) <= width {
		return text
	}
	letters := []rune(text)
	for len(letters) > 1 && l.width(string(letters)+"…") > width {
		letters = letters[:len(letters)-1]
	}
	return strings.TrimRight(string(letters), " ") + "…"
}
