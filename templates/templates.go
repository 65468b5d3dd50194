// Package templates holds the pages' HTML and the mails' words, and binds each to the one struct that it shows.
// It knows neither models nor handlers: whatever a template needs is in its struct or among its functions.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"sync"
	texttemplate "text/template"

	"github.com/jba/templatecheck"
)

//go:embed layouts partials */*.html mail
var files embed.FS

// Set is the layouts and partials that pages are built from.
type Set struct {
	base *template.Template
}

// NewSet parses layouts and partials with the functions that pages may call, beside those of this package.
func NewSet(funcs template.FuncMap) (*Set, error) {
	base := template.New("").Funcs(pageFuncs).Funcs(funcs)
	base, err := base.ParseFS(files, "layouts/*.html", "partials/*.html")
	if err != nil {
		return nil, fmt.Errorf("layouts and partials: %w", err)
	}
	return &Set{base: base}, nil
}

// Page is one template, which shows a T and nothing else.
type Page[T any] struct {
	name string
	tmpl *template.Template
}

// NewPage parses templates/<name>.html over the layout that it names ("site" or "desk") and checks every field that
// it and its partials use against T.
func NewPage[T any](set *Set, layout, name string) (*Page[T], error) {
	tmpl, err := set.base.Clone()
	if err != nil {
		return nil, err
	}
	source, err := fs.ReadFile(files, name+".html")
	if err != nil {
		return nil, err
	}
	if tmpl, err = tmpl.New(name).Parse(string(source)); err != nil {
		return nil, err
	}
	if tmpl = tmpl.Lookup(layout); tmpl == nil {
		return nil, fmt.Errorf("page %s: no layout %q", name, layout)
	}
	var zero T
	if err := templatecheck.CheckHTML(tmpl, zero); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return &Page[T]{name: name, tmpl: tmpl}, nil
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Render executes the page into memory, so that an error leaves nothing half written.
func (p *Page[T]) Render(data T) ([]byte, error) {
	buf, _ := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	if err := p.tmpl.Execute(buf, data); err != nil {
		return nil, fmt.Errorf("page %s: %w", p.name, err)
	}
	return bytes.Clone(buf.Bytes()), nil
}

// Mail is the text and the HTML of one kind of mail, which show a T. The text's first line is the subject.
type Mail[T any] struct {
	name string
	text *texttemplate.Template
	html *template.Template
}

// NewMail parses templates/mail/<name>.txt and <name>.html inside the mails' frame and checks both against T.
func NewMail[T any](name string) (*Mail[T], error) {
	text, err := texttemplate.New(name+".txt").ParseFS(files, "mail/"+name+".txt")
	if err != nil {
		return nil, err
	}
	html, err := template.New("frame").ParseFS(files, "mail/frame.html", "mail/"+name+".html")
	if err != nil {
		return nil, err
	}
	html = html.Lookup("frame.html")
	var zero T
	if err := templatecheck.CheckText(text, zero); err != nil {
		return nil, fmt.Errorf("mail %s: %w", name, err)
	}
	if err := templatecheck.CheckHTML(html, zero); err != nil {
		return nil, fmt.Errorf("mail %s: %w", name, err)
	}
	return &Mail[T]{name: name, text: text, html: html}, nil
}

// Render returns the mail's subject, its plain text and its HTML.
func (m *Mail[T]) Render(data T) (subject, text, html string, err error) {
	var buf bytes.Buffer
	if err := m.text.Execute(&buf, data); err != nil {
		return "", "", "", fmt.Errorf("mail %s: %w", m.name, err)
	}
	first, rest, _ := bytes.Cut(buf.Bytes(), []byte("\n"))
	subject, text = string(first), string(bytes.TrimLeft(rest, "\n"))
	buf.Reset()
	if err := m.html.Execute(&buf, data); err != nil {
		return "", "", "", fmt.Errorf("mail %s: %w", m.name, err)
	}
	return subject, text, buf.String(), nil
}
