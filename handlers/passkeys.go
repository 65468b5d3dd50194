package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// PasskeyForm is a form that a script fills with a passkey's answer; without scripts it stays hidden.
type PasskeyForm struct {
	Action, Next      string
	Kept              []KeptField
	Answer, Challenge string // names of its fields
	Or                bool   // another way stands below
	Offered           bool   // also among what the browser fills into the field of the address
}

// PasskeyNew asks the browser to make a passkey.
type PasskeyNew struct {
	Layout
	Name      Field
	Options   string // JSON for the browser
	Challenge string
	Errors    FieldErrors
}

// PasskeyShow is one of a person's own passkeys.
type PasskeyShow struct {
	Layout
	URL    string
	Name   Field
	Since  time.Time
	Used   *time.Time
	Errors FieldErrors
}

// passkeyForm asks for a passkey; nil where the site can have none.
func (a *App) passkeyForm(action, next string) *PasskeyForm {
	if a.passkeys == nil {
		return nil
	}
	return &PasskeyForm{Action: action, Next: next, Answer: "passkey", Challenge: "challenge"}
}

// askPasskey gives a script what to ask the browser for.
func (a *App) askPasskey(c *fiber.Ctx) error {
	private(c)
	if a.passkeys == nil {
		return models.ErrNotFound
	}
	request, err := a.Store.AskPasskey(a.passkeys)
	if err != nil {
		return err
	}
	c.Set("Passkey-Challenge", request.Challenge)
	return send(c, http.StatusOK, fiber.MIMEApplicationJSONCharsetUTF8, []byte(request.Options), time.Time{})
}

func (a *App) signInWithPasskey(c *fiber.Ctx) error {
	private(c)
	if a.passkeys == nil {
		return models.ErrNotFound
	}
	next := nextPath(c)
	if half, _, err := a.Store.HalfSignInFor(c.UserContext(), c.Cookies(a.halfCookie())); err == nil && next == "" {
		next = half.NextPath
	}
	token, err := a.Store.SignInWithPasskey(c.UserContext(), a.passkeys, viewer(c), typed(c, "challenge"), typed(c, "passkey"), c.Get(fiber.HeaderUserAgent))
	a.metrics.signedIn(byPasskey, err)
	if errors.Is(err, models.ErrWrongPasskey) {
		var errs FieldErrors
		errs.Add("email", "This passkey did not sign you in. Try once more, or have a link mailed to you")
		return a.askSignIn(c, http.StatusUnprocessableEntity, "", errs)
	}
	if err == nil {
		a.setCookie(c, a.halfCookie(), "", time.Unix(1, 0))
	}
	return a.entered(c, token, next, err)
}

func (a *App) newPasskey(c *fiber.Ctx) error {
	return a.passkeyPage(c, http.StatusOK, browserName(c.Get(fiber.HeaderUserAgent)), nil)
}

func (a *App) passkeyPage(c *fiber.Ctx, status int, name string, errs FieldErrors) error {
	if a.passkeys == nil {
		return models.ErrNotFound
	}
	request, err := a.Store.NewPasskey(c.UserContext(), a.passkeys, viewer(c))
	if err != nil {
		return err
	}
	return show(c, status, a.pages.passkeyNew, PasskeyNew{
		Layout: a.accountLayout(c, "Add a passkey", "Sign in with your fingerprint, your face or a PIN.", "js/passkey.js"),
		Name:   passkeyName(name, errs), Options: request.Options, Challenge: request.Challenge, Errors: errs,
	})
}

func passkeyName(value string, errs FieldErrors) Field {
	return Field{
		Name: "name", Label: "Name", Type: "text", Value: value, Autocomplete: "off", Max: 60, Required: true, Error: errs.Of("name"),
		Hint: "So that you know it again: the device, or the password manager that keeps it.",
	}
}

func (a *App) addPasskey(c *fiber.Ctx) error {
	if a.passkeys == nil {
		return models.ErrNotFound
	}
	name := typed(c, "name")
	codes, err := a.Store.AddPasskey(c.UserContext(), a.passkeys, viewer(c), name, typed(c, "challenge"), typed(c, "passkey"))
	var errs FieldErrors
	switch {
	case errs.Take(err):
	case errors.Is(err, models.ErrWrongPasskey):
		errs.Add("name", "The browser made no passkey that we can use. Try once more, or on another device")
	case errors.Is(err, models.ErrConflict):
		errs.Add("name", "You have as many passkeys as an account may have. Remove one first")
	case err != nil:
		return err
	default:
		return a.factorAdded(c, codes, "The passkey is added", "passkey-added")
	}
	return a.passkeyPage(c, http.StatusUnprocessableEntity, name, errs)
}

func (a *App) showPasskey(c *fiber.Ctx) error { return a.ownPasskeyPage(c, http.StatusOK, "", nil) }

func (a *App) ownPasskeyPage(c *fiber.Ctx, status int, name string, errs FieldErrors) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	v := viewer(c)
	key, err := a.Store.PasskeyByID(c.UserContext(), v, id)
	if err != nil {
		return err
	}
	if len(errs) == 0 {
		name = key.Name
	}
	zone := location(v.Timezone)
	return show(c, status, a.pages.passkeyShow, PasskeyShow{
		Layout: a.accountLayout(c, "Passkey", "One of your own passkeys."), URL: links.Passkey(id),
		Name: passkeyName(name, errs), Since: key.CreatedAt.In(zone), Used: inZone(key.UsedAt, zone), Errors: errs,
	})
}

func (a *App) renamePasskey(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	var errs FieldErrors
	err = a.Store.RenamePasskey(c.UserContext(), viewer(c), id, typed(c, "name"))
	if errs.Take(err) {
		return a.ownPasskeyPage(c, http.StatusUnprocessableEntity, typed(c, "name"), errs)
	}
	if err != nil {
		return err
	}
	a.flash(c, "saved")
	return seeOther(c, links.Security)
}

func (a *App) removePasskey(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Store.RemovePasskey(c.UserContext(), viewer(c), id); err != nil {
		return err
	}
	a.flash(c, "passkey-removed")
	return seeOther(c, links.Security)
}
