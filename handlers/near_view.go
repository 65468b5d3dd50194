package handlers

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/models"
)

// nearby is a place from which distances are told, in degrees. A hundredth is a kilometre: nobody's house.
type nearby struct{ latitude, longitude float64 }

func (n nearby) String() string { return fmt.Sprintf("%.2f,%.2f", n.latitude, n.longitude) }

// nearPlace is the place that a request names, or nil. What is no place on the Earth is not found.
func nearPlace(c *fiber.Ctx) (*nearby, error) {
	asked := c.Query("near")
	if asked == "" {
		return nil, nil //nolint:nilnil // no place is asked for, and nothing is wrong
	}
	first, second, _ := strings.Cut(asked, ",")
	latitude, err := strconv.ParseFloat(first, 64)
	longitude, err2 := strconv.ParseFloat(second, 64)
	if err != nil || err2 != nil || !(math.Abs(latitude) <= 90) || !(math.Abs(longitude) <= 180) {
		return nil, fmt.Errorf("%w: no such place", models.ErrNotFound)
	}
	return &nearby{latitude, longitude}, nil
}

// earthRadius is in kilometres.
const earthRadius = 6371

// kilometres is how far it is to a group along the surface (haversine formula).
func (n nearby) kilometres(row models.GroupRow) float64 {
	rad := func(degrees float64) float64 { return degrees * math.Pi / 180 }
	lat, lon := math.Sin(rad(row.Latitude-n.latitude)/2), math.Sin(rad(row.Longitude-n.longitude)/2)
	h := lat*lat + math.Cos(rad(n.latitude))*math.Cos(rad(row.Latitude))*lon*lon
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

// distanceWords is "1,240 km".
func (n nearby) distanceWords(row models.GroupRow) string {
	km := int(math.Round(n.kilometres(row)))
	if km >= 1000 {
		return fmt.Sprintf("%d,%03d km", km/1000, km%1000)
	}
	return fmt.Sprintf("%d km", km)
}

// nearestFirst sorts groups by their distance from a place.
func nearestFirst(rows []models.GroupRow, n nearby) {
	away := make(map[int64]float64, len(rows))
	for _, row := range rows {
		away[row.ID] = n.kilometres(row)
	}
	slices.SortStableFunc(rows, func(a, b models.GroupRow) int { return cmp.Compare(away[a.ID], away[b.ID]) })
}
