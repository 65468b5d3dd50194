package artwork

import "math"

// The size of the world's map in static/img/world.svg.
const (
	WorldWidth  = 1200
	WorldHeight = 560
)

// How static/vendor/map.mjs fits the land into the map; a test compares the two.
const (
	worldMeridian = 11
	worldScale    = 234.70626183917872
	worldX        = 599.496673186846
	worldY        = 327.59852010592203
)

// Project returns where a place stands on the world's map, in its units from the left and the top; lat and lon are
// degrees north and east. The projection is Natural Earth I in the polynomial form of Šavrič and others (2011), turned
// by 11 degrees so that the Bering Strait is whole.
func Project(lat, lon float64) (x, y float64) {
	lambda := math.Remainder(lon-worldMeridian, 360) * math.Pi / 180
	phi := lat * math.Pi / 180
	p2 := phi * phi
	p4 := p2 * p2
	x = lambda * (.8707 - .131979*p2 + p4*(-.013791+p4*(.003971*p2-.001529*p4)))
	y = phi * (1.007226 + p2*(.015085+p4*(-.044475+.028874*p2-.005916*p4)))
	return worldX + worldScale*x, worldY - worldScale*y
}
