package calendar

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine is the length in octets that a line should not pass, its end not counted (RFC 5545,
// section 3.1).
const maxLine = 75

// writer collects content lines.
type writer struct{ b bytes.Buffer }

// raw writes a property whose value is already in its final form, folded between characters.
func (w *writer) raw(property, value string) {
	room := maxLine
	for _, r := range property + ":" + value {
		if utf8.RuneLen(r) > room {
			w.b.WriteString("\r\n ")
			room = maxLine - 1
		}
		w.b.WriteRune(r)
		room -= utf8.RuneLen(r)
	}
	w.b.WriteString("\r\n")
}

// text writes a property of one or more TEXT values (RFC 5545, section 3.3.11).
func (w *writer) text(property string, values ...string) {
	escaped := make([]string, 0, len(values))
	for _, v := range values {
		escaped = append(escaped, textEscaper.Replace(plain(v)))
	}
	w.raw(property, strings.Join(escaped, ","))
}

// uri writes a property that holds an address, unless the address is not absolute.
func (w *writer) uri(property, address string) {
	if a := absolute(address); a != "" {
		w.raw(property, a)
	}
}

var textEscaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)

// plain makes every kind of line break a line feed and drops other control characters and
// bytes that are not UTF-8. Readers differ in what ends a line; none of it may end ours.
func plain(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r', r == '\v', r == '\f', r == '\u0085', r == '\u2028', r == '\u2029':
			return '\n'
		case r == '\n', r == '\t', !unicode.IsControl(r):
			return r
		default:
			return -1
		}
	}, s)
}

// commonName gives the CN parameter. A quoted value cannot hold a quotation mark, and few
// calendars read RFC 6868's way to write one, so it becomes an apostrophe.
func commonName(p Person) string {
	name := strings.Join(strings.Fields(plain(p.Name)), " ")
	if name == "" {
		return ""
	}
	return `;CN="` + strings.NewReplacer(`"`, "'", "^", "^^").Replace(name) + `"`
}
