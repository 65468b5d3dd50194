package models

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Site is what admins say of the site in the desk. Every page, feed and mail shows some of it.
type Site struct {
	Version int64 `json:"version"` // of the settings: 0 while nobody saved any

	Name         string    `json:"name"`         // in titles, the header, feeds, mails
	ShortName    string    `json:"short_name"`   // under an icon on a phone, and in sentences: the … community
	Organisation string    `json:"organisation"` // who stands behind the site
	Logo         *SiteLogo `json:"logo,omitempty"`

	About         string `json:"about"` // a sentence at the foot of every page
	FooterHeading string `json:"footer_heading"`
	FooterLinks   []Link `json:"footer_links"`
	Legal         string `json:"legal"` // the last line of every page

	Contact        string `json:"contact"`         // e-mail address; empty: the sender of mails
	ConductContact string `json:"conduct_contact"` // e-mail address; empty: the contact

	SenderName    string `json:"sender_name"`
	SenderAddress string `json:"sender_address"` // empty: what PORTAL_MAIL_FROM says
}

// SiteLogo is an uploaded picture that stands in the header. The file under its name never changes.
type SiteLogo struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Width  int    `json:"width"`  // pixels
	Height int    `json:"height"` // pixels
}

// siteSetting is where the site is kept among the settings, as JSON.
const siteSetting = "site"

// DefaultSite is the site until somebody says otherwise.
func DefaultSite() Site {
	return Site{
		Name: "CDF Community", ShortName: "CDF", Organisation: "Continuous Delivery Foundation",
		About:         "The community site of the Continuous Delivery Foundation, a vendor-neutral home for open source delivery tools.",
		FooterHeading: "Foundation",
		FooterLinks: []Link{
			{Label: "About CDF", URL: "/about"},
			{Label: "Projects", URL: "/projects/jenkins"},
			{Label: "Code of conduct", URL: "/code-of-conduct"},
			{Label: "Privacy", URL: "/privacy"},
		},
		Legal: "Posts are CC BY 4.0 unless a page says otherwise.",
	}
}

// From is the sender of mails. What the desk says goes before what the program was started with.
func (s Site) From(started mail.Address) mail.Address {
	return mail.Address{Name: cmp.Or(s.SenderName, started.Name), Address: cmp.Or(s.SenderAddress, started.Address)}
}

// ContactAddress is whom people write to.
func (s Site) ContactAddress(started string) string {
	return cmp.Or(s.Contact, s.SenderAddress, started)
}

// ConductAddress is whom people write to about the code of conduct.
func (s Site) ConductAddress(started string) string {
	return cmp.Or(s.ConductContact, s.ContactAddress(started))
}

// Site is what admins said of the site, read anew each time: it is one row found by its key, and another process may
// have written it.
func (s *Store) Site(ctx context.Context) (Site, error) {
	site := DefaultSite()
	err := s.each(ctx, "SELECT value FROM settings WHERE key = $1", []any{siteSetting}, func(scan scanner) error {
		var value string
		if err := scan(&value); err != nil {
			return err
		}
		return json.Unmarshal([]byte(value), &site)
	})
	return site, err
}

// SaveSite keeps what an admin says of the site. Of the logo only the id counts: that of a picture which by uploaded, or of the
// present one. It refuses others with ErrNotFound, and with FieldErrors or, when somebody else saved meanwhile, with ErrStale.
func (s *Store) SaveSite(ctx context.Context, by Viewer, site Site) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: settings", ErrNotFound)
	}
	site, wrong := site.checked()
	if len(wrong) > 0 {
		return wrong
	}
	return s.tx(ctx, func(tx *Store) error {
		before, err := tx.lockedSetting(ctx, siteSetting)
		if err != nil {
			return err
		}
		present := DefaultSite()
		if before != "" {
			if err := json.Unmarshal([]byte(before), &present); err != nil {
				return err
			}
		}
		if present.Version != site.Version {
			return ErrStale
		}
		site.Version++
		if site.Logo, err = tx.logo(ctx, by, site.Logo, present.Logo); err != nil {
			return err
		}
		after, err := json.Marshal(site)
		if err != nil {
			return err
		}
		if err := tx.writeSetting(ctx, siteSetting, string(after)); err != nil {
			return err
		}
		return tx.audit(ctx, by, "site.save", "settings", 0, "", strings.Join(present.differences(site), ", "))
	})
}

// differences names what of the site is another: the audit log tells what was changed, not the addresses of people.
func (s Site) differences(other Site) []string {
	var changed []string
	before, after := reflect.ValueOf(s), reflect.ValueOf(other)
	for _, field := range reflect.VisibleFields(before.Type()) {
		if field.Name != "Version" && !reflect.DeepEqual(before.FieldByIndex(field.Index).Interface(), after.FieldByIndex(field.Index).Interface()) {
			changed = append(changed, strings.ReplaceAll(field.Tag.Get("json"), ",omitempty", ""))
		}
	}
	return changed
}

// lockedSetting is the value under a key, empty when there is none, and holds others from writing it until the transaction ends.
func (s *Store) lockedSetting(ctx context.Context, key string) (value string, err error) {
	if s.postgres() {
		// A row that is not there yet cannot be locked.
		if err := s.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&Setting{Key: key}).Error; err != nil {
			return "", err
		}
	}
	err = s.read(ctx).Raw("SELECT value FROM settings WHERE key = ?"+s.forUpdate(), key).Scan(&value).Error
	return value, err
}

func (s *Store) writeSetting(ctx context.Context, key, value string) error {
	return s.write(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "key"}}, DoUpdates: clause.AssignmentColumns([]string{"value"})}).
		Create(&Setting{Key: key, Value: value}).Error
}

// logo is the picture that a logo's id names: the present one's, or one that by uploaded.
func (s *Store) logo(ctx context.Context, by Viewer, wanted, present *SiteLogo) (*SiteLogo, error) {
	switch {
	case wanted == nil:
		return nil, nil //nolint:nilnil // no logo is what was asked for
	case present != nil && present.ID == wanted.ID:
		return present, nil
	}
	m, err := gorm.G[Medium](s.reader).Where("id = ? AND user_id = ?", wanted.ID, by.UserID).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, FieldErrors{{"logo", "Choose the logo's file again"}}
	}
	return &SiteLogo{ID: m.ID, Name: m.Name, Width: m.Width, Height: m.Height}, err
}

// checked returns the site with its text trimmed, and what is wrong with it. Fields are named as the form names them.
func (s Site) checked() (Site, FieldErrors) {
	var wrong FieldErrors
	for _, line := range []struct {
		field    string
		value    *string
		most     int
		required string
	}{
		{"name", &s.Name, 60, "Give the site a name"},
		{"short_name", &s.ShortName, 20, "Give the site a short name"},
		{"organisation", &s.Organisation, 100, "Say who stands behind the site"},
		{"about", &s.About, 300, ""},
		{"footer_heading", &s.FooterHeading, 40, ""},
		{"legal", &s.Legal, 300, ""},
		{"sender_name", &s.SenderName, 100, ""},
	} {
		*line.value = oneLine(*line.value)
		switch {
		case tooLong(*line.value, line.most):
			wrong.add(line.field, fmt.Sprintf("Shorten this to %d characters", line.most))
		case *line.value == "" && line.required != "":
			wrong.add(line.field, line.required)
		}
	}
	if s.FooterHeading == "" && len(s.FooterLinks) > 0 {
		wrong.add("footer_heading", "Write a heading for the links, or take them out")
	}
	if len(s.FooterLinks) > 12 {
		wrong.add("footer_links", "Keep to 12 links")
	}
	for _, l := range s.FooterLinks {
		ours := strings.HasPrefix(l.URL, "/") && !strings.HasPrefix(l.URL, "//") && !strings.ContainsAny(l.URL, "\\\t\r\n")
		if l.Label == "" || tooLong(l.Label, 100) || tooLong(l.URL, 1000) || !ours && !webAddress(l.URL) {
			wrong.add("footer_links", "Write each link on a line of its own: its words, then its address, beginning with / or https://")
			break
		}
	}
	for _, address := range []struct {
		field string
		value *string
	}{{"contact", &s.Contact}, {"conduct_contact", &s.ConductContact}, {"sender_address", &s.SenderAddress}} {
		if *address.value == "" {
			continue
		}
		parsed, err := ParseEmail(*address.value)
		if err != nil {
			wrong.add(address.field, "Write an e-mail address, such as community@example.org, or leave it empty")
			continue
		}
		*address.value = parsed
	}
	return s, wrong
}
