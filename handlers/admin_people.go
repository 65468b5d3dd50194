package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/templates"
)

// AdminPersonList is the desk's list of accounts.
type AdminPersonList struct {
	Layout
	Views  []ListView
	Query  string
	Role   string
	People []AdminPersonLine
	Pager
}

// AdminPersonLine is an account in the list.
type AdminPersonLine struct {
	URL, Name, Email, Role string
	Face                   Face
	Profile                string
	Draft                  bool
	Seen                   *time.Time
}

// AdminPersonNew is the form for a new account.
type AdminPersonNew struct {
	Layout
	Name, Email, Role, Profile Field
	Groups                     []Option
	Errors                     FieldErrors
}

// AdminPersonShow is one account.
type AdminPersonShow struct {
	Layout
	URL, Name, Email, RoleWord string
	Face                       Face
	Version                    int64
	Role                       Field
	MayChange                  bool // its role
	Since                      time.Time
	Seen                       *time.Time
	ProfileURL, ProfileName    string
	ProfileDraft               bool
	Profile                    *Field // to join one, nil when it has one
	Groups                     []string
	SignsIn, SecondFactor      string // how, in words
	AuditURL, EraseURL         string // for admins
	Errors                     FieldErrors
}

func (a *App) listPeople(c *fiber.Ctx) error {
	v := viewer(c)
	page, err := pageNumber(c)
	if err != nil {
		return err
	}
	role, query := models.Role(c.Query("role")), strings.TrimSpace(c.Query("q"))
	if role != "" && !slices.Contains(models.Roles, role) {
		return models.ErrNotFound
	}
	people, total, byRole, err := a.Store.People(c.UserContext(), v, models.PeopleFilter{Role: role, Query: query, Limit: deskPageSize, Offset: (page - 1) * deskPageSize})
	if err != nil {
		return err
	}
	data := AdminPersonList{Layout: a.deskLayout(c, "People", "People"), Query: query, Role: string(role)}
	all := 0
	for _, n := range byRole {
		all += n
	}
	data.Views = append(data.Views, ListView{URL: listURL(links.DeskPeople, "q", query), Label: "All", Count: all, Current: role == ""})
	for _, r := range slices.Backward(models.Roles) {
		data.Views = append(data.Views, ListView{
			URL: listURL(links.DeskPeople, "role", string(r), "q", query), Label: rolesWords[r], Count: byRole[r], Current: r == role,
		})
	}
	if data.Pager, err = newPager(listURL(links.DeskPeople, "role", string(role), "q", query), page, total, deskPageSize); err != nil {
		return err
	}
	for _, p := range people {
		data.People = append(data.People, AdminPersonLine{
			URL: links.DeskPerson(p.ID), Name: p.Name, Email: p.Email, Role: roleWord(p.Role, p.Groups > 0), Face: newFace(p.Name, ""),
			Profile: p.AmbassadorName, Draft: p.AmbassadorStatus == models.AmbassadorDraft, Seen: inZone(p.SeenAt, location(v.Timezone)),
		})
	}
	return show(c, http.StatusOK, a.pages.adminPersonList, data)
}

var rolesWords = map[models.Role]string{
	models.RoleAttendee: "Attendees", models.RoleAmbassador: "Ambassadors", models.RoleStaff: "Staff", models.RoleAdmin: "Admins",
}

func inZone(t *time.Time, zone *time.Location) *time.Time {
	if t == nil {
		return nil
	}
	local := t.In(zone)
	return &local
}

func (a *App) newPerson(c *fiber.Ctx) error {
	return a.personForm(c, http.StatusOK, models.NewUser{Role: models.RoleAmbassador}, nil)
}

func (a *App) personForm(c *fiber.Ctx, status int, n models.NewUser, errs FieldErrors) error {
	choices, err := a.Store.PeopleChoices(c.UserContext())
	if err != nil {
		return err
	}
	data := AdminPersonNew{
		Layout: a.deskLayout(c, "People", "New account"), Errors: errs,
		Name:  Field{Name: "name", Label: "Name", Type: "text", Value: n.Name, Max: 200, Required: true, Error: errs.Of("name")},
		Email: Field{Name: "email", Label: "E-mail", Type: "email", Value: n.Email, Max: 254, Required: true, Hint: "A link to sign in is mailed to it.", Error: errs.Of("email")},
		Role:  Field{Name: "role", Label: "Role", Options: roleOptions(viewer(c), n.Role), Error: errs.Of("role")},
		Profile: Field{
			Name: "profile", Label: "Ambassador’s profile", Options: profileOptions(choices.Profiles, n.Profile, "A new draft, for an ambassador"),
			Hint: "Join one that has no account yet.", Optional: true, Error: errs.Of("profile"),
		},
	}
	data.Scripts = append(data.Scripts, "js/form.js")
	for _, g := range choices.Groups {
		data.Groups = append(data.Groups, Option{Value: g.Slug, Label: g.Name, Selected: slices.Contains(n.Groups, g.Slug)})
	}
	return show(c, status, a.pages.adminPersonNew, data)
}

func roleOptions(v models.Viewer, chosen models.Role) (options []Option) {
	for _, role := range v.MayGive() {
		options = append(options, Option{Value: string(role), Label: roleWords[role], Selected: role == chosen})
	}
	return options
}

func profileOptions(profiles []models.Ambassador, chosen, none string) []Option {
	options := []Option{{Value: "", Label: none, Selected: chosen == ""}}
	for _, p := range profiles {
		options = append(options, Option{Value: p.Slug, Label: p.Name, Selected: p.Slug == chosen})
	}
	return options
}

func (a *App) invitePerson(c *fiber.Ctx) error {
	n := models.NewUser{
		Name: typed(c, "name"), Email: typed(c, "email"), Role: models.Role(typed(c, "role")), Profile: typed(c, "profile"), Groups: typedAll(c, "groups"),
	}
	var errs FieldErrors
	if n.Name == "" || utf8.RuneCountInString(n.Name) > 200 {
		errs.Add("name", "Enter the person’s name, of up to 200 letters")
	}
	if _, err := models.ParseEmail(n.Email); err != nil {
		errs.Add("email", "Enter their e-mail address, such as ana@example.org")
	}
	if !slices.Contains(viewer(c).MayGive(), n.Role) {
		errs.Add("role", "Choose a role that you may give")
	}
	if n.Profile != "" && n.Role == models.RoleAttendee {
		errs.Add("profile", "An attendee has no profile: choose the role of an ambassador, or no profile")
	}
	if len(errs) > 0 {
		return a.personForm(c, http.StatusUnprocessableEntity, n, errs)
	}
	user, err := a.Store.Invite(c.UserContext(), viewer(c), n)
	switch {
	case errors.Is(err, models.ErrEmailTaken):
		errs.Add("email", "This address has an account already")
	case errors.Is(err, models.ErrNotFound) || errors.Is(err, models.ErrConflict):
		errs.Add("profile", "Choose a profile without an account, and groups that exist")
	case err != nil:
		return err
	default:
		a.flash(c, "invited")
		return seeOther(c, links.DeskPerson(user.ID))
	}
	return a.personForm(c, http.StatusUnprocessableEntity, n, errs)
}

func (a *App) showPerson(c *fiber.Ctx) error { return a.personPage(c, http.StatusOK, nil) }

func (a *App) personPage(c *fiber.Ctx, status int, errs FieldErrors) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	v := viewer(c)
	p, groups, err := a.Store.PersonByID(c.UserContext(), v, id)
	if err != nil {
		return err
	}
	zone := location(v.Timezone)
	data := AdminPersonShow{
		Layout: a.deskLayout(c, "People", p.Name), URL: links.DeskPerson(id), Name: p.Name, Email: p.Email, RoleWord: roleWords[p.Role], Face: newFace(p.Name, ""),
		Version: p.Version, MayChange: slices.Contains(v.MayGive(), p.Role), Since: p.CreatedAt.In(zone), Seen: inZone(p.SeenAt, zone), Groups: groups, Errors: errs,
		Role: Field{Name: "role", Label: "Role", Options: roleOptions(v, p.Role), Error: errs.Of("role"), Hint: "It holds from the next click on, in every browser of theirs."},
	}
	data.Scripts = append(data.Scripts, "js/form.js")
	factors, err := a.Store.FactorsOf(c.UserContext(), v, models.User{ID: id, Role: p.Role})
	if err != nil {
		return err
	}
	data.SignsIn, data.SecondFactor = personFactors(factors)
	if v.Can(models.ReadAudit, models.Object{}) {
		data.AuditURL = listURL(links.DeskAudit, "who", p.Email)
	}
	if v.Can(models.EraseOthers, models.Object{}) {
		data.EraseURL = links.DeskPersonErasure(id)
	}
	if p.AmbassadorID != 0 {
		data.ProfileURL, data.ProfileName, data.ProfileDraft = links.DeskAmbassador(p.AmbassadorID), p.AmbassadorName, p.AmbassadorStatus == models.AmbassadorDraft
	}
	if p.Role != models.RoleAttendee && (p.AmbassadorID == 0 || data.ProfileDraft) {
		choices, err := a.Store.PeopleChoices(c.UserContext())
		if err != nil {
			return err
		}
		if len(choices.Profiles) > 0 {
			data.Profile = &Field{
				Name: "profile", Label: "Join a profile", Options: profileOptions(choices.Profiles, "", "Choose one"), Error: errs.Of("profile"),
				Hint: "One that has no account yet. An empty draft of theirs gives way.",
			}
		}
	}
	return show(c, status, a.pages.adminPersonShow, data)
}

// personFactors tell how somebody signs in, and what their second factor is.
func personFactors(f models.Factors) (signsIn, second string) {
	signsIn = "By mailed links; no password is set"
	if f.Password != nil {
		signsIn = "By mailed links, or with a password"
	}
	var factors []string
	if f.Authenticator != nil {
		factors = append(factors, "an authenticator app")
	}
	if n := len(f.Passkeys); n > 0 {
		factors = append(factors, templates.Plural(n, "passkey", "passkeys"))
	}
	switch {
	case len(factors) > 0:
		return signsIn, strings.Join(factors, " and ") + ", with " + templates.Plural(f.RecoveryCodes, "recovery code", "recovery codes") + " left"
	case f.Required:
		return signsIn, "none, so the desk is closed to them until they set one up"
	}
	return signsIn, "none"
}

func (a *App) setRole(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	err = a.Store.SetRole(c.UserContext(), viewer(c), id, typedID(c, "version"), models.Role(typed(c, "role")))
	var errs FieldErrors
	switch {
	case errors.Is(err, models.ErrLastAdmin):
		errs.Add("role", "Make somebody else an admin first: this is the last one")
	case errors.Is(err, models.ErrStale):
		errs.Add("role", "Somebody else changed this account in the meantime; look at it again")
	case err != nil:
		return err
	default:
		a.flash(c, "saved")
		return seeOther(c, links.DeskPerson(id))
	}
	return a.personPage(c, http.StatusConflict, errs)
}

func (a *App) linkProfile(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	err = a.Store.LinkProfile(c.UserContext(), viewer(c), id, typed(c, "profile"))
	if errors.Is(err, models.ErrConflict) {
		var errs FieldErrors
		errs.Add("profile", "Either has its match already; choose another")
		return a.personPage(c, http.StatusConflict, errs)
	}
	if err != nil {
		return err
	}
	a.flash(c, "saved")
	return seeOther(c, links.DeskPerson(id))
}

func (a *App) endPersonSessions(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Store.EndSessions(c.UserContext(), viewer(c), id); err != nil {
		return err
	}
	a.flash(c, "person-out")
	return seeOther(c, links.DeskPerson(id))
}

func (a *App) mailPersonLink(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Store.MailSignIn(c.UserContext(), viewer(c), id); err != nil {
		return err
	}
	a.flash(c, "link-mailed")
	return seeOther(c, links.DeskPerson(id))
}

func (a *App) resetPersonFactors(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Store.ResetFactors(c.UserContext(), viewer(c), id); err != nil {
		return err
	}
	a.flash(c, "factors-reset")
	return seeOther(c, links.DeskPerson(id))
}
