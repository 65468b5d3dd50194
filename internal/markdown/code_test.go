package markdown

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/alecthomas/chroma/v2"
)

// luminance is the relative luminance (WCAG 2.2) of oklch(l c h), out-of-gamut channels clipped.
func luminance(t *testing.T, oklch string) float64 {
	t.Helper()
	var l, c, h float64
	if _, err := fmt.Sscan(oklch, &l, &c, &h); err != nil {
		t.Fatalf("%q: %v", oklch, err)
	}
	a, b := c*math.Cos(h*math.Pi/180), c*math.Sin(h*math.Pi/180)
	cube := func(x float64) float64 { return x * x * x }
	lms := [3]float64{cube(l + .3963377774*a + .2158037573*b), cube(l - .1055613458*a - .0638541728*b), cube(l - .0894841775*a - 1.2914855480*b)}
	clip := func(x float64) float64 { return min(max(x, 0), 1) }
	red := clip(4.0767416621*lms[0] - 3.3077115913*lms[1] + .2309699292*lms[2])
	green := clip(-1.2684380046*lms[0] + 2.6097574011*lms[1] - .3413193965*lms[2])
	blue := clip(-.0041960863*lms[0] - .7034186147*lms[1] + 1.7076147010*lms[2])
	return .2126*red + .7152*green + .0722*blue
}

func TestCodeColoursHaveContrastInBothSchemes(t *testing.T) {
	for _, c := range palette {
		for _, pair := range [][2]string{{c.light, ".967 .007 240"}, {c.dark, ".228 .025 255"}} {
			a, b := luminance(t, pair[0]), luminance(t, pair[1])
			if ratio := (max(a, b) + .05) / (min(a, b) + .05); ratio < 4.5 {
				t.Errorf("%s: %s on %s has %.2f:1, want 4.5", c.name, pair[0], pair[1], ratio)
			}
		}
	}
}

func TestHighlightCSSKnowsItsClasses(t *testing.T) {
	known := map[string]bool{}
	for _, class := range chroma.StandardTypes {
		known[class] = true
	}
	css, seen := HighlightCSS(), map[string]bool{}
	for _, c := range palette {
		for class := range strings.FieldsSeq(c.classes) {
			if !known[class] || seen[class] {
				t.Errorf("class %q of %s is unknown or twice", class, c.name)
			}
			seen[class] = true
			if !strings.Contains(css, "."+class+",") && !strings.Contains(css, "."+class+")") {
				t.Errorf("class %q is not in the style sheet", class)
			}
		}
	}
	if strings.Count(css, "{") != strings.Count(css, "}") || !strings.Contains(css, "light-dark(") {
		t.Errorf("style sheet:\n%s", css)
	}
}

func TestCodeKeepsItsText(t *testing.T) {
	for _, language := range []string{"go", "yaml", "sh", "json", "html", "dockerfile", "groovy", "diff", "python", "c++", "nosuch", ""} {
		code := "a: <b> \"c\" 'd' # e\n\n\t& ${f} </script>\n"
		html := render(t, "```"+language+"\n"+code+"```", Options{}).HTML
		for _, n := range elements(t, html) {
			if n.Data == "pre" && textOf(n) != code {
				t.Errorf("%s: %q became %q", language, code, textOf(n))
			}
		}
	}
}

func TestMuchCodeIsPlain(t *testing.T) {
	html := render(t, "```go\n"+strings.Repeat("return 1\n", 10_000)+"```\n\n```go\nreturn 2\n```", Options{}).HTML
	if n := strings.Count(html, `class="k"`); n != 1 {
		t.Errorf("%d words in colours, want only the one of the short block", n)
	}
}
