package models

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// tsquery is the query as PostgreSQL reads it. The words are letters and digits only, so quotes make them safe.
func (q searchQuery) tsquery() string {
	var terms []string
	for _, t := range q.terms {
		term := "'" + strings.Join(t.words, "' <-> '") + "'"
		if t.prefix {
			term += ":*"
		}
		terms = append(terms, "("+term+")")
	}
	return strings.Join(terms, " & ")
}

// findPostgres asks one of the columns head and words. It goes round the cache of prepared statements: their plans do not
// know whether a word is rare, when the index is fast, or common, when reading the newest documents is.
func (s *Store) findPostgres(ctx context.Context, q searchQuery, column string, lowest, highest int64) (found []searchCandidate, err error) {
	pool, err := s.reader.DB()
	if err != nil {
		return nil, err
	}
	now := s.Now()
	//nolint:gosec // the column is one of two of ours
	rows, err := pool.QueryContext(ctx, `SELECT d.id, d.title FROM search_documents d
		WHERE d.`+column+` @@ CAST($1 AS tsquery) AND d.id BETWEEN $2 AND $3 AND `+
		strings.Replace(strings.Replace(visibleDocuments, "?", "$4", 1), "?", "$5", 1)+` ORDER BY d.id DESC LIMIT $6`,
		pgx.QueryExecModeExec, q.tsquery(), lowest, highest, now, now, searchCandidates+1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c searchCandidate
		if err := rows.Scan(&c.ID, &c.Title); err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, rows.Err()
}

// tsvector is words with their places, written out because PostgreSQL's own parser parts words otherwise than we do.
func tsvector(groups ...[]string) string {
	places := map[string][]string{}
	place := 0
	for _, words := range groups {
		for _, word := range words {
			place++
			places[word] = append(places[word], strconv.Itoa(place))
		}
		place++ // so that no row of words reaches from one group into the next
	}
	var vector strings.Builder
	for word, at := range places {
		vector.WriteString("'" + word + "':" + strings.Join(at, ",") + " ")
	}
	return vector.String()
}

func (s *Store) writeWordsPostgres(ctx context.Context, id int64, head, body []string) error {
	return s.write(ctx).Exec("UPDATE search_documents SET head = CAST(? AS tsvector), words = CAST(? AS tsvector) WHERE id = ?",
		tsvector(head), tsvector(head, body), id).Error
}
