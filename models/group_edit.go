package models

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/cdfoundation/portal/internal/slug"
)

// DeskGroupRow is a group as the desk's list shows it.
type DeskGroupRow struct {
	ID            int64
	Slug          string
	Name          string
	Status        GroupStatus
	City, Country string
	Sample        bool
	Organisers    int
	Coming        int // published events that are not over
}

// DeskGroups lists the groups that the viewer may edit, by name, narrowed to those whose name, city or address holds the
// text searched for.
func (s *Store) DeskGroups(ctx context.Context, by Viewer, search string) ([]DeskGroupRow, error) {
	condition, args := "1 = 1", []any{s.Now()}
	if !by.Can(EditGroup, Object{}) {
		condition = "g.id IN ?"
		args = append(args, append([]int64{0}, by.GroupIDs...))
	}
	if oneLine(search) != "" {
		condition += " AND (LOWER(g.name) LIKE ? ESCAPE '!' OR LOWER(g.city) LIKE ? ESCAPE '!' OR g.slug LIKE ? ESCAPE '!')"
		pattern := s.likeAll(search)
		args = append(args, pattern, pattern, pattern)
	}
	var rows []DeskGroupRow
	err := s.read(ctx).Raw(`SELECT g.id, g.slug, g.name, g.status, g.city, g.country, g.sample,
			(SELECT count(*) FROM group_organisers o WHERE o.group_id = g.id) AS organisers,
			(SELECT count(*) FROM events e WHERE e.group_id = g.id AND e.status = 'published' AND e.ends_at > ?) AS coming
		FROM groups g WHERE `+condition+" ORDER BY LOWER(g.name), g.id", args...).Scan(&rows).Error
	return rows, translate(err)
}

// DeskGroup is a group with those who run it.
type DeskGroup struct {
	Group
	Organisers []DeskOrganiser
}

// DeskOrganiser is somebody who runs a group.
type DeskOrganiser struct {
	ID           int64 // of the row
	UserID       *int64
	AmbassadorID *int64
	Name         string
	Email        string // empty without an account
	Profile      string // slug of the ambassador's profile, or empty
}

// DeskGroup finds a group that the viewer may edit. Any other is ErrNotFound.
func (s *Store) DeskGroup(ctx context.Context, by Viewer, id int64) (DeskGroup, error) {
	var d DeskGroup
	group, err := s.editableGroup(ctx, by, id)
	if err != nil {
		return d, err
	}
	d.Group = group
	err = s.read(ctx).Raw(`SELECT o.id, o.user_id, o.ambassador_id, COALESCE(u.name, a.name, '') AS name, COALESCE(u.email, au.email, '') AS email,
			COALESCE(a.slug, ua.slug, '') AS profile
		FROM group_organisers o LEFT JOIN users u ON u.id = o.user_id LEFT JOIN ambassadors ua ON ua.user_id = u.id
		LEFT JOIN ambassadors a ON a.id = o.ambassador_id LEFT JOIN users au ON au.id = a.user_id
		WHERE o.group_id = ? ORDER BY name, o.id`, id).Scan(&d.Organisers).Error
	return d, translate(err)
}

// editableGroup reads a group that the viewer may edit. Any other is ErrNotFound.
func (s *Store) editableGroup(ctx context.Context, by Viewer, id int64) (Group, error) {
	var group Group
	err := s.read(ctx).Where("id = ?", id).Take(&group).Error
	if group, err = one(group, err, "group", strconv.FormatInt(id, 10)); err != nil {
		return group, err
	}
	if !by.Can(EditGroup, Object{GroupID: id}) {
		return Group{}, fmt.Errorf("%w: group %d", ErrNotFound, id)
	}
	return group, nil
}

// GroupInput is what the editor of a group sends.
type GroupInput struct {
	Slug      string // empty: as it is, or made of the name
	Name      string
	City      string
	Country   string
	Latitude  float64 // degrees
	Longitude float64
	Timezone  string
	Language  string
	Topics    []string
	Links     []Link
	Markdown  string
}

func (in GroupInput) checked() (GroupInput, FieldErrors) {
	var wrong FieldErrors
	in.Name, in.City = oneLine(in.Name), oneLine(in.City)
	in.Country = strings.ToUpper(strings.TrimSpace(in.Country))
	if in.Name == "" || tooLong(in.Name, maxLine) {
		wrong.add("name", "Give the group a name")
	}
	if in.Slug != "" && slug.Valid(in.Slug) != nil {
		wrong.add("slug", "Choose another address: "+in.Slug+" "+slug.Valid(in.Slug).Error())
	}
	if in.City == "" || tooLong(in.City, maxLine) {
		wrong.add("city", "Write the city in which the group meets")
	}
	if !isCountry(in.Country) {
		wrong.add("country", "Choose the country")
	}
	if !(in.Latitude >= -90 && in.Latitude <= 90) {
		wrong.add("latitude", "Write degrees north of the equator, from -90 to 90, such as 52.52")
	}
	if !(in.Longitude >= -180 && in.Longitude <= 180) {
		wrong.add("longitude", "Write degrees east of Greenwich, from -180 to 180, such as 13.41")
	}
	if checkTimezone(in.Timezone) != nil {
		wrong.add("timezone", "Choose a time zone from the list, such as Europe/Berlin")
	}
	if in.Language == "" {
		in.Language = "en"
	}
	if _, err := language.Parse(in.Language); err != nil {
		wrong.add("language", "Choose a language")
	}
	for _, l := range in.Links {
		if l.Label == "" || !webAddress(l.URL) {
			wrong.add("links", "Write each link on a line of its own: its words, then its address, beginning with https://")
			break
		}
	}
	if len(in.Topics) > maxRows || tooLong(strings.Join(in.Topics, ""), maxParagraph) {
		wrong.add("topics", "Keep to a few topics")
	}
	return in, wrong
}

// CreateGroup makes a listed group. Who may not is told ErrNotFound; it also refuses with FieldErrors and ErrSlugTaken.
func (s *Store) CreateGroup(ctx context.Context, by Viewer, in GroupInput) (Group, error) {
	if !by.Can(ManageGroups, Object{}) {
		return Group{}, fmt.Errorf("%w: address", ErrNotFound)
	}
	in, wrong := in.checked()
	if len(wrong) > 0 {
		return Group{}, wrong
	}
	var group Group
	err := s.tx(ctx, func(tx *Store) error {
		group = Group{Status: GroupListed, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		if err := tx.fillGroup(ctx, &group, in); err != nil {
			return err
		}
		if err := tx.write(ctx).Create(&group).Error; err != nil {
			return slugTaken(err)
		}
		if err := tx.indexDocument(ctx, SearchGroup, group.ID); err != nil {
			return err
		}
		return tx.audit(ctx, by, "group.create", "groups", group.ID, "", group.Slug)
	})
	return group, err
}

// UpdateGroup saves an edit that began with the version given. It refuses with FieldErrors, ErrNotFound, ErrStale and
// ErrSlugTaken.
func (s *Store) UpdateGroup(ctx context.Context, by Viewer, id, version int64, in GroupInput) error {
	in, wrong := in.checked()
	return s.tx(ctx, func(tx *Store) error {
		old, err := tx.editableGroup(ctx, by, id)
		if err != nil {
			return err
		}
		group := old
		switch {
		case old.Version != version:
			return ErrStale
		case len(wrong) > 0:
			return wrong
		}
		if err := tx.fillGroup(ctx, &group, in); err != nil {
			return err
		}
		group.Version, group.UpdatedAt = version+1, tx.Now()
		result := tx.write(ctx).Model(&group).Where("version = ?", version).
			Select(append(append([]string{"Slug"}, groupStated...), plainText...)).UpdateColumns(&group)
		switch {
		case result.Error != nil:
			return slugTaken(result.Error)
		case result.RowsAffected != 1:
			return ErrStale
		}
		if group.Slug != old.Slug {
			if err := tx.moveSlug(ctx, "group", id, old.Slug, group.Slug, true); err != nil {
				return err
			}
		}
		if err := tx.indexGroup(ctx, id); err != nil {
			return err
		}
		return tx.audit(ctx, by, "group.save", "groups", id, old.Slug, group.Slug)
	})
}

// fillGroup puts checked input into a group.
func (s *Store) fillGroup(ctx context.Context, g *Group, in GroupInput) (err error) {
	g.Name, g.City, g.Country, g.Latitude, g.Longitude = in.Name, in.City, in.Country, in.Latitude, in.Longitude
	g.Timezone, g.Language, g.Topics, g.Links = in.Timezone, in.Language, full(in.Topics), full(in.Links)
	if g.Slug, err = s.editedSlug(ctx, "group", g.ID, g.Slug, in.Slug, in.Name); err != nil {
		return err
	}
	rendered, err := s.render(ctx, in.Markdown, "")
	if errors.Is(err, ErrInvalid) {
		return FieldErrors{{"body", "Shorten the text: it is more than a page can show"}}
	}
	if err != nil {
		return err
	}
	g.setText(in.Markdown, rendered)
	return nil
}

// SetGroupStatus lists a group or takes it off the public pages. Only staff may; to others it is ErrNotFound.
func (s *Store) SetGroupStatus(ctx context.Context, by Viewer, id int64, status GroupStatus) error {
	return s.manageGroup(ctx, by, id, func(tx *Store, group Group) error {
		if group.Status == status {
			return nil
		}
		if err := changed(tx.write(ctx).Model(&Group{}).Where("id = ?", id).
			UpdateColumns(map[string]any{"status": status, "version": group.Version + 1, "updated_at": tx.Now()}), "group", id); err != nil {
			return err
		}
		if err := tx.indexGroup(ctx, id); err != nil {
			return err
		}
		action := "group.list"
		if status == GroupDelisted {
			action = "group.delist"
		}
		return tx.audit(ctx, by, action, "groups", id, string(group.Status), string(status))
	})
}

func (s *Store) manageGroup(ctx context.Context, by Viewer, id int64, change func(tx *Store, group Group) error) error {
	if !by.Can(ManageGroups, Object{}) {
		return fmt.Errorf("%w: address", ErrNotFound)
	}
	return s.tx(ctx, func(tx *Store) error {
		group, err := tx.editableGroup(ctx, by, id)
		if err != nil {
			return err
		}
		return change(tx, group)
	})
}

// AddOrganiser lets somebody run a group: the account with an e-mail address, or the ambassador whose profile has this
// slug, with or without an account. Only staff may; to others it is ErrNotFound. Whoever is unknown is FieldErrors, and
// naming somebody twice changes nothing.
func (s *Store) AddOrganiser(ctx context.Context, by Viewer, groupID int64, emailOrProfile string) error {
	who := strings.TrimSpace(emailOrProfile)
	return s.manageGroup(ctx, by, groupID, func(tx *Store, _ Group) error {
		row := GroupOrganiser{GroupID: groupID, CreatedAt: tx.Now()}
		if strings.Contains(who, "@") {
			user, err := tx.UserByEmail(ctx, who)
			if errors.Is(err, ErrNotFound) {
				return FieldErrors{{"organiser", "Nobody has an account with this address: make one under People first"}}
			}
			if err != nil {
				return err
			}
			row.UserID = &user.ID
		} else {
			id, err := tx.idOf(ctx, "ambassadors", "ambassador", who)
			if err != nil {
				return err
			}
			if id == 0 {
				return FieldErrors{{"organiser", "Write an account's e-mail address, or the last part of a profile's address"}}
			}
			row.AmbassadorID = &id
		}
		var known int64
		if err := tx.read(ctx).Model(&GroupOrganiser{}).Where("group_id = ? AND (user_id = ? OR ambassador_id = ?)", groupID, row.UserID, row.AmbassadorID).
			Count(&known).Error; err != nil || known > 0 {
			return err
		}
		if err := tx.write(ctx).Create(&row).Error; err != nil {
			return err
		}
		return tx.audit(ctx, by, "group.organiser_add", "groups", groupID, "", row.auditText())
	})
}

// RemoveOrganiser lets somebody run a group no longer; the last one may go as well. Only staff may; to others, and for an
// organiser of another group, it is ErrNotFound.
func (s *Store) RemoveOrganiser(ctx context.Context, by Viewer, groupID, organiserID int64) error {
	return s.manageGroup(ctx, by, groupID, func(tx *Store, _ Group) error {
		var row GroupOrganiser
		err := tx.read(ctx).Where("id = ? AND group_id = ?", organiserID, groupID).Take(&row).Error
		if row, err = one(row, err, "organiser", strconv.FormatInt(organiserID, 10)); err != nil {
			return err
		}
		if err := tx.write(ctx).Where("id = ?", organiserID).Delete(&GroupOrganiser{}).Error; err != nil {
			return err
		}
		return tx.audit(ctx, by, "group.organiser_remove", "groups", groupID, row.auditText(), "")
	})
}

// ProfileChoice is an ambassador as a form suggests them.
type ProfileChoice struct{ Slug, Name string }

// ProfileChoices lists all ambassadors by name.
func (s *Store) ProfileChoices(ctx context.Context) ([]ProfileChoice, error) {
	var choices []ProfileChoice
	err := s.read(ctx).Model(&Ambassador{}).Select("slug, name").Order("name, id").Scan(&choices).Error
	return choices, translate(err)
}
