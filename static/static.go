// Package static holds what browsers fetch beside the pages: style sheets, scripts, fonts and drawings, each under a
// name that carries its checksum, so that it may be cached for ever. It knows nothing of HTTP.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

//go:embed css fonts img js
var files embed.FS

// prefix is the address under which all assets stand.
const prefix = "/static/"

// Asset is one file as it is sent. Its bytes must not be changed.
type Asset struct {
	// Bytes is the file itself.
	Bytes []byte
	// ContentType is the media type, with its charset where it is text.
	ContentType string
	// ETag is a strong entity tag in quotes (RFC 9110, section 8.8.3) of the file as it is; an encoded form needs its own.
	ETag string

	gzip, brotli func() []byte
}

// Gzip returns the file compressed by gzip, or nil where that would not make it smaller. The work is done once, when first asked for.
func (a Asset) Gzip() []byte { return a.gzip() }

// Brotli returns the file compressed by Brotli (RFC 7932), or nil where that would not make it smaller. The work is done once.
func (a Asset) Brotli() []byte { return a.brotli() }

// Path returns the address of the asset with that name, such as "/static/main.3f2a91c07b5e.css" for "main.css".
// Names are "main.css", "desk.css", "account.css", and "js/…", "img/…" and "fonts/…" as the files are called.
// It panics for a name that does not exist: only templates ask, and a page without its style sheet must not be served.
func Path(name string) string {
	address, ok := assets().paths[name]
	if !ok {
		panic(fmt.Sprintf("static: no asset is called %q", name))
	}
	return address
}

// Open returns the asset at that address, which is one that Path returned; false when there is none.
func Open(address string) (Asset, bool) {
	a, ok := assets().byPath[address]
	return a, ok
}

// Names returns the names that Path knows, in no order.
func Names() []string {
	names := make([]string, 0, len(assets().paths))
	for name := range assets().paths {
		names = append(names, name)
	}
	return names
}

// set is every asset, by name and by address.
type set struct {
	paths  map[string]string
	byPath map[string]Asset
}

var assets = sync.OnceValue(func() *set {
	s := &set{paths: map[string]string{}, byPath: map[string]Asset{}}
	for _, dir := range []string{"fonts", "img", "js"} {
		for _, name := range list(dir + "/*") {
			s.add(name, read(name))
		}
	}
	s.add("main.css", s.sheet("css/main.css", "css/tokens.css", "css/base.css", "css/layout.css",
		"css/components/*.css", "css/pages/*.css", "css/utilities.css", "css/print.css"))
	s.add("desk.css", s.sheet("css/desk/*.css"))
	s.add("account.css", s.sheet("css/account/*.css"))
	return s
})

// add puts a file into the set under its name with its checksum.
func (s *set) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:6])
	ext := path.Ext(name)
	address := prefix + strings.TrimSuffix(name, ext) + "." + hash + ext
	s.paths[name] = address
	s.byPath[address] = Asset{
		Bytes:       content,
		ContentType: contentTypes[ext],
		ETag:        `"` + hash + `"`,
		gzip:        sync.OnceValue(func() []byte { return smaller(content, ext, gzipped) }),
		brotli:      sync.OnceValue(func() []byte { return smaller(content, ext, brotlied) }),
	}
}

var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".png":   "image/png",
	".woff2": "font/woff2",
}

var (
	comment  = regexp.MustCompile(`(?s)/\*.*?\*/`)
	spacing  = regexp.MustCompile(`\s*([{};,])\s*`)
	imported = regexp.MustCompile(`url\(` + prefix + `([^)]+)\)`)
)

// sheet joins style sheets in the order of the patterns, without comments and the spaces that nobody needs, and points to
// other assets by their hashed names. No string in our sheets holds a brace, a colon, a comma or a semicolon.
func (s *set) sheet(patterns ...string) []byte {
	var b bytes.Buffer
	for _, pattern := range patterns {
		for _, name := range list(pattern) {
			b.Write(read(name))
		}
	}
	css := comment.ReplaceAll(b.Bytes(), nil)
	css = spacing.ReplaceAll(css, []byte("$1"))
	css = bytes.ReplaceAll(css, []byte(";}"), []byte("}"))
	css = bytes.ReplaceAll(css, []byte(": "), []byte(":"))
	return imported.ReplaceAllFunc(css, func(ref []byte) []byte {
		name := string(imported.FindSubmatch(ref)[1])
		address, ok := s.paths[name]
		if !ok {
			panic(fmt.Sprintf("static: a style sheet asks for %q, which does not exist", name))
		}
		return []byte("url(" + address + ")")
	})
}

// list returns the embedded files that match, sorted by name.
func list(pattern string) []string {
	names, err := fs.Glob(files, pattern)
	if err != nil || len(names) == 0 {
		panic(fmt.Sprintf("static: nothing matches %q (%v)", pattern, err))
	}
	return names
}

func read(name string) []byte {
	content, err := files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("static: %v", err))
	}
	return content
}

// smaller returns the encoded content, or nil for formats that are compressed already and where nothing is gained.
func smaller(content []byte, ext string, encode func([]byte) []byte) []byte {
	if ext == ".png" || ext == ".woff2" {
		return nil
	}
	if encoded := encode(content); len(encoded) < len(content) {
		return encoded
	}
	return nil
}

func gzipped(content []byte) []byte {
	var b bytes.Buffer
	// A level that exists and a buffer in memory: neither call can fail.
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes()
}

// brotlied stops at level 9: the last two levels cost a first visitor a tenth of a second and gain three per cent.
func brotlied(content []byte) []byte {
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, 9)
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes()
}
