package artwork

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strconv"

	"golang.org/x/image/vector"
)

// hexColour reads a colour of this package's own tables, "#rrggbb".
func hexColour(s string) color.RGBA {
	n, _ := strconv.ParseUint(s[1:], 16, 32)
	return color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255} //nolint:gosec // each is one byte of three
}

// paint draws d into the box, cropped and centred so that it fills it.
func paint(dst *image.RGBA, box image.Rectangle, d *drawing) {
	part, ok := dst.SubImage(box).(*image.RGBA)
	if !ok {
		return
	}
	draw.Draw(part, box, image.NewUniform(hexColour(d.palette.background)), image.Point{}, draw.Src)
	scale := math.Max(float64(box.Dx())/d.w, float64(box.Dy())/d.h)
	c := canvas{
		dst: part, box: box, scale: scale,
		dx: (float64(box.Dx()) - d.w*scale) / 2, dy: (float64(box.Dy()) - d.h*scale) / 2,
	}
	for _, m := range d.marks {
		colour := d.palette.colour(m.tone)
		switch {
		case m.tone == toneLive:
			c.disc(m.at, m.size, colour)
		case m.lane == nil:
			c.disc(m.at, m.size*(1+ring/2), colour)
			c.disc(m.at, m.size*(1-ring/2), d.palette.background)
		default:
			c.stroke(m.lane, m.size/2, m.round, colour)
		}
	}
}

// canvas fills outlines given in a drawing's units.
type canvas struct {
	dst           *image.RGBA
	box           image.Rectangle
	scale, dx, dy float64
}

// fill covers what is inside the outline. It looks at the outline's own rectangle only: most marks are small.
func (c *canvas) fill(outline []point, colour string) {
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	scaled := make([]point, len(outline))
	for i, p := range outline {
		q := point{p.x*c.scale + c.dx, p.y*c.scale + c.dy}
		scaled[i] = q
		minX, maxX = math.Min(minX, q.x), math.Max(maxX, q.x)
		minY, maxY = math.Min(minY, q.y), math.Max(maxY, q.y)
	}
	part := image.Rect(int(math.Floor(minX)), int(math.Floor(minY)), int(math.Ceil(maxX)), int(math.Ceil(maxY))).
		Intersect(image.Rect(0, 0, c.box.Dx(), c.box.Dy()))
	if part.Empty() {
		return
	}
	z := vector.NewRasterizer(part.Dx(), part.Dy())
	for i, q := range scaled {
		x, y := float32(q.x-float64(part.Min.X)), float32(q.y-float64(part.Min.Y))
		if i == 0 {
			z.MoveTo(x, y)
			continue
		}
		z.LineTo(x, y)
	}
	z.ClosePath()
	z.Draw(c.dst, part.Add(c.box.Min), image.NewUniform(hexColour(colour)), image.Point{})
}

func (c *canvas) disc(at point, radius float64, colour string) {
	c.fill(curve(at, radius, 0, 2*math.Pi), colour)
}

// stroke fills the outline of a path: one side there, the other side back. The parts of our paths meet without corners.
func (c *canvas) stroke(p *path, half float64, round bool, colour string) {
	var there, back []point
	add := func(at point, nx, ny float64) {
		there = append(there, point{at.x + nx*half, at.y + ny*half})
		back = append(back, point{at.x - nx*half, at.y - ny*half})
	}
	at := p.start
	for _, s := range p.steps {
		if s.radius == 0 {
			if length := math.Hypot(s.to.x-at.x, s.to.y-at.y); length > 0 {
				nx, ny := -(s.to.y-at.y)/length, (s.to.x-at.x)/length
				add(at, nx, ny)
				add(s.to, nx, ny)
			}
			at = s.to
			continue
		}
		inwards := 1.0
		if s.by < 0 {
			inwards = -1
		}
		for _, q := range curve(s.centre, s.radius, s.from, s.by) {
			add(q, inwards*(s.centre.x-q.x)/s.radius, inwards*(s.centre.y-q.y)/s.radius)
		}
		at = s.to
	}
	outline := there
	for _, b := range slices.Backward(back) {
		outline = append(outline, b)
	}
	c.fill(outline, colour)
	if round {
		c.disc(p.start, half, colour)
		c.disc(p.end(), half, colour)
	}
}

// curve returns points along an arc, close enough to look round at the size of a share image.
func curve(centre point, radius, from, by float64) []point {
	n := max(8, int(math.Abs(by)*24))
	points := make([]point, n+1)
	for i := range points {
		a := from + by*float64(i)/float64(n)
		points[i] = point{centre.x + radius*math.Cos(a), centre.y + radius*math.Sin(a)}
	}
	return points
}
