package importer

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cdfoundation/portal/internal/slug"
	"github.com/cdfoundation/portal/models"
)

var (
	country     = regexp.MustCompile(`^[A-Z]{2}$`)
	licence     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+-]*$`)
	wallTime    = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)
	handle      = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	monthSuffix = regexp.MustCompile(`^\d{4}-\d{2}$`)
)

func (f *file) required(key, value string) {
	if strings.TrimSpace(value) == "" {
		f.wrong(key, "is required")
	}
}

// named checks the slug that the file's name gives.
func (f *file) named() {
	if err := slug.Valid(f.Slug); err != nil {
		f.problem(1, "the file's name: %q %v", f.Slug, err)
	}
}

func (f *file) country(key, value string) {
	if value != "" && !country.MatchString(value) {
		f.wrong(key, "%q is not a country of two capital letters (ISO 3166-1)", value)
	}
}

// language is the tag, en when there is none.
func (f *file) language(key, value string) string {
	if value == "" {
		return "en"
	}
	if _, err := language.Parse(value); err != nil {
		f.wrong(key, "%q is not a language (BCP 47)", value)
	}
	return value
}

// zone reports whether the name is that of a zone.
func (f *file) zone(key, value string) bool {
	if _, err := time.LoadLocation(value); err != nil || value == "" || value == "Local" {
		f.wrong(key, "%q is not a time zone (IANA)", value)
		return false
	}
	return true
}

func (f *file) coordinates(latitude, longitude *float64) {
	if (latitude == nil) != (longitude == nil) {
		f.wrong("latitude", "latitude and longitude: both or none")
		return
	}
	if latitude == nil {
		return
	}
	if !(*latitude >= -90 && *latitude <= 90) {
		f.wrong("latitude", "%v is not between -90 and 90", *latitude)
	}
	if !(*longitude >= -180 && *longitude <= 180) {
		f.wrong("longitude", "%v is not between -180 and 180", *longitude)
	}
}

// moment is a time with its zone, RFC 3339, in UTC.
func (f *file) moment(key, value string) time.Time {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		f.wrong(key, "%q is not a time such as 2020-06-18T09:00:00-07:00", value)
	}
	return at.UTC()
}

// local is the moment in UTC of a wall time in a zone that was found good.
func (f *file) local(key, value, zone string) time.Time {
	at, err := models.LocalTime(value, zone)
	if err != nil {
		f.wrong(key, "%q is not a local time such as 2020-06-18T09:00", value)
	}
	return at
}

func (f *file) wall(key, value string) {
	if !wallTime.MatchString(value) {
		f.wrong(key, "%q is not a time such as 18:30", value)
	}
}

// duration is a whole number of minutes, more than none.
func (f *file) duration(key, value string) time.Duration {
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Minute || d%time.Minute != 0 {
		f.wrong(key, "%q is not a duration such as 2h30m", value)
	}
	return d
}

func (f *file) address(key, value string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		f.wrong(key, "%q is not an address that begins with https://", value)
	}
}

func (f *file) links(links []models.Link) []models.Link {
	for n, l := range links {
		key := fmt.Sprintf("links[%d]", n)
		f.required(key+".label", l.Label)
		f.required(key+".url", l.URL)
		f.address(key+".url", l.URL)
	}
	return links
}

func (f *file) languages(tags []string) {
	for n, tag := range tags {
		f.language(fmt.Sprintf("languages[%d]", n), tag)
	}
}

// names checks a list of names; with slugs, also that each makes a slug of its own.
func (f *file) names(key string, names []string, slugs bool) {
	seen := map[string]bool{}
	for n, name := range names {
		at := fmt.Sprintf("%s[%d]", key, n)
		spelt := strings.TrimSpace(name)
		if slugs {
			spelt = slug.Make(name)
		}
		switch {
		case spelt == "":
			f.wrong(at, "%q is not a name", name)
		case seen[spelt]:
			f.wrong(at, "%q is named twice", name)
		}
		seen[spelt] = true
	}
}

// pick checks one of a few words; the empty one stands for the first.
func pick[T ~string](f *file, key, value string, allowed ...T) T {
	if value == "" {
		return allowed[0]
	}
	words := make([]string, 0, len(allowed))
	for _, a := range allowed {
		if string(a) == value {
			return a
		}
		words = append(words, string(a))
	}
	f.wrong(key, "%q is none of %s", value, strings.Join(words, ", "))
	return allowed[0]
}
