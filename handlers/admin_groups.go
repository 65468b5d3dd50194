package handlers

import (
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// AdminGroupList is the list of the groups that somebody may edit.
type AdminGroupList struct {
	Layout
	Query  string
	Staff  bool
	Groups []AdminGroupLine
}

// AdminGroupLine is a group in the desk's list.
type AdminGroupLine struct {
	URL, Name, Place   string
	Listed, Sample     bool
	Organisers, Coming int
}

func (a *App) listDeskGroups(c *fiber.Ctx) error {
	v := viewer(c)
	rows, err := a.Store.DeskGroups(c.UserContext(), v, typedQuery(c))
	if err != nil {
		return err
	}
	page := AdminGroupList{Layout: a.deskLayout(c, "Groups", "Groups"), Query: typedQuery(c), Staff: v.Can(models.ManageGroups, models.Object{})}
	for _, row := range rows {
		page.Groups = append(page.Groups, AdminGroupLine{
			URL: links.DeskGroup(row.ID), Name: row.Name, Place: placeWords(row.City, row.Country), Listed: row.Status == models.GroupListed,
			Sample: row.Sample, Organisers: row.Organisers, Coming: row.Coming,
		})
	}
	return show(c, http.StatusOK, a.pages.adminGroupList, page)
}

// AdminGroupEdit is the editor of a group.
type AdminGroupEdit struct {
	Layout
	Heading, Action, Version, DraftKey string
	Errors                             FieldErrors
	Stale                              []StaleLine
	IsStale                            bool
	Rows                               [][]Field
	Zones                              []string
	Body                               template.HTML
	Stored, Listed, Staff              bool
	PublicURL, NewEventURL, StatusURL  string
	Organisers                         []AdminOrganiser
	Organiser                          Field
	OrganisersURL                      string
	Profiles                           []models.ProfileChoice
}

// AdminOrganiser is somebody who runs a group.
type AdminOrganiser struct {
	Name, Note, RemoveURL string
	Initials              string
	Hue                   int
}

// groupFields are the fields of a group's form, with the words by which two versions of it are compared.
var groupFields = []struct{ name, label string }{
	{"name", "Name"},
	{"slug", "Address"},
	{"city", "City"},
	{"country", "Country"},
	{"latitude", "Latitude"},
	{"longitude", "Longitude"},
	{"timezone", "Time zone"},
	{"language", "Language"},
	{"topics", "Topics"},
	{"links", "Links"},
	{"body", "About"},
}

func typedGroup(c *fiber.Ctx) map[string]string {
	form := map[string]string{}
	for _, field := range groupFields {
		form[field.name] = typed(c, field.name)
	}
	return form
}

func groupFormOf(g models.Group) map[string]string {
	return map[string]string{
		"name": g.Name, "slug": g.Slug, "city": g.City, "country": g.Country, "latitude": degrees(g.Latitude), "longitude": degrees(g.Longitude),
		"timezone": g.Timezone, "language": g.Language, "topics": strings.Join(g.Topics, ", "), "links": linkLines(g.Links), "body": g.Markdown,
	}
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func groupInput(v map[string]string) (models.GroupInput, FieldErrors) {
	var errs FieldErrors
	in := models.GroupInput{
		Slug: v["slug"], Name: v["name"], City: v["city"], Country: v["country"], Timezone: v["timezone"], Language: v["language"],
		Links: typedLinks(v["links"]), Markdown: v["body"],
	}
	for topic := range strings.SplitSeq(v["topics"], ",") {
		if topic = strings.TrimSpace(topic); topic != "" {
			in.Topics = append(in.Topics, topic)
		}
	}
	coordinate := func(field, message string) float64 {
		value, err := strconv.ParseFloat(v[field], 64)
		if err != nil {
			errs.Add(field, message)
		}
		return value
	}
	in.Latitude = coordinate("latitude", "Write degrees north of the equator, such as 52.52")
	in.Longitude = coordinate("longitude", "Write degrees east of Greenwich, such as 13.41")
	return in, errs
}

func (a *App) newGroup(c *fiber.Ctx) error {
	return a.groupEditor(c, http.StatusOK, nil, map[string]string{"language": "en", "timezone": "UTC"}, nil, nil)
}

func (a *App) editGroup(c *fiber.Ctx) error {
	group, err := a.deskGroup(c)
	if err != nil {
		return err
	}
	return a.groupEditor(c, http.StatusOK, &group, groupFormOf(group.Group), nil, nil)
}

// deskGroup is the group that the address names, if the viewer may edit it.
func (a *App) deskGroup(c *fiber.Ctx) (models.DeskGroup, error) {
	id, err := paramID(c, "id")
	if err != nil {
		return models.DeskGroup{}, err
	}
	return a.Store.DeskGroup(c.UserContext(), viewer(c), id)
}

// groupEditor shows the form with what was typed. group is nil for a new one; theirs is what somebody else saved.
func (a *App) groupEditor(c *fiber.Ctx, status int, group *models.DeskGroup, v map[string]string, errs FieldErrors, theirs map[string]string) error {
	page := AdminGroupEdit{
		Layout: a.deskLayout(c, "Groups", "New group"), Heading: "New group", Action: links.DeskGroups, Version: "0", DraftKey: "group-new", Errors: errs,
		Zones: zones, Staff: viewer(c).Can(models.ManageGroups, models.Object{}), Rows: groupRows(v, errs),
	}
	page.Scripts = append(page.Scripts, "js/form.js", "js/editor.js")
	if theirs != nil {
		page.IsStale = true
		for _, field := range groupFields {
			if v[field.name] != theirs[field.name] {
				page.Stale = append(page.Stale, StaleLine{field.label, v[field.name], theirs[field.name]})
			}
		}
	}
	if group != nil {
		id := strconv.FormatInt(group.ID, 10)
		page.Title, page.Heading, page.Action, page.Version, page.DraftKey = group.Name+", edit group", group.Name, links.DeskGroup(group.ID), strconv.FormatInt(group.Version, 10), "group-"+id
		page.Stored, page.Listed, page.PublicURL = true, group.Status == models.GroupListed, links.Group(group.Slug)
		page.NewEventURL, page.StatusURL, page.OrganisersURL = links.DeskEvents+"/new?group="+id, links.DeskGroup(group.ID)+"/status", links.DeskGroup(group.ID)+"/organisers"
		for _, o := range group.Organisers {
			page.Organisers = append(page.Organisers, AdminOrganiser{
				Name: o.Name, Note: organiserNote(o), RemoveURL: page.OrganisersURL + "/" + strconv.FormatInt(o.ID, 10) + "/removal",
				Initials: newFace(o.Name, "").Initials, Hue: newFace(o.Name, "").Hue,
			})
		}
		if page.Staff {
			var err error
			if page.Profiles, err = a.Store.ProfileChoices(c.UserContext()); err != nil {
				return err
			}
		}
		page.Organiser = Field{
			Name: "organiser", Label: "Add somebody", Hint: "An account's e-mail address, or the end of a profile's address.", Type: "text", Value: typed(c, "organiser"),
			Max: 254, List: "profiles", Required: true, Error: errs.Of("organiser"),
		}
	}
	rendered, err := a.Store.Preview(c.UserContext(), v["body"])
	if err != nil && !errors.Is(err, models.ErrInvalid) {
		return err
	}
	page.Body = blessed(rendered.HTML)
	return show(c, status, a.pages.adminGroupEdit, page)
}

func organiserNote(o models.DeskOrganiser) string {
	if o.Email == "" {
		return "No account yet"
	}
	return o.Email
}

func groupRows(v map[string]string, errs FieldErrors) [][]Field {
	text := func(name, label, hint string, required bool) Field {
		return Field{Name: name, Label: label, Hint: hint, Type: "text", Value: v[name], Max: 300, Required: required, Optional: !required, Error: errs.Of(name)}
	}
	choice := func(name, label string, options []Option) Field {
		return Field{Name: name, Label: label, Type: "select", Options: options, Error: errs.Of(name)}
	}
	area := func(name, label, hint string, rows int) Field {
		return Field{Name: name, Label: label, Hint: hint, Type: "area", Value: v[name], Rows: rows, Optional: true, Error: errs.Of(name)}
	}
	zone := text("timezone", "Time zone", "A region and a city, such as Europe/Berlin.", true)
	zone.List = "zones"
	return [][]Field{
		{text("name", "Name", "", true)},
		{text("slug", "Address", "The last part of the group's web address. Empty: made of the name.", false)},
		{text("city", "City", "", true), choice("country", "Country", countryOptions(v["country"]))},
		{text("latitude", "Latitude", "Degrees north, such as 52.52.", true), text("longitude", "Longitude", "Degrees east, such as 13.41.", true)},
		{zone, choice("language", "Language", languageOptions(v["language"]))},
		{text("topics", "Topics", "With commas between them.", false)},
		{area("links", "Links", "One a line: its words, then its address.", 2)},
		{area("body", "About", "In Markdown: **bold**, [words](address).", 6)},
	}
}

func (a *App) createGroup(c *fiber.Ctx) error {
	form := typedGroup(c)
	in, errs := groupInput(form)
	if len(errs) == 0 {
		group, err := a.Store.CreateGroup(c.UserContext(), viewer(c), in)
		if err == nil {
			a.flash(c, "group-created")
			return seeOther(c, links.DeskGroup(group.ID))
		}
		var ok bool
		if errs, ok = mendable(err); !ok {
			return err
		}
	}
	return a.groupEditor(c, http.StatusUnprocessableEntity, nil, form, errs, nil)
}

func (a *App) saveGroup(c *fiber.Ctx) error {
	group, err := a.deskGroup(c)
	if err != nil {
		return err
	}
	form, version := typedGroup(c), typedID(c, "version")
	in, errs := groupInput(form)
	if len(errs) == 0 {
		err = a.Store.UpdateGroup(c.UserContext(), viewer(c), group.ID, version, in)
		if err == nil {
			a.flash(c, "saved")
			return seeOther(c, links.DeskGroup(group.ID))
		}
		if errors.Is(err, models.ErrStale) {
			return a.groupEditor(c, http.StatusConflict, &group, form, nil, groupFormOf(group.Group))
		}
		var ok bool
		if errs, ok = mendable(err); !ok {
			return err
		}
	}
	group.Version = version
	return a.groupEditor(c, http.StatusUnprocessableEntity, &group, form, errs, nil)
}

func (a *App) setGroupStatus(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	status, name := models.GroupDelisted, "group-delisted"
	if typed(c, "status") == string(models.GroupListed) {
		status, name = models.GroupListed, "group-listed"
	}
	if err := a.Store.SetGroupStatus(c.UserContext(), viewer(c), id, status); err != nil {
		return err
	}
	a.flash(c, name)
	return seeOther(c, links.DeskGroup(id))
}

func (a *App) addOrganiser(c *fiber.Ctx) error {
	group, err := a.deskGroup(c)
	if err != nil {
		return err
	}
	err = a.Store.AddOrganiser(c.UserContext(), viewer(c), group.ID, typed(c, "organiser"))
	if errs, ok := mendable(err); ok {
		return a.groupEditor(c, http.StatusUnprocessableEntity, &group, groupFormOf(group.Group), errs, nil)
	}
	if err != nil {
		return err
	}
	a.flash(c, "organiser-added")
	return seeOther(c, links.DeskGroup(group.ID))
}

func (a *App) removeOrganiser(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	organiser, err := paramID(c, "organiser")
	if err != nil {
		return err
	}
	if err := a.Store.RemoveOrganiser(c.UserContext(), viewer(c), id, organiser); err != nil {
		return err
	}
	a.flash(c, "organiser-removed")
	return seeOther(c, links.DeskGroup(id))
}
