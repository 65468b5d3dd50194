package templates

import (
	"html/template"
	"strconv"
	"time"
)

// pageFuncs are what every page may call: pure formatting, no decisions.
var pageFuncs = template.FuncMap{
	"date":      func(t time.Time) string { return t.Format("2 January 2006") },
	"dateTime":  func(t time.Time) string { return t.Format("Mon 2 January 2006, 15:04 MST") },
	"shortTime": func(t time.Time) string { return t.Format("2 Jan 2006, 15:04") },
	"machine":   func(t time.Time) string { return t.Format(time.RFC3339) },
	"plural":    Plural,
	"thousands": Thousands,
	"took":      Took,
}

// Plural is "1 seat" or "2 seats".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Thousands(n) + " " + many
}

// Took is how long an answer took, with as much as can be told apart.
func Took(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(d.Seconds()*1000, 'f', 1, 64) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}

// Thousands writes a number as people do: 25,000.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
