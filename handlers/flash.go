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
	"sessions-ended": "All other sessions have ended, and links to sign in that nobody used.",
	"welcome":        "Welcome. This is your desk.",
	"account-erased": "Your account and your data are erased. One last mail confirms it.",
	"place-erased":   "Your name and address are erased from your registration. One last mail confirms it.",
	"submitted":      "Sent to review. You get a mail when it was read.",
	"sent-back":      "The author gets your words by mail.",
	"declined":       "Declined. The author gets your words by mail.",
	"published":      "Published. The author gets a mail, unless that is you.",
	"scheduled":      "Scheduled. It appears by itself at the time below.",
	"withdrawn":      "Taken back.",
	"restored":       "The earlier text is back.",

	"event-created":           "Saved as a draft. Nobody else sees it until you publish it.",
	"event-told":              "Saved. Everybody registered gets a mail with the change.",
	"event-skipped":           "Saved. The clocks go forward over a time that you chose, so it was moved forward. Look at it once more.",
	"event-published":         "Published. It is in the lists and calendars now.",
	"event-cancelled":         "Cancelled. Everybody registered gets a mail.",
	"event-cancelled-quietly": "Cancelled.",
	"attendee-cancelled":      "The seat is free again, and the person gets a mail.",
	"group-created":           "The group is listed now.",
	"group-delisted":          "The group is off the public pages.",
	"group-listed":            "The group is back on the public pages.",
	"organiser-added":         "Added.",
	"organiser-removed":       "Removed.",
	"resent":                  "The mail is on its way again.",
	"invited":                 "The account is made, and a link to sign in is on its way.",
	"link-mailed":             "A link to sign in is on its way.",
	"person-out":              "Their sessions have ended.",
	"person-erased":           "The account and its data are erased. One last mail tells its owner.",
	"attendee-erased":         "Name and address are erased. One last mail tells the person.",

	"setup-closed":   "You find the steps under Settings whenever you want them.",
	"sample-gone":    "The sample content is gone, but for events with registrations and profiles that belong to somebody.",
	"backup-asked":   "A backup is made in the background and tested. Look again in a moment.",
	"backup-deleted": "Deleted.",
	"pages-renewed":  "Every page is made anew when somebody next asks for it.",

	"confirmed":             "Thank you. Go on with what you wanted to do.",
	"password-set":          "The password is set. Other browsers were signed out.",
	"password-removed":      "The password is gone. Mailed links sign you in.",
	"authenticator-added":   "The app is set up. Other browsers were signed out.",
	"authenticator-removed": "The app is removed. Other browsers were signed out.",
	"passkey-added":         "The passkey is added. Other browsers were signed out.",
	"passkey-removed":       "The passkey is removed here. Delete it on your device as well.",
	"factors-reset":         "Their password and second factors are gone. They are told by mail and sign in with a link.",

	"profile-published": "The profile is public.",
}

// flashCookie is the cookie's name.
func (a *App) flashCookie() string {
	if a.Site.Secure() {
		return "__Host-flash"
	}
	return "flash"
}

// flash lets the next page show a message once.
func (a *App) flash(c *fiber.Ctx, name string) {
	c.Cookie(&fiber.Cookie{
		Name: a.flashCookie(), Value: name, Path: "/", MaxAge: 60,
		Secure: a.Site.Secure(), HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// takeFlash is the message that the page before left, which is then gone.
func (a *App) takeFlash(c *fiber.Ctx) string {
	name := c.Cookies(a.flashCookie())
	if name == "" {
		return ""
	}
	a.setCookie(c, a.flashCookie(), "", time.Unix(1, 0))
	return flashes[name]
}
