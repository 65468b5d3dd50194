package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// SignInAsk asks for the address that a one-time link is mailed to.
type SignInAsk struct {
	Layout
	Email  Field
	Errors FieldErrors
	Next   string
}

// SignInAsked tells to look into the mailbox, whether the address is known or not.
type SignInAsked struct {
	Layout
	Email string
}

// SignInConfirm lets a person use their one-time link: opening it alone does nothing, because mail scanners open links.
type SignInConfirm struct {
	Layout
	Face  Face
	Email string // empty for the first admin, who has none yet
}

// SignInEnded says that a one-time link no longer works.
type SignInEnded struct {
	Layout
}

func (a *App) showSignIn(c *fiber.Ctx) error {
	if viewer(c).SignedIn() {
		return seeOther(c, a.landing(viewer(c)))
	}
	return a.askSignIn(c, http.StatusOK, "", nil)
}

func (a *App) askSignIn(c *fiber.Ctx, status int, email string, errs FieldErrors) error {
	layout := a.layout(c, "Sign in", "Sign in to the "+a.site(c).ShortName+" community portal with a link that we mail to you.")
	layout.Robots = "noindex"
	layout.Scripts = append(layout.Scripts, "js/form.js")
	next := c.Query("next")
	if c.Method() == fiber.MethodPost {
		next = typed(c, "next")
	}
	return show(c, status, a.pages.signInAsk, SignInAsk{
		Layout: layout, Errors: errs, Next: localPath(next),
		Email: Field{
			Name: "email", Label: "E-mail", Type: "email", Value: email, Autocomplete: "email", Max: 254, Required: true,
			Error: errs.Of("email"),
		},
	})
}

func (a *App) requestSignIn(c *fiber.Ctx) error {
	email := typed(c, "email")
	if _, err := models.ParseEmail(email); err != nil {
		var errs FieldErrors
		errs.Add("email", "Enter your e-mail address, such as ana@example.org")
		return a.askSignIn(c, http.StatusUnprocessableEntity, email, errs)
	}
	if err := a.Store.RequestSignIn(c.UserContext(), email, localPath(typed(c, "next"))); err != nil {
		return err
	}
	layout := a.layout(c, "Look into your mailbox", "A link to sign in was mailed.")
	layout.Robots = "noindex"
	return show(c, http.StatusOK, a.pages.signInAsked, SignInAsked{Layout: layout, Email: email})
}

func (a *App) showSignInLink(c *fiber.Ctx) error {
	private(c)
	user, err := a.Store.SignInLinkFor(c.UserContext(), c.Params("token"))
	if errors.Is(err, models.ErrLinkUsed) {
		return a.showSignInEnded(c)
	}
	if err != nil {
		return err
	}
	layout := a.layout(c, "Sign in as "+user.Name, "Use your one-time link.")
	layout.Robots, layout.Canonical, layout.Share = "noindex", "", nil
	page := SignInConfirm{Layout: layout, Face: newFace(user.Name, ""), Email: user.Email}
	if (models.Viewer{Email: user.Email}).Unnamed() {
		page.Email = ""
	}
	return show(c, http.StatusOK, a.pages.signInConfirm, page)
}

func (a *App) signIn(c *fiber.Ctx) error {
	private(c)
	token, next, err := a.Store.SignIn(c.UserContext(), viewer(c), c.Params("token"), c.Get(fiber.HeaderUserAgent))
	if errors.Is(err, models.ErrLinkUsed) {
		return a.showSignInEnded(c)
	}
	if err != nil {
		return err
	}
	a.setSession(c, token, a.Store.Now().Add(cookieLength))
	if next = localPath(next); next != "" {
		return seeOther(c, next)
	}
	v, err := a.Store.ViewerBySession(c.UserContext(), token)
	if err != nil {
		return err
	}
	return seeOther(c, a.landing(v))
}

func (a *App) showSignInEnded(c *fiber.Ctx) error {
	layout := a.layout(c, "This link has ended", "A link to sign in works once and for a short time.")
	layout.Robots, layout.Canonical, layout.Share = "noindex", "", nil
	return show(c, http.StatusGone, a.pages.signInEnded, SignInEnded{Layout: layout})
}

func (a *App) signOut(c *fiber.Ctx) error {
	v := viewer(c)
	if v.SignedIn() {
		if err := a.Store.EndSession(c.UserContext(), v, v.SessionID); err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
	}
	a.clearSession(c)
	a.flash(c, "signed-out")
	return seeOther(c, links.Home)
}

// landing is where a person starts after signing in.
func (a *App) landing(v models.Viewer) string {
	switch {
	case v.Unnamed():
		return links.Welcome
	case v.Can(models.UseDesk, models.Object{}):
		return links.Desk
	}
	return links.Account
}

// localPath is an address if it is a path on this site, else empty: nobody is sent elsewhere by a link to us.
func localPath(address string) string {
	u, err := url.Parse(address)
	if err != nil || len(address) > 500 || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(address, "/") ||
		strings.ContainsAny(address+u.Path, "\\\r\n\t") || u.Path != path.Clean(u.Path) ||
		strings.HasPrefix(u.Path, links.Login) || strings.HasPrefix(u.Path, links.Logout) {
		return ""
	}
	return address
}
