package feed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gorilla/feeds"
)

// JSON writes the feed as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/). It fails when
// the feed or an item has no id.
func (f Feed) JSON() ([]byte, error) {
	f, err := f.prepared()
	if err != nil {
		return nil, err
	}
	doc := jsonDoc{
		JSONFeed: feeds.JSONFeed{
			Version:     "https://jsonfeed.org/version/1.1",
			Title:       f.Title,
			Language:    f.Language,
			HomePageUrl: f.HomeURL,
			FeedUrl:     f.SelfURL,
			NextUrl:     f.NextURL,
			Description: f.Description,
			Icon:        f.IconURL,
		},
		Items: make([]jsonItem, 0, len(f.Items)),
	}
	for _, i := range f.Items {
		doc.Items = append(doc.Items, newJSONItem(i))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the body is never part of an HTML page, and < is easier to read than its code
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("writing the feed as JSON: %w", err)
	}
	return b.Bytes(), nil
}

func newJSONItem(i Item) jsonItem {
	item := jsonItem{
		JSONItem: feeds.JSONItem{
			Id:            i.ID,
			Url:           i.URL,
			ExternalUrl:   i.ExternalURL,
			Title:         i.Title,
			ContentHTML:   i.ContentHTML,
			Summary:       i.Summary,
			Image:         i.ImageURL,
			PublishedDate: date(i.Published),
			ModifiedDate:  date(i.Updated),
			Tags:          i.Categories,
		},
		Language: i.Language,
	}
	if i.ContentHTML == "" {
		// An item must have a content in one of the two forms.
		item.ContentText = cmp.Or(i.Summary, i.Title, i.URL)
	}
	for _, a := range i.Authors {
		item.Authors = append(item.Authors, &feeds.JSONAuthor{Name: a.Name, Url: a.URL})
	}
	return item
}

func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// jsonDoc shadows the library's Items, which it leaves out when there are none although the
// format requires them, and whose items know no language.
type jsonDoc struct {
	feeds.JSONFeed
	Items []jsonItem `json:"items"`
}

type jsonItem struct {
	feeds.JSONItem
	Language string `json:"language,omitempty"`
}
