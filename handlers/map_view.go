package handlers

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"unicode/utf8"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// Map is a part of the world with places on it. Its land is one file for all maps; the places are drawn in the page. All
// lengths are in the units of the whole world's map.
type Map struct {
	ViewBox  string
	Label    string // what the map shows, for who does not see it
	FontSize float64
	Dot      float64 // radius
	Halo     float64 // width of the line around a name
	Pins     []MapPin

	box rect
}

// MapPin is a place that leads to a page.
type MapPin struct {
	Slug, URL string
	Name      string // of the thing
	Label     string // beside the dot; empty where there is no room
	Title     string // read out
	X, Y      float64
	LabelX    float64
	LabelY    float64
	Anchor    string // of the label: start, middle or end
	Hidden    bool
	Face      *Face   // a person who stands here instead of a dot
	FaceY     float64 // of the initials
	Given     string
	Place     string
	Near      string // the place, for the list that begins there; empty where a pin stands for nothing else than its page

	width float64 // of the label
}

// mapPanel is how many pixels wide the map beside the list is, for which the letters are sized.
const mapPanel = 680.0

// newGroupsMap shows where the groups are: the part of the world that holds those not hidden.
func newGroupsMap(lines []GroupLine, label string) Map {
	pins := make([]MapPin, len(lines))
	var shown []MapPin
	for i, line := range lines {
		x, y := artwork.Project(line.Latitude, line.Longitude)
		pins[i] = MapPin{
			Slug: line.Slug, URL: line.URL, Name: line.Name, Label: line.City, Title: line.Name + ", " + line.Place,
			X: tenth(x), Y: tenth(y), Hidden: line.Hidden,
		}
		if !line.Hidden {
			shown = append(shown, pins[i])
		}
	}
	return newCityMap(shown, label).with(pins)
}

// newPlacesMap shows where groups are that are too many for a dot each: those whose dots would cover one another are one.
func newPlacesMap(rows []models.GroupRow, label string) Map {
	points := make([]MapPin, len(rows))
	for i, row := range rows {
		points[i].X, points[i].Y = artwork.Project(row.Latitude, row.Longitude)
	}
	m := newCityMap(points, label)
	pins, cities := onePinAPlace(rows, 2*m.Dot)
	for i := range pins {
		pins[i].Label = cities[i]
	}
	return m.with(pins)
}

// newCityMap is the part of the world around pins, for a panel beside a list.
func newCityMap(pins []MapPin, label string) Map {
	box := wholeWorld
	if len(pins) > 0 {
		box = around(pins)
	}
	return Map{
		ViewBox: box.String(), Label: label, FontSize: tenth(13 * box.w / mapPanel), Dot: tenth(6.5 * box.w / mapPanel), Halo: tenth(3 * box.w / mapPanel),
		box: box,
	}
}

// with is the map with these pins and their labels.
func (m Map) with(pins []MapPin) Map {
	m.Pins = pins
	for i := range m.Pins {
		m.Pins[i].width = textWidth(m.Pins[i].Label) * m.FontSize
	}
	placeLabels(m.Pins, m.box, m.Dot, m.FontSize, nil)
	return m
}

func newGroupPin(row models.GroupRow) MapPin {
	x, y := artwork.Project(row.Latitude, row.Longitude)
	return MapPin{
		Slug: row.Slug, URL: links.Group(row.Slug), Name: row.Name, Title: row.Name + ", " + placeWords(row.City, row.Country), X: tenth(x), Y: tenth(y),
		Near: nearby{row.Latitude, row.Longitude}.String(),
	}
}

// onePinAPlace is a pin for each place with groups, with its city; what is nearer than distance is one place. The pin of several
// groups leads to the list that begins with them.
func onePinAPlace(rows []models.GroupRow, distance float64) (pins []MapPin, cities []string) {
	type place struct {
		first  models.GroupRow
		x, y   float64
		groups int
		around bool // there are several cities
	}
	places := map[[2]int][]*place{} // by squares of that size
	near := func(x, y float64) *place {
		for _, dx := range []float64{0, -distance, distance} {
			for _, dy := range []float64{0, -distance, distance} {
				for _, p := range places[[2]int{int((x + dx) / distance), int((y + dy) / distance)}] {
					if math.Hypot(p.x-x, p.y-y) < distance {
						return p
					}
				}
			}
		}
		return nil
	}
	var order []*place
	for _, row := range rows {
		x, y := artwork.Project(row.Latitude, row.Longitude)
		p := near(x, y)
		if p == nil {
			p = &place{first: row, x: x, y: y}
			square := [2]int{int(x / distance), int(y / distance)}
			places[square], order = append(places[square], p), append(order, p)
		}
		p.groups++
		p.around = p.around || row.City != p.first.City
	}
	for _, p := range order {
		pin := newGroupPin(p.first)
		if p.groups > 1 {
			pin.URL = links.Groups + "?near=" + url.QueryEscape(pin.Near)
			pin.Title = fmt.Sprintf("%d groups in ", p.groups)
			if p.around {
				pin.Title += "and around "
			}
			pin.Title += placeWords(p.first.City, p.first.Country)
		}
		pins, cities = append(pins, pin), append(cities, p.first.City)
	}
	return pins, cities
}

// newWorldMap shows where groups are as dots, and the faces of ambassadors at their places.
func newWorldMap(groups []models.GroupRow, ambassadors []models.AmbassadorRow, label string) Map {
	m := Map{ViewBox: wholeWorld.String(), Label: label, FontSize: 13, Dot: 4}
	m.Pins, _ = onePinAPlace(groups, 2*m.Dot)
	dots := make([]rect, len(m.Pins))
	for i, p := range m.Pins {
		dots[i] = rect{p.X - m.Dot, p.Y - m.Dot, 2 * m.Dot, 2 * m.Dot}
	}
	var faces []MapPin
	seen := map[[2]int]bool{}
	for _, a := range ambassadors {
		if a.Latitude == nil || a.Longitude == nil {
			continue
		}
		x, y := artwork.Project(*a.Latitude, *a.Longitude)
		// A face that another would cover is found in the directory.
		square := [2]int{int(x / faceRadius), int(y / faceRadius)}
		if seen[square] {
			continue
		}
		seen[square] = true
		face := newFace(a.Name, a.Photo)
		pin := MapPin{
			Slug: a.Slug, URL: links.Ambassador(a.Slug), Name: a.Name, Title: a.Name + ", " + placeWords(a.City, a.Country),
			X: tenth(x), Y: tenth(y), Face: &face, FaceY: tenth(y + 4), Given: givenName(a.Name), Place: a.City,
		}
		pin.Label = pin.Given + " " + pin.Place
		pin.width = textWidth(pin.Label) * m.FontSize
		faces = append(faces, pin)
	}
	placeLabels(faces, wholeWorld, faceRadius, m.FontSize, dots)
	m.Pins = append(m.Pins, faces...)
	return m
}

// faceRadius is of a face on the world's map.
const faceRadius = 15.0

// newPlaceMap is a small map around one place.
func newPlaceMap(latitude, longitude float64, label string) *Map {
	x, y := artwork.Project(latitude, longitude)
	const w, h = 190.0, 118.0
	box := rect{clamp(x-w/2, wholeWorld.w-w), clamp(y-h/2, wholeWorld.h-h), w, h}
	return &Map{ViewBox: box.String(), Label: label, Pins: []MapPin{{X: tenth(x), Y: tenth(y)}}}
}

// rect is a box by its upper left corner and its size.
type rect struct{ x, y, w, h float64 }

var wholeWorld = rect{0, 0, artwork.WorldWidth, artwork.WorldHeight}

// String is the box as an SVG's viewBox.
func (r rect) String() string {
	return fmt.Sprintf("%v %v %v %v", tenth(r.x), tenth(r.y), tenth(r.w), tenth(r.h))
}

func (r rect) meets(o rect) bool {
	return r.x < o.x+o.w && o.x < r.x+r.w && r.y < o.y+o.h && o.y < r.y+r.h
}

func (r rect) holds(o rect) bool {
	return o.x >= r.x && o.y >= r.y && o.x+o.w <= r.x+r.w && o.y+o.h <= r.y+r.h
}

// around is the part of the world that holds the pins with some land around them; all of it when they are far apart.
func around(pins []MapPin) rect {
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range pins {
		left, right = min(left, p.X), max(right, p.X)
		top, bottom = min(top, p.Y), max(bottom, p.Y)
	}
	const margin, least, shape = 1.35, 190.0, .8 // shape: height by width
	w := max((right-left)*margin, (bottom-top)*margin/shape, least)
	if w > wholeWorld.w*.6 {
		return wholeWorld
	}
	h := min(w*shape, wholeWorld.h)
	return rect{clamp((left+right-w)/2, wholeWorld.w-w), clamp((top+bottom-h)/2, wholeWorld.h-h), w, h}
}

// placeLabels gives each pin's label a place where it covers neither another pin nor another label: right of it, left,
// below or above. A label that finds none is left out. others are more things not to be covered.
func placeLabels(pins []MapPin, box rect, radius, fontSize float64, others []rect) {
	taken := append([]rect(nil), others...)
	for _, p := range pins {
		if !p.Hidden {
			taken = append(taken, rect{p.X - radius, p.Y - radius, 2 * radius, 2 * radius})
		}
	}
	gap := radius + fontSize*.4
	for i := range pins {
		p := &pins[i]
		spots := []struct {
			anchor string
			x, y   float64
			box    rect
		}{
			{"start", p.X + gap, p.Y + fontSize*.35, rect{p.X + gap, p.Y - fontSize*.55, p.width, fontSize * 1.1}},
			{"end", p.X - gap, p.Y + fontSize*.35, rect{p.X - gap - p.width, p.Y - fontSize*.55, p.width, fontSize * 1.1}},
			{"middle", p.X, p.Y + gap + fontSize*.8, rect{p.X - p.width/2, p.Y + gap - fontSize*.1, p.width, fontSize * 1.1}},
			{"middle", p.X, p.Y - gap, rect{p.X - p.width/2, p.Y - gap - fontSize*.9, p.width, fontSize * 1.1}},
		}
		free := false
		for _, spot := range spots {
			if p.Hidden || !box.holds(spot.box) || meetsAny(spot.box, taken) {
				continue
			}
			p.LabelX, p.LabelY, p.Anchor, free = tenth(spot.x), tenth(spot.y), spot.anchor, true
			taken = append(taken, spot.box)
			break
		}
		if !free {
			p.Label = ""
		}
	}
}

func meetsAny(r rect, all []rect) bool {
	return slices.ContainsFunc(all, r.meets)
}

// textWidth is about how wide a text is, in ems: a letter of the Latin script a little over half of one, others a whole.
func textWidth(text string) float64 {
	var ems float64
	for _, r := range text {
		if utf8.RuneLen(r) > 2 {
			ems++
		} else {
			ems += .57
		}
	}
	return ems
}

func clamp(v, high float64) float64 { return min(max(v, 0), high) }

func tenth(v float64) float64 { return math.Round(v*10) / 10 }
