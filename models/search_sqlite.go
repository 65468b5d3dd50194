package models

import (
	"context"
	"strings"
)

// match is the query in the language of FTS4: every word quoted, so that nothing in it is an operator; the star of an
// unfinished word stands inside the quotes.
func (q searchQuery) match(headOnly bool) string {
	var terms []string
	for _, t := range q.terms {
		term := `"` + strings.Join(t.words, " ")
		if t.prefix {
			term += "*"
		}
		term += `"`
		if headOnly {
			term = "head:" + term
		}
		terms = append(terms, term)
	}
	return strings.Join(terms, " ")
}

// CROSS JOIN keeps SQLite from reading the documents first.
const findSQLite = `SELECT d.id, d.title FROM search_index CROSS JOIN search_documents d ON d.id = search_index.docid
	WHERE search_index MATCH ? AND search_index.docid BETWEEN ? AND ? AND ` + visibleDocuments + ` ORDER BY search_index.docid DESC LIMIT ?`

func (s *Store) writeWordsSQLite(ctx context.Context, id int64, head, body []string) error {
	return s.write(ctx).Exec("INSERT INTO search_index (docid, head, body) VALUES (?, ?, ?)", id, strings.Join(head, " "), strings.Join(body, " ")).Error
}

func (s *Store) removeWordsSQLite(ctx context.Context, where string, args ...any) error {
	return s.write(ctx).Exec("DELETE FROM search_index WHERE docid IN (SELECT id FROM search_documents WHERE "+where+")", args...).Error
}
