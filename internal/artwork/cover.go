package artwork

import (
	"hash/fnv"
	"strings"
	"sync"
)

// palette is a background and three colours of lanes; its name is the class that pages style it by.
type palette struct {
	name, background, a, b, c string
}

const coral = "#f4714b"

// The light colours of the style sheet's .art-… classes, in sRGB.
var palettes = []palette{
	{"ink", "#111f2e", "#37b2b5", "#305168", "#dbe7ed"},
	{"deep", "#003f5f", "#4fbec1", "#006b89", "#d2eef1"},
	{"teal", "#00868f", "#003b57", "#38abae", "#dcf4f5"},
	{"pale", "#ddf1f4", "#00868f", "#9dd2d7", "#003b58"},
}

func (p palette) colour(t tone) string {
	switch t {
	case toneA:
		return p.a
	case toneB:
		return p.b
	case toneC:
		return p.c
	case toneLive:
		return coral
	}
	return p.background
}

// random is mulberry32: small, and the same everywhere for the same seed.
type random uint32

func (r *random) float() float64 {
	*r += 0x6D2B79F5
	t := uint32(*r)
	t = (t ^ t>>15) * (t | 1)
	t ^= t + (t^t>>7)*(t|61)
	return float64(t^t>>14) / (1 << 32)
}

// between returns a whole number from low to high, both included.
func (r *random) between(low, high int) int { return low + int(r.float()*float64(high-low+1)) }

// within returns a number from low to high.
func (r *random) within(low, high float64) float64 { return low + (high-low)*r.float() }

func pick[T any](r *random, all []T) T { return all[r.between(0, len(all)-1)] }

// hash is FNV-1a, 32 bits.
func hash(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}

// spot is a node that could be the live one.
type spot struct{ x, y, lane float64 }

// Cover returns an SVG for use inside a page, drawn from the path of what it stands for. The part before the slash picks the
// family: "events/…" branches, "blog/…" turns or winds, "groups/…" runs, anything else is left to chance. It fills its box
// and is cropped at the sides; w and h are the box's size in any unit. An empty label hides it from screen readers.
func Cover(slug string, w, h int, label string) string {
	key := coverKey{slug, w, h, label}
	covers.Lock()
	svg, ok := covers.kept[key]
	covers.Unlock()
	if ok {
		return svg
	}
	svg = cover(slug, float64(w), float64(h)).svg("xMidYMid slice", label, true)
	covers.Lock()
	defer covers.Unlock()
	if len(covers.kept) >= coversKept {
		clear(covers.kept)
	}
	covers.kept[key] = svg
	return svg
}

// coversKept is how many covers are kept in memory, of some 3 KB each: the same few stand on most pages.
const coversKept = 1024

type coverKey struct {
	slug  string
	w, h  int
	label string
}

var covers = struct {
	sync.Mutex
	kept map[coverKey]string
}{kept: map[coverKey]string{}}

type family func(*drawing, *random) (spots []spot, fallback spot)

func cover(slug string, w, h float64) *drawing {
	r := new(random(hash(slug)))
	d := &drawing{w: w, h: h, palette: pick(r, palettes)}
	families := []family{turn, serpent, branch, runs}
	switch kind, _, _ := strings.Cut(slug, "/"); kind {
	case "events":
		families = []family{branch}
	case "blog":
		families = []family{turn, serpent}
	case "groups":
		families = []family{runs}
	}
	spots, live := pick(r, families)(d, r)
	var inside []spot
	for _, s := range spots {
		if s.x > w*.12 && s.x < w*.88 && s.y > h*.12 && s.y < h*.88 {
			inside = append(inside, s)
		}
	}
	if len(inside) > 0 {
		live = pick(r, inside)
	}
	d.live(live.x, live.y, live.lane)
	return d
}

// tones is an order of colours for a bundle of lanes.
func tones(r *random) []tone {
	return []tone(pick(r, []string{"abacabc", "baabcaa", "cabaacb"}))
}

// turn is two bundles: one comes from the left and turns down, one from the right and turns up, nested round each other.
func turn(d *drawing, r *random) (spots []spot, fallback spot) {
	lanes, gap := r.between(4, 6), d.h/11.5
	width, inner := gap*.56, gap*.9
	cx, cy := d.w*r.within(.4, .56), d.h*.5+gap*r.within(-.5, .5)
	colours := tones(r)
	for i := range lanes {
		radius := inner + float64(i)*gap
		y := cy - radius
		if i > 0 && r.float() < .22 {
			x := d.w * r.within(.1, .32)
			d.lane(from(-gap, y).across(x), width, colours[i])
			d.node(x, y, width, colours[i])
			spots = append(spots, spot{x, y, width})
			continue
		}
		d.lane(from(-gap, y).across(cx).arc(cx, cy, radius, -1, 0).down(d.h+gap), width, colours[i])
		if r.float() < .6 {
			x := d.w * r.within(.06, .32)
			d.node(x, y, width, colours[i])
			spots = append(spots, spot{x, y, width})
		}
	}
	back := r.between(3, 4)
	cx2 := cx + inner*2 + (float64(lanes+back)-.4)*gap
	colours = tones(r)
	for i := range back {
		radius := inner + float64(i)*gap
		y := cy + radius
		d.lane(from(d.w+gap, y).across(cx2).arc(cx2, cy, radius, 1, 2).down(-gap), width, colours[i+1])
		if r.float() < .55 {
			x := cx2 + (d.w-cx2)*r.within(.25, .85)
			d.node(x, y, width, colours[i+1])
			spots = append(spots, spot{x, y, width})
		}
	}
	return spots, spot{d.w * .24, cy - inner - gap, width}
}

// serpent is one bundle that crosses the picture three times.
func serpent(d *drawing, r *random) (spots []spot, fallback spot) {
	lanes := r.between(3, 4)
	gap := d.h / (float64(lanes)*4 + 2.2)
	width, inner := gap*.58, gap*.8
	half := inner + float64(lanes-1)*gap/2
	right, left := d.w*r.within(.66, .82), d.w*r.within(.18, .34)
	upper, lower := d.h*.5-half, d.h*.5+half
	colours := tones(r)
	for i := range lanes {
		out, in := inner+float64(i)*gap, inner+float64(lanes-1-i)*gap
		d.lane(from(-gap, upper-out).across(right).arc(right, upper, out, -1, 1).
			across(left).arc(left, lower, in, -1, -3).across(d.w+gap), width, colours[i])
		if r.float() < .7 {
			x, y := left+(right-left)*r.within(.1, .9), pick(r, []float64{upper - out, upper + out, lower + in})
			d.node(x, y, width, colours[i])
			spots = append(spots, spot{x, y, width})
		}
	}
	return spots, spot{right*.8 + left*.2, lower + inner, width}
}

// branch is a thick trunk, and lanes that leave it and come back, or stay away.
func branch(d *drawing, r *random) (spots []spot, fallback spot) {
	lanes, stages := r.between(5, 6), r.between(5, 6)
	gap := d.h / float64(lanes+1)
	width, radius := gap*.42, gap*.5
	trunk := r.between(1, lanes-2)
	stage := d.w * .84 / float64(stages-1)
	x := func(i int) float64 { return d.w*.08 + stage*float64(i) }
	y := func(lane int) float64 { return gap * float64(lane+1) }
	for lane := range lanes {
		if lane == trunk {
			continue
		}
		colour := toneC
		if lane%2 == 1 {
			colour = toneB
		}
		first := r.between(0, stages-3)
		last := min(stages-1, first+r.between(2, 3))
		leaves := x(first) + stage*.5
		p := from(leaves-radius*2, y(trunk))
		change(p, leaves, y(lane), radius)
		switch chance := r.float(); {
		case chance < .6:
			p.across(x(last))
			change(p, x(last)+stage*.5, y(trunk), radius)
		case chance < .8:
			p.across(d.w + gap)
		default:
			p.across(x(last))
			d.lane(p, width, colour)
			d.node(x(last), y(lane), width, colour)
			spots = append(spots, spot{x(last), y(lane), width})
			continue
		}
		d.lane(p, width, colour)
		for i := first + 1; i <= last; i++ {
			if r.float() < .75 {
				d.node(x(i), y(lane), width, colour)
				spots = append(spots, spot{x(i), y(lane), width})
			}
		}
	}
	d.lane(from(-gap, y(trunk)).across(d.w+gap), width*1.5, toneA)
	for i := range stages {
		if r.float() < .8 {
			d.node(x(i), y(trunk), width*1.25, toneA)
			spots = append(spots, spot{x(i), y(trunk), width * 1.25})
		}
	}
	return spots, spot{x(stages / 2), y(trunk), width * 1.25}
}

// change leads a path by two quarter arcs from its lane to another at the height y, crossing between them at x.
func change(p *path, x, y, radius float64) {
	y0, dir := p.end().y, 1.0
	if y < y0 {
		dir = -1
	}
	p.across(x-radius).arc(x-radius, y0+dir*radius, radius, -dir, 0)
	if down := y - dir*radius; down != p.end().y {
		p.down(down)
	}
	p.arc(x+radius, y-dir*radius, radius, 2, 2-dir)
}

// runs is rows of round bars, each a run of a pipeline that ends in a node or goes on.
func runs(d *drawing, r *random) (spots []spot, fallback spot) {
	rows := r.between(6, 7)
	gap, column := d.h/(float64(rows)+.6), d.w/12
	width := gap * .5
	for row := range rows {
		y := gap * (float64(row) + .8)
		for x := -column * r.within(0, 2); x < d.w+column; {
			length := column * float64(r.between(1, 5))
			colour := pick(r, []tone{toneA, toneB, toneC, toneA, toneB})
			d.bar(from(x, y).across(x+length), width, colour)
			if r.float() < .55 {
				d.node(x+length, y, width*.78, colour)
				spots = append(spots, spot{x + length, y, width * .78})
			}
			pause := .75
			if r.float() < .35 {
				pause = 1.6
			}
			x += length + column*pause
		}
	}
	return spots, spot{d.w / 2, gap * 2.8, width * .78}
}

// Hero returns the home page's drawing: lanes come in from the right, turn down, and two of them run into what stands
// below. It has no background and draws beyond its box to the right.
func Hero() string {
	d := &drawing{w: 560, h: 540, palette: palette{name: "hero"}}
	const lanes, gap, width, cx, cy, inner = 6, 44.0, 25.0, 312.0, 318.0, 54.0
	colours := [lanes]tone{toneA, toneC, toneB, toneA, toneB, toneA}
	ends := [lanes]float64{470, d.h + 60, 418, 506, d.h + 60, 392}
	for i := range lanes {
		radius := inner + float64(i)*gap
		d.lane(from(d.w*4, cy-radius).across(cx).arc(cx, cy, radius, -1, -2).down(ends[i]), width, colours[i])
		if ends[i] < d.h {
			d.node(cx-radius, ends[i], width, colours[i])
		}
	}
	d.live(cx+70, cy-inner-3*gap, width)
	return d.svg("xMaxYMax meet", "", false)
}
