package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// AccountShow is a person's own account: who they are, what they registered for, where they are signed in.
type AccountShow struct {
	Layout
	Email         string
	Role          string
	Name          Field
	Zone          Field
	Zones         []string
	Errors        FieldErrors
	Registrations []AccountRegistration
	Factors       string // how the account signs in, in words
	FactorsHint   string
	Sessions      []AccountSession
	Others        bool // there are sessions beside this one
	Consents      []AccountConsent
}

// AccountRegistration is a line of a person's registrations.
type AccountRegistration struct {
	Title    string
	URL      string // of the registration while it lives, else of the event
	When     string
	Machine  string
	State    string
	Tone     string // of the badge
	OpenWord string
}

// AccountSession is a browser in which a person is signed in.
type AccountSession struct {
	ID      int64
	Browser string
	Seen    time.Time
	Began   time.Time
	Current bool
}

// AccountWelcome asks the first admin who they are.
type AccountWelcome struct {
	Layout
	Name   Field
	Email  Field
	Zone   Field
	Zones  []string
	Errors FieldErrors
}

func (a *App) showAccount(c *fiber.Ctx) error {
	return a.accountPage(c, http.StatusOK, viewer(c).Name, viewer(c).Timezone, nil)
}

func (a *App) accountPage(c *fiber.Ctx, status int, name, zone string, errs FieldErrors) error {
	private(c)
	v := viewer(c)
	registrations, err := a.Store.OwnRegistrations(c.UserContext(), v)
	if err != nil {
		return err
	}
	sessions, err := a.Store.Sessions(c.UserContext(), v.UserID)
	if err != nil {
		return err
	}
	layout := a.layout(c, "Your account", "Your name, your registrations and where you are signed in.")
	layout.Robots, layout.Canonical, layout.Share = "noindex", "", nil
	layout.Scripts = append(layout.Scripts, "js/form.js")
	page := AccountShow{
		Layout: layout, Email: v.Email, Role: roleOf(v), Errors: errs, Zones: zones,
		Name: nameField(name, errs), Zone: zoneField(zone, errs),
	}
	for _, r := range registrations {
		page.Registrations = append(page.Registrations, a.accountRegistration(r))
	}
	zoneOfViewer := location(v.Timezone)
	for _, s := range sessions {
		page.Sessions = append(page.Sessions, AccountSession{
			ID: s.ID, Browser: browserName(s.UserAgent), Seen: s.SeenAt.In(zoneOfViewer), Began: s.CreatedAt.In(zoneOfViewer), Current: s.ID == v.SessionID,
		})
	}
	page.Others = len(sessions) > 1
	factors, err := a.Store.Factors(c.UserContext(), v)
	if err != nil {
		return err
	}
	page.Factors, page.FactorsHint = factorWords(factors)
	if page.Consents, err = a.accountConsents(c); err != nil {
		return err
	}
	return show(c, status, a.pages.accountShow, page)
}

// factorWords tell how an account signs in, and what could be better about it.
func factorWords(f models.Factors) (words, hint string) {
	words, hint = "Mailed link", "A passkey is quicker, a second factor safer."
	if f.Password != nil {
		words += " or password"
	}
	if f.Second() {
		second := []string{}
		if f.Authenticator != nil {
			second = append(second, "a code of your app")
		}
		if len(f.Passkeys) > 0 {
			second = append(second, "a passkey")
		}
		words, hint = words+", then "+strings.Join(second, " or "), "With a passkey alone you are in as well."
		if len(f.Passkeys) == 0 {
			hint = fmt.Sprintf("Recovery codes left: %d.", f.RecoveryCodes)
		}
	}
	return words, hint
}

func (a *App) saveAccount(c *fiber.Ctx) error {
	name, zone := typed(c, "name"), typed(c, "timezone")
	errs := identityErrors(name, zone)
	if len(errs) > 0 {
		return a.accountPage(c, http.StatusUnprocessableEntity, name, zone, errs)
	}
	if err := a.Store.SaveAccount(c.UserContext(), viewer(c), name, zone); err != nil {
		return err
	}
	a.flash(c, "saved")
	return seeOther(c, links.Account)
}

func (a *App) endSession(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	v := viewer(c)
	if err := a.Store.EndSession(c.UserContext(), v, id); err != nil {
		return err
	}
	if id == v.SessionID {
		a.clearSession(c)
		a.flash(c, "signed-out")
		return seeOther(c, links.Home)
	}
	a.flash(c, "session-ended")
	return seeOther(c, links.Account)
}

func (a *App) endOtherSessions(c *fiber.Ctx) error {
	if err := a.Store.EndOtherSessions(c.UserContext(), viewer(c)); err != nil {
		return err
	}
	a.flash(c, "sessions-ended")
	return seeOther(c, links.Account)
}

func (a *App) showWelcome(c *fiber.Ctx) error {
	if !viewer(c).Unnamed() {
		return seeOther(c, links.Account)
	}
	return a.welcomePage(c, http.StatusOK, "", "", "UTC", nil)
}

func (a *App) welcomePage(c *fiber.Ctx, status int, name, email, zone string, errs FieldErrors) error {
	private(c)
	layout := a.signInLayout(c, "Welcome", "Say who runs this portal.")
	layout.Canonical, layout.Share = "", nil
	return show(c, status, a.pages.accountWelcome, AccountWelcome{
		Layout: layout, Errors: errs, Zones: zones, Name: nameField(name, errs), Zone: zoneField(zone, errs),
		Email: Field{
			Name: "email", Label: "E-mail", Type: "email", Value: email, Autocomplete: "email", Max: 254, Required: true,
			Hint: "Links to sign in go to it. Take care: with a wrong one only a command on the server lets you in again.", Error: errs.Of("email"),
		},
	})
}

func (a *App) nameFirstAdmin(c *fiber.Ctx) error {
	v := viewer(c)
	if !v.Unnamed() {
		return seeOther(c, links.Account)
	}
	name, email, zone := typed(c, "name"), typed(c, "email"), typed(c, "timezone")
	errs := identityErrors(name, zone)
	if _, err := models.ParseEmail(email); err != nil {
		errs.Add("email", "Enter your e-mail address, such as ana@example.org")
	}
	if len(errs) == 0 {
		err := a.Store.NameFirstAdmin(c.UserContext(), v, name, email, zone)
		if !errors.Is(err, models.ErrEmailTaken) {
			if err == nil {
				err = a.Store.BeginSetup(c.UserContext(), v)
			}
			if err == nil {
				a.flash(c, "welcome")
				err = seeOther(c, links.DeskSetup)
			}
			return err
		}
		errs.Add("email", "This address has an account already; sign in with it")
	}
	return a.welcomePage(c, http.StatusUnprocessableEntity, name, email, zone, errs)
}

// identityErrors is what is wrong with a typed name and time zone.
func identityErrors(name, zone string) (errs FieldErrors) {
	if name == "" || utf8.RuneCountInString(name) > 200 {
		errs.Add("name", "Enter your name, of up to 200 letters")
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		errs.Add("timezone", "Choose a time zone from the list, such as Europe/Berlin")
	}
	return errs
}

func nameField(value string, errs FieldErrors) Field {
	return Field{Name: "name", Label: "Name", Type: "text", Value: value, Autocomplete: "name", Max: 200, Required: true, Error: errs.Of("name")}
}

func zoneField(value string, errs FieldErrors) Field {
	return Field{
		Name: "timezone", Label: "Time zone", Type: "text", Value: value, Max: 64, Required: true, Error: errs.Of("timezone"),
		Hint: "Times in the desk are shown in it. A region and a city, such as Europe/Berlin.",
	}
}

// accountRegistration maps a registration to its line.
func (a *App) accountRegistration(r models.OwnRegistration) AccountRegistration {
	starts := r.StartsAt.In(location(r.EventTimezone))
	line := AccountRegistration{
		Title: r.EventTitle, URL: links.Event(r.EventSlug), OpenWord: "Event",
		When: starts.Format("Mon 2 January 2006, 15:04 MST"), Machine: starts.Format(time.RFC3339),
	}
	if r.DatePrecision == models.PrecisionDay || r.DatePrecision == models.PrecisionMonth {
		line.When, line.Machine = starts.Format("2 January 2006"), starts.Format(time.DateOnly)
		if r.DatePrecision == models.PrecisionMonth {
			line.When, line.Machine = starts.Format("January 2006"), starts.Format("2006-01")
		}
	}
	switch now := a.Store.Now(); {
	case r.Registration.Status == models.RegistrationCancelled:
		line.State = "Cancelled"
	case r.EventStatus == models.EventCancelled:
		line.State, line.Tone = "Event cancelled", "bad"
	case !now.Before(r.EndsAt):
		line.State = "Was on"
	case !now.Before(r.StartsAt):
		line.State, line.Tone = "Live now", "live"
	default:
		line.State, line.Tone = "Registered", "ok"
	}
	if r.Registration.Status != models.RegistrationCancelled {
		line.URL, line.OpenWord = links.Registration(a.Store.RegistrationToken(r.Registration)), "Ticket"
	}
	return line
}

// location is the zone of an IANA name; UTC for one that this program does not know.
func location(name string) *time.Location {
	if zone, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
		return zone
	}
	return time.UTC
}

// browserName is what a browser calls itself in short: enough to tell one's own devices apart.
func browserName(agent string) string {
	find := func(names ...string) string {
		for i := 0; i < len(names); i += 2 {
			if strings.Contains(agent, names[i]) {
				return names[i+1]
			}
		}
		return ""
	}
	browser := find("Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari")
	system := find("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "Mac OS", "macOS", "Linux", "Linux")
	switch {
	case browser == "" && system == "":
		return "A browser"
	case browser == "":
		return "A browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// zones are the time zones that forms suggest; every other IANA name is taken as well.
var zones = []string{
	"UTC", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "America/Argentina/Buenos_Aires",
	"America/Bogota", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Mexico_City", "America/New_York",
	"America/Sao_Paulo", "America/Toronto", "Asia/Bangkok", "Asia/Dubai", "Asia/Hong_Kong", "Asia/Jakarta", "Asia/Jerusalem",
	"Asia/Kolkata", "Asia/Manila", "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Taipei", "Asia/Tokyo",
	"Australia/Brisbane", "Australia/Melbourne", "Australia/Sydney", "Europe/Amsterdam", "Europe/Athens", "Europe/Berlin",
	"Europe/Dublin", "Europe/Helsinki", "Europe/Istanbul", "Europe/Kyiv", "Europe/Lisbon", "Europe/London", "Europe/Madrid",
	"Europe/Paris", "Europe/Prague", "Europe/Rome", "Europe/Stockholm", "Europe/Warsaw", "Europe/Zurich", "Pacific/Auckland",
	"Pacific/Honolulu",
}
