package handlers

import (
	"fmt"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/models"
)

// paramID is a number of the address; anything else in its place leads nowhere.
func paramID(c *fiber.Ctx, name string) (int64, error) {
	id, err := strconv.ParseInt(c.Params(name), 10, 64)
	if err != nil || id <= 0 {
		return 0, fmt.Errorf("%w: address", models.ErrNotFound)
	}
	return id, nil
}

// typedID is a number that a form sends; 0 for none and for what is no number.
func typedID(c *fiber.Ctx, name string) int64 {
	id, err := strconv.ParseInt(typed(c, name), 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}
