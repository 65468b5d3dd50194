package handlers

import (
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/models"
)

// AdminMailList is the outbox by state, and the mails that were kept instead of sent.
type AdminMailList struct {
	Layout
	Views []ListView
	Mails []AdminMailLine
	Kept  []AdminKeptLine
	Shown string // kept, waiting, sent or failed
	Pager
}

// AdminMailLine is a mail of the outbox.
type AdminMailLine struct {
	ID       int64
	Kind     string
	To       string
	State    State
	Attempts int
	Error    string
	When     time.Time
	Failed   bool
}

// AdminKeptLine is a mail that was kept as a file.
type AdminKeptLine struct {
	URL, Subject, To string
	When             time.Time
}

// AdminMailShow is one kept mail.
type AdminMailShow struct {
	Layout
	Mail     mail.Kept
	When     time.Time
	FrameURL string // of its HTML, empty when it has none
}

// keptShown is how many kept mails the desk lists.
const keptShown = 200

var mailKindWords = map[models.MailKind]string{
	models.MailRegistered: "Ticket", models.MailRegistrationLink: "Link to a registration", models.MailUnregistered: "Registration cancelled",
	models.MailEventCancelled: "Event cancelled", models.MailEventChanged: "Event changed", models.MailSignIn: "Link to sign in", models.MailInvitation: "Invitation",
	models.MailSecurity: "Change of signing in", models.MailErased: "Data erased", models.MailPostSubmitted: "Post to review", models.MailPostReviewed: "Post reviewed", models.MailTest: "Test",
}

func (a *App) listMails(c *fiber.Ctx) error {
	v := viewer(c)
	zone := location(v.Timezone)
	shown := c.Query("state")
	if shown == "" {
		shown = "waiting"
		if a.KeptMail != nil {
			shown = "kept"
		}
	}
	counts, err := a.Store.CountMails(c.UserContext())
	if err != nil {
		return err
	}
	data := AdminMailList{Layout: a.deskLayout(c, "Mail", "Mail"), Shown: shown, Pager: Pager{Page: 1, Pages: 1}}
	sent := "Sent"
	if a.KeptMail != nil {
		sent = "Done"
	}
	views := []struct {
		word, label string
		count       int
	}{
		{"waiting", "Waiting", counts[models.MailWaiting]}, {"sent", sent, counts[models.MailDone]}, {"failed", "Failed", counts[models.MailGivenUp]},
	}
	known := false
	for _, view := range views {
		data.Views = append(data.Views, ListView{URL: links.DeskMail + "?state=" + view.word, Label: view.label, Count: view.count, Current: view.word == shown})
		known = known || view.word == shown
	}
	switch {
	case known:
		page, err := pageNumber(c)
		if err != nil {
			return err
		}
		mails, total, err := a.Store.DeskMails(c.UserContext(), v, models.MailState(shown), deskPageSize, (page-1)*deskPageSize)
		if err != nil {
			return err
		}
		if data.Pager, err = newPager(links.DeskMail+"?state="+shown, page, total, deskPageSize); err != nil {
			return err
		}
		for _, m := range mails {
			data.Mails = append(data.Mails, newAdminMailLine(m, sent, zone))
		}
	case shown == "kept" && a.KeptMail != nil:
		kept, err := a.KeptMail.List(keptShown)
		if err != nil {
			return err
		}
		for _, k := range kept {
			data.Kept = append(data.Kept, AdminKeptLine{URL: links.DeskKeptMail(k.Name), Subject: k.Subject, To: k.To, When: k.Date.In(zone)})
		}
	default:
		return models.ErrNotFound
	}
	if a.KeptMail != nil {
		data.Views = append([]ListView{{URL: links.DeskMail, Label: "Kept here", Count: len(data.Kept), Current: shown == "kept"}}, data.Views...)
		if shown != "kept" {
			data.Views[0].Count = -1
		}
	}
	return show(c, http.StatusOK, a.pages.adminMailList, data)
}

func newAdminMailLine(m models.Mail, sent string, zone *time.Location) AdminMailLine {
	line := AdminMailLine{
		ID: m.ID, Kind: mailKindWords[m.Kind], To: m.Recipient, Attempts: m.Attempts, Error: m.Error, When: m.CreatedAt.In(zone),
		State: State{"Waits", ""}, Failed: m.FailedAt != nil,
	}
	switch {
	case m.FailedAt != nil:
		line.State, line.When = State{"Failed", "bad"}, m.FailedAt.In(zone)
	case m.SentAt != nil:
		line.State, line.When = State{sent, "ok"}, m.SentAt.In(zone)
	case m.Attempts > 0:
		line.State = State{"Tried, waits", "warn"}
	}
	return line
}

func (a *App) resendMail(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Store.ResendMail(c.UserContext(), viewer(c), id); err != nil {
		return err
	}
	a.flash(c, "resent")
	return seeOther(c, links.DeskMail+"?state=waiting")
}

// keptMail is the kept mail that the address names.
func (a *App) keptMail(c *fiber.Ctx) (mail.Kept, error) {
	if a.KeptMail == nil {
		return mail.Kept{}, models.ErrNotFound
	}
	kept, err := a.KeptMail.Open(c.Params("name"))
	if errors.Is(err, fs.ErrNotExist) {
		err = models.ErrNotFound
	}
	return kept, err
}

func (a *App) showKeptMail(c *fiber.Ctx) error {
	kept, err := a.keptMail(c)
	if err != nil {
		return err
	}
	data := AdminMailShow{Layout: a.deskLayout(c, "Mail", "Mail: "+kept.Subject), Mail: kept, When: kept.Date.In(location(viewer(c).Timezone))}
	if kept.HTML != "" {
		data.FrameURL = links.DeskKeptMail(kept.Name) + "/html"
	}
	c.Set(fiber.HeaderContentSecurityPolicy, contentSecurityPolicy+"; frame-src 'self'")
	return show(c, http.StatusOK, a.pages.adminMailShow, data)
}

// showKeptHTML is a mail's own HTML for the frame of its page, without any right: no scripts, no forms, no other sites.
func (a *App) showKeptHTML(c *fiber.Ctx) error {
	private(c)
	kept, err := a.keptMail(c)
	if err != nil {
		return err
	}
	if kept.HTML == "" {
		return models.ErrNotFound
	}
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-popups")
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.SendString(kept.HTML)
}
