// Package importer reads a folder of Markdown files with YAML front matter, laid out as content/README.md says, and
// checks all of it. It writes nothing: that is for models.Store.ImportContent.
package importer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/models"
)

// ReadContent reads and checks the folder. What is wrong comes back as models.ContentErrors that are joined in the
// order of files and lines; other errors are those of reading. References to other things are left to the import,
// which also knows those in the database.
func ReadContent(fsys fs.FS) (models.Content, error) {
	r := &reader{}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() || path.Ext(name) != ".md" || entry.Name() == "README.md":
			return nil
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		r.files++
		r.read(name, data)
		return nil
	})
	if err != nil {
		return models.Content{}, fmt.Errorf("read content: %w", err)
	}
	if r.files == 0 {
		return models.Content{}, errors.New("read content: the folder has no Markdown files")
	}
	r.checkAcross()
	if err := models.JoinContentErrors(r.problems); err != nil {
		return models.Content{}, err
	}
	return r.content, nil
}

// reader collects what the files say and what is wrong with them.
type reader struct {
	files    int
	content  models.Content
	problems []models.ContentError
}

// file is one file under way: its parsed front matter, for line numbers, and what is wrong with it.
type file struct {
	*reader
	models.ContentSource
	front ast.Node
}

const fence = "---"

// read takes a file apart and hands it to the function of its folder.
func (r *reader) read(name string, data []byte) {
	text := strings.ReplaceAll(string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))), "\r\n", "\n")
	// The sum is of the text, so that a checkout with other line ends is not a change.
	sum := sha256.Sum256([]byte(text))
	f := &file{reader: r, ContentSource: models.ContentSource{Path: name, Checksum: hex.EncodeToString(sum[:])}}

	folder, rest, _ := strings.Cut(strings.TrimSuffix(name, ".md"), "/")
	load := map[string]func(*file){
		"posts": readPost, "ambassadors": readAmbassador, "cohorts": readCohort, "groups": readGroup, "events": readEvent, "pages": readPage,
	}[folder]
	if load == nil || rest == "" {
		f.problem(1, "is in none of the folders posts, ambassadors, cohorts, groups, events, pages")
		return
	}
	f.Slug = rest

	front, body, ok := strings.Cut(strings.TrimPrefix(text, fence+"\n"), "\n"+fence+"\n")
	if !strings.HasPrefix(text, fence+"\n") {
		f.problem(1, "does not begin with front matter between two lines of ---")
		return
	}
	if !ok {
		// A file may end with its front matter.
		if front, ok = strings.CutSuffix(front, "\n"+fence); !ok {
			f.problem(1, "the front matter has no end: a second line of ---")
			return
		}
	}
	f.Markdown = strings.TrimSpace(body)
	defer func() {
		// The YAML library has met texts that it panicked on; they are mistakes like others.
		if p := recover(); p != nil {
			f.problem(1, "front matter: cannot be read as YAML (%v)", p)
		}
	}()
	// The empty line stands for the first ---, so that lines are counted as in the file.
	parsed, err := parser.ParseBytes([]byte("\n"+front+"\n"), 0)
	if err != nil {
		f.yamlProblem(err)
		return
	}
	if len(parsed.Docs) != 1 || parsed.Docs[0].Body == nil {
		f.problem(1, "the front matter is empty")
		return
	}
	f.front = parsed.Docs[0].Body
	if _, err := markdown.Render(f.Markdown, markdown.Options{}); err != nil {
		f.problem(1, "the text: %v", err)
	}
	load(f)
}

// decode fills the front matter's struct, refuses keys that it does not have, and reports whether that went well.
func (f *file) decode(to any) bool {
	err := yaml.NodeToValue(f.front, to, yaml.Strict())
	if err != nil {
		f.yamlProblem(err)
	}
	return err == nil
}

func (f *file) problem(line int, format string, args ...any) {
	f.problems = append(f.problems, models.ContentError{Path: f.Path, Line: line, Reason: fmt.Sprintf(format, args...)})
}

// yamlProblem takes line and words out of the library's error, which otherwise shows a piece of the source.
func (f *file) yamlProblem(err error) {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		f.problem(1, "front matter: %v", err)
		return
	}
	message := at.GetMessage()
	if mismatch := (*yaml.TypeError)(nil); errors.As(err, &mismatch) {
		message = fmt.Sprintf("%q is not of the kind that belongs here (%s)", at.GetToken().Value, mismatch.DstType)
	}
	f.problem(at.GetToken().Position.Line, "front matter: %s", message)
}

// at is the line of a key, such as tickets[0].quotas; of the nearest one above it that is there, when it is not.
func (f *file) at(key string) int {
	for key != "" {
		p, err := yaml.PathString("$." + key)
		if err == nil {
			if node, err := p.FilterNode(f.front); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 1
}

// wrong is a problem with the value of a key.
func (f *file) wrong(key, format string, args ...any) {
	f.problem(f.at(key), "%s: %s", key, fmt.Sprintf(format, args...))
}

// reference is a slug that another file or row has.
func (f *file) reference(key, value string) models.ContentReference {
	if value == "" {
		return models.ContentReference{}
	}
	return models.ContentReference{Slug: value, Line: f.at(key)}
}

func (f *file) references(key string, values []string) []models.ContentReference {
	refs := make([]models.ContentReference, 0, len(values))
	seen := map[string]bool{}
	for n, v := range values {
		at := fmt.Sprintf("%s[%d]", key, n)
		if v == "" || seen[v] {
			f.wrong(at, "is empty or named twice")
			continue
		}
		seen[v] = true
		refs = append(refs, f.reference(at, v))
	}
	return refs
}

// checkAcross finds what only several files together can have wrong.
func (r *reader) checkAcross() {
	owner := map[string]string{} // ambassador → byline
	for _, p := range r.content.Posts {
		for _, b := range p.Bylines {
			slug := b.Ambassador.Slug
			if slug == "" {
				continue
			}
			if other, ok := owner[slug]; ok && other != b.Byline.Slug {
				r.problems = append(r.problems, models.ContentError{
					Path: p.Path, Line: b.Ambassador.Line,
					Reason: fmt.Sprintf("bylines: the ambassador %q has another byline already, %q", slug, other),
				})
			}
			owner[slug] = b.Byline.Slug
		}
	}
	events := map[string]bool{}
	for _, e := range r.content.Events {
		events[e.Slug] = true
	}
	for _, e := range r.content.Events {
		if e.Recurrence == nil {
			continue
		}
		for name := range events {
			if rest, ok := strings.CutPrefix(name, e.Slug+"-"); ok && monthSuffix.MatchString(rest) {
				r.problems = append(r.problems, models.ContentError{
					Path: e.Path, Line: 1, Reason: fmt.Sprintf("recurrence: the event %q has the name of one of the series", name),
				})
			}
		}
	}
}
