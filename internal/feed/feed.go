// Package feed writes a list of posts or events as RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1.
//
// It knows the three formats and nothing of the site: every address arrives absolute, every
// text arrives as it is to be read, and the bytes depend on the given values alone, so that an
// unchanged list has an unchanged body.
package feed

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorilla/feeds"
)

// The media types under which the three representations are served.
const (
	RSSType  = "application/rss+xml; charset=utf-8"
	AtomType = "application/atom+xml; charset=utf-8"
	JSONType = "application/feed+json; charset=utf-8"
)

// Feed is one list in one representation.
type Feed struct {
	// ID names the feed for ever, as a URI. It must not be derived from an address that may move.
	ID          string
	Title       string // plain text
	Description string // plain text
	Language    string // BCP 47, such as "en"
	HomeURL     string // the page that shows the same list
	SelfURL     string // this very representation
	NextURL     string // the following page of the list in this representation (RFC 5005); empty on the last
	IconURL     string // a square picture
	// Updated is the last change to the list, the removal of an item included. When zero, the
	// newest change among the items stands in.
	Updated time.Time
	Items   []Item // in the order in which they are to appear
}

// Item is one entry of a feed.
type Item struct {
	// ID names the item for ever: the guid of an imported item, otherwise urn:uuid:….
	ID          string
	Title       string // plain text
	URL         string
	ExternalURL string // where the text appeared first, when it is a cross-post
	Summary     string // plain text, short
	ContentHTML string // the whole text with absolute addresses; empty in a feed of summaries
	Language    string // BCP 47, when it differs from the feed's
	ImageURL    string
	Authors     []Author
	Categories  []string
	Published   time.Time
	Updated     time.Time // when zero, Published stands in
}

// Author is a person as named in a byline.
type Author struct {
	Name string
	URL  string // their profile; may be empty
}

// prepared checks that nothing which must be stable is missing, and returns a copy whose text
// holds only characters that XML 1.0 can carry and whose dates are all set, in UTC and whole seconds.
func (f Feed) prepared() (Feed, error) {
	if f.ID == "" {
		return Feed{}, fmt.Errorf("feed %q has no id", f.Title)
	}
	for _, s := range []*string{&f.ID, &f.Title, &f.Description, &f.Language, &f.HomeURL, &f.SelfURL, &f.NextURL, &f.IconURL} {
		*s = xmlText(*s)
	}
	f.Items = slices.Clone(f.Items)
	newest := time.Time{}
	for n := range f.Items {
		i := &f.Items[n]
		if i.ID == "" {
			return Feed{}, fmt.Errorf("item %q of feed %s has no id", i.Title, f.ID)
		}
		for _, s := range []*string{&i.ID, &i.Title, &i.URL, &i.ExternalURL, &i.Summary, &i.ContentHTML, &i.Language, &i.ImageURL} {
			*s = xmlText(*s)
		}
		i.Categories = slices.Clone(i.Categories)
		for c := range i.Categories {
			i.Categories[c] = xmlText(i.Categories[c])
		}
		i.Authors = slices.Clone(i.Authors)
		for a := range i.Authors {
			i.Authors[a] = Author{Name: xmlText(i.Authors[a].Name), URL: xmlText(i.Authors[a].URL)}
		}
		if i.Updated.IsZero() {
			i.Updated = i.Published
		}
		if i.Updated.After(newest) {
			newest = i.Updated
		}
	}
	if f.Updated.IsZero() {
		f.Updated = newest
	}
	if f.Updated.IsZero() {
		// Atom demands a date even of an empty feed, and the present would change on every request.
		f.Updated = time.Unix(0, 0)
	}
	f.Updated = whole(f.Updated)
	for n := range f.Items {
		i := &f.Items[n]
		if i.Updated.IsZero() {
			i.Updated = f.Updated
		}
		i.Published, i.Updated = whole(i.Published), whole(i.Updated)
	}
	return f, nil
}

// whole drops what no feed reader compares: parts of a second and the zone. Zero stays zero.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// xmlText drops the characters that an XML 1.0 document cannot hold in any form (section 2.2)
// and bytes that are not UTF-8.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r',
			r >= 0x20 && r <= 0xD7FF,
			r >= 0xE000 && r <= 0xFFFD && r != utf8.RuneError,
			r >= 0x10000 && r <= 0x10FFFF:
			return r
		default:
			return -1
		}
	}, s)
}

func writeXML(doc feeds.XmlFeed) ([]byte, error) {
	var b bytes.Buffer
	if err := feeds.WriteXML(doc, &b); err != nil {
		return nil, fmt.Errorf("writing the feed as XML: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// atomLink is Atom's link element, which RSS borrows for the addresses it has no element for.
type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

// mediaContent is Media RSS's element for a picture: unlike an enclosure it is valid without
// the picture's length in bytes.
type mediaContent struct {
	URL    string `xml:"url,attr"`
	Medium string `xml:"medium,attr"`
}

func picture(url string) *mediaContent {
	if url == "" {
		return nil
	}
	return &mediaContent{URL: url, Medium: "image"}
}
