package models

import (
	"context"
	"fmt"
	"strings"
)

// tsquery is the query as PostgreSQL reads it. The words are letters and digits only, so quotes make them safe.
func (q searchQuery) tsquery(headOnly bool) string {
	weight := ""
	if headOnly {
		weight = "A"
	}
	var terms []string
	for _, t := range q.terms {
		var words []string
		for i, word := range t.words {
			flags := weight
			if t.prefix && i == len(t.words)-1 {
				flags += "*"
			}
			if flags != "" {
				flags = ":" + flags
			}
			words = append(words, "'"+word+"'"+flags)
		}
		terms = append(terms, "("+strings.Join(words, " <-> ")+")")
	}
	return strings.Join(terms, " & ")
}

const findPostgres = `SELECT d.id, d.title FROM search_documents d
	WHERE d.words @@ CAST(? AS tsquery) AND d.id BETWEEN ? AND ? AND ` + visibleDocuments + ` ORDER BY d.id DESC LIMIT ?`

// writeWordsPostgres writes a tsvector word by word, because PostgreSQL's own parser parts words otherwise than we do.
func (s *Store) writeWordsPostgres(ctx context.Context, id int64, head, body []string) error {
	places := map[string][]string{}
	for i, word := range head {
		places[word] = append(places[word], fmt.Sprintf("%dA", i+1))
	}
	// A place is left out between them, so that no row of words reaches from one into the other.
	for i, word := range body {
		places[word] = append(places[word], fmt.Sprint(len(head)+i+2))
	}
	var vector strings.Builder
	for word, at := range places {
		vector.WriteString("'" + word + "':" + strings.Join(at, ",") + " ")
	}
	return s.write(ctx).Exec("UPDATE search_documents SET words = CAST(? AS tsvector) WHERE id = ?", vector.String(), id).Error
}
