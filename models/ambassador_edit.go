package models

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"gorm.io/gorm"
)

// ProfileEdit is what an editor saves of a profile.
type ProfileEdit struct {
	Version             int64 // that the editor started from
	Name                string
	Title, Employer     string
	City, Country       string // Country is ISO 3166-1 alpha-2
	Latitude, Longitude *float64
	Pronouns            string
	Languages           []string // BCP 47
	Topics              []string
	Links               []Link
	Handle              string
	Quote               string
	PhotoID             int64
	Markdown            string
}

// DeskAmbassador is a profile for its editor. One that the viewer may not edit is ErrNotFound.
func (s *Store) DeskAmbassador(ctx context.Context, by Viewer, id int64) (Ambassador, error) {
	if !by.Can(EditProfile, Object{AmbassadorID: id}) {
		return Ambassador{}, fmt.Errorf("%w: profile %d", ErrNotFound, id)
	}
	a, err := gorm.G[Ambassador](s.reader).Where("id = ?", id).Take(ctx)
	return one(a, err, "profile", strconv.FormatInt(id, 10))
}

// SaveProfile changes a profile; of a published one at once for everybody. It refuses with ErrNotFound, ErrStale when
// somebody else saved since the editor started, and with FieldErrors.
func (s *Store) SaveProfile(ctx context.Context, by Viewer, id int64, e ProfileEdit) error {
	e.Name = oneLine(e.Name)
	e.Handle = strings.TrimPrefix(e.Handle, "@")
	e.Country = strings.ToUpper(e.Country)
	return s.tx(ctx, func(tx *Store) error {
		a, err := tx.DeskAmbassador(ctx, by, id)
		if err != nil {
			return err
		}
		rendered, tooComplex := tx.render(ctx, e.Markdown, "")
		if tooComplex != nil && !errors.Is(tooComplex, ErrInvalid) {
			return tooComplex
		}
		invalid := e.faults(tooComplex)
		if e.PhotoID != 0 && (a.PhotoID == nil || *a.PhotoID != e.PhotoID) {
			// A form can be sent with the number of any picture.
			var own int64
			if err := tx.read(ctx).Model(&Medium{}).Where("id = ? AND user_id = ?", e.PhotoID, by.UserID).Count(&own).Error; err != nil {
				return err
			}
			if own == 0 {
				invalid.add("photo", "Choose the picture again")
			}
		}
		if len(invalid) > 0 {
			return invalid
		}
		a.Name, a.Title, a.Employer, a.City, a.Country = e.Name, e.Title, e.Employer, e.City, e.Country
		a.Latitude, a.Longitude, a.Pronouns = e.Latitude, e.Longitude, e.Pronouns
		a.Languages, a.Topics, a.Links = full(e.Languages), full(e.Topics), full(e.Links)
		a.Handle, a.Quote, a.PhotoID = e.Handle, e.Quote, reference(e.PhotoID)
		a.Version, a.UpdatedAt = e.Version+1, tx.Now()
		a.setText(e.Markdown, rendered)
		result := tx.write(ctx).Model(&Ambassador{}).Where("id = ? AND version = ?", id, e.Version).
			Select("*").Omit("ID", "Slug", "UserID", "CohortID", "Status", "Sample", "CreatedAt").Updates(&a)
		if result.Error != nil {
			return result.Error
		}
		if result.RowsAffected != 1 {
			return ErrStale
		}
		if err := tx.indexDocument(ctx, SearchAmbassador, id); err != nil {
			return err
		}
		return tx.audit(ctx, by, "ambassador.save", "ambassadors", id, "", "")
	})
}

// PublishProfile makes a draft of a profile public, by staff. A profile without words, or one that is public, is
// ErrTransition.
func (s *Store) PublishProfile(ctx context.Context, by Viewer, id int64) error {
	return s.tx(ctx, func(tx *Store) error {
		a, err := tx.DeskAmbassador(ctx, by, id)
		if err != nil {
			return err
		}
		if !by.Can(ManagePeople, Object{}) {
			return fmt.Errorf("%w: profile %d", ErrNotFound, id)
		}
		if a.Status != AmbassadorDraft || a.Markdown == "" {
			return ErrTransition
		}
		if err := tx.updateVersion(ctx, "ambassadors", id, a.Version, map[string]any{"status": AmbassadorPublished}); err != nil {
			return err
		}
		if err := tx.indexDocument(ctx, SearchAmbassador, id); err != nil {
			return err
		}
		return tx.audit(ctx, by, "ambassador.publish", "ambassadors", id, string(AmbassadorDraft), string(AmbassadorPublished))
	})
}

// faults is what is wrong with an edit by itself; tooComplex is why its text cannot be rendered, or nil.
func (e ProfileEdit) faults(tooComplex error) (invalid FieldErrors) {
	if e.Name == "" || tooLong(e.Name, maxName) {
		invalid.add("name", "Enter a name, of up to 200 letters")
	}
	for _, f := range []struct{ field, value string }{
		{"title", e.Title}, {"employer", e.Employer}, {"city", e.City}, {"pronouns", e.Pronouns}, {"handle", e.Handle},
	} {
		if tooLong(f.value, 200) {
			invalid.add(f.field, "Shorten this to 200 letters")
		}
	}
	if e.Country != "" && !isCountry(e.Country) {
		invalid.add("country", "Enter the two letters of a country, such as NZ or DE")
	}
	switch {
	case (e.Latitude == nil) != (e.Longitude == nil):
		invalid.add("latitude", "Enter both latitude and longitude, or neither")
	case e.Latitude != nil && (*e.Latitude < -90 || *e.Latitude > 90 || *e.Longitude < -180 || *e.Longitude > 180):
		invalid.add("latitude", "Latitude goes from −90 to 90, longitude from −180 to 180")
	}
	for _, tag := range e.Languages {
		if _, err := language.Parse(tag); err != nil {
			invalid.add("languages", fmt.Sprintf("“%s” is no language tag; use such as en, de or zh-Hans", tag))
		}
	}
	if len(e.Topics) > 20 || tooLong(strings.Join(e.Topics, ""), 1000) {
		invalid.add("topics", "Choose up to 20 topics")
	}
	for _, link := range e.Links {
		if link.Label == "" || !webAddress(link.URL) || tooLong(link.URL, 1000) || tooLong(link.Label, 100) {
			invalid.add("links", "Give every link a name and a whole address, with https:// in front")
		}
	}
	if tooLong(e.Quote, 500) {
		invalid.add("quote", "Shorten the quote to 500 letters")
	}
	if tooComplex != nil {
		invalid.add("bio", "The text cannot be shown: "+lastError(tooComplex))
	}
	return invalid
}
