package markdown

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

const (
	excerptLength = 200 // characters, as people count them
	teaserLength  = 500 // the most of what an author put before <!--more-->
)

// excerpt is the text of the first paragraphs. It is made from the parsed document, so that no syntax can leak
// into it, and passes over code, tables, pictures, raw HTML, headings and footnotes.
func (p *page) excerpt(doc ast.Node) string {
	var parts []string
	length, ended := 0, false
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Document, *ast.Blockquote, *ast.List, *ast.ListItem:
			return ast.WalkContinue, nil
		case *ast.HTMLBlock:
			if ended = moreMark.Match(p.htmlBlock(n)); ended {
				return ast.WalkStop, nil
			}
		case *ast.Paragraph, *ast.TextBlock:
			before := p.cutAtMore(n)
			if s := p.inlineText(n, false); s != "" {
				parts = append(parts, s)
				length += utf8.RuneCountInString(s) + 1
			}
			if before {
				ended = true
				return ast.WalkStop, nil
			}
		default:
		}
		// A mark further down would make the excerpt longer than this, so look that far for it.
		if length > 8*teaserLength {
			return ast.WalkStop, nil
		}
		return ast.WalkSkipChildren, nil
	})
	text := strings.Map(plainRune, strings.Join(parts, " "))
	if ended {
		return shorten(text, teaserLength)
	}
	return shorten(text, excerptLength)
}

// cutAtMore takes out what follows a <!--more--> inside a paragraph and tells whether there was one. The document
// has been rendered by then.
func (p *page) cutAtMore(n ast.Node) bool {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if raw, ok := c.(*ast.RawHTML); ok && moreMark.Match(raw.Segments.Value(p.source)) {
			for c.NextSibling() != nil {
				n.RemoveChild(n, c.NextSibling())
			}
			return true
		}
	}
	return false
}

// plainRune drops what does not belong into one line of plain text: control characters, and the marks that turn
// the direction of what follows, which a cut could leave open.
func plainRune(r rune) rune {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
		return -1
	case unicode.IsControl(r):
		return ' '
	}
	return r
}

// shorten cuts a text to at most limit characters as people count them (grapheme clusters): after a sentence if
// one ends in the second half, else after a word, with an ellipsis. It never cuts inside a character.
func shorten(s string, limit int) string {
	s = strings.Join(strings.Fields(s), " ")
	window := cutClusters(s, limit)
	if len(window) == len(s) {
		return s
	}
	clusters := []string{}
	for g := uniseg.NewGraphemes(window); g.Next(); {
		clusters = append(clusters, g.Str())
	}
	next, _ := utf8.DecodeRuneInString(s[len(window):])
	sentence, word, length := 0, 0, 0
	for i, c := range clusters {
		length += len(c)
		after := next
		if i+1 < len(clusters) {
			after, _ = utf8.DecodeRuneInString(clusters[i+1])
		}
		last, _ := utf8.DecodeLastRuneInString(c)
		if i < len(clusters)/2 {
			continue
		}
		if endsSentence(last, after, s[length:]) {
			sentence = length
		}
		if after == ' ' || isCJK(last) && unicode.IsLetter(last) && isCJK(after) && unicode.IsLetter(after) || last == '，' || last == '、' {
			word = length
		}
	}
	switch {
	case sentence > 0:
		return s[:sentence]
	case word > 0:
		return strings.TrimRight(s[:word], " ,;:—–-，、；：") + "…"
	default:
		return window + "…"
	}
}

// endsSentence tells whether a sentence ends after last: a stop, then nothing or a space and no small letter (as
// after an abbreviation), or a CJK stop.
func endsSentence(last, after rune, rest string) bool {
	if strings.ContainsRune("。！？", last) {
		return !strings.ContainsRune("」』”’）", after)
	}
	if !strings.ContainsRune(".!?…", last) || after != ' ' {
		return false
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(rest, " "))
	return !unicode.IsLower(first)
}

// cutClusters returns the first n grapheme clusters of s. A cluster can be endless (a letter with a thousand
// accents), so it also ends with the last one that is complete within 64 bytes for each.
func cutClusters(s string, n int) string {
	length := min(len(s), 64*n)
	for length < len(s) && !utf8.RuneStart(s[length]) {
		length--
	}
	window, end := s[:length], 0
	for g := uniseg.NewGraphemes(window); n > 0 && g.Next(); n-- {
		if end+len(g.Str()) == len(window) && len(window) < len(s) {
			break
		}
		end += len(g.Str())
	}
	return s[:end]
}

// plainText collects everything readable, a line a block, and counts the words outside code.
func (p *page) plainText(doc ast.Node) (words int, text string) {
	var b strings.Builder
	add := func(s string, counted bool) {
		if s = strings.TrimSpace(s); s == "" {
			return
		}
		if counted {
			words += countWords(s)
		}
		b.WriteString(s)
		b.WriteByte('\n')
	}
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Paragraph, *ast.TextBlock, *ast.Heading, *extast.TableCell:
			add(p.inlineText(n, true), true)
			if p.figures[n] {
				add(resolve(p.lonePicture(n).Title), true)
			}
			return ast.WalkSkipChildren, nil
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			add(string(n.Lines().Value(p.source)), false)
		case *ast.HTMLBlock:
			if value := p.htmlBlock(n); !isComment(value) {
				add(string(value), true)
			}
		default:
		}
		return ast.WalkContinue, nil
	})
	return words, strings.TrimSuffix(b.String(), "\n")
}

// countWords counts words, with two Chinese or Japanese characters for one. Korean has spaces and counts by words.
func countWords(s string) int {
	words, characters, inside := 0, 0, false
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			characters++
			inside = false
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if !inside {
				words++
			}
			inside = true
		case unicode.IsMark(r) || strings.ContainsRune("'’-_.", r):
			// inside a word these join its parts, outside they are nothing
		default:
			inside = false
		}
	}
	return words + (characters+1)/2
}
