package handlers

import (
	"github.com/gofiber/fiber/v2"
)

// Who may ask for an address. Objects are checked by models as well.
type Who string

// The groups of people.
const (
	Anyone   Who = "anyone"
	Holder   Who = "whoever holds the link"
	Near     Who = "the machine's own network"
	SignedIn Who = "signed in"
	DeskUser Who = "ambassadors, organisers, staff, admins"
	Staff    Who = "staff, admins"
	Admin    Who = "admins"
)

// Route is one address of the site.
type Route struct {
	Method string
	Path   string // in Fiber's syntax: /blog/:slug
	Name   string
	Who    Who
	Limit  int  // requests a minute and client; 0: as many as they like
	Fresh  bool // asks who has not done so for a while to prove once more who they are
	Puzzle bool // asks for a proof of work past half of the limit

	handler fiber.Handler
}

// Routes lists every address, in the reader's order.
func Routes() []Route { return (&App{}).routes() }

func (a *App) routes() []Route {
	const get, post = fiber.MethodGet, fiber.MethodPost
	var all []Route
	add := func(method, path, name string, who Who, handler fiber.Handler) *Route {
		all = append(all, Route{Method: method, Path: path, Name: name, Who: who, handler: handler})
		return &all[len(all)-1]
	}
	anyone := func(path, name string, handler fiber.Handler) { add(get, path, name, Anyone, handler) }

	feeds := func(path, name string, handler func(c *fiber.Ctx, format string) error) {
		for _, format := range feedFormats {
			anyone(path+"/feed."+format, name+", "+feedNames[format], func(c *fiber.Ctx) error { return handler(c, format) })
		}
	}

	// For machines
	anyone("/healthz", "alive", a.showAlive)
	anyone("/readyz", "ready", a.showReady)
	add(get, "/metrics", "figures for Prometheus", Near, a.sendMetrics())
	anyone("/static/:name", "asset", a.showAsset)
	anyone("/static/:folder/:name", "asset in a folder", a.showAsset)

	anyone("/robots.txt", "what crawlers may read", a.sendRobots)
	anyone("/sitemap.xml", "sitemap", a.sendSitemap)
	anyone("/sitemap-:part<int>.xml", "part of the sitemap", a.sendSitemap)
	anyone("/manifest.webmanifest", "web application manifest", a.sendManifest)
	anyone("/.well-known/security.txt", "whom to tell of a hole", a.sendSecurityContact)
	add(get, "/share/*", "picture for sharing a page", Anyone, a.sendShareImage).Limit = 60

	// Home
	anyone("/", "home", a.orOldQuery(a.showHome))

	// Search
	add(get, "/search", "search", Anyone, a.showSearch).Limit = 60

	// Writing
	feeds("", "feed of the blog", a.sendBlogFeed)
	feeds("/blog", "feed of the blog at its list", a.sendBlogFeed)
	anyone("/feeds", "feeds and calendars", a.showFeeds)
	anyone("/blog", "blog", a.showBlog)
	for _, archive := range []struct{ kind, words string }{
		{"category", "a category"}, {"tag", "a tag"}, {"author", "an author"}, {"series", "a series"},
	} {
		anyone("/blog/"+archive.kind+"/:slug", "posts of "+archive.words, a.showArchive(archive.kind))
		feeds("/blog/"+archive.kind+"/:slug", "feed of "+archive.words, a.sendArchiveFeed(archive.kind))
	}
	anyone("/blog/:slug", "post", a.showPost)

	// People and groups
	anyone("/ambassadors", "ambassadors", a.showAmbassadors)
	anyone("/ambassadors/apply", "ambassador programme", a.showApply)
	anyone("/ambassadors/cohorts/:slug", "cohort", a.showCohort)
	anyone("/ambassadors/:slug", "ambassador", a.showAmbassador)
	feeds("/ambassadors/:slug", "feed of an ambassador", a.sendAmbassadorFeed)
	anyone("/ambassadors/:slug/events.ics", "calendar of an ambassador", a.showAmbassadorCalendar)
	anyone("/groups", "groups", a.showGroups)
	anyone("/groups/:slug", "group", a.showGroup)
	feeds("/groups/:slug", "feed of a group", a.sendGroupFeed)
	anyone("/groups/:slug/events.ics", "calendar of a group", a.showGroupCalendar)

	// Events and registration
	anyone("/events", "coming events", a.showComingEvents)
	anyone("/events/past", "past events", a.showPastEvents)
	anyone("/events.ics", "event calendar", a.showEventsCalendar)
	for _, format := range feedFormats {
		anyone("/events/feed."+format, "new events as "+feedNames[format], a.showEventsFeed(format))
	}
	anyone("/events/:slug.ics", "calendar file of an event", a.showEventCalendar)
	anyone("/events/:slug", "event", a.showEvent)
	anyone("/events/:slug/register", "registration form", a.showRegister)
	register := add(post, "/events/:slug/register", "register", Anyone, a.createRegistration)
	register.Limit, register.Puzzle = 120, true
	add(get, "/registrations/:token", "registration", Holder, a.showRegistration)
	add(get, "/registrations/:token/event.ics", "calendar file of a registration", Holder, a.showRegistrationCalendar)
	add(post, "/registrations/:token/cancellation", "cancel a registration", Holder, a.cancelRegistration)
	add(post, "/registrations/:token/erasure", "erase a registration", Holder, a.eraseRegistration)

	// Signing in
	anyone("/login", "sign in", a.showSignIn)
	ask := add(post, "/login", "ask for a one-time link", Anyone, a.requestSignIn)
	ask.Limit, ask.Puzzle = 10, true
	anyone("/login/password", "sign in with a password", a.showPasswordSignIn)
	add(post, "/login/password", "sign in with a password", Anyone, a.signInWithPassword).Limit = 10
	add(get, "/login/passkey", "challenge for a passkey", Anyone, a.askPasskey).Limit = 60
	add(post, "/login/passkey", "sign in with a passkey", Anyone, a.signInWithPasskey).Limit = 30
	add(get, "/login/with/:service", "leave for a service that tells who somebody is", Anyone, a.leaveForOutside).Limit = 30
	add(get, "/login/with/:service/callback", "come back from it", Anyone, a.returnFromOutside).Limit = 30
	add(get, "/login/second-factor", "second factor", Holder, a.showSecondFactor)
	add(post, "/login/second-factor", "sign in with a second factor", Holder, a.signInWithCode).Limit = 10
	add(get, "/login/:token", "one-time link", Holder, a.showSignInLink).Limit = 30
	add(post, "/login/:token", "use a one-time link", Holder, a.signIn).Limit = 30
	add(post, "/logout", "sign out", Anyone, a.signOut)
	add(get, "/account", "own account", SignedIn, a.showAccount)
	add(post, "/account", "save own account", SignedIn, a.saveAccount)
	add(get, "/account/welcome", "name the first admin", SignedIn, a.showWelcome)
	add(post, "/account/welcome", "save the first admin's name", SignedIn, a.nameFirstAdmin)
	add(post, "/account/sessions/end", "end all other sessions", SignedIn, a.endOtherSessions)
	add(post, "/account/sessions/:id/end", "end a session", SignedIn, a.endSession)
	add(get, "/account/confirm", "prove once more who one is", SignedIn, a.showConfirm)
	add(post, "/account/confirm", "go on after proving it", SignedIn, a.confirmViewer).Limit = 10
	add(post, "/account/confirm/link", "prove it by a mailed link", SignedIn, a.mailConfirmLink).Limit = 10
	add(get, "/account/security", "how the own account signs in", SignedIn, a.showSecurity)
	add(get, "/account/security/password", "own password", SignedIn, a.showPassword).Fresh = true
	add(post, "/account/security/password", "set or change the own password", SignedIn, a.setPassword).Fresh = true
	add(post, "/account/security/password/removal", "remove the own password", SignedIn, a.removePassword).Fresh = true
	add(get, "/account/security/authenticator", "set up an authenticator app", SignedIn, a.showAuthenticator).Fresh = true
	add(post, "/account/security/authenticator", "use an authenticator app from now on", SignedIn, a.addAuthenticator).Fresh = true
	add(post, "/account/security/authenticator/removal", "remove the authenticator app", SignedIn, a.removeAuthenticator).Fresh = true
	add(get, "/account/security/passkeys/new", "add a passkey", SignedIn, a.newPasskey).Fresh = true
	add(post, "/account/security/passkeys", "keep a new passkey", SignedIn, a.addPasskey).Fresh = true
	add(get, "/account/security/passkeys/:id", "own passkey", SignedIn, a.showPasskey)
	add(post, "/account/security/passkeys/:id", "rename a passkey", SignedIn, a.renamePasskey)
	add(post, "/account/security/passkeys/:id/removal", "remove a passkey", SignedIn, a.removePasskey).Fresh = true
	add(post, "/account/security/recovery-codes", "make new recovery codes", SignedIn, a.makeRecoveryCodes).Fresh = true
	data := add(post, "/account/data", "all own data as a ZIP", SignedIn, a.sendOwnData)
	data.Limit, data.Fresh = 6, true
	add(get, "/account/erasure", "ask before erasing the own account", SignedIn, a.askErasure).Fresh = true
	add(post, "/account/erasure", "erase the own account", SignedIn, a.eraseAccount).Fresh = true

	// Desk: posts and profile
	anyone("/media/:name", "uploaded picture", a.showMedium)
	add(get, "/admin", "what needs the viewer", DeskUser, a.showDesk)
	add(get, "/admin/posts", "posts of the desk", DeskUser, a.listDeskPosts)
	add(post, "/admin/posts", "save a new post", DeskUser, a.createPost)
	add(get, "/admin/posts/new", "new post", DeskUser, a.newPost)
	add(get, "/admin/posts/:id", "edit a post", DeskUser, a.editPost)
	add(post, "/admin/posts/:id", "save a post", DeskUser, a.savePost)
	add(get, "/admin/posts/:id/review", "review and history of a post", DeskUser, a.showReview)
	add(post, "/admin/posts/:id/submission", "send a post to review", DeskUser, a.submitPost)
	add(post, "/admin/posts/:id/publication", "publish a post", Staff, a.publishPost)
	add(post, "/admin/posts/:id/changes", "send a post back", Staff, a.sendPostBack)
	add(post, "/admin/posts/:id/refusal", "decline a post", Staff, a.declinePost)
	add(post, "/admin/posts/:id/withdrawal", "withdraw a post", Staff, a.withdrawPost)
	add(get, "/admin/posts/:id/revisions/:revision", "earlier text of a post", DeskUser, a.showRevision)
	add(post, "/admin/posts/:id/revisions/:revision/restoration", "restore a text of a post", DeskUser, a.restoreRevision)
	add(post, "/admin/preview", "preview of a text", DeskUser, a.previewPost).Limit = 240
	add(get, "/admin/profile", "own profile", DeskUser, a.showOwnProfile)
	add(post, "/admin/profile", "save own profile", DeskUser, a.saveOwnProfile)
	add(get, "/admin/profile/:id", "profile", DeskUser, a.showAnyProfile)
	add(post, "/admin/profile/:id", "save a profile", DeskUser, a.saveAnyProfile)
	add(post, "/admin/profile/:id/publication", "publish a profile", Staff, a.publishProfile)
	add(get, "/admin/people", "people", Staff, a.listPeople)
	add(post, "/admin/people", "save a new account", Staff, a.invitePerson).Fresh = true
	add(get, "/admin/people/new", "new account", Staff, a.newPerson).Fresh = true
	add(get, "/admin/people/:id", "account", Staff, a.showPerson)
	add(post, "/admin/people/:id/role", "change a role", Staff, a.setRole).Fresh = true
	add(post, "/admin/people/:id/profile", "join an account to a profile", Staff, a.linkProfile).Fresh = true // with the profile come the groups that it organises
	add(post, "/admin/people/:id/link", "mail an account its link", Staff, a.mailPersonLink)
	add(post, "/admin/people/:id/factors/reset", "take an account's password and second factors away", Staff, a.resetPersonFactors).Fresh = true
	add(post, "/admin/people/:id/sessions/end", "end an account's sessions", Staff, a.endPersonSessions)
	add(get, "/admin/people/:id/erasure", "ask before erasing an account", Admin, a.askPersonErasure).Fresh = true
	add(post, "/admin/people/:id/erasure", "erase an account", Admin, a.erasePerson).Fresh = true
	add(get, "/admin/audit", "audit log", Staff, a.listAudit)
	add(get, "/admin/mail", "mails", Admin, a.listMails)
	add(get, "/admin/mail/:name", "kept mail", Admin, a.showKeptMail)
	add(get, "/admin/mail/:name/html", "HTML of a kept mail", Admin, a.showKeptHTML)
	add(post, "/admin/mail/:id/resend", "send a mail again", Admin, a.resendMail)

	// Desk: the portal itself
	add(get, "/admin/setup", "steps of setting up", Admin, a.showSetup)
	add(post, "/admin/setup", "call a step done", Admin, a.settleSetup)
	add(post, "/admin/setup/mail", "send oneself a test mail", Admin, a.sendTestMail).Limit = 10
	add(post, "/admin/setup/sample", "remove the sample content", Admin, a.clearSample)
	add(get, "/admin/settings", "settings of the site", Admin, a.showSettings).Fresh = true
	add(get, "/admin/backups", "backups", Admin, a.showBackups)
	add(post, "/admin/backups", "ask for a backup", Admin, a.askBackup)
	add(post, "/admin/backups/plan", "save the plan of backups", Admin, a.saveBackupPlan)
	add(get, "/admin/backups/:id/file", "file of a backup", Admin, a.sendBackup).Fresh = true
	add(post, "/admin/backups/:id/deletion", "delete a backup", Admin, a.deleteBackup)
	add(get, "/admin/health", "how the portal is", Admin, a.showHealth)
	add(post, "/admin/health/pages", "make all pages anew", Admin, a.renewPages)
	add(post, "/admin/settings", "save the settings of the site", Admin, a.saveSettings).Fresh = true
	add(post, "/admin/settings/retention", "save how long data is kept", Admin, a.saveRetention).Fresh = true
	add(post, "/admin/settings/second-factor", "save whether staff need a second factor", Admin, a.saveSecondFactorRule).Fresh = true

	// Desk: events and groups
	add(get, "/admin/events", "events of the desk", DeskUser, a.listDeskEvents)
	add(post, "/admin/events", "save a new event", DeskUser, a.createEvent)
	add(get, "/admin/events/new", "new event", DeskUser, a.newEvent)
	add(get, "/admin/events/:id", "edit an event", DeskUser, a.editEvent)
	add(post, "/admin/events/:id", "save an event", DeskUser, a.saveEvent)
	add(get, "/admin/events/:id/preview", "event as it will look", DeskUser, a.previewEvent)
	add(get, "/admin/events/:id/publication", "ask before publishing an event", DeskUser, a.askPublication)
	add(post, "/admin/events/:id/publication", "publish an event", DeskUser, a.publishEvent)
	add(get, "/admin/events/:id/cancellation", "ask before cancelling an event", DeskUser, a.askEventCancellation)
	add(post, "/admin/events/:id/cancellation", "cancel an event", DeskUser, a.cancelEvent)
	add(get, "/admin/events/:id/attendees.csv", "table of an event's attendees", DeskUser, a.exportAttendees).Fresh = true
	add(get, "/admin/events/:id/attendees", "attendees of an event", DeskUser, a.listAttendees)
	add(get, "/admin/events/:id/attendees/:registration/cancellation", "ask before taking somebody off an event", DeskUser, a.askAttendeeCancellation)
	add(post, "/admin/events/:id/attendees/:registration/cancellation", "take somebody off an event", DeskUser, a.cancelAttendee)
	add(get, "/admin/events/:id/attendees/:registration/erasure", "ask before erasing a registration", Admin, a.askAttendeeErasure).Fresh = true
	add(post, "/admin/events/:id/attendees/:registration/erasure", "erase a registration of an event", Admin, a.eraseAttendee).Fresh = true
	add(get, "/admin/groups", "groups of the desk", DeskUser, a.listDeskGroups)
	add(post, "/admin/groups", "save a new group", Staff, a.createGroup)
	add(get, "/admin/groups/new", "new group", Staff, a.newGroup)
	add(get, "/admin/groups/:id", "edit a group", DeskUser, a.editGroup)
	add(post, "/admin/groups/:id", "save a group", DeskUser, a.saveGroup)
	add(post, "/admin/groups/:id/status", "list or delist a group", Staff, a.setGroupStatus)
	add(post, "/admin/groups/:id/organisers", "add an organiser", Staff, a.addOrganiser).Fresh = true
	add(post, "/admin/groups/:id/organisers/:organiser/removal", "remove an organiser", Staff, a.removeOrganiser)

	// Old addresses and plain pages come last: they match what nothing else took.
	anyone("/feed", "old feed", a.followOld)
	anyone("/feed/*", "old feed of a format", a.followOld)
	for _, kind := range []string{"category", "tag", "author"} {
		anyone("/"+kind+"/*", "old "+kind, a.followOld)
	}
	anyone("/blog/:year<int>/:month<int>/:day<int>/*", "old post of the blog", a.followOld)
	anyone("/:year<int>/:month<int>/:day<int>/*", "old post", a.followOld)
	anyone(plainPagePath, "plain page", a.showPlainPage)

	return all
}
