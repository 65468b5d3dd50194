// Package artwork draws what nobody supplied a picture for: covers, portraits, share images, QR codes, and places on the
// map of the world. The same words always give the same drawing. It knows no pages and no tables.
package artwork

import (
	"bytes"
	"html"
	"math"
	"strconv"
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
	b := make(markup, 0, 4<<10)
	b.str(`<svg class="art art-`).str(d.palette.name).str(`"`).box(d, aspect)
	if label == "" {
		b.str(` aria-hidden="true">`)
	} else {
		b.str(` role="img" aria-label="`).str(html.EscapeString(label)).str(`">`)
	}
	if background {
		b.str(`<rect class="bg" width="`).num(d.w).str(`" height="`).num(d.h).str(`"/>`)
	}
	for _, m := range d.marks {
		switch {
		case m.tone == toneLive:
			b.str(`<circle class="live"`).circle(m).str(`/>`)
		case m.lane == nil:
			b.str(`<circle class="n `).tone(m.tone).str(`"`).circle(m).str(` stroke-width="`).num(m.size * ring).str(`"/>`)
		case m.round:
			b.str(`<path class="`).tone(m.tone).str(` r" d="`).path(m.lane).str(`" stroke-width="`).num(m.size).str(`"/>`)
		default:
			b.str(`<path class="`).tone(m.tone).str(`" d="`).path(m.lane).str(`" stroke-width="`).num(m.size).str(`"/>`)
		}
	}
	b.str(`</svg>`)
	return string(b)
}

// markup is SVG as it is written: pages draw covers on every request, so nothing is put together on the way.
type markup []byte

func (b *markup) str(s string) *markup {
	*b = append(*b, s...)
	return b
}

func (b *markup) tone(t tone) *markup {
	*b = append(*b, byte(t))
	return b
}

// num writes a length with at most one decimal.
func (b *markup) num(f float64) *markup {
	at := len(*b)
	*b = bytes.TrimSuffix(strconv.AppendFloat(*b, f, 'f', 1, 64), []byte(".0"))
	if string((*b)[at:]) == "-0" {
		*b = append((*b)[:at], '0')
	}
	return b
}

func (b *markup) box(d *drawing, aspect string) *markup {
	return b.str(` viewBox="0 0 `).num(d.w).str(` `).num(d.h).str(`" preserveAspectRatio="`).str(aspect).str(`"`)
}

func (b *markup) circle(m mark) *markup {
	return b.str(` cx="`).num(m.at.x).str(`" cy="`).num(m.at.y).str(`" r="`).num(m.size).str(`"`)
}

// path writes a path in SVG's own notation.
func (b *markup) path(p *path) *markup {
	b.str("M").num(p.start.x).str(" ").num(p.start.y)
	last := p.start
	for _, s := range p.steps {
		switch {
		case s.radius > 0:
			sweep := " 0 0 0 "
			if s.by > 0 {
				sweep = " 0 0 1 "
			}
			b.str("A").num(s.radius).str(" ").num(s.radius).str(sweep).num(s.to.x).str(" ").num(s.to.y)
		case s.to.y == last.y:
			b.str("H").num(s.to.x)
		default:
			b.str("V").num(s.to.y)
		}
		last = s.to
	}
	return b
}
