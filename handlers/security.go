package handlers

import (
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// AccountSecurity is how a person's own account signs in.
type AccountSecurity struct {
	Layout
	Email         string
	Password      *time.Time
	Authenticator *time.Time
	Passkeys      []AccountPasskey
	PasskeysAble  bool // the site can have passkeys
	Second        bool
	RecoveryCodes int
	Missing       bool // a second factor, which staff must have
}

// AccountPasskey is a line of a person's passkeys.
type AccountPasskey struct {
	URL   string
	Name  string
	Since time.Time
	Used  *time.Time
}

// AccountPassword sets, changes and removes a password.
type AccountPassword struct {
	Layout
	Set          bool // there is one
	Current, New Field
	Email        string
	Errors       FieldErrors
}

// AccountAuthenticator sets up an authenticator app.
type AccountAuthenticator struct {
	Layout
	Since  *time.Time // of the app that there is already
	QR     template.HTML
	Link   template.URL // opens an app on the same device
	Secret string
	Nonce  string
	Code   Field
	Errors FieldErrors
}

// AccountCodes shows recovery codes, once.
type AccountCodes struct {
	Layout
	Codes []string
	Added string // what was added before; empty: new codes were asked for
	Next  string
}

// issuer is what authenticator apps call us.
const issuer = "CDF Community"

// accountLayout is the frame of a page about a person's own account.
func (a *App) accountLayout(c *fiber.Ctx, title, description string, scripts ...string) Layout {
	private(c)
	layout := a.signInLayout(c, title, description, scripts...)
	layout.Canonical, layout.Share = "", nil
	return layout
}

func (a *App) showSecurity(c *fiber.Ctx) error {
	v := viewer(c)
	factors, err := a.Store.Factors(c.UserContext(), v)
	if err != nil {
		return err
	}
	zone := location(v.Timezone)
	page := AccountSecurity{
		Layout: a.accountLayout(c, "How you sign in", "Your password, passkeys, authenticator app and recovery codes."),
		Email:  v.Email, Password: inZone(factors.Password, zone), Authenticator: inZone(factors.Authenticator, zone),
		PasskeysAble: a.passkeys != nil, Second: factors.Second(), RecoveryCodes: factors.RecoveryCodes, Missing: factors.Required && !factors.Second(),
	}
	for _, p := range factors.Passkeys {
		page.Passkeys = append(page.Passkeys, AccountPasskey{URL: links.Passkey(p.ID), Name: p.Name, Since: p.CreatedAt.In(zone), Used: inZone(p.UsedAt, zone)})
	}
	return show(c, http.StatusOK, a.pages.accountSecurity, page)
}

func (a *App) showPassword(c *fiber.Ctx) error { return a.passwordPage(c, http.StatusOK, nil) }

func (a *App) passwordPage(c *fiber.Ctx, status int, errs FieldErrors) error {
	v := viewer(c)
	factors, err := a.Store.Factors(c.UserContext(), v)
	if err != nil {
		return err
	}
	title := "Set a password"
	if factors.Password != nil {
		title = "Change your password"
	}
	return show(c, status, a.pages.accountPassword, AccountPassword{
		Layout: a.accountLayout(c, title, "The password of your own account."), Set: factors.Password != nil, Email: v.Email, Errors: errs,
		Current: Field{Name: "current", Label: "Password as it is now", Type: "password", Autocomplete: "current-password", Required: true, Error: errs.Of("current")},
		New: Field{
			Name: "new", Label: "New password", Type: "password", Autocomplete: "new-password", Required: true, Error: errs.Of("new"),
			Hint: "12 characters or more, of any kind, spaces too. Let your password manager make one, or take several words.",
		},
	})
}

func (a *App) setPassword(c *fiber.Ctx) error {
	var errs FieldErrors
	err := a.Store.SetPassword(c.UserContext(), viewer(c), c.FormValue("current"), c.FormValue("new"))
	switch {
	case errs.Take(err):
		return a.passwordPage(c, http.StatusUnprocessableEntity, errs)
	case errors.Is(err, models.ErrGuessing):
		errs.Add("current", "Too many wrong passwords. Wait some minutes, or remove the password below and set another")
		return a.passwordPage(c, http.StatusTooManyRequests, errs)
	case err != nil:
		return err
	}
	a.flash(c, "password-set")
	return seeOther(c, links.Security)
}

func (a *App) removePassword(c *fiber.Ctx) error {
	if err := a.Store.RemovePassword(c.UserContext(), viewer(c)); err != nil {
		return err
	}
	a.flash(c, "password-removed")
	return seeOther(c, links.Security)
}

func (a *App) showAuthenticator(c *fiber.Ctx) error {
	return a.authenticatorPage(c, http.StatusOK, "", nil)
}

func (a *App) authenticatorPage(c *fiber.Ctx, status int, nonce string, errs FieldErrors) error {
	v := viewer(c)
	factors, err := a.Store.Factors(c.UserContext(), v)
	if err != nil {
		return err
	}
	address, secret, nonce, err := a.Store.NewAuthenticator(v, issuer, nonce)
	if err != nil {
		return err
	}
	code, err := artwork.QR(address)
	if err != nil {
		return err
	}
	return show(c, status, a.pages.accountAuthenticator, AccountAuthenticator{
		Layout: a.accountLayout(c, "Authenticator app", "Set up an app that shows a code for each sign-in."), Errors: errs,
		Since: inZone(factors.Authenticator, location(v.Timezone)), QR: blessed(code), Link: appLink(address),
		Secret: inFours(secret), Nonce: nonce,
		Code: Field{
			Name: "code", Label: "Code", Hint: "Six digits; they change each half minute.", Type: "text", Autocomplete: "one-time-code",
			Max: 20, Digits: true, Required: true, Error: errs.Of("code"),
		},
	})
}

// inFours writes a secret so that it can be typed.
func inFours(secret string) string {
	var b strings.Builder
	for i, r := range secret {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (a *App) addAuthenticator(c *fiber.Ctx) error {
	nonce := typed(c, "nonce")
	codes, err := a.Store.AddAuthenticator(c.UserContext(), viewer(c), nonce, typed(c, "code"))
	var errs FieldErrors
	if status := wrongCode(&errs, "code", err); status != 0 {
		return a.authenticatorPage(c, status, cutNonce(nonce), errs)
	}
	if err != nil {
		return err
	}
	return a.factorAdded(c, codes, "The app is set up", "authenticator-added")
}

// cutNonce drops what is no nonce of ours.
func cutNonce(nonce string) string {
	if len(nonce) > 100 {
		return ""
	}
	return nonce
}

// factorAdded shows the recovery codes that came with a second factor or, where there were some, goes back.
func (a *App) factorAdded(c *fiber.Ctx, codes []string, added, flash string) error {
	if len(codes) > 0 {
		return a.codesPage(c, codes, added)
	}
	a.flash(c, flash)
	return seeOther(c, links.Security)
}

func (a *App) codesPage(c *fiber.Ctx, codes []string, added string) error {
	v := viewer(c)
	next := links.Security
	if v.NeedsFactor {
		next = links.Desk // which was closed for want of a second factor
	}
	return show(c, http.StatusOK, a.pages.accountCodes, AccountCodes{
		Layout: a.accountLayout(c, "Your recovery codes", "Codes for when your second factor is lost.", "js/copy.js"), Codes: codes, Added: added, Next: next,
	})
}

func (a *App) removeAuthenticator(c *fiber.Ctx) error {
	if err := a.Store.RemoveAuthenticator(c.UserContext(), viewer(c)); err != nil {
		return err
	}
	a.flash(c, "authenticator-removed")
	return seeOther(c, links.Security)
}

func (a *App) makeRecoveryCodes(c *fiber.Ctx) error {
	codes, err := a.Store.NewRecoveryCodes(c.UserContext(), viewer(c))
	if err != nil {
		return err
	}
	return a.codesPage(c, codes, "")
}
