package handlers

import (
	"errors"
	"html/template"
	"sync"

	"github.com/cdfoundation/portal/static"
	"github.com/cdfoundation/portal/templates"
)

// pages is every template with the struct that it shows.
type pages struct {
	searchShow *templates.Page[SearchShow]

	errorShow *templates.Page[ErrorShow]
	errorDesk *templates.Page[ErrorShow]

	homeShow *templates.Page[HomeShow]

	eventsIndex *templates.Page[EventsIndex]
	eventShow   *templates.Page[EventShow]

	registrationNew    *templates.Page[RegistrationNew]
	registrationClosed *templates.Page[RegistrationClosed]
	registrationShow   *templates.Page[RegistrationShow]

	blogIndex *templates.Page[BlogIndex]
	postShow  *templates.Page[PostShow]

	feedsShow *templates.Page[FeedsShow]

	signInAsk      *templates.Page[SignInAsk]
	signInAsked    *templates.Page[SignInAsked]
	signInConfirm  *templates.Page[SignInConfirm]
	signInEnded    *templates.Page[SignInEnded]
	accountShow    *templates.Page[AccountShow]
	accountWelcome *templates.Page[AccountWelcome]
	accountErasure *templates.Page[AccountErasure]

	signInPassword       *templates.Page[SignInPassword]
	signInCode           *templates.Page[SignInCode]
	accountConfirm       *templates.Page[AccountConfirm]
	accountSecurity      *templates.Page[AccountSecurity]
	accountPassword      *templates.Page[AccountPassword]
	accountAuthenticator *templates.Page[AccountAuthenticator]
	accountCodes         *templates.Page[AccountCodes]
	passkeyNew           *templates.Page[PasskeyNew]
	passkeyShow          *templates.Page[PasskeyShow]

	ambassadorIndex *templates.Page[AmbassadorIndex]
	ambassadorShow  *templates.Page[AmbassadorShow]
	cohortShow      *templates.Page[CohortShow]
	applyShow       *templates.Page[ApplyShow]

	groupIndex *templates.Page[GroupIndex]
	groupShow  *templates.Page[GroupShow]

	plainPage *templates.Page[PlainPage]

	adminPostList     *templates.Page[AdminPostList]
	adminPostEdit     *templates.Page[AdminPostEdit]
	adminPostPreview  *templates.Page[PostPreview]
	adminPostReview   *templates.Page[AdminPostReview]
	adminPostRevision *templates.Page[AdminPostRevision]
	adminStart        *templates.Page[AdminStart]
	adminProfile      *templates.Page[AdminProfile]
	adminPersonList   *templates.Page[AdminPersonList]
	adminPersonNew    *templates.Page[AdminPersonNew]
	adminPersonShow   *templates.Page[AdminPersonShow]
	adminPersonErase  *templates.Page[AdminPersonErasure]
	adminAudit        *templates.Page[AdminAudit]
	adminMailList     *templates.Page[AdminMailList]
	adminMailShow     *templates.Page[AdminMailShow]
	adminBackups      *templates.Page[AdminBackups]
	adminHealth       *templates.Page[AdminHealth]
	adminSetup        *templates.Page[AdminSetup]
	adminSettings     *templates.Page[AdminSettings]
	adminEventList    *templates.Page[AdminEventList]
	adminEventEdit    *templates.Page[AdminEventEdit]
	adminConfirm      *templates.Page[AdminConfirm]
	adminAttendees    *templates.Page[AdminAttendees]
	adminGroupList    *templates.Page[AdminGroupList]
	adminGroupEdit    *templates.Page[AdminGroupEdit]
}

// loadPages makes the pages, once in a process: they hold nothing of a portal's own.
var loadPages = sync.OnceValues(newPages)

func newPages() (pages, error) {
	set, err := templates.NewSet(template.FuncMap{"asset": static.Path})
	if err != nil {
		return pages{}, err
	}
	var p pages
	return p, errors.Join(
		bind(set, &p.searchShow, "site", "search/show"),

		bind(set, &p.errorShow, "site", "errors/show"),
		bind(set, &p.errorDesk, "desk", "errors/show"),

		bind(set, &p.homeShow, "site", "home/show"),

		bind(set, &p.eventsIndex, "site", "events/index"),
		bind(set, &p.eventShow, "site", "events/show"),

		bind(set, &p.registrationNew, "site", "registrations/new"),
		bind(set, &p.registrationClosed, "site", "registrations/closed"),
		bind(set, &p.registrationShow, "site", "registrations/show"),

		bind(set, &p.blogIndex, "site", "blog/index"),
		bind(set, &p.postShow, "site", "blog/show"),

		bind(set, &p.feedsShow, "site", "feeds/show"),

		bind(set, &p.signInAsk, "site", "account/sign_in"),
		bind(set, &p.signInAsked, "site", "account/sign_in_asked"),
		bind(set, &p.signInConfirm, "site", "account/sign_in_confirm"),
		bind(set, &p.signInEnded, "site", "account/sign_in_ended"),
		bind(set, &p.accountShow, "site", "account/show"),
		bind(set, &p.accountWelcome, "site", "account/welcome"),
		bind(set, &p.signInPassword, "site", "account/sign_in_password"),
		bind(set, &p.signInCode, "site", "account/sign_in_code"),
		bind(set, &p.accountConfirm, "site", "account/confirm"),
		bind(set, &p.accountSecurity, "site", "account/security"),
		bind(set, &p.accountPassword, "site", "account/password"),
		bind(set, &p.accountAuthenticator, "site", "account/authenticator"),
		bind(set, &p.accountCodes, "site", "account/recovery_codes"),
		bind(set, &p.passkeyNew, "site", "account/passkey_new"),
		bind(set, &p.passkeyShow, "site", "account/passkey"),
		bind(set, &p.accountErasure, "site", "account/erasure"),

		bind(set, &p.ambassadorIndex, "site", "ambassadors/index"),
		bind(set, &p.ambassadorShow, "site", "ambassadors/show"),
		bind(set, &p.cohortShow, "site", "ambassadors/cohort"),
		bind(set, &p.applyShow, "site", "ambassadors/apply"),

		bind(set, &p.groupIndex, "site", "groups/index"),
		bind(set, &p.groupShow, "site", "groups/show"),

		bind(set, &p.plainPage, "site", "pages/show"),

		bind(set, &p.adminPostList, "desk", "admin/posts"),
		bind(set, &p.adminPostEdit, "desk", "admin/post_edit"),
		bind(set, &p.adminPostPreview, "fragment", "admin/preview"),
		bind(set, &p.adminPostReview, "desk", "admin/post_review"),
		bind(set, &p.adminPostRevision, "desk", "admin/post_revision"),
		bind(set, &p.adminStart, "desk", "admin/start"),
		bind(set, &p.adminProfile, "desk", "admin/profile"),
		bind(set, &p.adminPersonList, "desk", "admin/people"),
		bind(set, &p.adminPersonNew, "desk", "admin/person_new"),
		bind(set, &p.adminPersonShow, "desk", "admin/person_show"),
		bind(set, &p.adminPersonErase, "desk", "admin/person_erasure"),
		bind(set, &p.adminAudit, "desk", "admin/audit"),
		bind(set, &p.adminMailList, "desk", "admin/mails"),
		bind(set, &p.adminMailShow, "desk", "admin/mail_show"),
		bind(set, &p.adminBackups, "desk", "admin/backups"),
		bind(set, &p.adminHealth, "desk", "admin/health"),
		bind(set, &p.adminSetup, "desk", "admin/setup"),
		bind(set, &p.adminSettings, "desk", "admin/settings"),
		bind(set, &p.adminEventList, "desk", "admin/events"),
		bind(set, &p.adminEventEdit, "desk", "admin/event_edit"),
		bind(set, &p.adminConfirm, "desk", "admin/confirm"),
		bind(set, &p.adminAttendees, "desk", "admin/attendees"),
		bind(set, &p.adminGroupList, "desk", "admin/groups"),
		bind(set, &p.adminGroupEdit, "desk", "admin/group_edit"),
	)
}

// bind parses a template over its layout and checks it against its struct.
func bind[T any](set *templates.Set, page **templates.Page[T], layout, name string) (err error) {
	*page, err = templates.NewPage[T](set, layout, name)
	return err
}
