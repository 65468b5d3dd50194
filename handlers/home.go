package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
)

// HomeShow is the home page.
type HomeShow struct {
	Layout
}

func (a *App) showHome(c *fiber.Ctx) error {
	return show(c, http.StatusOK, a.pages.homeShow, HomeShow{
		Layout: a.layout(c, "Where people who ship software meet",
			"Local groups, a shared calendar and field notes from the teams behind Jenkins, Jenkins X, Spinnaker, Tekton and Screwdriver."),
	})
}
