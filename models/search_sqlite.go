package models

import (
	"context"
	"strings"
)

// match is the query in the language of FTS4: every word quoted, so that nothing in it is an operator; the star of an
// unfinished word stands inside the quotes.
func (q searchQuery) match() string {
	var terms []string
	for _, t := range q.terms {
		term := `"` + strings.Join(t.words, " ")
		if t.prefix {
			term += "*"
		}
		terms = append(terms, term+`"`)
	}
	return strings.Join(terms, " ")
}

// findSQLite asks a column of the index, or all under the index's own name: a column that is named inside a query would
// hold for words but not for rows of words. CROSS JOIN keeps SQLite from reading the documents first.
func (s *Store) findSQLite(ctx context.Context, q searchQuery, column string, lowest, highest int64) ([]searchCandidate, error) {
	now := s.Now()
	var found []searchCandidate
	err := s.read(ctx).Raw(`SELECT d.id, d.title FROM search_index CROSS JOIN search_documents d ON d.id = search_index.docid
		WHERE search_index.`+column+` MATCH ? AND search_index.docid BETWEEN ? AND ? AND `+visibleDocuments+` ORDER BY search_index.docid DESC LIMIT ?`,
		q.match(), lowest, highest, now, now, searchCandidates+1).Scan(&found).Error
	return found, err
}

func (s *Store) writeWordsSQLite(ctx context.Context, id int64, head, body []string) error {
	return s.write(ctx).Exec("INSERT INTO search_index (docid, head, body) VALUES (?, ?, ?)", id, strings.Join(head, " "), strings.Join(body, " ")).Error
}

func (s *Store) removeWordsSQLite(ctx context.Context, where string, args ...any) error {
	return s.write(ctx).Exec("DELETE FROM search_index WHERE docid IN (SELECT id FROM search_documents WHERE "+where+")", args...).Error
}
