package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"
)

// flashes are the messages that a page can show once after a redirect. The cookie names one, so that nobody can make
// a page say something else.
var flashes = map[string]string{
	"saved":      "Saved.",
	"signed-out": "You are signed out.",

	"session-ended":  "The session has ended.",
	"sessions-ended": "All other sessions have ended.",
	"welcome":        "Welcome. This is your desk.",
	"submitted":      "Sent to review. You get a mail when it was read.",
	"sent-back":      "The author gets your words by mail.",
	"declined":       "Declined. The author gets your words by mail.",
	"published":      "Published. The author is told by mail.",
	"withdrawn":      "Taken back.",
	"restored":       "The earlier text is back.",
}

const flashCookie = "flash"

// flash lets the next page show a message once.
func (a *App) flash(c *fiber.Ctx, name string) {
	c.Cookie(&fiber.Cookie{
		Name: flashCookie, Value: name, Path: "/", MaxAge: 60,
		Secure: a.Site.Secure(), HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// takeFlash is the message that the page before left, which is then gone.
func (a *App) takeFlash(c *fiber.Ctx) string {
	name := c.Cookies(flashCookie)
	if name == "" {
		return ""
	}
	c.Cookie(&fiber.Cookie{Name: flashCookie, Path: "/", Expires: time.Unix(1, 0), HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode})
	c.Locals(flashKey, true)
	return flashes[name]
}
