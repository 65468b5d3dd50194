package handlers

import (
	"maps"
	"slices"
	"strings"

	"github.com/cdfoundation/portal/internal/slug"
	"github.com/cdfoundation/portal/models"
)

// choices collects the options of a select field from what a list holds: value to label.
type choices map[string]string

func (c choices) country(code string) {
	if _, known := c[code]; known {
		return
	}
	if name := models.CountryName(code); name != "" {
		c[code] = name
	}
}

func (c choices) languages(tags []string) {
	for _, tag := range tags {
		c[tag] = models.LanguageName(tag)
	}
}

func (c choices) topics(topics []string) {
	for _, topic := range topics {
		c[slug.Make(topic)] = topic
	}
}

// options lists the choices by label, after one that means all of them.
func (c choices) options(all, chosen string) []Option {
	values := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		return strings.Compare(strings.ToLower(c[a])+" "+a, strings.ToLower(c[b])+" "+b)
	})
	options := []Option{{Label: all}}
	for _, value := range values {
		options = append(options, Option{Value: value, Label: c[value], Selected: value == chosen})
	}
	return options
}

// label names a value; one that the list does not hold is named as it was asked for.
func (c choices) label(value string) string {
	if label, ok := c[value]; ok {
		return label
	}
	return value
}
