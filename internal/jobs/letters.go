package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cdfoundation/portal/internal/calendar"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/templates"
)

// LetterSite is what every mail tells of the site.
type LetterSite struct {
	SiteURL, SiteName   string
	SiteFirst, SiteRest string // the name in two parts, of which the first stands out
	ShortName           string
}

// RegistrationLetter is a mail about a registration.
type RegistrationLetter struct {
	LetterSite

	Name     string
	Title    string
	Date     string
	Hours    string // empty when not known
	Place    string
	Also     string // how else to take part
	Before   string // time and place before they changed
	Host     string
	Tickets  string
	Code     string
	Reason   string // why the event is cancelled
	Online   bool   // the ticket's page holds the link to join
	URL      string // of the ticket's page
	EventURL string
	Again    string // where to register once more; empty when that is not possible
	TakenOff bool   // an organiser gave the place up, not the person
}

// SignInLetter is a mail with a one-time link.
type SignInLetter struct {
	LetterSite

	Name, URL string
	AgainURL  string // where to ask for another link
}

// TestLetter is a mail to an admin who asked whether mails arrive.
type TestLetter struct {
	LetterSite

	Name, URL string
}

// SecurityLetter is a mail about a change of how an account signs in.
type SecurityLetter struct {
	LetterSite

	Name     string
	What     string // a sentence without its full stop
	When     string
	Ended    bool   // all other sessions have
	URL      string // of the page where one looks and changes it
	AgainURL string // where to ask for a link to sign in
}

// PostLetter is a mail about a post.
type PostLetter struct {
	LetterSite

	Name                            string
	Title, Author, Reviewer         string
	Comment                         string
	Published, Scheduled, ChangesIn bool
	When                            string // when a scheduled post appears
	URL                             string // of the post, of its review, or of its editor
}

// ErasedLetter is the last mail to somebody whose data is erased.
type ErasedLetter struct {
	LetterSite

	Event string // whose registration is erased; empty for an account
}

// letters are the templates of the mails.
type letters struct {
	registrations map[models.MailKind]*templates.Mail[RegistrationLetter]
	posts         map[models.MailKind]*templates.Mail[PostLetter]
	signIns       map[models.MailKind]*templates.Mail[SignInLetter]
	security      *templates.Mail[SecurityLetter]
	erased        *templates.Mail[ErasedLetter]
	test          *templates.Mail[TestLetter]
}

func newLetters() (letters, error) {
	l := letters{
		registrations: make(map[models.MailKind]*templates.Mail[RegistrationLetter]),
		posts:         make(map[models.MailKind]*templates.Mail[PostLetter]),
		signIns:       make(map[models.MailKind]*templates.Mail[SignInLetter]),
	}
	var errs []error
	for _, kind := range []models.MailKind{
		models.MailRegistered, models.MailRegistrationLink, models.MailUnregistered, models.MailEventCancelled, models.MailEventChanged,
	} {
		tmpl, err := templates.NewMail[RegistrationLetter](string(kind))
		l.registrations[kind], errs = tmpl, append(errs, err)
	}
	for _, kind := range []models.MailKind{models.MailPostSubmitted, models.MailPostReviewed} {
		tmpl, err := templates.NewMail[PostLetter](string(kind))
		l.posts[kind], errs = tmpl, append(errs, err)
	}
	for _, kind := range []models.MailKind{models.MailSignIn, models.MailInvitation} {
		tmpl, err := templates.NewMail[SignInLetter](string(kind))
		l.signIns[kind], errs = tmpl, append(errs, err)
	}
	var err error
	l.security, err = templates.NewMail[SecurityLetter](string(models.MailSecurity))
	errs = append(errs, err)
	l.erased, err = templates.NewMail[ErasedLetter](string(models.MailErased))
	errs = append(errs, err)
	l.test, err = templates.NewMail[TestLetter](string(models.MailTest))
	return l, errors.Join(append(errs, err)...)
}

// calendarMethods says which mails carry the event for the recipient's calendar, and what it is to do with it.
var calendarMethods = map[models.MailKind]string{
	models.MailRegistered: calendar.MethodRequest, models.MailEventChanged: calendar.MethodRequest,
	models.MailUnregistered: calendar.MethodCancel, models.MailEventCancelled: calendar.MethodCancel,
}

// isMoment reports whether composing a mail failed for a reason that passes.
func isMoment(err error) bool {
	return errors.Is(err, models.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// compose writes a mail from the rows that it tells of.
func (w *Worker) compose(ctx context.Context, l letters, m models.Mail) (mail.Message, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	site, err := w.Store.Site(ctx)
	if err != nil {
		return mail.Message{}, err
	}
	from := site.From(*w.From)
	message := mail.Message{
		ID:   m.MessageID(),
		From: mail.Address{Name: from.Name, Email: from.Address},
		To:   mail.Address{Name: m.RecipientName, Email: m.Recipient},
		Date: m.CreatedAt,
	}
	about := w.letterSite(site)
	switch m.Kind {
	case models.MailRegistered, models.MailRegistrationLink, models.MailUnregistered, models.MailEventCancelled, models.MailEventChanged:
		err = w.composeRegistration(ctx, l, m, about, &message)
	case models.MailPostSubmitted, models.MailPostReviewed:
		err = w.composePost(ctx, l, m, about, &message)
	case models.MailSignIn, models.MailInvitation:
		err = w.composeSignIn(ctx, l, m, about, &message)
	case models.MailSecurity:
		err = w.composeSecurity(l, m, about, &message)
	case models.MailErased:
		message.Subject, message.Text, message.HTML, err = l.erased.Render(ErasedLetter{LetterSite: about, Event: m.Note})
	case models.MailTest:
		message.Subject, message.Text, message.HTML, err = l.test.Render(TestLetter{LetterSite: about, Name: m.RecipientName, URL: w.Site.Abs(links.DeskSetup)})
	default:
		err = fmt.Errorf("no template for a mail of kind %q", m.Kind)
	}
	return message, err
}

func (w *Worker) letterSite(site models.Site) LetterSite {
	l := LetterSite{SiteURL: w.Site.Base(), SiteName: site.Name, ShortName: site.ShortName}
	l.SiteFirst, l.SiteRest, _ = strings.Cut(site.Name, " ")
	return l
}

// pointed is the row that a mail points to.
func pointed(id *int64, what string) (int64, error) {
	if id == nil {
		return 0, fmt.Errorf("the mail points to no %s", what)
	}
	return *id, nil
}

func (w *Worker) composeRegistration(ctx context.Context, l letters, m models.Mail, site LetterSite, message *mail.Message) error {
	id, err := pointed(m.RegistrationID, "registration")
	if err != nil {
		return err
	}
	letter, err := w.Store.RegistrationLetter(ctx, id)
	if err != nil {
		return err
	}
	now := w.Store.Now()
	e, r := letter.Event, letter.Registration
	data := RegistrationLetter{
		LetterSite: site, Name: r.Name, Title: e.Title, Date: e.DateText(), Hours: e.TimeText(), Place: e.WhereText(), Before: m.Note,
		Host: letter.GroupName, Tickets: strings.Join(letter.Tickets, ", "), Code: r.Code(), Reason: letter.CancelReason,
		Online: e.OnlineLink != "", TakenOff: letter.TakenOff,
		URL: w.Site.Abs(links.Registration(w.Store.RegistrationToken(r))), EventURL: w.Site.Abs(links.Event(e.Slug)),
	}
	if e.Mode == models.ModeHybrid {
		data.Also = strings.TrimSuffix("and online: "+e.OnlinePlace, ": ")
	}
	if data.Host == "" {
		data.Host = strings.Join(e.Hosts, ", ")
	}
	if e.RegistrationRefusal(now) == nil && !data.TakenOff {
		data.Again = w.Site.Abs(links.Register(e.Slug))
	}
	if message.Subject, message.Text, message.HTML, err = l.registrations[m.Kind].Render(data); err != nil {
		return err
	}
	method := calendarMethods[m.Kind]
	if method == "" {
		return nil
	}
	entry := calendar.ForAttendee(e, w.Site)
	if method == calendar.MethodCancel {
		entry = calendar.FromEvent(e, w.Site)
	}
	entry.Organizer = calendar.Person(message.From)
	entry.Attendee = &calendar.Person{Name: r.Name, Email: r.Email}
	entry.Stamp = now
	file, err := calendar.Calendar{Method: method, Events: []calendar.Event{entry}}.Encode()
	message.Calendar = &mail.Calendar{Method: method, Data: file}
	return err
}

func (w *Worker) composeSignIn(ctx context.Context, l letters, m models.Mail, site LetterSite, message *mail.Message) error {
	id, err := pointed(m.SignInLinkID, "sign-in link")
	if err != nil {
		return err
	}
	token, err := w.Store.SignInToken(ctx, id)
	if err != nil {
		return err
	}
	message.Subject, message.Text, message.HTML, err = l.signIns[m.Kind].Render(SignInLetter{
		LetterSite: site, Name: m.RecipientName, URL: w.Site.Abs(links.SignIn(token)), AgainURL: w.Site.Abs(links.Login),
	})
	return err
}

// securityWords tell what changed of how an account signs in.
var securityWords = map[models.SecurityChange]string{
	models.PasswordSet:          "A password was set",
	models.PasswordChanged:      "The password was changed",
	models.PasswordRemoved:      "The password was removed",
	models.AuthenticatorAdded:   "An authenticator app was set up",
	models.AuthenticatorRemoved: "The authenticator app was removed",
	models.RecoveryCodesMade:    "New recovery codes were made",
	models.RecoveryCodeUsed:     "A recovery code was used",
	models.PasskeyAdded:         "A passkey was added",
	models.PasskeyRemoved:       "A passkey was removed",
	models.FactorsReset:         "Password, passkeys and authenticator app were taken away by staff",
}

func (w *Worker) composeSecurity(l letters, m models.Mail, site LetterSite, message *mail.Message) (err error) {
	what, known := securityWords[models.SecurityChange(m.Note)]
	if !known {
		return fmt.Errorf("no words for the change %q", m.Note)
	}
	message.Subject, message.Text, message.HTML, err = l.security.Render(SecurityLetter{
		LetterSite: site, Name: m.RecipientName, What: what, When: m.CreatedAt.UTC().Format("Mon 2 January 2006, 15:04 MST"),
		Ended: models.SecurityChange(m.Note) != models.RecoveryCodeUsed, URL: w.Site.Abs(links.Security), AgainURL: w.Site.Abs(links.Login),
	})
	return err
}

func (w *Worker) composePost(ctx context.Context, l letters, m models.Mail, site LetterSite, message *mail.Message) error {
	id, err := pointed(m.PostID, "post")
	if err != nil {
		return err
	}
	var reviewID int64
	if m.ReviewID != nil {
		reviewID = *m.ReviewID
	}
	letter, err := w.Store.PostLetter(ctx, id, reviewID)
	if err != nil {
		return err
	}
	data := PostLetter{
		LetterSite: site, Name: m.RecipientName, Title: letter.Title, Author: letter.Author, Reviewer: letter.Reviewer,
		Comment: letter.Comment, ChangesIn: letter.Verdict == models.PostChangesAsked, URL: w.Site.Abs(links.DeskPost(letter.ID)),
	}
	if m.Kind == models.MailPostReviewed && letter.Verdict == models.PostPublished && letter.PublishAt != nil {
		if letter.PublishAt.After(w.Store.Now()) {
			data.Scheduled, data.When = true, letter.PublishAt.UTC().Format("Mon 2 January 2006, 15:04 MST")
		} else {
			data.Published, data.URL = true, w.Site.Abs(links.Post(letter.Slug))
		}
	}
	if m.Kind == models.MailPostSubmitted {
		data.URL = w.Site.Abs(links.DeskReview(letter.ID))
	}
	message.Subject, message.Text, message.HTML, err = l.posts[m.Kind].Render(data)
	return err
}
