// Package artwork draws what nobody supplied a picture for: covers, portraits, share images, QR codes, and places on the
// map of the world. The same words always give the same drawing. It knows no pages and no tables.
package artwork

import (
	"html"
	"math"
	"strconv"
	"strings"
)

// point is a place in a drawing; y grows downwards.
type point struct{ x, y float64 }

// step is a part of a path: a line to a point, or with a radius an arc round a centre between two angles in radians.
type step struct {
	to       point
	radius   float64
	centre   point
	from, by float64
}

// path runs from its start along its steps.
type path struct {
	start point
	steps []step
}

func from(x, y float64) *path { return &path{start: point{x, y}} }

func (p *path) end() point {
	if len(p.steps) == 0 {
		return p.start
	}
	return p.steps[len(p.steps)-1].to
}

func (p *path) across(x float64) *path {
	p.steps = append(p.steps, step{to: point{x, p.end().y}})
	return p
}

func (p *path) down(y float64) *path {
	p.steps = append(p.steps, step{to: point{p.end().x, y}})
	return p
}

// arc turns round the centre from one angle to another, in quarters of a circle; 0 points right, 1 down.
func (p *path) arc(cx, cy, radius, fromQuarter, toQuarter float64) *path {
	a, b := fromQuarter*math.Pi/2, toQuarter*math.Pi/2
	p.steps = append(p.steps, step{
		to:     point{cx + radius*math.Cos(b), cy + radius*math.Sin(b)},
		radius: radius, centre: point{cx, cy}, from: a, by: b - a,
	})
	return p
}

// mark is one stroke of a drawing: a lane when it has a path, else a node. A live node is filled with coral and has no ring.
type mark struct {
	lane  *path
	round bool
	at    point
	size  float64 // width of a lane, radius of a node
	tone  tone
}

// tone names a colour of a palette.
type tone byte

const (
	toneA    tone = 'a'
	toneB    tone = 'b'
	toneC    tone = 'c'
	toneLive tone = 'l'
)

// ring is the width of a node's ring against the node's radius.
const ring = .5 / .86

// drawing is a list of marks, drawn in order on a background.
type drawing struct {
	w, h    float64
	palette palette
	marks   []mark
}

func (d *drawing) lane(p *path, width float64, t tone) {
	d.marks = append(d.marks, mark{lane: p, size: width, tone: t})
}

func (d *drawing) bar(p *path, width float64, t tone) {
	d.marks = append(d.marks, mark{lane: p, size: width, tone: t, round: true})
}

func (d *drawing) node(x, y, lane float64, t tone) {
	d.marks = append(d.marks, mark{at: point{x, y}, size: lane * .86, tone: t})
}

func (d *drawing) live(x, y, lane float64) {
	d.marks = append(d.marks, mark{at: point{x, y}, size: lane * 1.12, tone: toneLive})
}

// svg writes the drawing for a page: its colours are classes, which the style sheet gives light and dark.
func (d *drawing) svg(aspect, label string, background bool) string {
	var b strings.Builder
	b.WriteString(`<svg class="art art-` + d.palette.name + `"` + d.box(aspect))
	if label == "" {
		b.WriteString(` aria-hidden="true">`)
	} else {
		b.WriteString(` role="img" aria-label="` + html.EscapeString(label) + `">`)
	}
	if background {
		b.WriteString(`<rect class="bg" width="` + num(d.w) + `" height="` + num(d.h) + `"/>`)
	}
	for _, m := range d.marks {
		switch {
		case m.tone == toneLive:
			b.WriteString(`<circle class="live"` + m.circle() + `/>`)
		case m.lane == nil:
			b.WriteString(`<circle class="n ` + string(m.tone) + `"` + m.circle() + ` stroke-width="` + num(m.size*ring) + `"/>`)
		case m.round:
			b.WriteString(`<path class="` + string(m.tone) + ` r" d="` + m.lane.data() + `" stroke-width="` + num(m.size) + `"/>`)
		default:
			b.WriteString(`<path class="` + string(m.tone) + `" d="` + m.lane.data() + `" stroke-width="` + num(m.size) + `"/>`)
		}
	}
	b.WriteString(`</svg>`)
	return b.String()
}

// file writes the drawing as a document of its own, in the palette's light colours.
func (d *drawing) file() string {
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" width="` + num(d.w) + `" height="` + num(d.h) + `"` + d.box("xMidYMid slice") + `>`)
	b.WriteString(`<rect width="` + num(d.w) + `" height="` + num(d.h) + `" fill="` + d.palette.background + `"/>`)
	for _, m := range d.marks {
		colour := d.palette.colour(m.tone)
		switch {
		case m.tone == toneLive:
			b.WriteString(`<circle` + m.circle() + ` fill="` + colour + `"/>`)
		case m.lane == nil:
			b.WriteString(`<circle` + m.circle() + ` fill="` + d.palette.background + `" stroke="` + colour + `" stroke-width="` + num(m.size*ring) + `"/>`)
		default:
			b.WriteString(`<path d="` + m.lane.data() + `" fill="none" stroke="` + colour + `" stroke-width="` + num(m.size) + `"`)
			if m.round {
				b.WriteString(` stroke-linecap="round"`)
			}
			b.WriteString(`/>`)
		}
	}
	b.WriteString(`</svg>`)
	return b.String()
}

func (d *drawing) box(aspect string) string {
	return ` viewBox="0 0 ` + num(d.w) + ` ` + num(d.h) + `" preserveAspectRatio="` + aspect + `"`
}

func (m mark) circle() string {
	return ` cx="` + num(m.at.x) + `" cy="` + num(m.at.y) + `" r="` + num(m.size) + `"`
}

// data is the path in SVG's own notation.
func (p *path) data() string {
	var b strings.Builder
	b.WriteString("M" + num(p.start.x) + " " + num(p.start.y))
	last := p.start
	for _, s := range p.steps {
		switch {
		case s.radius > 0:
			sweep := "0"
			if s.by > 0 {
				sweep = "1"
			}
			r := num(s.radius)
			b.WriteString("A" + r + " " + r + " 0 0 " + sweep + " " + num(s.to.x) + " " + num(s.to.y))
		case s.to.y == last.y:
			b.WriteString("H" + num(s.to.x))
		default:
			b.WriteString("V" + num(s.to.y))
		}
		last = s.to
	}
	return b.String()
}

// num writes a length with at most one decimal.
func num(f float64) string {
	s := strconv.FormatFloat(f, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}
