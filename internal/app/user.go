package app

import (
	"fmt"

	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

type userCommand struct {
	Add  userAdd  `cmd:"" help:"Make an account and print its one-time sign-in link."`
	Link userLink `cmd:"" help:"Print a new one-time sign-in link."`

	Reset userReset `cmd:"" help:"Take an account's password and second factors away, for who lost them."`
}

type userAdd struct {
	Email   string   `required:"" help:"Address that signs in."`
	Name    string   `required:"" help:"Name as it is shown."`
	Role    string   `required:"" enum:"admin,staff,ambassador,attendee" help:"admin, staff, ambassador or attendee."`
	Profile string   `help:"Slug of the ambassador's profile to link; an ambassador without one gets a draft."`
	Group   []string `help:"Slug of a group that they organise; may be repeated."`
}

// Help is the command's example.
func (userAdd) Help() string {
	return "Example:\n  portal user add --email ana@example.org --name \"Ana Example\" --role ambassador --profile helen-beal --group berlin"
}

// Run makes the account.
func (u userAdd) Run(w *world) error {
	return w.withStore(func(c config.Config, store *models.Store) error {
		_, token, err := store.AddUser(w.ctx, models.Viewer{Role: "command"}, models.NewUser{
			Email: u.Email, Name: u.Name, Role: models.Role(u.Role), Profile: u.Profile, Groups: u.Group,
		})
		return w.printSignIn(c, token, err)
	})
}

// printSignIn prints a one-time link alone on its line.
func (w *world) printSignIn(c config.Config, token string, err error) error {
	if err == nil {
		fmt.Fprintln(w.out, siteOf(c).Abs(links.SignIn(token)))
	}
	return err
}

type userLink struct {
	Email string `required:"" help:"Address of the account."`
}

// Help is the command's example.
func (userLink) Help() string { return "Example:\n  portal user link --email ana@example.org" }

// Run prints a new link for the account.
func (u userLink) Run(w *world) error {
	return w.withStore(func(c config.Config, store *models.Store) error {
		token, err := store.NewSignInLink(w.ctx, u.Email)
		return w.printSignIn(c, token, err)
	})
}

type userReset struct {
	Email string `required:"" help:"Address of the account."`
}

// Help is the command's example.
func (userReset) Help() string { return "Example:\n  portal user reset --email ana@example.org" }

// Run leaves the account with mailed links alone, and tells its owner by mail.
func (u userReset) Run(w *world) error {
	return w.withStore(func(_ config.Config, store *models.Store) error {
		return store.ResetFactorsOf(w.ctx, models.Viewer{Role: "command"}, u.Email)
	})
}
