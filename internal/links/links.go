// Package links holds every public path and absolute address of the portal, one function each. Everybody who writes
// an address takes it from here.
package links

import (
	"net/url"
	"strconv"
	"strings"
)

// Site makes absolute addresses under the portal's public address.
type Site struct {
	base string
}

// New returns the site whose public address is base, such as https://community.example.org.
func New(base *url.URL) Site { return Site{base: strings.TrimSuffix(base.String(), "/")} }

// Abs is the absolute address of a path, which begins with a slash.
func (s Site) Abs(path string) string { return s.base + path }

// Base is the site's address without a trailing slash.
func (s Site) Base() string { return s.base }

// Host is the site's host without a port, as it stands in identifiers.
func (s Site) Host() string {
	u, err := url.Parse(s.base)
	if err != nil {
		return "localhost"
	}
	return u.Hostname()
}

// Secure reports whether the site is served over HTTPS.
func (s Site) Secure() bool { return strings.HasPrefix(s.base, "https://") }

// The fixed paths.
const (
	Home          = "/"
	Blog          = "/blog"
	Ambassadors   = "/ambassadors"
	Apply         = "/ambassadors/apply"
	Groups        = "/groups"
	Events        = "/events"
	PastEvents    = "/events/past"
	Search        = "/search"
	Feeds         = "/feeds"
	Login         = "/login"
	LoginPassword = "/login/password"
	LoginCode     = "/login/second-factor"
	LoginPasskey  = "/login/passkey"
	Logout        = "/logout"
	Account       = "/account"
	Welcome       = "/account/welcome"
	Sessions      = "/account/sessions"
	Confirm       = "/account/confirm"
	Security      = "/account/security"
	Password      = "/account/security/password" //nolint:gosec // a path, no secret
	Authenticator = "/account/security/authenticator"
	RecoveryCodes = "/account/security/recovery-codes"
	Passkeys      = "/account/security/passkeys"     //nolint:gosec // a path, no secret
	NewPasskey    = "/account/security/passkeys/new" //nolint:gosec // a path, no secret
	OwnData       = "/account/data"
	OwnErasure    = "/account/erasure"
	Sitemap       = "/sitemap.xml"
	Robots        = "/robots.txt"
	Manifest      = "/manifest.webmanifest"
	Desk          = "/admin"
	DeskPosts     = "/admin/posts"
	DeskNewPost   = "/admin/posts/new"
	DeskEvents    = "/admin/events"
	DeskGroups    = "/admin/groups"
	DeskPeople    = "/admin/people"
	DeskMail      = "/admin/mail"
	DeskAudit     = "/admin/audit"
	DeskProfile   = "/admin/profile"
	DeskPreview   = "/admin/preview"
	DeskMedia     = "/admin/media"
	DeskSettings  = "/admin/settings"
	DeskHealth    = "/admin/health"
	DeskBackups   = "/admin/backups"
	DeskSetup     = "/admin/setup"
	EventsICS     = "/events.ics"
	CodeOfConduct = "/code-of-conduct"
)

// Post is a post's path.
func Post(slug string) string { return Blog + "/" + slug }

// Category is the path of a category's archive.
func Category(slug string) string { return Blog + "/category/" + slug }

// Tag is the path of a tag's archive.
func Tag(slug string) string { return Blog + "/tag/" + slug }

// Author is the path of a byline's archive.
func Author(slug string) string { return Blog + "/author/" + slug }

// Series is the path of a series' archive.
func Series(slug string) string { return Blog + "/series/" + slug }

// Ambassador is the path of a profile.
func Ambassador(slug string) string { return Ambassadors + "/" + slug }

// Cohort is a cohort's path.
func Cohort(slug string) string { return Ambassadors + "/cohorts/" + slug }

// Group is a group's path.
func Group(slug string) string { return Groups + "/" + slug }

// Event is an event's path.
func Event(slug string) string { return Events + "/" + slug }

// Register is the path of an event's registration form.
func Register(slug string) string { return Event(slug) + "/register" }

// EventCalendar is the path of one event's calendar file.
func EventCalendar(slug string) string { return Event(slug) + ".ics" }

// Calendar is the path of the calendar of the list at path.
func Calendar(path string) string { return path + "/events.ics" }

// Registration is the path of an attendee's own page.
func Registration(token string) string { return "/registrations/" + token }

// RegistrationCancellation is where an attendee's cancellation is posted to.
func RegistrationCancellation(token string) string { return Registration(token) + "/cancellation" }

// RegistrationErasure is where an attendee has a registration erased.
func RegistrationErasure(token string) string { return Registration(token) + "/erasure" }

// RegistrationCalendar is the path of an attendee's own calendar file.
func RegistrationCalendar(token string) string { return Registration(token) + "/event.ics" }

// Page is the path of a plain page.
func Page(path string) string { return "/" + path }

// SearchFor is the path of the search's results for what was typed.
func SearchFor(query string) string { return Search + "?q=" + url.QueryEscape(query) }

// RSS is the path of the RSS feed of the list at path; the empty path is the whole blog's.
func RSS(path string) string { return path + "/feed.xml" }

// Atom is the path of the Atom feed of the list at path.
func Atom(path string) string { return path + "/feed.atom" }

// JSONFeed is the path of the JSON feed of the list at path.
func JSONFeed(path string) string { return path + "/feed.json" }

// Numbered is the path of page n of the list at path; the first is the list's own path.
func Numbered(path string, n int) string {
	if n <= 1 {
		return path
	}
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + "page=" + strconv.Itoa(n)
}

// Media is the path of an uploaded picture.
func Media(name string) string { return "/media/" + name }

// Share is the path of the picture that is drawn for sharing the page at path: /share/blog/x.png for /blog/x.
func Share(path string) string {
	if path == Home {
		return "/share/home.png"
	}
	return "/share" + path + ".png"
}

// SignIn is the path that a one-time link opens.
func SignIn(token string) string { return Login + "/" + token }

// LoginWith is where one leaves for a service that tells who one is.
func LoginWith(service string) string { return Login + "/with/" + service }

// LoginCallback is where that service sends one back to.
func LoginCallback(service string) string { return LoginWith(service) + "/callback" }

// Passkey is the path of one of the viewer's own passkeys.
func Passkey(id int64) string { return Passkeys + "/" + strconv.FormatInt(id, 10) }

// DeskPost is the path of a post's editor.
func DeskPost(id int64) string { return DeskPosts + "/" + strconv.FormatInt(id, 10) }

// DeskReview is the path of a post's review: its text, its history, and what may be decided about it.
func DeskReview(id int64) string { return DeskPost(id) + "/review" }

// DeskRevision is the path of a post's text as it was saved once.
func DeskRevision(id, revision int64) string {
	return DeskPost(id) + "/revisions/" + strconv.FormatInt(revision, 10)
}

// DeskEvent is the path of an event's editor.
func DeskEvent(id int64) string { return DeskEvents + "/" + strconv.FormatInt(id, 10) }

// DeskEventPreview is the path of an event's page as it will look.
func DeskEventPreview(id int64) string { return DeskEvent(id) + "/preview" }

// DeskEventCopy is the path of the form of a new event like this one.
func DeskEventCopy(id int64) string { return DeskEvents + "/new?from=" + strconv.FormatInt(id, 10) }

// DeskEventPublication is where an event is published, once more asked for.
func DeskEventPublication(id int64) string { return DeskEvent(id) + "/publication" }

// DeskEventCancellation is where an event is cancelled, once more asked for.
func DeskEventCancellation(id int64) string { return DeskEvent(id) + "/cancellation" }

// DeskAttendeesCSV is the path of the table of an event's attendees.
func DeskAttendeesCSV(id int64) string { return DeskAttendees(id) + ".csv" }

// DeskAttendeeCancellation is where an organiser takes somebody off an event.
func DeskAttendeeCancellation(id, registration int64) string {
	return DeskAttendees(id) + "/" + strconv.FormatInt(registration, 10) + "/cancellation"
}

// DeskAttendeeErasure is where a registration is erased on its person's request.
func DeskAttendeeErasure(id, registration int64) string {
	return DeskAttendees(id) + "/" + strconv.FormatInt(registration, 10) + "/erasure"
}

// DeskAttendees is the path of an event's list of attendees.
func DeskAttendees(id int64) string { return DeskEvent(id) + "/attendees" }

// DeskGroup is the path of a group's editor.
func DeskGroup(id int64) string { return DeskGroups + "/" + strconv.FormatInt(id, 10) }

// DeskPerson is the path of an account in the desk.
func DeskPerson(id int64) string { return DeskPeople + "/" + strconv.FormatInt(id, 10) }

// DeskPersonErasure is where an account is erased on its owner's request.
func DeskPersonErasure(id int64) string { return DeskPerson(id) + "/erasure" }

// DeskAmbassador is the path of a profile's editor; DeskProfile is that of one's own.
func DeskAmbassador(id int64) string { return DeskProfile + "/" + strconv.FormatInt(id, 10) }

// DeskBackup is the path below which a backup is handed out and deleted.
func DeskBackup(id int64) string { return DeskBackups + "/" + strconv.FormatInt(id, 10) }

// DeskKeptMail is the path of a mail that was kept as a file.
func DeskKeptMail(name string) string { return DeskMail + "/" + name }
