package importer

import (
	"fmt"
	"path"
	"strings"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/slug"
	"github.com/cdfoundation/portal/models"
)

func readPost(f *file) {
	var y struct {
		Title      string   `yaml:"title"`
		Date       string   `yaml:"date"`
		Updated    string   `yaml:"updated"`
		Categories []string `yaml:"categories"`
		Tags       []string `yaml:"tags"`
		Bylines    []struct {
			Name       string `yaml:"name"`
			Title      string `yaml:"title"`
			Employer   string `yaml:"employer"`
			Handle     string `yaml:"handle"`
			URL        string `yaml:"url"`
			Bio        string `yaml:"bio"`
			Ambassador string `yaml:"ambassador"`
		} `yaml:"bylines"`
		Series string `yaml:"series"`
		Source *struct {
			Name   string `yaml:"name"`
			Author string `yaml:"author"`
			URL    string `yaml:"url"`
		} `yaml:"source"`
		Licence    string `yaml:"licence"`
		Excerpt    string `yaml:"excerpt"`
		Introduces string `yaml:"introduces"`
		Announces  string `yaml:"announces"`
		Group      string `yaml:"group"`
		Language   string `yaml:"language"`
		Sample     bool   `yaml:"sample"`
	}
	if !f.decode(&y) {
		return
	}
	f.named()
	f.required("title", y.Title)
	date := f.moment("date", y.Date)
	p := models.ContentPost{
		ContentSource: f.ContentSource,
		Post: models.Post{
			PublishAt: &date, Title: y.Title, Language: f.language("language", y.Language), Licence: "CC-BY-4.0",
			Excerpt: strings.TrimSpace(y.Excerpt), Sample: y.Sample,
		},
		Series: y.Series, Categories: y.Categories, Tags: y.Tags,
		Introduces: f.reference("introduces", y.Introduces),
		Announces:  f.reference("announces", y.Announces),
		Group:      f.reference("group", y.Group),
	}
	if y.Updated != "" {
		updated := f.moment("updated", y.Updated)
		if updated.Before(date) {
			f.wrong("updated", "is before the date")
		}
		p.Post.ChangedAt = &updated
	}
	if y.Licence != "" {
		if !licence.MatchString(y.Licence) {
			f.wrong("licence", "%q is not an SPDX identifier", y.Licence)
		}
		p.Post.Licence = y.Licence
	}
	if y.Source != nil {
		f.required("source.name", y.Source.Name)
		f.address("source.url", y.Source.URL)
		p.Post.SourceName, p.Post.SourceAuthor, p.Post.SourceURL = y.Source.Name, y.Source.Author, y.Source.URL
	}
	f.names("categories", y.Categories, true)
	f.names("tags", y.Tags, true)
	if y.Series != "" && slug.Make(y.Series) == "" {
		f.wrong("series", "%q makes no address", y.Series)
	}
	if len(y.Bylines) == 0 {
		f.wrong("bylines", "is required")
	}
	seen := map[string]bool{}
	for n, b := range y.Bylines {
		key := fmt.Sprintf("bylines[%d]", n)
		spelt := slug.Make(b.Name)
		if spelt == "" || seen[spelt] {
			f.wrong(key+".name", "%q is not a name, or named twice", b.Name)
		}
		seen[spelt] = true
		f.handle(key+".handle", b.Handle)
		f.address(key+".url", b.URL)
		p.Bylines = append(p.Bylines, models.ContentByline{
			Byline: models.Byline{
				Slug: spelt, Name: b.Name, Title: b.Title, Employer: b.Employer, Handle: b.Handle, URL: b.URL, Bio: strings.TrimSpace(b.Bio),
			},
			Ambassador: f.reference(key+".ambassador", b.Ambassador),
		})
	}
	f.content.Posts = append(f.content.Posts, p)
}

func readPage(f *file) {
	var y struct {
		Title       string `yaml:"title"`
		Description string `yaml:"description"`
		Order       int    `yaml:"order"`
		Project     *struct {
			Status  string `yaml:"status"`
			Website string `yaml:"website"`
		} `yaml:"project"`
	}
	if !f.decode(&y) {
		return
	}
	f.pagePath()
	f.required("title", y.Title)
	f.required("description", y.Description)
	row := models.Page{Title: y.Title, Description: y.Description, Position: y.Order}
	if y.Project != nil {
		if path.Dir(f.Slug) != "projects" {
			f.wrong("project", "is for pages/projects only")
		}
		f.required("project.status", y.Project.Status)
		row.ProjectStatus = pick(f, "project.status", y.Project.Status, "founding", "incubating")
		f.required("project.website", y.Project.Website)
		f.address("project.website", y.Project.Website)
		row.ProjectWebsite = y.Project.Website
	}
	f.content.Pages = append(f.content.Pages, models.ContentPage{ContentSource: f.ContentSource, Page: row})
}

// pagePath refuses a page at an address that the portal needs for itself.
func (f *file) pagePath() {
	if links.Page(f.Slug) == links.Apply {
		return
	}
	folder, name := path.Split(f.Slug)
	if folder == "projects/" {
		folder = ""
	}
	for part := range strings.SplitSeq(folder+name, "/") {
		if err := slug.Valid(part); err != nil {
			f.problem(1, "the page's address: %q %v", part, err)
		}
	}
}
