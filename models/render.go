package models

import (
	"context"
	"errors"
	"path"
	"strings"

	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/markdown"
)

// render turns a source into HTML and what belongs to it. Everything that is saved passes here, and goes on through
// the row's setText. Pictures get the size that their upload has. An error that wraps markdown.ErrTooComplex is
// ErrInvalid as well.
func (s *Store) render(ctx context.Context, source, idPrefix string) (markdown.Rendered, error) {
	var failed error
	rendered, err := markdown.Render(source, markdown.Options{
		IDPrefix: idPrefix,
		ImageSize: func(src string) (width, height int, ok bool) {
			if failed != nil || !strings.HasPrefix(src, "/media/") {
				return 0, 0, false
			}
			var m Medium
			err := s.read(ctx).Where("name = ?", path.Base(src)).Take(&m).Error
			if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
				failed = err
			}
			return m.Width, m.Height, err == nil
		},
	})
	if errors.Is(err, markdown.ErrTooComplex) {
		err = errors.Join(ErrInvalid, err)
	}
	if rendered.Contents == nil {
		rendered.Contents = []markdown.Heading{} // is stored as [], never as null
	}
	return rendered, errors.Join(err, failed)
}

// Preview is what a source would look like if it were saved.
func (s *Store) Preview(ctx context.Context, source string) (markdown.Rendered, error) {
	return s.render(ctx, source, "preview-")
}

// idPrefix keeps the footnotes of two posts on one page of a feed reader apart. It is made of what never changes.
func (p *Post) idPrefix() string { return "p" + p.UUID[:min(8, len(p.UUID))] + "-" }

// setText fills everything that is made from a post's words.
func (p *Post) setText(source, excerpt string, r markdown.Rendered) {
	p.Markdown, p.HTML, p.PlainText, p.Contents, p.Words = source, r.HTML, r.Text, r.Contents, r.Words
	p.Excerpt, p.Summary = excerpt, excerpt
	if excerpt == "" {
		p.Summary = r.Excerpt
	}
	p.RendererVersion = markdown.Version
}

// setText fills everything that is made from a biography.
func (a *Ambassador) setText(source string, r markdown.Rendered) {
	a.Markdown, a.HTML, a.PlainText, a.RendererVersion = source, r.HTML, r.Text, markdown.Version
}

// setText fills everything that is made from a cohort's words.
func (c *Cohort) setText(source string, r markdown.Rendered) {
	c.Markdown, c.HTML, c.RendererVersion = source, r.HTML, markdown.Version
}

// setText fills everything that is made from a group's description.
func (g *Group) setText(source string, r markdown.Rendered) {
	g.Markdown, g.HTML, g.PlainText, g.RendererVersion = source, r.HTML, r.Text, markdown.Version
}

// setText fills everything that is made from an event's description.
func (e *Event) setText(source string, r markdown.Rendered) {
	e.Markdown, e.HTML, e.PlainText, e.RendererVersion = source, r.HTML, r.Text, markdown.Version
}

// setText fills everything that is made from a page's words.
func (p *Page) setText(source string, r markdown.Rendered) {
	p.Markdown, p.HTML, p.PlainText, p.Contents, p.RendererVersion = source, r.HTML, r.Text, r.Contents, markdown.Version
}

// The columns that setText fills, for the statements that write them.
var (
	postText = []string{
		"Markdown", "HTML", "PlainText", "Contents", "Words", "Excerpt", "Summary", "RendererVersion",
	}
	cohortText = []string{"Markdown", "HTML", "RendererVersion"}
	plainText  = []string{"Markdown", "HTML", "PlainText", "RendererVersion"} // of ambassadors, groups and events
	pageText   = []string{"Markdown", "HTML", "PlainText", "Contents", "RendererVersion"}
)
