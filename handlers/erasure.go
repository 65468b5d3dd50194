package handlers

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/templates"
)

// AccountErasure asks a person once more before everything of theirs is erased.
type AccountErasure struct {
	Layout
	LastAdmin bool
	Words     ErasureWords
	Sure      SureField
	Errors    FieldErrors
}

// AdminPersonErasure asks an admin the same about somebody else.
type AdminPersonErasure struct {
	Layout
	URL, Name string
	LastAdmin bool
	Words     ErasureWords
	Sure      SureField
	Errors    FieldErrors
}

// ErasureWords says what an erasure takes and leaves.
type ErasureWords struct {
	Goes, Stays []string
}

// SureField is a box to tick before what cannot be taken back.
type SureField struct {
	Label string
	Error *FieldError
}

// newErasureWords tells what erasing an account does, to its owner or to an admin.
func newErasureWords(e models.Erasure, own bool) ErasureWords {
	whose, capital, to, person, address := "your", "Your", "you", "you", ""
	if !own {
		whose, capital, to, person, address = "their", "Their", "them", "they", " "+e.User.Email
	}
	w := ErasureWords{Goes: []string{
		fmt.Sprintf("%s account: name, e-mail address%s, role, and every session.", capital, address),
	}}
	if len(e.Coming) > 0 {
		w.Goes = append(w.Goes, fmt.Sprintf("%s place at %s. It is free for somebody else at once.", capital, listed(e.Coming)))
	}
	if e.Registrations > 0 {
		w.Goes = append(w.Goes, fmt.Sprintf("Name and address in %s, and what was agreed to there.", templates.Plural(e.Registrations, "registration", "registrations")))
	}
	if e.Profile != "" {
		w.Goes = append(w.Goes, fmt.Sprintf("The ambassador’s profile of %s, with its picture.", e.Profile))
	}
	if e.Posts > 0 {
		w.Goes = append(w.Goes, fmt.Sprintf("%s that %s not published, with every earlier text and comment.", templates.Plural(e.Posts, "post", "posts"), isAre(e.Posts)))
	}
	if e.Pictures > 0 {
		w.Goes = append(w.Goes, "Uploaded pictures, but for those that a published text shows.")
	}
	w.Goes = append(w.Goes, fmt.Sprintf("Mails to %s: those that wait, and the record of those that were sent.", to))
	w.Stays = []string{"Numbers: how many registered and how many came."}
	if e.Published > 0 {
		w.Stays = append(w.Stays, fmt.Sprintf("%s, under “%s” in place of %s name. The words stay as they are: where %s named in them, ask us to change it.",
			templates.Plural(e.Published, "published post", "published posts"), models.FormerAuthor, whose, person+" "+isAre(2)))
	}
	if len(e.Groups) > 0 {
		w.Stays = append(w.Stays, fmt.Sprintf("%s, without %s as an organiser.", listed(e.Groups), to))
	}
	w.Stays = append(w.Stays,
		fmt.Sprintf("What was done when, in the audit log, without %s name.", whose),
		"Backups, which are kept in case something breaks, until newer ones take their place.")
	return w
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// sure reports whether the box was ticked, and else says so.
func sure(c *fiber.Ctx) (errs FieldErrors) {
	if typed(c, "sure") != "yes" {
		errs.Add("sure", "Tick the box: what is erased cannot be brought back")
	}
	return errs
}

func (a *App) askErasure(c *fiber.Ctx) error { return a.erasurePage(c, http.StatusOK, nil) }

func (a *App) erasurePage(c *fiber.Ctx, status int, errs FieldErrors) error {
	private(c)
	v := viewer(c)
	e, err := a.Store.ErasureOf(c.UserContext(), v, v.UserID)
	if err != nil {
		return err
	}
	layout := a.layout(c, "Erase your account", "What goes and what stays when you erase your account.")
	layout.Robots, layout.Canonical, layout.Share = "noindex", "", nil
	layout.Scripts = append(layout.Scripts, "js/form.js")
	return show(c, status, a.pages.accountErasure, AccountErasure{
		Layout: layout, LastAdmin: e.LastAdmin, Words: newErasureWords(e, true), Errors: errs,
		Sure: SureField{Label: "I want my account and my data to be erased for good", Error: errs.Of("sure")},
	})
}

func (a *App) eraseAccount(c *fiber.Ctx) error {
	if errs := sure(c); len(errs) > 0 {
		return a.erasurePage(c, http.StatusUnprocessableEntity, errs)
	}
	v := viewer(c)
	err := a.Store.EraseAccount(c.UserContext(), v, v.UserID)
	if errors.Is(err, models.ErrLastAdmin) {
		return seeOther(c, links.OwnErasure) // which says why
	}
	if err != nil {
		return err
	}
	a.clearSession(c)
	a.flash(c, "account-erased")
	return seeOther(c, links.Home)
}

func (a *App) askPersonErasure(c *fiber.Ctx) error {
	return a.personErasurePage(c, http.StatusOK, nil)
}

func (a *App) personErasurePage(c *fiber.Ctx, status int, errs FieldErrors) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	e, err := a.Store.ErasureOf(c.UserContext(), viewer(c), id)
	if err != nil {
		return err
	}
	data := AdminPersonErasure{
		Layout: a.deskLayout(c, "People", "Erase the account of "+e.User.Name), URL: links.DeskPerson(id), Name: e.User.Name, LastAdmin: e.LastAdmin,
		Words: newErasureWords(e, false), Errors: errs, Sure: SureField{Label: "They asked for it, and I am sure that it was them", Error: errs.Of("sure")},
	}
	data.Scripts = append(data.Scripts, "js/form.js")
	return show(c, status, a.pages.adminPersonErase, data)
}

func (a *App) erasePerson(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	if errs := sure(c); len(errs) > 0 {
		return a.personErasurePage(c, http.StatusUnprocessableEntity, errs)
	}
	v := viewer(c)
	err = a.Store.EraseAccount(c.UserContext(), v, id)
	if errors.Is(err, models.ErrLastAdmin) {
		return seeOther(c, links.DeskPersonErasure(id))
	}
	if err != nil {
		return err
	}
	if id == v.UserID {
		a.clearSession(c)
		a.flash(c, "account-erased")
		return seeOther(c, links.Home)
	}
	a.flash(c, "person-erased")
	return seeOther(c, links.DeskPeople)
}

func (a *App) eraseRegistration(c *fiber.Ctx) error {
	private(c)
	event, err := a.Store.EraseRegistration(c.UserContext(), c.Params("token"))
	if err != nil {
		return err
	}
	a.flash(c, "place-erased")
	if event.Status == models.EventDraft {
		return seeOther(c, links.Home)
	}
	return seeOther(c, links.Event(event.Slug))
}

func (a *App) askAttendeeErasure(c *fiber.Ctx) error {
	event, err := a.deskEvent(c)
	if err != nil {
		return err
	}
	id, err := paramID(c, "registration")
	if err != nil {
		return err
	}
	row, err := a.Store.AttendeeOf(c.UserContext(), viewer(c), event.ID, id)
	switch {
	case err != nil:
		return err
	case row.ErasedAt != nil:
		return fmt.Errorf("%w: registration %d", models.ErrNotFound, id)
	case !row.Erasable(event.Event, a.Store.Now()):
		return models.ErrPlaceHeld
	}
	return a.confirm(c, http.StatusOK, event, AdminConfirm{
		Layout: a.deskLayout(c, "Events", "Erase the data of "+row.Name), Heading: "Erase the data of " + row.Name + "?",
		Words: []string{
			"Do this when the person has asked for it. It cannot be taken back.",
			"Name and address go from this registration, with the mails about it. It is counted on. One last mail goes to " + row.Email + ". Other registrations of theirs stay as they are.",
		},
		Action: links.DeskAttendeeErasure(event.ID, id), Button: "Erase name and address", Danger: true, BackURL: links.DeskAttendees(event.ID), Back: "Back to the list",
	})
}

func (a *App) eraseAttendee(c *fiber.Ctx) error {
	eventID, err := paramID(c, "id")
	if err != nil {
		return err
	}
	id, err := paramID(c, "registration")
	if err != nil {
		return err
	}
	if err := a.Store.EraseAttendee(c.UserContext(), viewer(c), eventID, id); err != nil {
		return err
	}
	a.flash(c, "attendee-erased")
	return seeOther(c, links.DeskAttendees(eventID))
}
