package handlers

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/models"
)

// PlainPage is a page that is mostly its text: about the foundation, a project, the code of conduct.
type PlainPage struct {
	Layout
	Eyebrow           string
	Heading           string
	Standfirst        string
	Text              template.HTML
	Contents          []markdown.Heading // empty when the page is short
	Project           *ProjectFacts
	Report            string // address for what breaks the code of conduct, on its page
	Posts             []PostLine
	PostsURL          string
	Groups            []GroupLine
	GroupsURL         string
	Neighbours        []Neighbour
	NeighboursHeading string
}

// ProjectFacts is what stands beside a project's text.
type ProjectFacts struct {
	Status, Website, Host string
}

// Neighbour is another page in the same folder.
type Neighbour struct {
	URL, Title, Description string
	Current                 bool
}

// plainPagePath is the route that takes what no other did.
const plainPagePath = "/*"

// contentsFrom is how many headings a page needs for its contents to be shown.
const contentsFrom = 3

// How much of each list a project's page shows.
const (
	projectPosts  = 6
	projectGroups = 12
)

func (a *App) showPlainPage(c *fiber.Ctx) error {
	ctx := c.UserContext()
	found, err := a.Store.PageByPath(ctx, c.Params("*"))
	if errors.Is(err, models.ErrNotFound) {
		return a.unrouted(c)
	}
	if err != nil {
		return err
	}
	siblings, err := a.Store.Siblings(ctx, found.Path)
	if err != nil {
		return err
	}
	page := PlainPage{
		Layout: a.layout(c, found.Title, found.Description), Heading: found.Title, Standfirst: found.Description, Text: blessed(found.HTML),
		NeighboursHeading: "The foundation",
	}
	page.Scripts = append(page.Scripts, "js/copy-code.js")
	for _, heading := range found.Contents {
		if heading.Level == 2 {
			page.Contents = append(page.Contents, heading)
		}
	}
	if len(page.Contents) < contentsFrom {
		page.Contents = nil
	} else {
		page.Scripts = append(page.Scripts, "js/contents.js")
	}
	if found.Path == models.ConsentConduct {
		page.Report = a.site(c).ConductContact
	}
	if project, ok := strings.CutPrefix(found.Path, "projects/"); ok {
		page.Eyebrow, page.NeighboursHeading = "Project", "The projects"
		page.Project = &ProjectFacts{Status: projectWords[found.ProjectStatus], Website: found.ProjectWebsite, Host: siteName(found.ProjectWebsite)}
		if err := a.addProject(c, &page, project); err != nil {
			return err
		}
	}
	for _, s := range siblings {
		if len(siblings) > 1 {
			page.Neighbours = append(page.Neighbours, Neighbour{URL: links.Page(s.Path), Title: s.Title, Description: s.Description, Current: s.Path == found.Path})
		}
	}
	return show(c, http.StatusOK, a.pages.plainPage, page)
}

var projectWords = map[string]string{"founding": "Founding project, with the foundation since its launch", "incubating": "In incubation"}

// addProject puts the posts and groups that are about a project on its page. Its slug is that of their tag and topic.
func (a *App) addProject(c *fiber.Ctx, page *PlainPage, project string) error {
	ctx := c.UserContext()
	tag, err := a.Store.TagBySlug(ctx, project)
	switch {
	case errors.Is(err, models.ErrNotFound):
	case err != nil:
		return err
	default:
		posts, err := a.Store.Posts(ctx, models.PostFilter{TagID: tag.ID, Limit: projectPosts})
		if err != nil {
			return err
		}
		page.Posts, page.PostsURL = newPostLines(posts), links.Tag(tag.Slug)
	}
	directory, err := a.groupDirectory(ctx)
	if err != nil {
		return err
	}
	search := models.GroupSearch{Topic: project}
	var about []models.GroupRow
	for _, row := range directory.rows {
		if search.Matches(row) {
			about = append(about, row)
		}
	}
	if page.Groups, err = a.groupLines(ctx, about[:min(len(about), projectGroups)]); err != nil {
		return err
	}
	page.GroupsURL = links.Groups + "?topic=" + project
	return nil
}

// ApplyShow is the page of the ambassador programme.
type ApplyShow struct {
	Layout
	Heading    string
	Standfirst string
	Art        template.HTML
	Intro      template.HTML
	Sections   []PageSection
	How        string // id of the section that says how to apply
	Faces      []Face
	FacesWords string
}

// PageSection is a part of a text under a heading of level 2.
type PageSection struct {
	ID, Title string
	HTML      template.HTML
}

func (a *App) showApply(c *fiber.Ctx) error {
	found, err := a.Store.PageByPath(c.UserContext(), strings.TrimPrefix(links.Apply, "/"))
	if err != nil {
		return err
	}
	directory, err := a.peopleDirectory(c.UserContext())
	if err != nil {
		return err
	}
	people := directory.rows
	page := ApplyShow{
		Layout: a.layout(c, found.Title, found.Description), Heading: found.Title, Standfirst: found.Description,
		Art: blessed(artwork.Cover(links.Apply, 560, 420, "")),
	}
	if page.Intro, page.Sections, err = sections(found.HTML); err != nil {
		return err
	}
	if len(page.Sections) > 0 {
		// What to do about it stands last in the text.
		page.How = page.Sections[len(page.Sections)-1].ID
	}
	for _, p := range people[:min(len(people), 7)] {
		page.Faces = append(page.Faces, newFace(p.Name, p.Photo))
	}
	page.FacesWords = fmt.Sprintf("%d ambassadors have introduced themselves here.", len(people))
	return show(c, http.StatusOK, a.pages.applyShow, page)
}

// sections cuts a rendered text at its headings of level 2. What stands before the first is the introduction.
func sections(text string) (intro template.HTML, parts []PageSection, err error) {
	nodes, err := html.ParseFragment(strings.NewReader(text), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return "", nil, err
	}
	var buf strings.Builder
	flush := func() {
		if len(parts) == 0 {
			intro = blessed(buf.String())
		} else {
			parts[len(parts)-1].HTML = blessed(buf.String())
		}
		buf.Reset()
	}
	for _, node := range nodes {
		if node.Type == html.ElementNode && node.Data == "h2" {
			flush()
			parts = append(parts, PageSection{ID: attribute(node, "id"), Title: headingText(node)})
			continue
		}
		if err := html.Render(&buf, node); err != nil {
			return "", nil, err
		}
	}
	flush()
	return intro, parts, nil
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// headingText is a heading's words without the anchor behind them.
func headingText(n *html.Node) string {
	var words strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && attribute(d.Parent, "class") != "anchor" {
			words.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(words.String())
}
