package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/templates"
)

// AdminSetup walks an operator through what a new portal needs.
type AdminSetup struct {
	Layout
	Heading string
	Begun   bool
	Over    bool // nothing is left
	Steps   []SetupLine
}

// SetupLine is a step: what it is about, how it stands, and what can be done.
type SetupLine struct {
	Name    models.SetupStep
	Number  int
	Heading string
	Words   string
	Done    bool
	Next    bool         // the first that is not done
	Later   bool         // put off, not done
	Parts   []HealthPart // what was looked at
	Links   []NavLink
	Button  *SetupButton
	Danger  *SetupButton // asked once more
	Settle  string       // what to call it done in spite of it; empty: it is
}

// SetupButton is a form of one button.
type SetupButton struct{ Action, Label string }

func (a *App) showSetup(c *fiber.Ctx) error {
	steps, setup, err := a.setupLines(c)
	if err != nil {
		return err
	}
	page := AdminSetup{Heading: setupHeading(steps), Begun: setup.Begun && !setup.Closed, Over: stepsLeft(steps) == 0, Steps: steps}
	page.Layout = a.deskLayout(c, "Setting up", page.Heading)
	return show(c, http.StatusOK, a.pages.adminSetup, page)
}

func setupHeading(steps []SetupLine) string {
	switch left := stepsLeft(steps); left {
	case 0:
		return "The portal is set up"
	case len(steps):
		return "Make the portal yours in " + templates.Plural(left, "step", "steps")
	default:
		return templates.Plural(left, "step", "steps") + " left to set up the portal"
	}
}

func stepsLeft(steps []SetupLine) (left int) {
	for _, s := range steps {
		if !s.Done {
			left++
		}
	}
	return left
}

// setupLines are the steps as they stand.
func (a *App) setupLines(c *fiber.Ctx) ([]SetupLine, models.Setup, error) {
	setup, err := a.Store.Setup(c.UserContext(), viewer(c))
	if err != nil {
		return nil, setup, err
	}
	settled := func(step models.SetupStep) bool { return slices.Contains(setup.Settled, step) }
	site := a.site(c)
	contacts := site.ContactAddress(a.Contact)
	if conduct := site.ConductAddress(a.Contact); conduct != contacts {
		contacts += ", and about the code of conduct to " + conduct
	}
	mail, mailWorks := a.setupMail(setup)
	address := a.addressParts(c)
	addressWell := !slices.ContainsFunc(address, func(p HealthPart) bool { return p.State != wellState })
	people := "Nobody but you may use the desk yet. Staff review posts and look after events; ambassadors write."
	if setup.Staff > 0 {
		people = templates.Plural(int(setup.Staff), "other person may", "other people may") + " use the desk."
	}
	content := SetupLine{
		Name: models.SetupContent, Heading: "Content", Words: "No sample content is left: what stands on the site is yours.", Done: setup.Samples == 0,
		Links: []NavLink{{URL: links.Home, Label: "Look at the site"}},
	}
	if setup.Samples > 0 {
		content.Words = "The site shows " + templates.Plural(int(setup.Samples), "thing", "things") + " marked as a sample: posts, events, groups and profiles, so that you see how it looks in use. Take them away before people come, or keep them a while."
		content.Danger = &SetupButton{links.DeskSetup + "/sample", "Remove the sample content"}
		content.Settle = "Keep it"
	}
	backups := SetupLine{
		Name: models.SetupBackup, Heading: "Backups", Words: "One is made every night and restored as a test. Make the first now, and keep copies on another machine.", Done: setup.BackedUp,
		Links: []NavLink{{URL: links.DeskBackups, Label: "The plan"}}, Button: &SetupButton{links.DeskBackups, "Back up now"}, Settle: "The machine is backed up otherwise",
	}
	if setup.BackedUp {
		backups.Words, backups.Button = "There is a good one, and it was restored as a test. Keep copies on another machine.", nil
	}
	steps := []SetupLine{
		{
			Name: models.SetupSite, Heading: "Name and contacts", Done: setup.SiteSaved, Settle: "It is right as it is",
			Words: "The site is called " + site.Name + ". People write to " + contacts + ".",
			Links: []NavLink{{URL: links.DeskSettings, Label: "Change it"}},
		},
		{
			Name: models.SetupMail, Heading: "Mail", Words: "Tickets and links to sign in go by mail.", Done: mailWorks, Parts: mail,
			Button: &SetupButton{links.DeskSetup + "/mail", "Send me a test mail"}, Links: []NavLink{{URL: links.DeskSettings + "#sender_name", Label: "The sender"}}, Settle: "Leave it for now",
		},
		{
			Name: models.SetupAddress, Heading: "Address and proxy", Words: "How your browser got here, beside what the portal was told.", Done: addressWell, Parts: address,
			Links: []NavLink{{URL: links.DeskSetup, Label: "Look again"}}, Settle: "It is meant so",
		},
		backups, content,
		{
			Name: models.SetupPeople, Heading: "People", Words: people, Done: setup.Staff > 0, Links: []NavLink{{URL: links.DeskPeople + "/new", Label: "Invite somebody"}}, Settle: "Later",
		},
	}
	next := true
	for i := range steps {
		steps[i].Number = i + 1
		if !steps[i].Done && settled(steps[i].Name) {
			steps[i].Done, steps[i].Later = true, steps[i].Name == models.SetupMail || steps[i].Name == models.SetupPeople
		}
		steps[i].Next, next = next && !steps[i].Done, next && steps[i].Done
		if steps[i].Done {
			steps[i].Settle = ""
		}
	}
	return steps, setup, nil
}

// setupMail tells how mails are sent, and what became of the test.
func (a *App) setupMail(setup models.Setup) (parts []HealthPart, works bool) {
	server := HealthPart{Name: "Server", Facts: "A mail server is set", State: wellState}
	if a.KeptMail != nil {
		server = HealthPart{
			Name: "Server", Facts: "None is set: mails are kept on this machine", State: poorState,
			Do: "Set PORTAL_SMTP_URL, such as smtp://user:password@mail.example.org:587, and start the portal again.", URL: links.DeskMail, Label: "See the kept mails",
		}
	}
	parts = append(parts, server)
	m := setup.TestMail
	if m == nil {
		return parts, false
	}
	test := HealthPart{Name: "Test", Facts: "On its way to " + m.Recipient, State: State{"Waits", ""}, URL: links.DeskSetup, Label: "Look again"}
	switch {
	case m.SentAt != nil && a.KeptMail != nil:
		test.Facts, test.State = "Kept on this machine, as all mails are", poorState
		test.URL, test.Label = links.DeskMail, "Read it"
	case m.SentAt != nil:
		test.Facts, test.State = "The server took the mail to "+m.Recipient, wellState
		test.Do, test.URL, test.Label = "See whether it arrived, and not among the unwanted ones.", "", ""
		works = true
	case m.FailedAt != nil:
		test.Facts, test.State, test.Do = "It was given up: "+shortened(m.Error, 200), sickState, "Mend PORTAL_SMTP_URL or the sender, then send another."
	case m.Error != "":
		test.Facts, test.State, test.Do = "It did not work yet: "+shortened(m.Error, 200), poorState, "It is tried again. Mend PORTAL_SMTP_URL or the sender, then send another."
	}
	return append(parts, test), works
}

// addressParts compare the request with what the portal was told of its address.
func (a *App) addressParts(c *fiber.Ctx) []HealthPart {
	told, err := url.Parse(a.Site.Base())
	if err != nil {
		told = &url.URL{}
	}
	address := HealthPart{Name: "Address", Facts: "Links in mails and feeds begin with " + a.Site.Base(), State: wellState}
	if !strings.EqualFold(string(c.Request().Host()), told.Host) && !strings.EqualFold(c.Hostname(), told.Host) {
		address.Facts += ", and your browser asked " + c.Hostname()
		address.State, address.Do = sickState, "Set PORTAL_BASE_URL to the address that people use, such as https://community.example.org, and start the portal again."
	}
	encrypted := HealthPart{Name: "Encryption", Facts: "Browsers are led to HTTPS", State: wellState}
	local := told.Hostname() == "localhost" || strings.HasPrefix(told.Hostname(), "127.") || told.Hostname() == "::1"
	switch {
	case a.Site.Secure() && c.Protocol() != "https":
		encrypted.Facts, encrypted.State = "The address begins with https, and this request did not come by it", poorState
		encrypted.Do = "Let the proxy set X-Forwarded-Proto, and name its network in PORTAL_TRUSTED_PROXIES."
	case !a.Site.Secure() && local:
		encrypted.Facts = "None, and none is needed on your own machine"
	case !a.Site.Secure():
		encrypted.Facts, encrypted.State = "The address begins with http: whoever is on the way can read links to sign in", sickState
		encrypted.Do = "Put a proxy with a certificate before the portal, and set PORTAL_BASE_URL to the https address."
	}
	proxy := HealthPart{Name: "Proxy", Facts: "No proxy speaks for your browser", State: wellState}
	forwarded := c.Get(fiber.HeaderXForwardedFor) != ""
	switch {
	case forwarded && c.IsProxyTrusted():
		proxy.Facts = "A proxy that you trust says that you are at " + a.client(c)
	case forwarded:
		proxy.Facts, proxy.State = "A proxy speaks for your browser, and it is not one that you trust", poorState
		proxy.Do = "Name its network in PORTAL_TRUSTED_PROXIES: until then everybody is one and the same client, and limits hit all together."
	}
	return []HealthPart{address, encrypted, proxy}
}

// settleSetup calls a step done, or closes the whole.
func (a *App) settleSetup(c *fiber.Ctx) error {
	step := models.SetupStep(typed(c, "step"))
	if step == "all" {
		if err := a.Store.CloseSetup(c.UserContext(), viewer(c)); err != nil {
			return err
		}
		a.flash(c, "setup-closed")
		return seeOther(c, links.Desk)
	}
	if err := a.Store.SettleSetup(c.UserContext(), viewer(c), step); err != nil {
		return err
	}
	return seeOther(c, links.DeskSetup)
}

func (a *App) sendTestMail(c *fiber.Ctx) error {
	if err := a.Store.SendTestMail(c.UserContext(), viewer(c)); err != nil {
		return err
	}
	return seeOther(c, links.DeskSetup+"#mail")
}

func (a *App) clearSample(c *fiber.Ctx) error {
	if _, err := a.Store.ClearSample(c.UserContext(), viewer(c)); err != nil {
		return err
	}
	a.flash(c, "sample-gone")
	return seeOther(c, links.DeskSetup)
}

// setupNeed reminds an admin of the steps that are left.
func (a *App) setupNeed(c *fiber.Ctx) ([]Need, error) {
	if begun, err := a.Store.SetupBegun(c.UserContext()); err != nil || !begun {
		return nil, err
	}
	steps, _, err := a.setupLines(c)
	left := stepsLeft(steps)
	if err != nil || left == 0 {
		return nil, err
	}
	var names []string
	for _, s := range steps {
		if !s.Done {
			names = append(names, strings.ToLower(s.Heading[:1])+s.Heading[1:])
		}
	}
	return []Need{{Icon: "settings", What: setupHeading(steps), Why: "To do: " + listed(names), URL: links.DeskSetup, Action: "Set it up"}}, nil
}
