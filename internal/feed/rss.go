package feed

import (
	"cmp"
	"encoding/xml"
	"strings"
	"time"

	"github.com/gorilla/feeds"
)

// RSS writes the feed as RSS 2.0 with full text in content:encoded, bylines in dc:creator and
// its own address in atom:link. It fails when the feed or an item has no id.
func (f Feed) RSS() ([]byte, error) {
	f, err := f.prepared()
	if err != nil {
		return nil, err
	}
	channel := rssChannel{
		Title:         f.Title,
		Link:          f.HomeURL,
		Description:   asHTML(cmp.Or(f.Description, f.Title)), // required, also when there is none
		Language:      f.Language,
		LastBuildDate: f.Updated.Format(time.RFC1123Z),
	}
	if f.SelfURL != "" {
		channel.Links = append(channel.Links, atomLink{Rel: "self", Type: "application/rss+xml", Href: f.SelfURL})
	}
	if f.NextURL != "" {
		channel.Links = append(channel.Links, atomLink{Rel: "next", Type: "application/rss+xml", Href: f.NextURL})
	}
	if f.IconURL != "" {
		channel.Image = &feeds.RssImage{Url: f.IconURL, Title: f.Title, Link: f.HomeURL}
	}
	for _, i := range f.Items {
		channel.Items = append(channel.Items, newRSSItem(i))
	}
	return writeXML(rssDoc{
		Version: "2.0",
		Content: "http://purl.org/rss/1.0/modules/content/",
		DC:      "http://purl.org/dc/elements/1.1/",
		Atom:    "http://www.w3.org/2005/Atom",
		Media:   "http://search.yahoo.com/mrss/",
		Channel: channel,
	})
}

func newRSSItem(i Item) rssItem {
	item := rssItem{
		Title:       i.Title,
		Link:        i.URL,
		GUID:        feeds.RssGuid{Id: i.ID, IsPermaLink: "false"},
		Language:    i.Language,
		Categories:  i.Categories,
		Description: asHTML(i.Summary),
		Picture:     picture(i.ImageURL),
	}
	if !i.Published.IsZero() {
		item.PubDate = i.Published.Format(time.RFC1123Z)
	}
	for _, a := range i.Authors {
		item.Creators = append(item.Creators, a.Name)
	}
	if i.ContentHTML != "" {
		item.Content = &feeds.RssContent{Content: i.ContentHTML}
	}
	if i.ExternalURL != "" {
		item.Via = &atomLink{Rel: "via", Href: i.ExternalURL}
	}
	return item
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// asHTML turns plain text into the HTML that RSS takes a description to be: a reader would
// otherwise swallow "<b" in "a <b".
func asHTML(s string) string { return htmlEscaper.Replace(s) }

type rssDoc struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Content string     `xml:"xmlns:content,attr"`
	DC      string     `xml:"xmlns:dc,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Media   string     `xml:"xmlns:media,attr"`
	Channel rssChannel `xml:"channel"`
}

// FeedXml makes an rssDoc a feeds.XmlFeed.
func (d rssDoc) FeedXml() any { return d } //nolint:revive // the name is that of feeds.XmlFeed

type rssChannel struct {
	Title         string          `xml:"title"`
	Link          string          `xml:"link"`
	Description   string          `xml:"description"`
	Language      string          `xml:"language,omitempty"`
	LastBuildDate string          `xml:"lastBuildDate"`
	Links         []atomLink      `xml:"atom:link"`
	Image         *feeds.RssImage `xml:"image"`
	Items         []rssItem       `xml:"item"`
}

type rssItem struct {
	Title       string        `xml:"title"`
	Link        string        `xml:"link"`
	GUID        feeds.RssGuid `xml:"guid"`
	PubDate     string        `xml:"pubDate,omitempty"`
	Language    string        `xml:"dc:language,omitempty"`
	Creators    []string      `xml:"dc:creator"`
	Categories  []string      `xml:"category"`
	Via         *atomLink     `xml:"atom:link"`
	Picture     *mediaContent `xml:"media:content"`
	Description string        `xml:"description,omitempty"`
	Content     *feeds.RssContent
}
