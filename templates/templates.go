// Package templates holds the pages' HTML and the mails' words, and binds each to the one struct that it shows.
// It knows neither models nor handlers: whatever a template needs is in its struct or among its functions.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"sync"
	texttemplate "text/template"
	"text/template/parse"

	"github.com/jba/templatecheck"
)

//go:embed layouts partials */*.html mail
var files embed.FS

// Set is the layouts and partials that pages are built from.
type Set struct {
	funcs template.FuncMap
	parts *template.Template
}

// NewSet parses layouts and partials with the functions that pages may call, beside those of this package.
func NewSet(funcs template.FuncMap) (*Set, error) {
	all := maps.Clone(pageFuncs)
	maps.Copy(all, funcs)
	parts, err := template.New("").Funcs(all).ParseFS(files, "layouts/*.html", "partials/*.html")
	if err != nil {
		return nil, fmt.Errorf("layouts and partials: %w", err)
	}
	return &Set{funcs: all, parts: parts}, nil
}

// Page is one template, which shows a T and nothing else.
type Page[T any] struct {
	name string
	tmpl *template.Template
}

// NewPage parses templates/<name>.html over the layout that it names ("site" or "desk") and checks every field that
// it and its partials use against T.
func NewPage[T any](set *Set, layout, name string) (*Page[T], error) {
	source, err := fs.ReadFile(files, name+".html")
	if err != nil {
		return nil, err
	}
	own, err := template.New(name).Funcs(set.funcs).Parse(string(source))
	if err != nil {
		return nil, err
	}
	tmpl := template.New("").Funcs(set.funcs)
	if err := set.add(tmpl, own, layout); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	tmpl = tmpl.Lookup(layout)
	var zero T
	if err := templatecheck.CheckHTML(tmpl, zero); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return &Page[T]{name: name, tmpl: tmpl}, nil
}

// add copies a template into tmpl with all that it calls, each the page's own or else the set's. The rest stays away:
// with everything in every page the program would hold ten times as much.
func (s *Set) add(tmpl, own *template.Template, name string) error {
	part := own.Lookup(name)
	if part == nil || part.Tree == nil {
		part = s.parts.Lookup(name)
	}
	if part == nil || part.Tree == nil {
		return fmt.Errorf("no template %q", name)
	}
	tree := part.Tree.Copy()
	if _, err := tmpl.AddParseTree(name, tree); err != nil {
		return err
	}
	for _, called := range calls(tree.Root) {
		if tmpl.Lookup(called) != nil {
			continue
		}
		if err := s.add(tmpl, own, called); err != nil {
			return err
		}
	}
	return nil
}

// calls lists the templates that a list of nodes calls.
func calls(list *parse.ListNode) (names []string) {
	if list == nil {
		return nil
	}
	branches := func(b *parse.BranchNode) { names = append(append(names, calls(b.List)...), calls(b.ElseList)...) }
	for _, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.TemplateNode:
			names = append(names, node.Name)
		case *parse.IfNode:
			branches(&node.BranchNode)
		case *parse.RangeNode:
			branches(&node.BranchNode)
		case *parse.WithNode:
			branches(&node.BranchNode)
		}
	}
	return names
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
