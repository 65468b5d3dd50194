package artwork

import (
	"html"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// hues is how many .hue-… classes the style sheet has.
const hues = 8

// Hue returns the number from 0 to 7 of the .hue-… class for a name: the same name always has the same one.
func Hue(name string) int { return int(hash(strings.TrimSpace(name)) % hues) }

// Initials returns what stands for a name where there is no photo: the first letters of its first and last word in capitals,
// as people see letters (grapheme clusters, UAX #29). One letter stands for a name of one word, for names in scripts
// that write no gaps between given and family name, and in scripts whose letters would join; "?" for a name without letters.
func Initials(name string) string {
	var words []string
	for word := range strings.FieldsSeq(name) {
		word = strings.TrimLeftFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
		if word != "" {
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return "?"
	}
	first := initial(words[0])
	if len(words) == 1 || standsAlone(first) {
		return first
	}
	return first + initial(words[len(words)-1])
}

func initial(word string) string {
	graphemes := uniseg.NewGraphemes(word)
	graphemes.Next()
	return strings.ToUpper(graphemes.Str())
}

func standsAlone(letter string) bool {
	for _, r := range letter {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Arabic, unicode.Syriac)
	}
	return false
}

// Portrait returns the square SVG that stands for a person without a photo: a ring's arc and the initials, in the colours of
// the .portrait and .hue-… classes around it. It is hidden from screen readers: the name stands beside it.
func Portrait(name string) string {
	return `<svg viewBox="0 0 100 100" aria-hidden="true"><circle class="arc" cx="84" cy="16" r="42.5" stroke-width="7"/>` +
		`<text x="10" y="90">` + html.EscapeString(Initials(name)) + `</text></svg>`
}
