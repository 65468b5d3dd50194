package handlers

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// Layout is what every page needs around its own content.
type Layout struct {
	Title          string // without the site's name
	Description    string
	Language       string // BCP 47, of the page
	Canonical      string // absolute
	Robots         string
	Share          *Share
	Feeds          []FeedLink
	StructuredData []any    // schema.org objects, written as JSON-LD
	Fonts          []string // to load at once, beside the one of every page
	Styles         []string // beside the one of every page
	Scripts        []string
	Navigation     []NavLink
	Viewer         LayoutViewer
	Flash          string
	Site           SiteLayout
	Contact        string // address in the footer
	ConductContact string // about the code of conduct, when that is another one
	Desk           *DeskLayout
}

// SiteLayout is what every page shows of the site's settings.
type SiteLayout struct {
	Name, ShortName string
	First, Rest     string // the name in two parts, of which the first stands out
	Logo            *Picture
	About, Legal    string
	Heading         string // over Links
	Links           []NavLink
}

func newSiteLayout(site models.Site) SiteLayout {
	l := SiteLayout{Name: site.Name, ShortName: site.ShortName, About: site.About, Legal: site.Legal, Heading: site.FooterHeading}
	l.First, l.Rest, _ = strings.Cut(site.Name, " ")
	if site.Logo != nil {
		l.Logo = &Picture{URL: links.Media(site.Logo.Name), Alt: site.Name, Width: site.Logo.Width, Height: site.Logo.Height}
	}
	for _, link := range site.FooterLinks {
		l.Links = append(l.Links, NavLink{URL: link.URL, Label: link.Label})
	}
	return l
}

// site is what admins said of the site. While the database is away it is as it was last.
func (a *App) site(c *fiber.Ctx) models.Site {
	site, err := a.keptSite.get(c.UserContext(), a.Store, a.Store.Site)
	if err == nil {
		return site
	}
	if last := a.keptSite.last.Load(); last != nil {
		return last.value
	}
	return models.DefaultSite()
}

// NavLink is a link with its label.
type NavLink struct {
	URL, Label, Icon string
	Current          bool
}

// FeedLink tells a feed reader of a feed.
type FeedLink struct {
	Type, Title, URL string
}

// Share is what other sites show of a page (Open Graph).
type Share struct {
	Type, Title, Description, URL string
	Image, ImageAlt               string
	Published, Modified           string // RFC 3339, of an article
}

// LayoutViewer is what a page shows of who looks at it.
type LayoutViewer struct {
	SignedIn, Desk bool
	Name, Role     string
	Initials       string
	Hue            int
}

// DeskLayout is the frame of the desk.
type DeskLayout struct {
	Section string
	Rail    []RailGroup
	Tabs    []NavLink // the rail's first items, at the bottom of a phone
	More    []NavLink // its others
	Slim    bool      // the rail shows icons only
}

// RailGroup is a part of the desk's rail.
type RailGroup struct {
	Label   string
	Heading bool
	Items   []NavLink
}

// layout is the frame of a public page. The title and description are the page's own.
func (a *App) layout(c *fiber.Ctx, title, description string) Layout {
	path := c.Path()
	v, site := viewer(c), a.site(c)
	l := Layout{
		Title: title, Description: description, Language: "en", Canonical: a.Site.Abs(path),
		Share: &Share{
			Type: "website", Title: title, Description: description, URL: a.Site.Abs(path),
			Image: a.Site.Abs(links.Share(sharePath(c))), ImageAlt: title,
		},
		Feeds: []FeedLink{
			{"application/rss+xml", site.ShortName + " blog, RSS", a.Site.Abs(links.RSS(""))},
			{"application/atom+xml", site.ShortName + " blog, Atom", a.Site.Abs(links.Atom(""))},
			{"application/feed+json", site.ShortName + " blog, JSON Feed", a.Site.Abs(links.JSONFeed(""))},
		},
		Scripts: []string{"js/menu.js"},
		Site:    newSiteLayout(site),
		Contact: site.ContactAddress(a.Contact),
		Flash:   a.takeFlash(c),
	}
	if conduct := site.ConductAddress(a.Contact); conduct != l.Contact {
		l.ConductContact = conduct
	}
	for _, item := range []NavLink{
		{URL: links.Events, Label: "Events"},
		{URL: links.Groups, Label: "Groups"},
		{URL: links.Ambassadors, Label: "Ambassadors"},
		{URL: links.Blog, Label: "Blog"},
	} {
		item.Current = path == item.URL || strings.HasPrefix(path, item.URL+"/")
		l.Navigation = append(l.Navigation, item)
	}
	if v.SignedIn() {
		l.Viewer = LayoutViewer{
			SignedIn: true, Desk: v.Can(models.UseDesk, models.Object{}), Name: v.Name, Role: roleOf(v),
			Initials: artwork.Initials(v.Name), Hue: artwork.Hue(v.Name),
		}
	}
	return l
}

var roleWords = map[models.Role]string{
	models.RoleAttendee: "Attendee", models.RoleAmbassador: "Ambassador", models.RoleStaff: "Staff", models.RoleAdmin: "Admin",
}

// roleOf is what a viewer is to the desk: who runs a group is more than an attendee.
func roleOf(v models.Viewer) string { return roleWord(v.Role, len(v.GroupIDs) > 0) }

func roleWord(role models.Role, organises bool) string {
	if role == models.RoleAttendee && organises {
		return "Organiser"
	}
	return roleWords[role]
}

// deskLayout is the frame of a page of the desk: nobody's to keep or index.
func (a *App) deskLayout(c *fiber.Ctx, section, title string) Layout {
	private(c)
	l := a.layout(c, title, section+" in the desk of the "+a.site(c).ShortName+" community portal")
	l.Robots, l.Canonical, l.Share = "noindex, nofollow", "", nil
	v := viewer(c)
	item := func(url, label, icon string) NavLink {
		path := c.Path()
		current := path == url || url != links.Desk && strings.HasPrefix(path, url+"/")
		return NavLink{URL: url, Label: label, Icon: icon, Current: current}
	}
	rail := []RailGroup{
		{Label: "Start", Items: []NavLink{item(links.Desk, "Needs you", "home")}},
		{Label: "Publish", Heading: true, Items: []NavLink{item(links.DeskPosts, "Posts", "post")}},
		{Label: "Gather", Heading: true, Items: []NavLink{item(links.DeskEvents, "Events", "calendar"), item(links.DeskGroups, "Groups", "place")}},
	}
	var programme, run []NavLink
	if v.AmbassadorID != 0 {
		programme = append(programme, item(links.DeskProfile, "Your profile", "person"))
	}
	if v.Can(models.ManagePeople, models.Object{}) {
		programme = append(programme, item(links.DeskPeople, "People", "people"))
	}
	if v.Can(models.ManageSite, models.Object{}) {
		run = append(run, item(links.DeskMail, "Mail", "mail"), item(links.DeskHealth, "Health", "health"), item(links.DeskBackups, "Backups", "backup"),
			item(links.DeskSettings, "Settings", "settings"))
	}
	if v.Can(models.ReadAudit, models.Object{}) {
		run = append(run, item(links.DeskAudit, "Audit log", "list"))
	}
	if len(programme) > 0 {
		rail = append(rail, RailGroup{Label: "Programme", Heading: true, Items: programme})
	}
	if len(run) > 0 {
		rail = append(rail, RailGroup{Label: "Run", Heading: true, Items: run})
	}
	l.Desk = &DeskLayout{Section: section, Rail: rail}
	for _, group := range rail {
		for _, item := range group.Items {
			if len(l.Desk.Tabs) < 4 {
				l.Desk.Tabs = append(l.Desk.Tabs, item)
			} else {
				l.Desk.More = append(l.Desk.More, item)
			}
		}
	}
	l.Desk.More = append(l.Desk.More, NavLink{URL: links.Account, Label: "Your account", Icon: "person"})
	return l
}

// foreign is a text's language for its lang attribute: empty when it is the site's.
func foreign(language string) string {
	if language == "en" {
		return ""
	}
	return language
}
