package handlers

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/static"
)

// sitemapLimit is how many addresses one sitemap may hold (sitemaps.org, protocol 0.9). So many of at most a thousand
// bytes are also below the 50 MB that a file may have.
const sitemapLimit = 50_000

// sitemapAddress is one address in a sitemap.
type sitemapAddress struct {
	Location string `xml:"loc"`
	Modified string `xml:"lastmod,omitempty"` // RFC 3339
}

type sitemapFile struct {
	XMLName   xml.Name         `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	Addresses []sitemapAddress `xml:"url"`
}

type sitemapIndex struct {
	XMLName  xml.Name         `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
	Sitemaps []sitemapAddress `xml:"sitemap"`
}

// sitemapPaths makes the path of each kind of entry.
var sitemapPaths = map[string]func(string) string{
	"post": links.Post, "ambassador": links.Ambassador, "cohort": links.Cohort, "group": links.Group, "event": links.Event,
	"page": links.Page, "category": links.Category, "tag": links.Tag, "byline": links.Author, "series": links.Series,
}

// sitemapLists are the pages that are there whatever the database holds.
var sitemapLists = []string{
	links.Home, links.Events, links.PastEvents, links.Groups, links.Ambassadors, links.Blog, links.Feeds,
}

// sitemapAddresses is everything that a search engine should know of.
func sitemapAddresses(site links.Site, entries []models.SitemapEntry) []sitemapAddress {
	var all []sitemapAddress
	for _, path := range sitemapLists {
		all = append(all, sitemapAddress{Location: site.Abs(path)})
	}
	for _, e := range entries {
		address := sitemapAddress{Location: site.Abs(sitemapPaths[e.Kind](e.Slug))}
		if e.Modified != nil {
			address.Modified = e.Modified.UTC().Format(time.RFC3339)
		}
		all = append(all, address)
	}
	return all
}

// sitemapsOf names the sitemaps that so many addresses take: part n is at numberedSitemap(n).
func sitemapsOf(site links.Site, addresses int) sitemapIndex {
	var index sitemapIndex
	for n := 1; (n-1)*sitemapLimit < addresses; n++ {
		index.Sitemaps = append(index.Sitemaps, sitemapAddress{Location: site.Abs(numberedSitemap(n))})
	}
	return index
}

func numberedSitemap(n int) string { return fmt.Sprintf("/sitemap-%d.xml", n) }

// sendSitemap answers with the sitemap; when there are more addresses than one may hold, with an index or one of the sitemaps
// that it names.
func (a *App) sendSitemap(c *fiber.Ctx) error {
	entries, err := a.Store.CountSitemap(c.UserContext())
	if err != nil {
		return err
	}
	index := sitemapsOf(a.Site, len(sitemapLists)+entries)
	n := 0
	if c.Path() != links.Sitemap {
		if n, err = c.ParamsInt("part"); err != nil || n < 1 || n > len(index.Sitemaps) || len(index.Sitemaps) == 1 || c.Path() != numberedSitemap(n) {
			return fmt.Errorf("%w: sitemap", models.ErrNotFound)
		}
	}
	var sitemap any = index
	if n > 0 || len(index.Sitemaps) == 1 {
		entries, err := a.Store.Sitemap(c.UserContext())
		if err != nil {
			return err
		}
		all := sitemapAddresses(a.Site, entries)
		first := min(max(n-1, 0)*sitemapLimit, len(all))
		sitemap = sitemapFile{Addresses: all[first:min(first+sitemapLimit, len(all))]}
	}
	body, err := xml.Marshal(sitemap)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, publicCache)
	return send(c, http.StatusOK, "application/xml; charset=utf-8", append([]byte(xml.Header), body...), time.Time{})
}

// sendRobots tells crawlers what is for people only (RFC 9309).
func (a *App) sendRobots(c *fiber.Ctx) error {
	var b strings.Builder
	b.WriteString("User-agent: *\n")
	for _, path := range []string{links.Desk, links.Search, "/registrations", links.Login, links.Account} {
		b.WriteString("Disallow: " + path + "\n")
	}
	b.WriteString("\nSitemap: " + a.Site.Abs(links.Sitemap) + "\n")
	c.Set(fiber.HeaderCacheControl, publicCache)
	return send(c, http.StatusOK, fiber.MIMETextPlainCharsetUTF8, []byte(b.String()), time.Time{})
}

// manifestIcon is an icon of the web application manifest.
type manifestIcon struct {
	Source string `json:"src"`
	Sizes  string `json:"sizes"`
	Type   string `json:"type"`
}

// sendManifest tells phones how to show the site among their applications (W3C Web Application Manifest).
func (a *App) sendManifest(c *fiber.Ctx) error {
	body, err := json.Marshal(struct {
		ID          string         `json:"id"`
		Name        string         `json:"name"`
		ShortName   string         `json:"short_name"`
		Description string         `json:"description"`
		Language    string         `json:"lang"`
		StartURL    string         `json:"start_url"`
		Scope       string         `json:"scope"`
		Display     string         `json:"display"`
		Background  string         `json:"background_color"`
		Theme       string         `json:"theme_color"`
		Icons       []manifestIcon `json:"icons"`
	}{
		ID: links.Home, Name: a.site(c).Name, ShortName: a.site(c).ShortName, Description: "Events, groups and field notes of people who ship software.",
		Language: "en", StartURL: links.Home, Scope: links.Home, Display: "minimal-ui", Background: "#fcfdfe", Theme: "#fcfdfe",
		Icons: []manifestIcon{
			{static.Path("img/icon-192.png"), "192x192", "image/png"},
			{static.Path("img/icon-512.png"), "512x512", "image/png"},
			{static.Path("img/icon.svg"), "any", "image/svg+xml"},
		},
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, publicCache)
	return send(c, http.StatusOK, "application/manifest+json", body, time.Time{})
}

// sendSecurityContact says whom to tell of a hole (RFC 9116). It is good for a year from today.
func (a *App) sendSecurityContact(c *fiber.Ctx) error {
	expires := a.Store.Now().Truncate(24*time.Hour).AddDate(1, 0, 0)
	body := "Contact: mailto:" + a.site(c).ContactAddress(a.Contact) + "\nExpires: " + expires.Format(time.RFC3339) + "\nPreferred-Languages: en\nCanonical: " +
		a.Site.Abs("/.well-known/security.txt") + "\n"
	c.Set(fiber.HeaderCacheControl, publicCache)
	return send(c, http.StatusOK, fiber.MIMETextPlainCharsetUTF8, []byte(body), time.Time{})
}
