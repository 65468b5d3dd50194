package markdown

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// ErrTooComplex refuses a text that would take too long or grow too large. The error that wraps it says why, in
// words for the author.
var ErrTooComplex = errors.New("this text is too complex")

const (
	maxSource      = 256 << 10
	maxOutput      = 8 << 20
	maxColumns     = 64
	maxCells       = 20_000
	maxNesting     = 100   // in one line
	maxOpenLinks   = 2_000 // in the whole text, as are the following
	maxDefinitions = 2_000
	maxMarks       = 5_000 // in one paragraph
)

func tooComplex(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrTooComplex}, args...)...)
}

// checkLimits refuses what the parser, which cannot be stopped, is slow at or multiplies: it pads each row of a
// table to the width of its head, and looks for the end of each open link through the whole paragraph. It reads
// the text once and may count more than the parser would, never less.
func checkLimits(source string) error {
	if len(source) > maxSource {
		return tooComplex("it has %d KB, and at most %d KB can be shown; split it into several", len(source)>>10, maxSource>>10)
	}
	cells, columns, open, definitions, line := 0, 0, 0, 0, 0
	for l := range strings.Lines(source) {
		line++
		if n := nesting(l); n > maxNesting {
			return tooComplex("line %d has %d list, quote or footnote marks, at most %d are allowed", line, n, maxNesting)
		}
		if strings.Trim(l, "> \t\n") == "" {
			columns = 0
		} else if n := delimiterColumns(l); n > maxColumns {
			return tooComplex("the table at line %d has %d columns, at most %d are allowed", line, n, maxColumns)
		} else {
			columns = max(columns, n)
		}
		if cells += columns; cells > maxCells {
			return tooComplex("its tables have more than %d cells (counted up to line %d)", maxCells, line)
		}
		if open += openLinks(l); open > maxOpenLinks {
			return tooComplex("more than %d links are begun with ]( and not ended (counted up to line %d)", maxOpenLinks, line)
		}
		if strings.HasPrefix(strings.TrimLeft(l, "> \t*+-0123456789.)"), "[") && strings.Contains(l, "]:") {
			if definitions += strings.Count(l, "]:"); definitions > maxDefinitions {
				return tooComplex("it has more than %d definitions of links and footnotes (counted up to line %d)", maxDefinitions, line)
			}
		}
	}
	return nil
}

// nesting counts the list, quote and footnote marks that a line begins with, which all open a block in a block.
func nesting(line string) int {
	n := 0
	for {
		line = strings.TrimLeft(line, " \t")
		rest := strings.TrimLeft(line, "0123456789")
		switch {
		case strings.HasPrefix(line, ">"):
			line = line[1:]
		case strings.HasPrefix(line, "[^") && strings.Contains(line, "]:"):
			_, line, _ = strings.Cut(line, "]:")
		case len(rest) > 1 && (len(rest) == len(line) && strings.ContainsRune("-*+", rune(rest[0])) ||
			len(rest) < len(line) && strings.ContainsRune(".)", rune(rest[0]))) && strings.ContainsRune(" \t\n", rune(rest[1])):
			line = rest[1:]
		default:
			return n
		}
		n++
	}
}

// delimiterColumns is the number of columns of a line that can be the one under a table's head, else 0.
func delimiterColumns(line string) int {
	line = strings.Trim(strings.TrimLeft(line, "> \t*+0123456789.)"), " \t\n")
	if strings.Trim(line, "-:| \t") != "" || !strings.Contains(line, "-") || !strings.ContainsAny(line, "|:") {
		return 0
	}
	return strings.Count(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|") + 1
}

// openLinks counts the ]( in a line that no ) follows before the next one.
func openLinks(line string) int {
	n := 0
	for {
		_, rest, found := strings.Cut(line, "](")
		if !found {
			return n
		}
		target, _, _ := strings.Cut(rest, "](")
		if !strings.Contains(target, ")") {
			n++
		}
		line = rest
	}
}

// markCounter refuses paragraphs with very many marks: the parser compares each * _ ~ and bracket with all before
// it. It is asked at each mark, never takes one, and so does not count those in code.
type markCounter struct{}

var marksKey = parser.NewContextKey()

func (markCounter) Trigger() []byte { return []byte("*_~[]") }

// Parse stops the parser the only way there is; Render recovers.
func (markCounter) Parse(_ ast.Node, _ text.Reader, pc parser.Context) ast.Node {
	n, _ := pc.Get(marksKey).(int)
	if n++; n > maxMarks {
		panic(tooComplex("one paragraph has more than %d of the marks * _ ~ [ ]", maxMarks))
	}
	pc.Set(marksKey, n)
	return nil
}

// CloseBlock begins the count anew.
func (markCounter) CloseBlock(_ ast.Node, _ text.Reader, pc parser.Context) { pc.Set(marksKey, 0) }

// limitedBuffer keeps what is written and fails with ErrTooComplex once that is more than limit bytes.
type limitedBuffer struct {
	bytes.Buffer
	limit int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.limit {
		return 0, tooComplex("as a page it would have more than %d MB", b.limit>>20)
	}
	return b.Buffer.Write(p)
}
