package handlers

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/picture"
	"github.com/cdfoundation/portal/models"
)

// AdminSettings is the form of what admins say of the site.
type AdminSettings struct {
	Layout
	Version    int64
	Errors     FieldErrors
	IsStale    bool
	Stale      []StaleLine
	Names      [][]Field
	LogoNow    *Picture
	LogoID     int64
	LogoError  *FieldError
	LogoMax    int // bytes
	Foot       [][]Field
	Contacts   [][]Field
	Mails      [][]Field
	KeptInDesk bool // no mail server is set
	Retention  [][]Field

	FactorRequired bool // of staff and admins
}

// siteFields are the fields of the form, with the words by which two versions of it are compared.
var siteFields = []struct{ name, label string }{
	{"name", "Name"},
	{"short_name", "Short name"},
	{"organisation", "Organisation"},
	{"about", "About"},
	{"footer_heading", "Heading of the links"},
	{"footer_links", "Links"},
	{"legal", "Last line"},
	{"contact", "Contact"},
	{"conduct_contact", "Contact for the code of conduct"},
	{"sender_name", "Name of the sender"},
	{"sender_address", "Address of the sender"},
}

func siteFormOf(s models.Site) map[string]string {
	return map[string]string{
		"name": s.Name, "short_name": s.ShortName, "organisation": s.Organisation, "about": s.About, "footer_heading": s.FooterHeading,
		"footer_links": linkLines(s.FooterLinks), "legal": s.Legal, "contact": s.Contact, "conduct_contact": s.ConductContact,
		"sender_name": s.SenderName, "sender_address": s.SenderAddress,
	}
}

func (a *App) showSettings(c *fiber.Ctx) error {
	site, err := a.Store.Site(c.UserContext())
	if err != nil {
		return err
	}
	return a.settingsPage(c, http.StatusOK, siteFormOf(site), site, nil, nil)
}

func (a *App) saveSettings(c *fiber.Ctx) error {
	present, err := a.Store.Site(c.UserContext())
	if err != nil {
		return err
	}
	form := map[string]string{}
	for _, field := range siteFields {
		form[field.name] = typed(c, field.name)
	}
	site := models.Site{
		Version: typedID(c, "version"), Name: form["name"], ShortName: form["short_name"], Organisation: form["organisation"],
		About: form["about"], FooterHeading: form["footer_heading"], FooterLinks: typedLinks(form["footer_links"]), Legal: form["legal"],
		Contact: form["contact"], ConductContact: form["conduct_contact"], SenderName: form["sender_name"], SenderAddress: form["sender_address"],
	}
	if id := typedID(c, "logo_id"); id != 0 && typed(c, "logo_remove") == "" {
		site.Logo = &models.SiteLogo{ID: id}
	}
	logo, errs, err := a.uploadedLogo(c, cmp.Or(form["name"], present.Name))
	if err != nil {
		return err
	}
	if logo != nil {
		site.Logo = &models.SiteLogo{ID: logo.ID, Name: logo.Name, Width: logo.Width, Height: logo.Height}
	}
	if len(errs) == 0 {
		err := a.Store.SaveSite(c.UserContext(), viewer(c), site)
		switch {
		case err == nil:
			a.flash(c, "saved")
			return seeOther(c, links.DeskSettings)
		case errors.Is(err, models.ErrStale):
			if present, err = a.Store.Site(c.UserContext()); err != nil {
				return err
			}
			site.Version = present.Version
			return a.settingsPage(c, http.StatusConflict, form, site, nil, siteFormOf(present))
		case !errs.Take(err):
			return err
		}
	}
	return a.settingsPage(c, http.StatusUnprocessableEntity, form, site, errs, nil)
}

func (a *App) saveRetention(c *fiber.Ctx) error {
	var r models.Retention
	form := map[string]string{}
	for _, field := range []struct {
		name string
		days *int
	}{{"attendee_days", &r.AttendeeDays}, {"mail_days", &r.MailDays}, {"audit_days", &r.AuditDays}} {
		form[field.name] = typed(c, field.name)
		*field.days, _ = strconv.Atoi(form[field.name]) // what is no number is 0, which is refused
	}
	err := a.Store.SetRetention(c.UserContext(), viewer(c), r)
	var errs FieldErrors
	switch {
	case err == nil:
		a.flash(c, "saved")
		return seeOther(c, links.DeskSettings)
	case !errs.Take(err):
		return err
	}
	site, err := a.Store.Site(c.UserContext())
	if err != nil {
		return err
	}
	maps.Copy(form, siteFormOf(site))
	return a.settingsPage(c, http.StatusUnprocessableEntity, form, site, errs, nil)
}

func (a *App) saveSecondFactorRule(c *fiber.Ctx) error {
	if err := a.Store.RequireSecondFactor(c.UserContext(), viewer(c), typed(c, "required") == "yes"); err != nil {
		return err
	}
	a.flash(c, "saved")
	return seeOther(c, links.DeskSettings)
}

// retentionFields ask how long data is kept: what was typed, or what holds.
func (a *App) retentionFields(c *fiber.Ctx, v map[string]string, errs FieldErrors) ([][]Field, error) {
	holds, err := a.Store.Retention(c.UserContext())
	days := func(name, label, hint string, days int) Field {
		value, was := v[name]
		if !was {
			value = strconv.Itoa(days)
		}
		return Field{Name: name, Label: label, Hint: hint, Type: "text", Value: value, Max: 4, Digits: true, Required: true, Error: errs.Of(name)}
	}
	return [][]Field{
		{days("attendee_days", "Names and addresses of registrations", "After the end of their event. The numbers stay.", holds.AttendeeDays)},
		{
			days("mail_days", "Mails", "That were sent or given up.", holds.MailDays),
			days("audit_days", "The audit log", "At least 90.", holds.AuditDays),
		},
	}, err
}

// uploadedLogo keeps the logo that the form sends; what it shows is the site's name. It is nil when none was sent.
func (a *App) uploadedLogo(c *fiber.Ctx, name string) (*models.Medium, FieldErrors, error) {
	header := sentFile(c, "logo")
	if header == nil {
		return nil, nil, nil
	}
	if strings.HasSuffix(strings.ToLower(header.Filename), ".svg") {
		return nil, FieldErrors{{"logo", "Choose the logo as PNG: a file of SVG can hold scripts that would run here"}}, nil
	}
	return a.keepPicture(c, header, "logo", name, "")
}

// settingsPage shows the form with what was typed; theirs is what somebody else saved meanwhile.
func (a *App) settingsPage(c *fiber.Ctx, status int, v map[string]string, site models.Site, errs FieldErrors, theirs map[string]string) error {
	text := func(name, label, hint string, most int) Field {
		return Field{Name: name, Label: label, Hint: hint, Type: "text", Value: v[name], Max: most, Optional: true, Error: errs.Of(name)}
	}
	required := func(f Field) Field {
		f.Optional, f.Required = false, true
		return f
	}
	email := func(name, label, hint string) Field {
		f := text(name, label, hint, 254)
		f.Type = "email"
		return f
	}
	page := AdminSettings{
		Layout: a.deskLayout(c, "Settings", "Settings"), Version: site.Version, Errors: errs, LogoError: errs.Of("logo"), LogoMax: picture.MaxBytes, KeptInDesk: a.KeptMail != nil,
		Names: [][]Field{
			{required(text("name", "Name", "In titles, the header, feeds and mails.", 60))},
			{
				required(text("short_name", "Short name", "In sentences, as: the CDF community.", 20)),
				required(text("organisation", "Organisation", "Who stands behind the site, for search engines.", 100)),
			},
		},
		Foot: [][]Field{
			{text("about", "About", "A sentence under the name.", 300)},
			{text("footer_heading", "Heading of the links", "", 40)},
			{Field{
				Name: "footer_links", Label: "Links", Hint: "One a line: its words, then its address, which begins with / or https://.", Type: "area",
				Value: v["footer_links"], Rows: 5, Optional: true, Error: errs.Of("footer_links"),
			}},
			{text("legal", "Last line", "Such as the licence of what is written here.", 300)},
		},
		Contacts: [][]Field{
			{email("contact", "Contact", "At the foot of every page, on error pages and in security.txt. Empty: the sender of mails, "+cmp.Or(site.SenderAddress, a.Contact)+".")},
			{email("conduct_contact", "Contact for the code of conduct", "On its page, at the foot of every page and where people register. Empty: the contact.")},
		},
		Mails: [][]Field{
			{text("sender_name", "Name of the sender", "Empty: as PORTAL_MAIL_FROM says.", 100)},
			{email("sender_address", "Address of the sender", "The mail server must allow it. Empty: as PORTAL_MAIL_FROM says.")},
		},
	}
	var err error
	if page.Retention, err = a.retentionFields(c, v, errs); err != nil {
		return err
	}
	if page.FactorRequired, err = a.Store.SecondFactorRequired(c.UserContext()); err != nil {
		return err
	}
	if site.Logo != nil && site.Logo.Name == "" {
		// What the form sent is only an id; the picture that it shows is the one that is kept.
		if kept := a.site(c).Logo; kept != nil && kept.ID == site.Logo.ID {
			site.Logo = kept
		}
	}
	if site.Logo != nil && site.Logo.Name != "" {
		page.LogoID, page.LogoNow = site.Logo.ID, &Picture{URL: links.Media(site.Logo.Name), Alt: "The present logo", Width: site.Logo.Width, Height: site.Logo.Height}
	}
	if theirs != nil {
		page.IsStale = true
		for _, field := range siteFields {
			if v[field.name] != theirs[field.name] {
				page.Stale = append(page.Stale, StaleLine{field.label, v[field.name], theirs[field.name]})
			}
		}
	}
	page.Scripts = append(page.Scripts, "js/form.js", "js/upload.js")
	return show(c, status, a.pages.adminSettings, page)
}
