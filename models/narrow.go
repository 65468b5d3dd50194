package models

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/cdfoundation/portal/internal/slug"
)

// fold is a text as searches in short lists compare it: small letters without marks, so that Zurich finds Zürich. The script
// that narrows these lists in a browser folds in the same way.
func fold(text string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.M, r) {
			return -1
		}
		return r
	}, norm.NFD.String(text)))
}

// containsWords reports whether every word of the query stands somewhere in the text.
func containsWords(text, query string) bool {
	text = fold(text)
	for word := range strings.FieldsSeq(fold(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// hasTopic reports whether one of the topics has the slug.
func hasTopic(topics []string, wanted string) bool {
	for _, topic := range topics {
		if slug.Make(topic) == wanted {
			return true
		}
	}
	return false
}
