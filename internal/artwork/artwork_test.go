package artwork

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files and the icons anew")

// golden compares with a file, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it, then run the test with -update", name)
	}
}

// goldenPicture compares pixels, and lets them differ as much as two processors' arithmetic does.
func goldenPicture(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		golden(t, name, got)
		return
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var pictures [2]image.Image
	for i, file := range [][]byte{content, got} {
		if pictures[i], err = png.Decode(bytes.NewReader(file)); err != nil {
			t.Fatal(err)
		}
	}
	if pictures[0].Bounds() != pictures[1].Bounds() {
		t.Fatalf("%s measures %v, drawn %v", name, pictures[0].Bounds(), pictures[1].Bounds())
	}
	for y := range pictures[0].Bounds().Dy() {
		for x := range pictures[0].Bounds().Dx() {
			if far(pictures[0].At(x, y), pictures[1].At(x, y)) {
				t.Fatalf("%s differs at %d %d from what is drawn; look at it, then run the test with -update", name, x, y)
			}
		}
	}
}

// far is true when two colours differ by more than three per cent in one of their parts.
func far(a, b color.Color) bool {
	r1, g1, b1, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	return max(r1, r2)-min(r1, r2) > 2000 || max(g1, g2)-min(g1, g2) > 2000 || max(b1, b2)-min(b1, b2) > 2000
}

var slugs = []string{"events/spinnaker-live", "blog/kata-containers", "blog/cdf-turns-one", "groups/berlin", "projects/tekton", ""}

func TestASlugAlwaysGivesTheSameCover(t *testing.T) {
	for _, slug := range slugs {
		name := strings.ReplaceAll(slug, "/", "-")
		golden(t, filepath.Join("testdata", "cover-"+name+".svg"), []byte(Cover(slug, 800, 450, "")))
	}
	if Cover("blog/a", 800, 450, "") == Cover("blog/b", 800, 450, "") {
		t.Error("two slugs have one cover")
	}
}

func TestEveryCoverHasOneLiveNodeAndIsWellFormed(t *testing.T) {
	for _, kind := range []string{"events", "blog", "groups", "pages"} {
		for i := range 200 {
			slug := kind + "/" + strconv.Itoa(i)
			for _, drawn := range []string{Cover(slug, 1200, 440, `"Ada" & <Bo>`), Cover(slug, 1200, 440, "")} {
				if n := strings.Count(drawn, `class="live"`) + strings.Count(drawn, `fill="`+coral); n != 1 {
					t.Errorf("%s has %d live nodes", slug, n)
				}
				if strings.Contains(drawn, "NaN") || strings.Contains(drawn, "style=") {
					t.Errorf("%s: %s", slug, drawn)
				}
				wellFormed(t, drawn)
			}
		}
	}
	wellFormed(t, Hero())
}

func wellFormed(t *testing.T, document string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, document)
		}
	}
}

func TestACoverWithoutALabelIsHiddenFromScreenReaders(t *testing.T) {
	if c := Cover("blog/a", 16, 9, ""); !strings.Contains(c, `aria-hidden="true"`) {
		t.Error("not hidden: " + c[:120])
	}
	if c := Cover("blog/a", 16, 9, `A <b>`); !strings.Contains(c, `role="img" aria-label="A &lt;b&gt;"`) {
		t.Error("no label: " + c[:160])
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Helen Beal":                     "HB",
		"BMK Lakshminarayanan":           "BL",
		"  ada  ":                        "A",
		"Friederike Mustermann-Beispiel": "FM",
		"阿里 样本":                          "阿",
		"山田太郎":                           "山",
		"김민준":                            "김",
		"נועה דוגמה":                     "נד",
		"محمد علي":                       "م",
		"Élodie Ünal":                    "ÉÜ",
		"E\u0301lodie Unal":              "E\u0301U",
		"नमिता शर्मा":                    "नश",
		"(Bo) O’Neill":                   "BO",
		"Ada <script>":                   "AS",
		"":                               "?",
		"— —":                            "?",
		"🎂":                              "?",
	} {
		if got := Initials(name); got != want {
			t.Errorf("Initials(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestHuesAreStableAndAllUsed(t *testing.T) {
	seen := map[int]int{}
	for i := range 400 {
		hue := Hue("Person " + strconv.Itoa(i))
		if hue < 0 || hue >= hues {
			t.Fatalf("Hue = %d", hue)
		}
		seen[hue]++
	}
	if len(seen) != hues {
		t.Errorf("400 names have %d hues: %v", len(seen), seen)
	}
	if Hue("Helen Beal") != Hue(" Helen Beal ") {
		t.Error("spaces change the hue")
	}
}

func TestPortraitsEscapeNames(t *testing.T) {
	p := Portrait("1<b> &c")
	wellFormed(t, p)
	if !strings.Contains(p, ">1C<") {
		t.Error(p)
	}
}

func TestTheMapAgreesWithTheVendoredProjection(t *testing.T) {
	var fixture struct {
		Scale     float64
		Translate [2]float64
		Cities    []struct {
			Name           string
			Lat, Lon, X, Y float64
		}
	}
	content, err := os.ReadFile("testdata/cities.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &fixture); err != nil {
		t.Fatal(err)
	}
	if fixture.Scale != worldScale || fixture.Translate != [2]float64{worldX, worldY} {
		t.Errorf("the map was fitted anew: scale %v, translate %v", fixture.Scale, fixture.Translate)
	}
	if len(fixture.Cities) < 12 {
		t.Fatalf("%d cities", len(fixture.Cities))
	}
	for _, c := range fixture.Cities {
		x, y := Project(c.Lat, c.Lon)
		if math.Abs(x-c.X) > .01 || math.Abs(y-c.Y) > .01 {
			t.Errorf("%s stands at %.3f %.3f, want %.3f %.3f", c.Name, x, y, c.X, c.Y)
		}
		if x < 0 || x > WorldWidth || y < 0 || y > WorldHeight {
			t.Errorf("%s stands outside of the map", c.Name)
		}
	}
}

func TestAQRCodeShowsTheModulesOfItsText(t *testing.T) {
	const text = "https://community.example.org/registrations/9f8e7d6c5b4a39281706f5e4d3c2b1a0"
	svg, err := QR(text)
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, svg)
	code, err := encodeQR(text)
	if err != nil {
		t.Fatal(err)
	}
	n := code.Bounds().Dx()
	dark := map[image.Point]bool{}
	for _, run := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1`).FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.Atoi(run[1])
		y, _ := strconv.Atoi(run[2])
		length, _ := strconv.Atoi(run[3])
		for i := range length {
			dark[image.Pt(x+i-quiet, y-quiet)] = true
		}
	}
	for y := -quiet; y < n+quiet; y++ {
		for x := -quiet; x < n+quiet; x++ {
			inside := image.Pt(x, y).In(code.Bounds())
			if want := inside && code.At(x, y) == color.Black; dark[image.Pt(x, y)] != want {
				t.Fatalf("the module at %d %d is dark: %v, want %v", x, y, !want, want)
			}
		}
	}
}

func TestATextThatIsTooLongHasNoQRCode(t *testing.T) {
	if svg, err := QR(strings.Repeat("x", 4000)); err == nil || svg != "" {
		t.Errorf("QR = %d bytes, %v", len(svg), err)
	}
}

func TestShareImagesHaveTheirSizeAndShowTheirWords(t *testing.T) {
	shared := func(title, kicker string) image.Image {
		t.Helper()
		content, err := Share(title, kicker, "blog/kata-containers", "CDF Community")
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if m.Bounds() != image.Rect(0, 0, ShareWidth, ShareHeight) {
			t.Fatalf("%q measures %v", title, m.Bounds())
		}
		if dir := os.Getenv("ARTWORK_DIR"); dir != "" {
			_ = os.WriteFile(filepath.Join(dir, strconv.Itoa(int(hash(title)))+".png"), content, 0o644)
		}
		return m
	}
	// inked counts the pixels of the words' side that are not paper.
	inked := func(m image.Image) (n int) {
		paper := hexColour(paperColour)
		for y := range ShareHeight {
			for x := range artLeft {
				if color.RGBAModel.Convert(m.At(x, y)) != paper {
					n++
				}
			}
		}
		return n
	}
	all := artLeft * ShareHeight
	for title, words := range map[string]bool{
		"Kata Containers in Screwdriver":                         true,
		"CDF Turns One – Happy Birthday! 🎂":                      true,
		"Łódź, Kraków, Škoda: e\u0301tude":                       true,
		strings.Repeat("Donaudampfschifffahrtsgesellschaft ", 9): true,
		"让我们持续集成":                                                true, // the kicker stands in
	} {
		n := inked(shared(title, "Announcement"))
		if got := n > all/100 && n < all/2; got != words {
			t.Errorf("%q: %d of %d pixels are inked", title, n, all)
		}
	}
	if n := inked(shared("中文", "公告")); n < all*9/10 {
		t.Errorf("without words that can be drawn the drawing fills %d of %d pixels", n, all)
	}
	a, _ := Share("One", "", "blog/a", "CDF Community")
	b, _ := Share("One", "", "blog/a", "CDF Community")
	if !bytes.Equal(a, b) {
		t.Error("two share images of one title differ")
	}
}

// TestTheIconsShowTheMark keeps the icons in static/img as this package draws them.
func TestTheIconsShowTheMark(t *testing.T) {
	const images = "../../static/img/"
	background := hexColour(paperColour)
	for name, icon := range map[string]struct{ size, inset int }{
		"apple-touch-icon.png": {180, 26}, "icon-192.png": {192, 24}, "icon-512.png": {512, 100},
	} {
		dst := image.NewRGBA(image.Rect(0, 0, icon.size, icon.size))
		draw.Draw(dst, dst.Bounds(), image.NewUniform(background), image.Point{}, draw.Src)
		scale := float64(icon.size-2*icon.inset) / 34
		c := canvas{dst: dst, box: dst.Bounds(), scale: scale, dx: float64(icon.inset), dy: (float64(icon.size) - 24*scale) / 2}
		for _, m := range logo() {
			if m.lane != nil {
				c.stroke(m.lane, m.size/2, false, logoColours[m.tone])
				continue
			}
			c.disc(m.at, m.size, logoColours[m.tone])
			if m.tone == toneB {
				c.disc(m.at, m.size-2.6, paperColour)
			}
		}
		content, err := encode(dst)
		if err != nil {
			t.Fatal(err)
		}
		goldenPicture(t, images+name, content)
	}

	var b markup
	b.str(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="-3 -8 40 40"><style>.i{stroke:` + inkColour + `}` +
		`@media(prefers-color-scheme:dark){.i{stroke:#eef1f5}}</style>`)
	for _, m := range logo() {
		switch {
		case m.tone == toneLive:
			b.str(`<circle`).circle(m).str(` fill="` + coral + `"/>`)
		case m.lane == nil:
			b.str(`<circle class="i" cx="11" cy="18" r="3.4" fill="none" stroke-width="2.6"/>`)
		case m.tone == toneB:
			b.str(`<path class="i" d="M0 18h7.6" fill="none" stroke-width="4.5"/>`)
		default:
			b.str(`<path d="`).path(m.lane).str(`" fill="none" stroke="` + tealColour + `" stroke-width="4.5"/>`)
		}
	}
	b.str("</svg>\n")
	wellFormed(t, string(b))
	golden(t, images+"icon.svg", b)
}

func BenchmarkCover(b *testing.B) {
	for b.Loop() {
		Cover("events/spinnaker-live", 1200, 440, "")
	}
}

func BenchmarkShare(b *testing.B) {
	for b.Loop() {
		if _, err := Share("How Dailymotion went from two weeks to ten releases a day", "Community", "blog/dailymotion", "CDF Community"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQR(b *testing.B) {
	for b.Loop() {
		if _, err := QR("https://community.example.org/registrations/9f8e7d6c5b4a39281706f5e4d3c2b1a0"); err != nil {
			b.Fatal(err)
		}
	}
}
