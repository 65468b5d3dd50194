// Package slug makes the part of an address that names one thing, and knows which words are pages already. It
// knows nothing of what has been taken: that is the database's to say.
package slug

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	gosimple "github.com/gosimple/slug"
)

// MaxLength is the most bytes of a slug.
const MaxLength = 80

// The refusals of Valid.
var (
	ErrReserved = errors.New("is the address of another page")
	ErrMisspelt = errors.New("may have small letters, digits and single hyphens between them")
	ErrTooLong  = fmt.Errorf("may have at most %d characters", MaxLength)
)

// Make spells a title with small Latin letters, digits and hyphens: "Über uns & euch" becomes
// "uber-uns-and-euch", 中文 becomes "zhong-wen". A long one is cut at a hyphen. The result may be empty (a title of
// signs only), reserved or taken; ask Valid and the unique index.
func Make(title string) string {
	s := strings.ReplaceAll(gosimple.Make(title), "_", "-")
	s = strings.Trim(hyphens.ReplaceAllString(s, "-"), "-")
	if len(s) <= MaxLength {
		return s
	}
	if i := strings.LastIndexByte(s[:MaxLength+1], '-'); i > 0 {
		return s[:i]
	}
	return s[:MaxLength]
}

var (
	hyphens = regexp.MustCompile(`-{2,}`)
	pattern = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)
)

// reserved are the words that stand where a slug could: below /events, /blog, /ambassadors, /groups and /projects,
// and, since plain pages live there, below the root.
var reserved = func() map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(`
		past apply cohorts category tag author series feed feeds register new edit delete preview page
		blog ambassadors groups events registrations projects search login logout account admin media static
		api healthz readyz metrics sitemap robots manifest favicon well-known styleguide
		calendar tickets registration cancellation waitlist checkin agenda speakers ideas teams
		drafts archive all draft index`) {
		words[w] = true
	}
	return words
}()

// Valid refuses what cannot be a slug: ErrMisspelt, ErrTooLong, ErrReserved. The error's text completes a sentence
// that begins with the slug.
func Valid(s string) error {
	switch {
	case len(s) > MaxLength:
		return ErrTooLong
	case !pattern.MatchString(s):
		return ErrMisspelt
	case reserved[s]:
		return ErrReserved
	}
	return nil
}
