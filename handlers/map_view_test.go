package handlers

import (
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/models"
)

func linesAt(places ...[2]float64) []GroupLine {
	lines := make([]GroupLine, len(places))
	for i, p := range places {
		lines[i] = GroupLine{Slug: string(rune('a' + i)), City: "Somewhere", Latitude: p[0], Longitude: p[1]}
	}
	return lines
}

func TestTheMapShowsThePartOfTheWorldThatHoldsTheGroups(t *testing.T) {
	for _, tt := range []struct {
		name   string
		places [][2]float64
		whole  bool
	}{
		{"no group: the whole world", nil, true},
		{"one group: its surroundings", [][2]float64{{52.5, 13.4}}, false},
		{"one at the end of the world", [][2]float64{{-41.3, 174.8}}, false},
		{"one at the pole", [][2]float64{{89, 0}}, false},
		{"one continent", [][2]float64{{52.5, 13.4}, {40.4, -3.7}, {64.1, -21.9}}, false},
		{"two continents", [][2]float64{{37.8, -122.4}, {-33.9, 151.2}}, true},
	} {
		m := newGroupsMap(linesAt(tt.places...), "")
		if got := m.ViewBox == "0 0 1200 560"; got != tt.whole {
			t.Errorf("%s: view %s", tt.name, m.ViewBox)
		}
	}
}

func TestHiddenGroupsDoNotWidenTheMap(t *testing.T) {
	lines := linesAt([2]float64{52.5, 13.4}, [2]float64{-33.9, 151.2})
	lines[1].Hidden = true
	m := newGroupsMap(lines, "")
	if m.ViewBox == wholeWorld.String() || len(m.Pins) != 2 || !m.Pins[1].Hidden || m.Pins[1].Label != "" {
		t.Errorf("view %s with pins %+v", m.ViewBox, m.Pins)
	}
}

func TestLabelsCoverNeitherPinsNorEachOther(t *testing.T) {
	var places [][2]float64
	for i := range 60 {
		places = append(places, [2]float64{45 + float64(i%8), float64(i%11) + float64(i)/7})
	}
	m := newGroupsMap(linesAt(places...), "")
	labels := map[int]rect{}
	for i, p := range m.Pins {
		if p.Label == "" {
			continue
		}
		left := p.LabelX
		switch p.Anchor {
		case "middle":
			left -= p.width / 2
		case "end":
			left -= p.width
		}
		labels[i] = rect{left, p.LabelY - m.FontSize*.7, p.width, m.FontSize * .6}
	}
	if len(labels) == 0 || len(labels) == len(m.Pins) {
		t.Fatalf("%d of %d pins have labels: the test tests nothing", len(labels), len(m.Pins))
	}
	for i, label := range labels {
		for j, pin := range m.Pins {
			if label.meets(rect{pin.X - m.Dot/2, pin.Y - m.Dot/2, m.Dot, m.Dot}) {
				t.Errorf("label %d covers pin %d", i, j)
			}
			if other, ok := labels[j]; ok && i != j && label.meets(other) {
				t.Errorf("labels %d and %d meet", i, j)
			}
		}
	}
}

func TestFacesStandOnlyWhereAPlaceIsKnown(t *testing.T) {
	lat, lon := 3.45, -76.53
	m := newWorldMap(nil, []models.AmbassadorRow{
		{Slug: "eduardo", Name: "Eduardo Arango", City: "Cali", Country: "CO", Latitude: &lat, Longitude: &lon}, {Slug: "oscar", Name: "Oscar Medina"},
	}, "")
	x, y := artwork.Project(lat, lon)
	if len(m.Pins) != 1 || m.Pins[0].Face.Initials != "EA" || m.Pins[0].X != tenth(x) || m.Pins[0].Y != tenth(y) || m.Pins[0].Title != "Eduardo Arango, Cali, Colombia" {
		t.Errorf("pins %+v", m.Pins)
	}
}

func TestSectionsCutATextAtItsHeadings(t *testing.T) {
	intro, parts, err := sections(`<p>First &amp; last.</p><h2 id="a">One <em>thing</em> <a class="anchor" href="#a">#</a></h2><ol><li>x</li></ol><h3>Below</h3><blockquote><h2>Quoted</h2></blockquote><h2 id="b">Two</h2>`)
	if err != nil {
		t.Fatal(err)
	}
	if intro != "<p>First &amp; last.</p>" || len(parts) != 2 {
		t.Fatalf("introduction %q and %d parts", intro, len(parts))
	}
	if parts[0].ID != "a" || parts[0].Title != "One thing" || !strings.Contains(string(parts[0].HTML), "<blockquote><h2>Quoted</h2></blockquote>") {
		t.Errorf("first part %+v", parts[0])
	}
	if parts[1].ID != "b" || parts[1].HTML != "" {
		t.Errorf("second part %+v", parts[1])
	}
}
