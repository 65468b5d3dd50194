package models

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/cdfoundation/portal/internal/slug"
)

// fold is a text as searches in short lists compare it: small letters without marks, so that Zurich finds Zürich. The script
// that narrows these lists in a browser folds in the same way.
func fold(text string) string {
	if ascii(text) {
		return strings.ToLower(text)
	}
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.M, r) {
			return -1
		}
		return r
	}, norm.NFD.String(text)))
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// sortFolded sorts rows by a key that is text. The two databases order names differently.
func sortFolded[T any](rows []T, key func(T) (text, slug string)) {
	type keyed struct {
		key string
		row T
	}
	all := make([]keyed, len(rows))
	for i, row := range rows {
		text, slug := key(row)
		all[i] = keyed{fold(text) + " " + slug, row}
	}
	slices.SortFunc(all, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	for i := range all {
		rows[i] = all[i].row
	}
}

// containsWords reports whether every word of the query stands somewhere in the text.
func containsWords(text, query string) bool {
	if query == "" {
		return true
	}
	text = fold(text)
	for word := range strings.FieldsSeq(fold(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// hasTopic reports whether one of the topics has the slug.
func hasTopic(topics []string, wanted string) bool { return slices.Contains(slugsOf(topics), wanted) }

func slugsOf(topics []string) []string {
	slugs := make([]string, len(topics))
	for i, topic := range topics {
		slugs[i] = slug.Make(topic)
	}
	return slugs
}
