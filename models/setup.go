package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"
)

// SetupStep is a part of setting up a new portal.
type SetupStep string

// The steps, in their order.
const (
	SetupSite    SetupStep = "site"
	SetupMail    SetupStep = "mail"
	SetupAddress SetupStep = "address"
	SetupBackup  SetupStep = "backup"
	SetupContent SetupStep = "content"
	SetupPeople  SetupStep = "people"
)

// SetupSteps are all steps, in their order.
var SetupSteps = []SetupStep{SetupSite, SetupMail, SetupAddress, SetupBackup, SetupContent, SetupPeople}

// Setup is how far setting up the portal got.
type Setup struct {
	Begun   bool        `json:"begun"`   // a first admin named themselves, or was made by a command, since the portal asks
	Closed  bool        `json:"closed"`  // nobody is to be reminded any more
	Settled []SetupStep `json:"settled"` // that an admin calls done, whatever they did

	SiteSaved bool  `json:"-"` // somebody saved the site's settings
	BackedUp  bool  `json:"-"` // there is a good backup
	Samples   int64 `json:"-"` // posts, events, groups and profiles that are marked as such
	Staff     int64 `json:"-"` // accounts beside the first admin's that may use the desk
	TestMail  *Mail `json:"-"` // the newest one to who asks
}

// setupSetting is where it is kept among the settings, as JSON.
const setupSetting = "setup"

// SetupBegun reports whether the portal is being set up and admins are to be reminded of it.
func (s *Store) SetupBegun(ctx context.Context) (bool, error) {
	setup, err := s.keptSetup(ctx)
	return setup.Begun && !setup.Closed, err
}

func (s *Store) keptSetup(ctx context.Context) (setup Setup, err error) {
	value, err := s.Setting(ctx, setupSetting)
	switch {
	case errors.Is(err, ErrNotFound):
		return setup, nil
	case err != nil || value == "":
		return setup, err
	}
	return setup, json.Unmarshal([]byte(value), &setup)
}

// Setup is how far it got, for an admin.
func (s *Store) Setup(ctx context.Context, by Viewer) (Setup, error) {
	if !by.Can(ManageSite, Object{}) {
		return Setup{}, fmt.Errorf("%w: setup", ErrNotFound)
	}
	setup, err := s.keptSetup(ctx)
	if err != nil {
		return setup, err
	}
	site, err := s.Site(ctx)
	if err != nil {
		return setup, err
	}
	var facts struct {
		BackedUp       bool
		Samples, Staff int64
	}
	err = s.read(ctx).Raw(`SELECT EXISTS (SELECT 1 FROM backups WHERE state = 'good') AS backed_up,
		(SELECT count(*) FROM posts WHERE sample) + (SELECT count(*) FROM events WHERE sample) + (SELECT count(*) FROM groups WHERE sample) +
			(SELECT count(*) FROM ambassadors WHERE sample) AS samples,
		(SELECT count(*) FROM users WHERE role <> ? AND id <> ?) AS staff`, RoleAttendee, by.UserID).Scan(&facts).Error
	if err != nil {
		return setup, translate(err)
	}
	setup.SiteSaved, setup.BackedUp, setup.Samples, setup.Staff = site.Version > 0, facts.BackedUp, facts.Samples, facts.Staff
	m, err := gorm.G[Mail](s.reader).Where("kind = ? AND user_id = ?", MailTest, by.UserID).Order("id DESC").Take(ctx)
	switch {
	case err == nil:
		setup.TestMail = &m
	case errors.Is(err, gorm.ErrRecordNotFound):
		err = nil
	}
	return setup, translate(err)
}

// BeginSetup lets the desk remind admins of what a new portal needs.
func (s *Store) BeginSetup(ctx context.Context, by Viewer) error {
	return s.changeSetup(ctx, by, "setup.begin", setupBegins)
}

func setupBegins(setup *Setup) { setup.Begun = true }

// SettleSetup calls a step done. It refuses what is no step with ErrInvalid.
func (s *Store) SettleSetup(ctx context.Context, by Viewer, step SetupStep) error {
	if !slices.Contains(SetupSteps, step) {
		return fmt.Errorf("%w: step %q", ErrInvalid, step)
	}
	return s.changeSetup(ctx, by, "setup.settle", func(setup *Setup) {
		if !slices.Contains(setup.Settled, step) {
			setup.Settled = append(setup.Settled, step)
		}
	})
}

// CloseSetup lets the desk remind nobody any more.
func (s *Store) CloseSetup(ctx context.Context, by Viewer) error {
	return s.changeSetup(ctx, by, "setup.close", func(setup *Setup) { setup.Closed = true })
}

func (s *Store) changeSetup(ctx context.Context, by Viewer, action string, change func(*Setup)) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: setup", ErrNotFound)
	}
	return s.tx(ctx, func(tx *Store) error { return tx.writeSetup(ctx, by, action, change) })
}

func (s *Store) writeSetup(ctx context.Context, by Viewer, action string, change func(*Setup)) error {
	before, err := s.lockedSetting(ctx, setupSetting)
	if err != nil {
		return err
	}
	var setup Setup
	if before != "" {
		if err := json.Unmarshal([]byte(before), &setup); err != nil {
			return err
		}
	}
	change(&setup)
	after, err := json.Marshal(setup)
	if err != nil || string(after) == before {
		return err
	}
	if err := s.writeSetting(ctx, setupSetting, string(after)); err != nil {
		return err
	}
	return s.audit(ctx, by, action, "settings", 0, before, string(after))
}

// SendTestMail sends an admin a mail that says that mails arrive.
func (s *Store) SendTestMail(ctx context.Context, by Viewer) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: mail", ErrNotFound)
	}
	return s.tx(ctx, func(tx *Store) error {
		// The one before is not tried any more: what it would tell is out of date.
		if err := tx.write(ctx).Where("kind = ? AND user_id = ? AND sent_at IS NULL AND leased_until IS NULL", MailTest, by.UserID).Delete(&Mail{}).Error; err != nil {
			return err
		}
		return tx.enqueue(ctx, Mail{
			Kind: MailTest, DedupeKey: string(MailTest) + "/user/" + strconv.FormatInt(by.UserID, 10) + "/" + tx.Now().Format(time.RFC3339Nano),
			Recipient: by.Email, RecipientName: by.Name, UserID: &by.UserID,
		})
	})
}

// ClearSample removes what is marked as sample for an admin, as RemoveSample does.
func (s *Store) ClearSample(ctx context.Context, by Viewer) (SampleReport, error) {
	if !by.Can(ManageSite, Object{}) {
		return SampleReport{}, fmt.Errorf("%w: sample", ErrNotFound)
	}
	report, err := s.RemoveSample(ctx)
	if err != nil {
		return report, err
	}
	return report, s.tx(ctx, func(tx *Store) error { return tx.audit(ctx, by, "sample.remove", "settings", 0, "", report.String()) })
}
