package markdown

import (
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// emphasisParser reads * and _ as CommonMark does, but lets ** begin and end beside Chinese, Japanese and Korean
// punctuation. CommonMark decides by spaces around punctuation, which those scripts do not write, so that
// **「引用」**と would stay as it is.
type emphasisParser struct{}

func (emphasisParser) Trigger() []byte { return []byte{'*', '_'} }

func (emphasisParser) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	node := parser.ScanDelimiter(line, before, 1, emphasisDelimiters{})
	if node == nil {
		return nil
	}
	if node.Char == '*' {
		after := ' '
		if node.OriginalLength < len(line) {
			after, _ = utf8.DecodeRune(line[node.OriginalLength:])
		}
		node.CanOpen = opens(before, after)
		node.CanClose = opens(after, before) // the same rule, seen from the other side
	}
	node.Segment = segment.WithStop(segment.Start + node.OriginalLength)
	block.Advance(node.OriginalLength)
	pc.PushDelimiter(node)
	return node
}

// opens tells whether a run of * between the two characters may begin emphasis (CommonMark 0.31, 6.2,
// "left-flanking", with CJK punctuation taken for letters and CJK letters allowed where a space is asked for).
func opens(outside, inside rune) bool {
	if util.IsSpaceRune(inside) {
		return false
	}
	return !util.IsPunctRune(inside) || isCJK(inside) ||
		util.IsSpaceRune(outside) || util.IsPunctRune(outside) || isCJK(outside)
}

// isCJK tells of letters, signs and full-width punctuation of Chinese, Japanese and Korean.
func isCJK(r rune) bool {
	return r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo) ||
		r >= 0x3000 && r <= 0x303F || r >= 0xFE30 && r <= 0xFE4F || r >= 0xFF00 && r <= 0xFFEF)
}

type emphasisDelimiters struct{}

func (emphasisDelimiters) IsDelimiter(b byte) bool { return b == '*' || b == '_' }

func (emphasisDelimiters) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}

func (emphasisDelimiters) OnMatch(consumes int) ast.Node { return ast.NewEmphasis(consumes) }
