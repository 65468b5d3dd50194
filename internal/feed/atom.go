package feed

import (
	"encoding/xml"
	"time"
)

// Atom writes the feed as an Atom document (RFC 4287). It fails when the feed or an item has no id.
func (f Feed) Atom() ([]byte, error) {
	f, err := f.prepared()
	if err != nil {
		return nil, err
	}
	doc := atomDoc{
		Lang:     f.Language,
		Media:    "http://search.yahoo.com/mrss/",
		ID:       f.ID,
		Title:    f.Title,
		Subtitle: f.Description,
		Updated:  f.Updated.Format(time.RFC3339),
		Icon:     f.IconURL,
	}
	doc.link("self", "application/atom+xml", f.SelfURL)
	doc.link("alternate", "text/html", f.HomeURL)
	doc.link("next", "application/atom+xml", f.NextURL)
	for _, i := range f.Items {
		if len(i.Authors) == 0 && doc.Author == nil {
			// RFC 4287, section 4.1.1: an entry without an author takes the feed's, which must then exist.
			doc.Author = &atomPerson{Name: f.Title, URI: f.HomeURL}
		}
		doc.Entries = append(doc.Entries, newAtomEntry(i))
	}
	return writeXML(doc)
}

func newAtomEntry(i Item) atomEntry {
	entry := atomEntry{
		Lang:    i.Language,
		ID:      i.ID,
		Title:   i.Title,
		Updated: i.Updated.Format(time.RFC3339),
		Links:   []atomLink{{Rel: "alternate", Type: "text/html", Href: i.URL}},
		Picture: picture(i.ImageURL),
	}
	if !i.Published.IsZero() {
		entry.Published = i.Published.Format(time.RFC3339)
	}
	if i.ExternalURL != "" {
		entry.Links = append(entry.Links, atomLink{Rel: "via", Href: i.ExternalURL})
	}
	for _, a := range i.Authors {
		entry.Authors = append(entry.Authors, atomPerson{Name: a.Name, URI: a.URL})
	}
	for _, c := range i.Categories {
		entry.Categories = append(entry.Categories, atomCategory{Term: c})
	}
	if i.Summary != "" {
		entry.Summary = &atomText{Type: "text", Text: i.Summary}
	}
	if i.ContentHTML != "" {
		entry.Content = &atomText{Type: "html", Text: i.ContentHTML}
	}
	return entry
}

type atomDoc struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang     string      `xml:"xml:lang,attr,omitempty"`
	Media    string      `xml:"xmlns:media,attr"`
	ID       string      `xml:"id"`
	Title    string      `xml:"title"`
	Subtitle string      `xml:"subtitle,omitempty"`
	Updated  string      `xml:"updated"`
	Icon     string      `xml:"icon,omitempty"`
	Links    []atomLink  `xml:"link"`
	Author   *atomPerson `xml:"author"`
	Entries  []atomEntry `xml:"entry"`
}

// FeedXml makes an atomDoc a feeds.XmlFeed.
func (d atomDoc) FeedXml() any { return d } //nolint:revive // the name is that of feeds.XmlFeed

func (d *atomDoc) link(rel, mediaType, href string) {
	if href != "" {
		d.Links = append(d.Links, atomLink{Rel: rel, Type: mediaType, Href: href})
	}
}

type atomEntry struct {
	Lang       string         `xml:"xml:lang,attr,omitempty"`
	ID         string         `xml:"id"`
	Title      string         `xml:"title"`
	Published  string         `xml:"published,omitempty"`
	Updated    string         `xml:"updated"`
	Links      []atomLink     `xml:"link"`
	Authors    []atomPerson   `xml:"author"`
	Categories []atomCategory `xml:"category"`
	Picture    *mediaContent  `xml:"media:content"`
	Summary    *atomText      `xml:"summary"`
	Content    *atomText      `xml:"content"`
}

type atomPerson struct {
	Name string `xml:"name"`
	URI  string `xml:"uri,omitempty"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

type atomText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}
