package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// SignInAsk asks for the address that a one-time link is mailed to.
type SignInAsk struct {
	Layout
	Email       Field
	Errors      FieldErrors
	Next        string
	PasswordURL string
	Passkey     *PasskeyForm // nil: the site can have none
	Outside     []NavLink    // services that tell who somebody is
	Puzzle      *PuzzleForm  // nil: no proof of work is asked for
}

// SignInPassword asks for an address and a password.
type SignInPassword struct {
	Layout
	Email, Password Field
	Errors          FieldErrors
	Next            string
	LinkURL         string // of the other way
}

// SignInCode asks for the second factor.
type SignInCode struct {
	Layout
	Code    Field
	Errors  FieldErrors
	Passkey *PasskeyForm // nil: the account has none
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
	next := nextPath(c)
	passkey := a.passkeyForm(links.LoginPasskey, next)
	if passkey != nil {
		passkey.Offered = len(errs) == 0 // what was refused just now would be offered again
	}
	puzzle, err := a.puzzle(c)
	if err != nil {
		return err
	}
	scripts := []string{"js/passkey.js"}
	if puzzle != nil {
		scripts = append(scripts, "js/puzzle.js")
	}
	c.Set(fiber.HeaderCacheControl, "no-store") // what it asks for depends on who asks
	return show(c, status, a.pages.signInAsk, SignInAsk{
		Layout: a.signInLayout(c, "Sign in", "Sign in to the "+a.site(c).ShortName+" community portal with a link that we mail to you, a passkey or a password.", scripts...),
		Puzzle: puzzle,
		Errors: errs, Next: next, Email: emailField(email, "username webauthn", errs), PasswordURL: withNext(links.LoginPassword, next), Passkey: passkey, Outside: a.outsideLinks(next),
	})
}

// signInLayout is the frame of the pages that belong to signing in.
func (a *App) signInLayout(c *fiber.Ctx, title, description string, scripts ...string) Layout {
	layout := a.layout(c, title, description)
	layout.Robots, layout.Styles = "noindex", []string{"account.css"}
	layout.Scripts = append(append(layout.Scripts, "js/form.js"), scripts...)
	return layout
}

func emailField(value, autocomplete string, errs FieldErrors) Field {
	return Field{
		Name: "email", Label: "E-mail", Type: "email", Value: value, Autocomplete: autocomplete, Max: 254, Required: true, Error: errs.Of("email"),
	}
}

// nextPath is where a form leads when all is well: of its field, or of the address that showed it.
func nextPath(c *fiber.Ctx) string {
	if c.Method() == fiber.MethodPost {
		return localPath(typed(c, "next"))
	}
	return localPath(c.Query("next"))
}

// withNext adds to an address where it leads in the end.
func withNext(path, next string) string {
	if next == "" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

func (a *App) requestSignIn(c *fiber.Ctx) error {
	email := typed(c, "email")
	if _, err := models.ParseEmail(email); err != nil {
		var errs FieldErrors
		errs.Add("email", "Enter your e-mail address, such as ana@example.org")
		return a.askSignIn(c, http.StatusUnprocessableEntity, email, errs)
	}
	if err := a.solved(c); errors.Is(err, models.ErrUnsolved) {
		return a.askSignIn(c, http.StatusTooManyRequests, email, FieldErrors{unsolved})
	} else if err != nil {
		return err
	}
	if err := a.Store.RequestSignIn(c.UserContext(), email, localPath(typed(c, "next"))); err != nil {
		return err
	}
	return a.signInAsked(c, email)
}

func (a *App) signInAsked(c *fiber.Ctx, email string) error {
	layout := a.signInLayout(c, "Look into your mailbox", "A link to sign in was mailed.")
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
	layout := a.signInLayout(c, "Sign in as "+user.Name, "Use your one-time link.")
	layout.Canonical, layout.Share = "", nil
	page := SignInConfirm{Layout: layout, Face: newFace(user.Name, ""), Email: user.Email}
	if (models.Viewer{Email: user.Email}).Unnamed() {
		page.Email = ""
	}
	return show(c, http.StatusOK, a.pages.signInConfirm, page)
}

func (a *App) signIn(c *fiber.Ctx) error {
	private(c)
	token, next, err := a.Store.SignIn(c.UserContext(), viewer(c), c.Params("token"), c.Get(fiber.HeaderUserAgent))
	a.metrics.signedIn(byLink, err)
	return a.entered(c, token, next, err)
}

// entered answers a first factor that was judged: with the page to open, with the question for the second factor, or with what
// was wrong.
func (a *App) entered(c *fiber.Ctx, token, next string, err error) error {
	switch {
	case errors.Is(err, models.ErrLinkUsed):
		return a.showSignInEnded(c)
	case errors.Is(err, models.ErrSecondFactor):
		a.setCookie(c, a.halfCookie(), token, time.Time{})
		return seeOther(c, links.LoginCode)
	case err != nil:
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

func (a *App) showPasswordSignIn(c *fiber.Ctx) error {
	if viewer(c).SignedIn() {
		return seeOther(c, a.landing(viewer(c)))
	}
	return a.askPassword(c, http.StatusOK, "", nil)
}

func (a *App) askPassword(c *fiber.Ctx, status int, email string, errs FieldErrors) error {
	next := nextPath(c)
	return show(c, status, a.pages.signInPassword, SignInPassword{
		Layout: a.signInLayout(c, "Sign in with a password", "Sign in to the "+a.site(c).ShortName+" community portal with the password of your account."),
		Errors: errs, Next: next, LinkURL: withNext(links.Login, next), Email: emailField(email, "username", errs),
		Password: Field{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password", Required: true, Error: errs.Of("password")},
	})
}

func (a *App) signInWithPassword(c *fiber.Ctx) error {
	private(c)
	email, password := typed(c, "email"), c.FormValue("password")
	var errs FieldErrors
	if _, err := models.ParseEmail(email); err != nil {
		errs.Add("email", "Enter your e-mail address, such as ana@example.org")
	}
	if password == "" {
		errs.Add("password", "Enter your password, or have a link mailed to you instead")
	}
	if len(errs) > 0 {
		return a.askPassword(c, http.StatusUnprocessableEntity, email, errs)
	}
	from := ""
	if a.RateLimit {
		from = network(a.client(c))
	}
	token, next, err := a.Store.SignInWithPassword(c.UserContext(), viewer(c), email, password, from, c.Get(fiber.HeaderUserAgent), nextPath(c))
	a.metrics.signedIn(byPassword, err)
	switch {
	case errors.Is(err, models.ErrWrongPassword):
		errs.Add("password", "Address and password do not belong together. Without a password, have a link mailed to you")
		return a.askPassword(c, http.StatusUnprocessableEntity, email, errs)
	case errors.Is(err, models.ErrGuessing):
		errs.Add("password", "Too many wrong passwords. Wait some minutes, or have a link mailed to you now")
		return a.askPassword(c, http.StatusTooManyRequests, email, errs)
	}
	return a.entered(c, token, next, err)
}

func (a *App) showSecondFactor(c *fiber.Ctx) error { return a.askSecondFactor(c, http.StatusOK, nil) }

func (a *App) askSecondFactor(c *fiber.Ctx, status int, errs FieldErrors) error {
	private(c)
	_, factors, err := a.Store.HalfSignInFor(c.UserContext(), c.Cookies(a.halfCookie()))
	if errors.Is(err, models.ErrLinkUsed) {
		return a.showSignInEnded(c)
	}
	if err != nil {
		return err
	}
	layout := a.signInLayout(c, "One more step", "Prove that it is you by your second factor.", "js/passkey.js")
	layout.Canonical, layout.Share = "", nil
	page := SignInCode{Layout: layout, Errors: errs, Code: codeField("code", factors, errs)}
	if len(factors.Passkeys) > 0 {
		if page.Passkey = a.passkeyForm(links.LoginPasskey, ""); page.Passkey != nil {
			page.Passkey.Or = true
		}
	}
	return show(c, status, a.pages.signInCode, page)
}

func (a *App) signInWithCode(c *fiber.Ctx) error {
	private(c)
	token, next, err := a.Store.SignInWithCode(c.UserContext(), viewer(c), c.Cookies(a.halfCookie()), typed(c, "code"), c.Get(fiber.HeaderUserAgent))
	a.metrics.signedIn(bySecondFactor, err)
	var errs FieldErrors
	if status := wrongCode(&errs, "code", err); status != 0 {
		return a.askSecondFactor(c, status, errs)
	}
	if err == nil {
		a.setCookie(c, a.halfCookie(), "", time.Unix(1, 0))
	}
	return a.entered(c, token, next, err)
}

// codeField asks for a code of the app or, where there is none, for a recovery code.
func codeField(name string, factors models.Factors, errs FieldErrors) Field {
	f := Field{
		Name: name, Label: "Code of your app", Hint: "Six digits. A recovery code works as well, once.", Type: "text", Autocomplete: "one-time-code",
		Max: 40, Required: true, Error: errs.Of(name),
	}
	if factors.Authenticator == nil {
		f.Label, f.Hint, f.Autocomplete = "Recovery code", "One of those that you were shown when you added your passkey. It works once.", "off"
	}
	return f
}

// wrongCode notes at a field what err says of a code, and gives the status of the answer; 0 when it says something else.
func wrongCode(errs *FieldErrors, field string, err error) int {
	switch {
	case errors.Is(err, models.ErrWrongCode):
		errs.Add(field, "This code is not right, or was used already. Wait for the next one, and look whether your phone’s clock is right")
		return http.StatusUnprocessableEntity
	case errors.Is(err, models.ErrGuessing):
		errs.Add(field, "Too many wrong codes. Wait some minutes, then try again")
		return http.StatusTooManyRequests
	}
	return 0
}

func (a *App) showSignInEnded(c *fiber.Ctx) error {
	layout := a.signInLayout(c, "This link has ended", "A link to sign in works once and for a short time.")
	layout.Canonical, layout.Share = "", nil
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
	case v.NeedsFactor:
		return links.Security
	case v.Can(models.UseDesk, models.Object{}):
		return links.Desk
	}
	return links.Account
}

// localPath is an address if it is a path on this site, else empty: nobody is sent elsewhere by a link to us.
func localPath(address string) string {
	u, err := url.Parse(address)
	if err != nil || len(address) > 500 || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") ||
		strings.ContainsAny(address+u.Path, "\\\r\n\t") || u.Path != path.Clean(u.Path) ||
		strings.HasPrefix(u.Path, links.Login) || strings.HasPrefix(u.Path, links.Logout) {
		return ""
	}
	return address
}
