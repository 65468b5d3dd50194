package handlers

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// AccountConfirm asks somebody signed in to prove once more who they are, and keeps the form that they sent.
type AccountConfirm struct {
	Layout
	Action   string
	Next     string // where it leads when no form was sent
	Kept     []KeptField
	Code     *Field // nil: no code is asked for
	Password *Field
	Passkey  *PasskeyForm
	MailNext string // the page to come back to by a mailed link; empty: that is not enough
	Email    string
	Errors   FieldErrors
}

// KeptField is a field of the form that was sent.
type KeptField struct {
	Name, Value string
}

// The fields by which a person proves who they are, beside those of the form that asked for it.
const (
	confirmPassword  = "confirm_password"
	confirmCode      = "confirm_code"
	confirmPasskey   = "confirm_passkey" // a browser's answer, as JSON
	confirmChallenge = "confirm_challenge"
)

// fresh lets those pass who proved a short time ago who they are. Others are asked to: on a page that leads back or, for a form
// that was sent, on one that sends it again.
func (a *App) fresh(c *fiber.Ctx) error {
	v := viewer(c)
	if v.Fresh(a.Store.Now()) {
		return c.Next()
	}
	if c.Method() != fiber.MethodPost {
		return seeOther(c, withNext(links.Confirm, c.OriginalURL()))
	}
	var errs FieldErrors
	status := http.StatusForbidden
	if c.FormValue(confirmPassword) != "" || c.FormValue(confirmCode) != "" || c.FormValue(confirmPasskey) != "" {
		again, err := a.prove(c, &errs)
		if err != nil {
			return err
		}
		if again == 0 {
			return c.Next()
		}
		status = again
	}
	return a.confirmPage(c, status, c.Path(), "", keptFields(c), errs)
}

func (a *App) showConfirm(c *fiber.Ctx) error {
	return a.confirmPage(c, http.StatusOK, links.Confirm, localPath(c.Query("next")), nil, nil)
}

func (a *App) confirmViewer(c *fiber.Ctx) error {
	next := localPath(typed(c, "next"))
	var errs FieldErrors
	status, err := a.prove(c, &errs)
	switch {
	case err != nil:
		return err
	case status != 0:
		return a.confirmPage(c, status, links.Confirm, next, nil, errs)
	}
	a.flash(c, "confirmed")
	return seeOther(c, a.pageOf(next))
}

// prove judges the proof that was sent and renews the session. A status that is not 0 is that of the page that asks again.
func (a *App) prove(c *fiber.Ctx, errs *FieldErrors) (status int, err error) {
	var token string
	if answer := typed(c, confirmPasskey); answer != "" && a.passkeys != nil {
		token, err = a.Store.ConfirmWithPasskey(c.UserContext(), a.passkeys, viewer(c), typed(c, confirmChallenge), answer)
	} else {
		token, err = a.Store.Confirm(c.UserContext(), viewer(c), c.FormValue(confirmPassword), typed(c, confirmCode))
	}
	if errors.Is(err, models.ErrWrongPasskey) {
		errs.Add(confirmCode, "This passkey is not one of yours, or it took too long. Try once more")
		return http.StatusUnprocessableEntity, nil
	}
	if status := wrongCode(errs, confirmCode, err); status != 0 {
		if typed(c, confirmCode) == "" && c.FormValue(confirmPassword) != "" {
			*errs = nil
			errs.Add(confirmPassword, "Too many wrong passwords. Wait some minutes, or take another way")
		}
		return status, nil
	}
	if errors.Is(err, models.ErrWrongPassword) {
		errs.Add(confirmPassword, "That is not your password")
		return http.StatusUnprocessableEntity, nil
	}
	if err != nil {
		return 0, err
	}
	a.setSession(c, token, a.Store.Now().Add(cookieLength))
	v, err := a.Store.ViewerBySession(c.UserContext(), token)
	c.Locals(viewerKey, v)
	return 0, err
}

func (a *App) mailConfirmLink(c *fiber.Ctx) error {
	v := viewer(c)
	if err := a.Store.RequestSignIn(c.UserContext(), v.Email, localPath(typed(c, "next"))); err != nil {
		return err
	}
	return a.signInAsked(c, v.Email)
}

func (a *App) confirmPage(c *fiber.Ctx, status int, action, next string, kept []KeptField, errs FieldErrors) error {
	private(c)
	v := viewer(c)
	factors, err := a.Store.Factors(c.UserContext(), v)
	if err != nil {
		return err
	}
	page := AccountConfirm{
		Layout: a.signInLayout(c, "Is that you?", "Prove once more who you are, before something that cannot be undone.", "js/passkey.js"),
		Action: action, Next: next, Kept: kept, Email: v.Email, Errors: errs,
	}
	page.Canonical, page.Share = "", nil
	if len(factors.Passkeys) > 0 {
		if page.Passkey = a.passkeyForm(action, next); page.Passkey != nil {
			page.Passkey.Or = true
			page.Passkey.Kept, page.Passkey.Answer, page.Passkey.Challenge = kept, confirmPasskey, confirmChallenge
		}
	}
	if !factors.Second() {
		page.MailNext = next
		if action != links.Confirm {
			page.MailNext = a.pageOf(action)
		}
		page.MailNext = cmp.Or(page.MailNext, links.Account)
	}
	switch {
	case factors.Second():
		code := codeField(confirmCode, factors, errs)
		page.Code = &code
	case factors.Password != nil:
		page.Password = &Field{Name: confirmPassword, Label: "Password", Type: "password", Autocomplete: "current-password", Required: true, Error: errs.Of(confirmPassword)}
	}
	return show(c, status, a.pages.accountConfirm, page)
}

// pageOf is the page at an address or, where it only takes forms or gives a file, the one that leads there.
func (a *App) pageOf(address string) string {
	at, _, _ := strings.Cut(address, "?")
	if page, file := strings.CutSuffix(at, ".csv"); file {
		return page // a file leaves the browser on the page that asked
	}
	pages := a.routes()
	for ; len(at) > 1; at = path.Dir(at) {
		if slices.ContainsFunc(pages, func(r Route) bool {
			return r.Method == fiber.MethodGet && r.Path != plainPagePath && fiber.RoutePatternMatch(at, r.Path)
		}) {
			if strings.HasPrefix(address, at+"?") {
				return address
			}
			return at
		}
	}
	return links.Account
}

// keptFields are the fields of a form without its files, without what proves who sends it and without secrets, which are typed anew.
func keptFields(c *fiber.Ctx) (kept []KeptField) {
	keep := func(name, value string) {
		if !slices.Contains([]string{confirmPassword, confirmCode, confirmPasskey, confirmChallenge, "current", "new", "code", "passkey", "challenge"}, name) {
			kept = append(kept, KeptField{name, value})
		}
	}
	for name, value := range c.Request().PostArgs().All() {
		keep(string(name), string(value))
	}
	if form, err := c.MultipartForm(); err == nil {
		for _, name := range slices.Sorted(maps.Keys(form.Value)) {
			for _, value := range form.Value[name] {
				keep(name, value)
			}
		}
	}
	return kept
}
