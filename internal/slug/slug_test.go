package slug_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/slug"
)

func TestMakeSpellsTitlesForAddresses(t *testing.T) {
	for _, tt := range []struct{ name, title, want string }{
		{"words", "Kata Containers in Screwdriver", "kata-containers-in-screwdriver"},
		{"signs and emoji fall away", "CDF Turns One – Happy Birthday! 🎂", "cdf-turns-one-happy-birthday"},
		{"Chinese becomes pinyin", "中文标题", "zhong-wen-biao-ti"},
		{"accents fall away", "Überblick à la carte", "uberblick-a-la-carte"},
		{"underscores part words", "kubectl_apply  __ twice", "kubectl-apply-twice"},
		{"nothing is left of signs", "🎂 !!!", ""},
		{"the longest is kept whole", strings.Repeat("a", 80), strings.Repeat("a", 80)},
		{"a word that ends at the limit is kept", strings.Repeat("a", 80) + " b", strings.Repeat("a", 80)},
		{"a long title is cut at a word", strings.Repeat("word ", 30), strings.TrimSuffix(strings.Repeat("word-", 16), "-")},
		{"one long word is cut anywhere", strings.Repeat("a", 90), strings.Repeat("a", 80)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := slug.Make(tt.title); got != tt.want {
				t.Errorf("Make(%q) = %q, want %q", tt.title, got, tt.want)
			}
		})
	}
}

func TestValidRefusesWhatCannotBeASlug(t *testing.T) {
	for _, tt := range []struct {
		slug string
		want error
	}{
		{"spinnaker-live", nil},
		{"2020", nil},
		{"pastries", nil},
		{"past", slug.ErrReserved},
		{"apply", slug.ErrReserved},
		{"cohorts", slug.ErrReserved},
		{"category", slug.ErrReserved},
		{"tag", slug.ErrReserved},
		{"author", slug.ErrReserved},
		{"series", slug.ErrReserved},
		{"feed", slug.ErrReserved},
		{"register", slug.ErrReserved},
		{"new", slug.ErrReserved},
		{"", slug.ErrMisspelt},
		{"Upper", slug.ErrMisspelt},
		{"two--hyphens", slug.ErrMisspelt},
		{"-edge", slug.ErrMisspelt},
		{"edge-", slug.ErrMisspelt},
		{"feed.xml", slug.ErrMisspelt},
		{"a/b", slug.ErrMisspelt},
		{"line\n", slug.ErrMisspelt},
		{"中文", slug.ErrMisspelt},
		{strings.Repeat("a", 81), slug.ErrTooLong},
	} {
		if err := slug.Valid(tt.slug); !errors.Is(err, tt.want) {
			t.Errorf("Valid(%q) = %v, want %v", tt.slug, err, tt.want)
		}
	}
}

func FuzzMakeIsEmptyOrWellSpelt(f *testing.F) {
	f.Add("CDF Turns One – Happy Birthday! 🎂")
	f.Add("中文_标题--x")
	f.Fuzz(func(t *testing.T, title string) {
		s := slug.Make(title)
		if err := slug.Valid(s); s != "" && err != nil && !errors.Is(err, slug.ErrReserved) {
			t.Errorf("Make(%q) = %q, which %v", title, s, err)
		}
	})
}
