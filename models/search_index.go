package models

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// SearchKind is what a document of the search stands for.
type SearchKind string

// The kinds of documents.
const (
	SearchPost       SearchKind = "post"
	SearchAmbassador SearchKind = "ambassador"
	SearchGroup      SearchKind = "group"
	SearchEvent      SearchKind = "event"
	SearchPage       SearchKind = "page"
)

// SearchKinds lists the kinds as results show them.
var SearchKinds = []SearchKind{SearchAmbassador, SearchGroup, SearchEvent, SearchPost, SearchPage}

// The kinds' numbers in the ids of documents, which are stored and so never change.
var searchKindNumbers = map[SearchKind]int64{SearchPost: 1, SearchAmbassador: 2, SearchGroup: 3, SearchEvent: 4, SearchPage: 5}

// searchDocument is what can be found of a thing that is public or will be.
type searchDocument struct {
	ID           int64
	Kind         SearchKind
	ObjectID     int64
	VisibleFrom  *time.Time
	VisibleUntil *time.Time
	Slug         string // of a page its path
	Title        string
	Note         string // who, or where
	Day          string // 2020-06-18, or 2020-06 where no more is known
	Language     string // BCP 47
	Sample       bool
	Text         string // plain, for excerpts
}

// TableName is search_documents.
func (searchDocument) TableName() string { return "search_documents" }

// reindexAtOnce is how many ids' things are read at once.
const reindexAtOnce = 500

// searchDocumentID orders the documents of a kind by date, to the hour, and is one object's alone.
func searchDocumentID(kind SearchKind, date time.Time, objectID int64) int64 {
	hours := min(max(date.Unix()/3600, 0), 1<<24-1)
	return searchKindNumbers[kind]<<58 | hours<<32 | objectID&(1<<32-1)
}

// searchSource is a document before it is written: its date, and words that are found beside title and text.
type searchSource struct {
	searchDocument
	date  time.Time
	names []string // as weighty as the title: who, where, about what
}

func (s searchSource) documentID() int64 { return searchDocumentID(s.Kind, s.date, s.ObjectID) }

// indexDocument writes the document of a thing anew, or removes it when the thing is gone or not to become public. Whoever
// changes a thing calls it in the same transaction, after the change.
func (s *Store) indexDocument(ctx context.Context, kind SearchKind, id int64) error {
	if err := s.removeDocuments(ctx, "kind = ? AND object_id = ?", kind, id); err != nil {
		return err
	}
	return s.indexRange(ctx, kind, id, id)
}

// indexRange writes the documents of the things whose ids lie between two, none of which has one.
func (s *Store) indexRange(ctx context.Context, kind SearchKind, first, last int64) error {
	sources, err := s.searchSources(ctx, kind, first, last)
	if err != nil {
		return err
	}
	// SQLite writes out what it has gathered of its index whenever a document's id is below that of the one before.
	slices.SortFunc(sources, func(a, b searchSource) int { return cmp.Compare(a.documentID(), b.documentID()) })
	for _, source := range sources {
		if err := s.writeDocument(ctx, source); err != nil {
			return err
		}
	}
	return nil
}

// indexGroup writes the documents of a group and of its events, which are found by its name.
func (s *Store) indexGroup(ctx context.Context, id int64) error {
	var events []int64
	if err := s.read(ctx).Model(&Event{}).Where("group_id = ?", id).Order("id").Pluck("id", &events).Error; err != nil {
		return err
	}
	for _, event := range events {
		if err := s.indexDocument(ctx, SearchEvent, event); err != nil {
			return err
		}
	}
	return s.indexDocument(ctx, SearchGroup, id)
}

// Reindex writes every document anew, in one transaction.
func (s *Store) Reindex(ctx context.Context) error {
	return s.tx(ctx, func(tx *Store) error { return tx.reindex(ctx) })
}

// ReindexEmpty writes every document when there is none, as after a restore that ended between the rows and the index.
func (s *Store) ReindexEmpty(ctx context.Context) error {
	var indexed bool
	if err := s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM search_documents)").Scan(&indexed).Error; err != nil || indexed {
		return translate(err)
	}
	return s.Reindex(ctx)
}

// reindex writes every document anew, inside a transaction that changed more than one thing.
func (s *Store) reindex(ctx context.Context) error {
	if err := s.removeDocuments(ctx, "1 = 1"); err != nil {
		return err
	}
	for _, kind := range SearchKinds {
		var last int64
		if err := s.read(ctx).Raw("SELECT COALESCE(max(id), 0) FROM " + string(kind) + "s").Scan(&last).Error; err != nil {
			return err
		}
		// The texts of all together may be more than memory should hold.
		for first := int64(1); first <= last; first += reindexAtOnce {
			if err := s.indexRange(ctx, kind, first, first+reindexAtOnce-1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) removeDocuments(ctx context.Context, where string, args ...any) error {
	if !s.postgres() {
		if err := s.removeWordsSQLite(ctx, where, args...); err != nil {
			return err
		}
	}
	return s.write(ctx).Where(where, args...).Delete(&searchDocument{}).Error
}

func (s *Store) writeDocument(ctx context.Context, source searchSource) error {
	doc := source.searchDocument
	doc.ID = source.documentID()
	doc.Title = plainLine(doc.Title)
	doc.Text = plainLine(doc.Text)
	head := searchWords(0, append([]string{doc.Title}, source.names...)...)
	body := searchWords(len(head), doc.Text)
	if err := s.write(ctx).Create(&doc).Error; err != nil {
		return fmt.Errorf("search document of %s %d: %w", doc.Kind, doc.ObjectID, err)
	}
	if s.postgres() {
		return s.writeWordsPostgres(ctx, doc.ID, head, body)
	}
	return s.writeWordsSQLite(ctx, doc.ID, head, body)
}

// plainLine is a text in one line and composed, so that it is cut and compared letter by letter.
func plainLine(text string) string { return norm.NFC.String(strings.Join(strings.Fields(text), " ")) }

// searchSources reads the things of a kind that are public or will be, those whose ids lie between two.
func (s *Store) searchSources(ctx context.Context, kind SearchKind, first, last int64) ([]searchSource, error) {
	switch kind {
	case SearchPost:
		return s.searchPosts(ctx, first, last)
	case SearchAmbassador:
		return s.searchAmbassadors(ctx, first, last)
	case SearchGroup:
		return s.searchGroups(ctx, first, last)
	case SearchEvent:
		return s.searchEvents(ctx, first, last)
	case SearchPage:
		return s.searchPages(ctx, first, last)
	case HeadlineCohort: // is shared as a picture, not searched for
	}
	return nil, fmt.Errorf("search document of the kind %q", kind)
}

// names reads texts that belong to things, in the order of the query, whose rows are id and name.
func (s *Store) names(ctx context.Context, query string, args ...any) (map[int64][]string, error) {
	var rows []struct {
		ID   int64
		Name string
	}
	if err := s.read(ctx).Raw(query, args...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	names := map[int64][]string{}
	for _, row := range rows {
		if row.Name != "" {
			names[row.ID] = append(names[row.ID], row.Name)
		}
	}
	return names, nil
}

func (s *Store) searchPosts(ctx context.Context, first, last int64) ([]searchSource, error) {
	var posts []Post
	err := s.read(ctx).Select("id, slug, publish_at, expire_at, title, summary, language, plain_text, source_name, source_author, sample").
		Where("status = 'published' AND id BETWEEN ? AND ?", first, last).Find(&posts).Error
	if err != nil {
		return nil, err
	}
	authors, err := s.names(ctx, `SELECT pb.post_id AS id, b.name FROM post_bylines pb JOIN bylines b ON b.id = pb.byline_id
		WHERE pb.post_id BETWEEN ? AND ? ORDER BY pb.post_id, pb.position`, first, last)
	if err != nil {
		return nil, err
	}
	topics, err := s.names(ctx, `SELECT pc.post_id AS id, c.name FROM post_categories pc JOIN categories c ON c.id = pc.category_id WHERE pc.post_id BETWEEN ? AND ?
		UNION ALL SELECT pt.post_id, t.name FROM post_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id BETWEEN ? AND ?
		UNION ALL SELECT p.id, s.title FROM posts p JOIN post_series s ON s.id = p.series_id WHERE p.id BETWEEN ? AND ?`, first, last, first, last, first, last)
	if err != nil {
		return nil, err
	}
	var sources []searchSource
	for _, p := range posts {
		sources = append(sources, searchSource{
			searchDocument: searchDocument{
				Kind: SearchPost, ObjectID: p.ID, VisibleFrom: p.PublishAt, VisibleUntil: p.ExpireAt, Slug: p.Slug, Title: p.Title,
				Note: strings.Join(authors[p.ID], ", "), Day: p.PublishAt.UTC().Format(time.DateOnly), Language: p.Language, Sample: p.Sample,
				Text: withLead(p.Summary, p.PlainText),
			},
			date:  *p.PublishAt,
			names: append(append(authors[p.ID], topics[p.ID]...), p.SourceName, p.SourceAuthor),
		})
	}
	return sources, nil
}

// withLead puts a lead before a text that does not begin with it.
func withLead(lead, text string) string {
	lead, text = plainLine(lead), plainLine(text)
	if begin := strings.TrimRight(lead, ".… "); begin == "" || strings.HasPrefix(text, begin) {
		return text
	}
	return strings.TrimSpace(lead + " " + text)
}

func (s *Store) searchAmbassadors(ctx context.Context, first, last int64) ([]searchSource, error) {
	var profiles []Ambassador
	if err := s.read(ctx).Omit("markdown", "html").Where("status = 'published' AND id BETWEEN ? AND ?", first, last).Find(&profiles).Error; err != nil {
		return nil, err
	}
	var sources []searchSource
	for _, a := range profiles {
		note := a.Title
		if a.Employer != "" && !strings.Contains(note, a.Employer) {
			note = strings.Join(nonEmpty(note, a.Employer), ", ")
		}
		sources = append(sources, searchSource{
			searchDocument: searchDocument{
				Kind: SearchAmbassador, ObjectID: a.ID, Slug: a.Slug, Title: a.Name, Note: note, Language: "en", Sample: a.Sample,
				Text: withLead(a.Quote, a.PlainText),
			},
			names: append(a.Topics, a.Title, a.Employer, a.City, CountryName(a.Country), a.Handle),
		})
	}
	return sources, nil
}

func nonEmpty(texts ...string) []string {
	var some []string
	for _, text := range texts {
		if text != "" {
			some = append(some, text)
		}
	}
	return some
}

func (s *Store) searchGroups(ctx context.Context, first, last int64) ([]searchSource, error) {
	var groups []Group
	if err := s.read(ctx).Omit("markdown", "html").Where("status = 'listed' AND id BETWEEN ? AND ?", first, last).Find(&groups).Error; err != nil {
		return nil, err
	}
	var sources []searchSource
	for _, g := range groups {
		place := strings.Join(nonEmpty(g.City, CountryName(g.Country)), ", ")
		sources = append(sources, searchSource{
			searchDocument: searchDocument{
				Kind: SearchGroup, ObjectID: g.ID, Slug: g.Slug, Title: g.Name, Note: place, Language: "en", Sample: g.Sample, Text: g.PlainText,
			},
			names: append(g.Topics, place),
		})
	}
	return sources, nil
}

func (s *Store) searchEvents(ctx context.Context, first, last int64) ([]searchSource, error) {
	var events []Event
	err := s.read(ctx).Omit("markdown", "html", "online_link").Where("status IN ('published', 'cancelled') AND id BETWEEN ? AND ?", first, last).Find(&events).Error
	if err != nil {
		return nil, err
	}
	people, err := s.names(ctx, `SELECT e.id, g.name FROM events e JOIN groups g ON g.id = e.group_id AND g.status = 'listed' WHERE e.id BETWEEN ? AND ?
		UNION ALL SELECT event_id, name FROM speakers WHERE event_id BETWEEN ? AND ?
		UNION ALL SELECT event_id, employer FROM speakers WHERE event_id BETWEEN ? AND ?`, first, last, first, last, first, last)
	if err != nil {
		return nil, err
	}
	sessions, err := s.names(ctx, `SELECT event_id AS id, title || '. ' || summary AS name FROM agenda_sessions
		WHERE event_id BETWEEN ? AND ? ORDER BY event_id, position`, first, last)
	if err != nil {
		return nil, err
	}
	var sources []searchSource
	for _, e := range events {
		day := cut(e.StartsLocal, len("2006-01-02"))
		if e.DatePrecision == PrecisionMonth {
			day = cut(e.StartsLocal, len("2006-01"))
		}
		sources = append(sources, searchSource{
			searchDocument: searchDocument{
				Kind: SearchEvent, ObjectID: e.ID, Slug: e.Slug, Title: e.Title, Note: e.PlaceText(), Day: day, Language: e.TextLanguage, Sample: e.Sample,
				Text: withLead(e.Summary, e.PlainText) + " " + strings.Join(sessions[e.ID], " "),
			},
			date:  e.StartsAt,
			names: append(append(people[e.ID], e.Hosts...), string(e.Kind), e.PlaceText(), e.VenueName, CountryName(e.VenueCountry), e.OnlinePlace),
		})
	}
	return sources, nil
}

func (s *Store) searchPages(ctx context.Context, first, last int64) ([]searchSource, error) {
	var pages []Page
	if err := s.read(ctx).Omit("markdown", "html", "contents").Where("id BETWEEN ? AND ?", first, last).Find(&pages).Error; err != nil {
		return nil, err
	}
	var sources []searchSource
	for _, p := range pages {
		sources = append(sources, searchSource{
			searchDocument: searchDocument{
				Kind: SearchPage, ObjectID: p.ID, Slug: p.Path, Title: p.Title, Language: "en", Text: withLead(p.Description, p.PlainText),
			},
		})
	}
	return sources, nil
}
