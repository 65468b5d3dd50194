package models

import (
	"context"
	"slices"
	"time"
)

// SearchFilter is what somebody looks for.
type SearchFilter struct {
	Query  string     // as typed
	Kind   SearchKind // "": the first of every kind
	Limit  int        // results of a kind
	Offset int
}

// SearchResults are the things that were found, and where.
type SearchResults struct {
	Query string // as it was understood: without what is too long
	Kinds []SearchKindResults
	Total int
}

// SearchKindResults are those of one kind.
type SearchKindResults struct {
	Kind    SearchKind
	Count   int  // at most searchCandidates
	More    bool // there are more than Count
	Results []SearchResult
}

// SearchResult is one thing that was found.
type SearchResult struct {
	Kind     SearchKind
	Slug     string // of a page its path
	Title    []Segment
	Excerpt  []Segment
	Note     string // who, or where
	Day      string // 2020-06-18, or 2020-06 where no more is known; empty for what has no date
	Language string // BCP 47
	Sample   bool
}

const (
	// searchCandidates is how many documents of a kind are looked at: the newest with all words in title or names, then
	// the newest with them anywhere. Ranking all of many thousands would take longer than people wait.
	searchCandidates = 200
	searchDeadline   = 2 * time.Second
)

// visibleDocuments are the public ones, of a table called d. It takes the time twice.
const visibleDocuments = "(d.visible_from IS NULL OR d.visible_from <= ?) AND (d.visible_until IS NULL OR d.visible_until > ?)"

// Search finds what is public and has every word of the query, the last as the beginning of a word. What has them in its
// title comes first, then what is about or by them, then what speaks of them; among equals the newest. Kinds are in the
// order of SearchKinds, but those with a title that fits come first. A query without letters and digits finds nothing.
func (s *Store) Search(ctx context.Context, f SearchFilter) (SearchResults, error) {
	q := newSearchQuery(f.Query)
	found := SearchResults{Query: q.typed}
	if len(q.terms) == 0 {
		return found, nil
	}
	ctx, cancel := context.WithTimeout(ctx, searchDeadline)
	defer cancel()
	var shown []int64
	titled := map[SearchKind]bool{}
	ids := map[SearchKind][]int64{}
	for _, kind := range SearchKinds {
		candidates, more, err := s.candidates(ctx, q, kind)
		if err != nil {
			return SearchResults{}, translate(err)
		}
		if len(candidates) == 0 {
			continue
		}
		titled[kind] = q.in(candidates[0].Title)
		found.Kinds = append(found.Kinds, SearchKindResults{Kind: kind, Count: len(candidates), More: more})
		found.Total += len(candidates)
		if f.Kind != "" && f.Kind != kind {
			continue
		}
		first := min(max(f.Offset, 0), len(candidates))
		for _, c := range candidates[first:min(first+f.Limit, len(candidates))] {
			ids[kind] = append(ids[kind], c.ID)
		}
		shown = append(shown, ids[kind]...)
	}
	var documents []searchDocument
	if err := s.read(ctx).Where("id IN ?", shown).Find(&documents).Error; err != nil {
		return SearchResults{}, translate(err)
	}
	byID := map[int64]searchDocument{}
	for _, d := range documents {
		byID[d.ID] = d
	}
	for i, k := range found.Kinds {
		for _, id := range ids[k.Kind] {
			if d, ok := byID[id]; ok {
				found.Kinds[i].Results = append(found.Kinds[i].Results, SearchResult{
					Kind: d.Kind, Slug: d.Slug, Title: q.mark(d.Title), Excerpt: q.excerpt(d.Text), Note: d.Note, Day: d.Day, Language: d.Language, Sample: d.Sample,
				})
			}
		}
	}
	slices.SortStableFunc(found.Kinds, func(a, b SearchKindResults) int { return firstTrue(titled[a.Kind], titled[b.Kind]) })
	return found, nil
}

// firstTrue orders what is true before what is not.
func firstTrue(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

type searchCandidate struct {
	ID    int64
	Title string
}

// candidates are the documents of a kind that fit, the best first, and whether there are more.
func (s *Store) candidates(ctx context.Context, q searchQuery, kind SearchKind) (found []searchCandidate, more bool, err error) {
	lowest := searchKindNumbers[kind] << 58
	highest := lowest | (1<<58 - 1)
	for _, headOnly := range []bool{true, false} {
		var some []searchCandidate
		switch {
		case s.postgres() && headOnly:
			some, err = s.findPostgres(ctx, q, "head", lowest, highest)
		case s.postgres():
			some, err = s.findPostgres(ctx, q, "words", lowest, highest)
		case headOnly:
			some, err = s.findSQLite(ctx, q, "head", lowest, highest)
		default:
			some, err = s.findSQLite(ctx, q, "search_index", lowest, highest)
		}
		if err != nil {
			return nil, false, err
		}
		if headOnly {
			// Among these, the title counts for more than the names.
			fits := map[int64]bool{}
			for _, c := range some {
				fits[c.ID] = q.in(c.Title)
			}
			slices.SortStableFunc(some, func(a, b searchCandidate) int { return firstTrue(fits[a.ID], fits[b.ID]) })
		}
		known := map[int64]bool{}
		for _, c := range found {
			known[c.ID] = true
		}
		for _, c := range some {
			if !known[c.ID] {
				found = append(found, c)
			}
		}
		if len(found) > searchCandidates {
			return found[:searchCandidates], true, nil
		}
	}
	return found, false, nil
}

// PopularTags lists the tags that most public posts have, the most used first.
func (s *Store) PopularTags(ctx context.Context, limit int) ([]Tag, error) {
	rows, err := s.Tags(ctx)
	var tags []Tag
	for _, row := range rows[:min(limit, len(rows))] {
		tags = append(tags, Tag{ID: row.ID, Slug: row.Slug, Name: row.Name})
	}
	return tags, err
}
