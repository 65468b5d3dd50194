package handlers

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/models"
)

// identified finds out who asks, from the session's cookie. A cookie that leads to no session is taken away. Files are the
// same for everybody, so nobody is asked for one.
func (a *App) identified(c *fiber.Ctx) error {
	token := c.Cookies(a.sessionCookie())
	if token == "" || strings.HasPrefix(c.Path(), "/static/") || strings.HasPrefix(c.Path(), "/media/") {
		return c.Next()
	}
	v, err := a.Store.ViewerBySession(c.UserContext(), token)
	switch {
	case errors.Is(err, models.ErrNotFound):
		a.clearSession(c)
	case err != nil:
		return err
	default:
		c.Locals(viewerKey, v)
	}
	return c.Next()
}

// viewer is who asks; the zero viewer has no session.
func viewer(c *fiber.Ctx) models.Viewer {
	v, _ := c.Locals(viewerKey).(models.Viewer)
	return v
}

// sessionCookie is the cookie's name. The prefix makes browsers hold it to this host and to HTTPS (RFC 6265bis, 4.1.3).
func (a *App) sessionCookie() string {
	if a.Site.Secure() {
		return "__Host-session"
	}
	return "session"
}

// cookieLength is as long as browsers keep a cookie (RFC 6265bis, 5.5). The session behind it ends sooner, after a time
// without a request that only the store knows.
const cookieLength = 400 * 24 * time.Hour

// halfCookie is the name of the cookie of a sign-in that waits for its second factor.
func (a *App) halfCookie() string {
	if a.Site.Secure() {
		return "__Host-half"
	}
	return "half"
}

// clearSession takes the session's cookie away.
func (a *App) clearSession(c *fiber.Ctx) { a.setSession(c, "", time.Unix(1, 0)) }

// setSession hands the browser its token.
func (a *App) setSession(c *fiber.Ctx, token string, expires time.Time) {
	a.setCookie(c, a.sessionCookie(), token, expires)
}

// setCookie hands the browser a token that scripts cannot read; without an end it is kept until the browser closes.
func (a *App) setCookie(c *fiber.Ctx, name, token string, expires time.Time) {
	c.Cookie(&fiber.Cookie{
		Name: name, Value: token, Path: "/", Expires: expires, SessionOnly: expires.IsZero(),
		Secure: a.Site.Secure(), HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// trusted reports whether an address belongs to a trusted proxy.
func (a *App) trusted(address string) bool {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, prefix := range a.TrustedProxies {
		if prefix.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}
