package models

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Words are made here, before indexing and before asking, so that both databases find the same.

const (
	maxQuery      = 200       // characters of what was typed
	maxTerms      = 12        // an expression of SQLite's may be twelve deep
	maxWord       = 64        // characters
	maxWords      = 16_000    // of a document: PostgreSQL knows no positions above 16,383
	maxWordsBytes = 512 << 10 // of a document: a tsvector holds a megabyte
	excerptBytes  = 240
)

// searchUnit is what is found as a whole: a word, or one character of a script that is written without spaces.
type searchUnit struct {
	start, end int    // bytes in the text
	text       string // folded
	single     bool   // one character of such a script
}

// unspaced are the scripts whose words are not parted by spaces, and Korean, whose endings hang on its words.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
	{R16: []unicode.Range16{{Lo: 'ー', Hi: 'ー', Stride: 1}}}, // in Katakana words, yet of no script
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.N)
}

// searchUnits reads a text from its beginning.
func searchUnits(text string) iter.Seq[searchUnit] {
	return func(yield func(searchUnit) bool) {
		for at := 0; at < len(text); {
			r, size := utf8.DecodeRuneInString(text[at:])
			u := searchUnit{start: at, end: at + size}
			switch {
			case !wordRune(r):
				at = u.end
				continue
			case r >= utf8.RuneSelf && unicode.In(r, unspaced...):
				u.single = true
				u.text = foldWord(text[at:u.end])
			default:
				u.end = wordEnd(text, at)
				u.text = foldWord(text[at:u.end])
				// C++ and C# are names of one letter that lives by its signs.
				if name, signs := named(text[at:], u.end-at); name != "" {
					u.text, u.end = name, u.end+signs
				}
			}
			at = u.end
			if u.text != "" && !yield(u) {
				return
			}
		}
	}
}

// wordEnd is where the word ends that begins at a byte of the text.
func wordEnd(text string, at int) int {
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if !wordRune(r) || r >= utf8.RuneSelf && unicode.In(r, unspaced...) {
			break
		}
		at += size
	}
	return at
}

// named is the word that stands for a letter with the signs behind it, and how many bytes these have.
func named(text string, letter int) (name string, signs int) {
	if letter != 1 || text[0] <= '9' {
		return "", 0
	}
	switch rest := text[1:]; {
	case strings.HasPrefix(rest, "++"):
		return strings.ToLower(text[:1]) + "plusplus", 2
	case strings.HasPrefix(rest, "#") && wordEnd(rest, 1) == 1:
		return strings.ToLower(text[:1]) + "sharp", 1
	}
	return "", 0
}

// foldedLetters are those that Unicode does not take apart and people type without their mark.
var foldedLetters = strings.NewReplacer("ł", "l", "ø", "o", "đ", "d", "ħ", "h", "ı", "i", "æ", "ae", "œ", "oe", "þ", "th", "ð", "d")

// foldWord is a word in the form in which its spellings compare equal: without case, accents and widths.
func foldWord(word string) string {
	if ascii(word) {
		return cut(strings.ToLower(word), maxWord)
	}
	word = strings.Map(func(r rune) rune {
		if !wordRune(r) || '\u0300' <= r && r <= '\u036f' {
			return -1
		}
		return r
	}, norm.NFKD.String(cases.Fold().String(norm.NFKC.String(word))))
	word = foldedLetters.Replace(norm.NFC.String(word))
	if runes := []rune(word); len(runes) > maxWord {
		return string(runes[:maxWord])
	}
	return word
}

// indexWords turns units into the words of an index: a run of single characters becomes its pairs and its last one, so
// that a longer run is found as a row of pairs, and one character as the beginning of a pair.
func indexWords(units iter.Seq[searchUnit]) iter.Seq[string] {
	return func(yield func(string) bool) {
		var last searchUnit
		for u := range units {
			if last.text != "" {
				word := last.text
				if last.single && u.single && u.start == last.end {
					word += u.text
				}
				if !yield(word) {
					return
				}
			}
			last = u
		}
		if last.text != "" {
			yield(last.text)
		}
	}
}

// searchWords are the words of texts, as many as a document may have beside the n that it has already.
func searchWords(n int, texts ...string) []string {
	var words []string
	bytes := 0
	for _, text := range texts {
		for word := range indexWords(searchUnits(norm.NFKC.String(text))) {
			if bytes += len(word); n+len(words) >= maxWords || bytes > maxWordsBytes/2 {
				return words
			}
			words = append(words, word)
		}
	}
	return words
}

// searchTerm is a part of a query that must be found: words in a row.
type searchTerm struct {
	units  []string // to look for in a text
	words  []string // to look for in the index
	prefix bool     // the last word may go on
}

// searchQuery is what somebody typed, made safe. Every term must be found.
type searchQuery struct {
	typed string
	terms []searchTerm
}

// newSearchQuery reads what was typed: words, of which the last may be unfinished, and "words in a row" in quotes.
// Nothing that people type is an error; what holds no letter or digit has no terms.
func newSearchQuery(typed string) searchQuery {
	typed = strings.Join(strings.Fields(strings.ToValidUTF8(strings.ReplaceAll(typed, "\x00", " "), "")), " ")
	if runes := []rune(typed); len(runes) > maxQuery {
		typed = strings.TrimSpace(string(runes[:maxQuery]))
	}
	q := searchQuery{typed: typed}
	words := 0
	add := func(chunk string, prefix bool) {
		units := slices.Collect(searchUnits(norm.NFKC.String(chunk)))
		if len(units) == 0 || len(q.terms) == maxTerms || words > 4*maxTerms {
			return
		}
		t := searchTerm{words: slices.Collect(indexWords(slices.Values(units)))}
		for _, u := range units {
			t.units = append(t.units, u.text)
		}
		last := units[len(units)-1]
		switch n := len(units); {
		case last.single && n > 1 && units[n-2].single && units[n-2].end == last.start:
			t.words = t.words[:len(t.words)-1] // its pair says it already
		case last.single:
			t.prefix = true // it may begin a pair
		default:
			t.prefix = prefix && utf8.RuneCountInString(last.text) > 1
		}
		words += len(t.words)
		q.terms = append(q.terms, t)
	}
	parts := strings.Split(typed, `"`)
	for i, part := range parts {
		if i%2 == 1 && i < len(parts)-1 {
			add(part, false)
			continue
		}
		chunks := strings.Fields(part)
		for j, chunk := range chunks {
			add(chunk, i == len(parts)-1 && j == len(chunks)-1)
		}
	}
	return q
}

// Segment is a part of a text; Match marks what was looked for. It is text, never HTML.
type Segment struct {
	Text  string
	Match bool
}

// searchHit is where a term stands in a text.
type searchHit struct {
	start, end int // bytes
	term       int
}

// hits lists where terms stand in a text, in its order.
func (q searchQuery) hits(text string) []searchHit {
	units := slices.Collect(searchUnits(text))
	var hits []searchHit
	for i := range units {
		for n, t := range q.terms {
			if t.at(units[i:]) {
				hits = append(hits, searchHit{units[i].start, units[i+len(t.units)-1].end, n})
			}
		}
	}
	return hits
}

// at reports whether units begin with the term.
func (t searchTerm) at(units []searchUnit) bool {
	if len(units) < len(t.units) {
		return false
	}
	for i, want := range t.units {
		got := units[i].text
		open := t.prefix && i == len(t.units)-1
		if got != want && (!open || !strings.HasPrefix(got, want)) {
			return false
		}
	}
	return true
}

// in reports whether all terms stand in a text.
func (q searchQuery) in(text string) bool { return distinct(q.hits(text)) == len(q.terms) }

func distinct(hits []searchHit) int {
	seen := map[int]bool{}
	for _, h := range hits {
		seen[h.term] = true
	}
	return len(seen)
}

// mark parts a text into what was looked for and what was not. The segments join to the text.
func (q searchQuery) mark(text string) []Segment { return marked(text, q.hits(text)) }

func marked(text string, hits []searchHit) []Segment {
	var segments []Segment
	at := 0
	for _, h := range hits {
		if h.end <= at || h.end > len(text) {
			continue
		}
		if h.start > at {
			segments = append(segments, Segment{Text: text[at:h.start]})
		}
		segments = append(segments, Segment{text[max(h.start, at):h.end], true})
		at = h.end
	}
	if at < len(text) {
		segments = append(segments, Segment{Text: text[at:]})
	}
	return segments
}

// excerpt is the part of a text, some forty words, in which most of the terms stand, or its beginning.
func (q searchQuery) excerpt(text string) []Segment {
	hits := q.hits(text)
	best, most := 0, 0
	for i, h := range hits {
		last := i
		for last < len(hits) && hits[last].end < h.start+excerptBytes*2/3 {
			last++
		}
		if n := distinct(hits[i:last]); n > most {
			best, most = h.start, n
		}
		if most == len(q.terms) {
			break
		}
	}
	start := 0
	if best > excerptBytes/2 {
		start = wordStart(text, best-excerptBytes/4, best)
	}
	end := len(text)
	if end > start+excerptBytes {
		end = start + excerptBytes
		for end > start && !utf8.RuneStart(text[end]) {
			end--
		}
		if space := strings.LastIndexByte(text[start:end], ' '); space > excerptBytes/2 {
			end = start + space
		}
	}
	var inside []searchHit
	for _, h := range hits {
		if h.start >= start && h.end <= end {
			inside = append(inside, searchHit{h.start - start, h.end - start, h.term})
		}
	}
	segments := marked(text[start:end], inside)
	if start > 0 {
		segments = append([]Segment{{Text: "… "}}, segments...)
	}
	if end < len(text) {
		segments = append(segments, Segment{Text: " …"})
	}
	return segments
}

// wordStart is the first beginning of a word from a byte of the text on, at most the byte last.
func wordStart(text string, at, last int) int {
	if space := strings.IndexByte(text[at:last], ' '); space >= 0 {
		return at + space + 1
	}
	for at < last && !utf8.RuneStart(text[at]) {
		at++
	}
	return at
}
