package markdown

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// ErrTooComplex refuses a text that would take too long or grow too large. The error that wraps it says why, in
// words for the author.
var ErrTooComplex = errors.New("this text is too complex")

const (
	maxSource     = 256 << 10
	maxOutput     = 8 << 20
	maxColumns    = 64
	maxCells      = 20_000
	maxNesting    = 100
	maxOpenLinks  = 2_000
	maxOpenBlocks = 2_000
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
	cells, columns, open, line := 0, 0, 0, 0
	for l := range strings.Lines(source) {
		line++
		if n := nesting(l); n > maxNesting {
			return tooComplex("line %d has %d list or quote marks, at most %d are allowed", line, n, maxNesting)
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
	}
	return nil
}

// nesting counts the list and quote marks that a line begins with.
func nesting(line string) int {
	n := 0
	for {
		line = strings.TrimLeft(line, " \t")
		rest := strings.TrimLeft(line, "0123456789")
		switch {
		case strings.HasPrefix(line, ">"):
			line = line[1:]
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
