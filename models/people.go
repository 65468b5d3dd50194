package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"
)

// PeopleFilter chooses accounts.
type PeopleFilter struct {
	Role   Role   // empty: all
	Query  string // words of the name or the address
	Limit  int
	Offset int
}

// Person is an account in the desk's list.
type Person struct {
	User

	AmbassadorID     int64 // 0: no profile
	AmbassadorName   string
	AmbassadorStatus AmbassadorStatus
	Groups           int // that they organise by their account
	SeenAt           *time.Time
}

const personColumns = `SELECT u.*, COALESCE(a.id, 0) AS ambassador_id, COALESCE(a.name, '') AS ambassador_name,
		COALESCE(a.status, '') AS ambassador_status, last.seen_at,
		(SELECT count(*) FROM group_organisers o WHERE o.user_id = u.id) AS groups
	FROM users u LEFT JOIN ambassadors a ON a.user_id = u.id
	LEFT JOIN sessions last ON last.id = (SELECT id FROM sessions WHERE user_id = u.id ORDER BY seen_at DESC, id DESC LIMIT 1) `

// People lists accounts by name. total counts all that the filter matches, byRole what it would without its role.
func (s *Store) People(ctx context.Context, by Viewer, f PeopleFilter) (people []Person, total int, byRole map[Role]int, err error) {
	if !by.Can(ManagePeople, Object{}) {
		return nil, 0, nil, fmt.Errorf("%w: people", ErrNotFound)
	}
	condition, args := "1 = 1", []any{}
	if oneLine(f.Query) != "" {
		pattern := s.likeAll(f.Query)
		condition = "(LOWER(u.name) LIKE ? ESCAPE '!' OR LOWER(u.email) LIKE ? ESCAPE '!')"
		args = append(args, pattern, pattern)
	}
	var counts []struct {
		Role  Role
		Count int
	}
	if err := s.read(ctx).Raw("SELECT u.role, count(*) AS count FROM users u WHERE "+condition+" GROUP BY u.role", args...).Scan(&counts).Error; err != nil {
		return nil, 0, nil, translate(err)
	}
	byRole = map[Role]int{}
	for _, c := range counts {
		byRole[c.Role] = c.Count
		if f.Role == "" || f.Role == c.Role {
			total += c.Count
		}
	}
	if f.Role != "" {
		condition += " AND u.role = ?"
		args = append(args, f.Role)
	}
	err = s.read(ctx).Raw(personColumns+"WHERE "+condition+" ORDER BY lower(u.name), u.id LIMIT ? OFFSET ?", append(args, f.Limit, f.Offset)...).Scan(&people).Error
	return people, total, byRole, translate(err)
}

// PersonByID is one account of the list, with the names of the groups that it organises.
func (s *Store) PersonByID(ctx context.Context, by Viewer, id int64) (p Person, groups []string, err error) {
	if !by.Can(ManagePeople, Object{}) {
		return p, nil, fmt.Errorf("%w: account %d", ErrNotFound, id)
	}
	err = s.read(ctx).Raw(personColumns+"WHERE u.id = ?", id).Take(&p).Error
	if p, err = one(p, err, "account", strconv.FormatInt(id, 10)); err != nil {
		return p, nil, err
	}
	err = s.read(ctx).Raw(`SELECT DISTINCT g.name FROM group_organisers o JOIN groups g ON g.id = o.group_id
		WHERE o.user_id = ? OR o.ambassador_id = ? AND o.ambassador_id > 0 ORDER BY g.name`, id, p.AmbassadorID).Scan(&groups).Error
	return p, groups, translate(err)
}

// PeopleChoices is what an account can be joined to.
type PeopleChoices struct {
	Profiles []Ambassador // without an account
	Groups   []Group
}

// PeopleChoices reads what an account can be joined to.
func (s *Store) PeopleChoices(ctx context.Context) (c PeopleChoices, err error) {
	err = s.read(ctx).Select("id", "slug", "name").Where("user_id IS NULL").Order("name").Find(&c.Profiles).Error
	if err == nil {
		err = s.read(ctx).Select("id", "slug", "name").Order("name").Find(&c.Groups).Error
	}
	return c, translate(err)
}

// MayGive lists the roles that the viewer may give: staff those without power over others, admins all.
func (v Viewer) MayGive() []Role {
	switch {
	case v.Can(ManageSite, Object{}):
		return Roles
	case v.Can(ManagePeople, Object{}):
		return []Role{RoleAttendee, RoleAmbassador}
	}
	return nil
}

// Invite makes an account as AddUser does and mails its one-time link. A role that the viewer may not give is ErrNotFound.
func (s *Store) Invite(ctx context.Context, by Viewer, n NewUser) (User, error) {
	var user User
	if !slices.Contains(by.MayGive(), n.Role) {
		return user, fmt.Errorf("%w: role %q", ErrNotFound, n.Role)
	}
	err := s.tx(ctx, func(tx *Store) (err error) {
		if user, err = tx.addUser(ctx, by, n); err != nil {
			return err
		}
		return tx.mailSignInLink(ctx, MailInvitation, user, "")
	})
	return user, err
}

// SetRole gives an account a role, and a draft of a profile to an ambassador who has none. It refuses with ErrNotFound a
// role that the viewer may not give or take, with ErrStale, and with ErrLastAdmin.
func (s *Store) SetRole(ctx context.Context, by Viewer, id, version int64, role Role) error {
	return s.tx(ctx, func(tx *Store) error {
		user, err := tx.lockUser(ctx, id)
		if err != nil {
			return err
		}
		mayGive := by.MayGive()
		if !slices.Contains(mayGive, role) || !slices.Contains(mayGive, user.Role) {
			return fmt.Errorf("%w: role %q", ErrNotFound, role)
		}
		if user.Role == role {
			return nil
		}
		if user.Role == RoleAdmin {
			if err := tx.keepAnAdmin(ctx, id); err != nil {
				return err
			}
		}
		if err := tx.updateVersion(ctx, "users", id, version, map[string]any{"role": role}); err != nil {
			return err
		}
		before := user.Role
		if role == RoleAmbassador {
			var profiles int64
			if err := tx.read(ctx).Model(&Ambassador{}).Where("user_id = ?", id).Count(&profiles).Error; err != nil {
				return err
			}
			if user.Role = role; profiles == 0 {
				if err := tx.linkProfile(ctx, user, ""); err != nil {
					return err
				}
			}
		}
		return tx.audit(ctx, by, "user.role", "users", id, string(before), string(role))
	})
}

// keepAnAdmin refuses with ErrLastAdmin unless somebody else is an admin, and holds those until the transaction ends.
func (s *Store) keepAnAdmin(ctx context.Context, id int64) error {
	var others []int64
	err := s.read(ctx).Raw("SELECT id FROM users WHERE role = 'admin' AND id <> ? AND email <> ? ORDER BY id"+s.forUpdate(), id, firstAdminEmail).Scan(&others).Error
	if err == nil && len(others) == 0 {
		err = ErrLastAdmin
	}
	return err
}

// LinkProfile gives an account the profile of that slug. It refuses with ErrNotFound, and with ErrConflict when either
// belongs to somebody already; an empty draft that the account has gives way.
func (s *Store) LinkProfile(ctx context.Context, by Viewer, id int64, slug string) error {
	if !by.Can(ManagePeople, Object{}) || slug == "" {
		return fmt.Errorf("%w: profile", ErrNotFound)
	}
	return s.tx(ctx, func(tx *Store) error {
		user, err := tx.lockUser(ctx, id)
		if err != nil {
			return err
		}
		if err := tx.write(ctx).Where("user_id = ? AND status = ? AND markdown = '' AND photo_id IS NULL", id, AmbassadorDraft).Delete(&Ambassador{}).Error; err != nil {
			return err
		}
		if err := tx.linkProfile(ctx, user, slug); err != nil {
			if errors.Is(err, gorm.ErrDuplicatedKey) {
				return fmt.Errorf("%w: the account has a profile", ErrConflict)
			}
			return err
		}
		return tx.audit(ctx, by, "user.link_profile", "users", id, "", "")
	})
}

// EndSessions ends every session of an account, and its unused one-time links, for who may give and take its role.
func (s *Store) EndSessions(ctx context.Context, by Viewer, id int64) error {
	return s.tx(ctx, func(tx *Store) error {
		user, err := tx.UserByID(ctx, id)
		if err != nil {
			return err
		}
		if !slices.Contains(by.MayGive(), user.Role) {
			return fmt.Errorf("%w: account %d", ErrNotFound, id)
		}
		if err := tx.endOtherSessions(ctx, Viewer{UserID: id}); err != nil {
			return err
		}
		return tx.audit(ctx, by, "user.end_sessions", "users", id, "", "")
	})
}

// MailSignIn mails an account its one-time link, at most once a minute.
func (s *Store) MailSignIn(ctx context.Context, by Viewer, id int64) error {
	if !by.Can(ManagePeople, Object{}) {
		return fmt.Errorf("%w: account %d", ErrNotFound, id)
	}
	user, err := s.UserByID(ctx, id)
	if err != nil {
		return err
	}
	return s.RequestSignIn(ctx, user.Email, "")
}

func (s *Store) lockUser(ctx context.Context, id int64) (User, error) {
	var user User
	err := s.read(ctx).Raw("SELECT * FROM users WHERE id = ?"+s.forUpdate(), id).Take(&user).Error
	return one(user, err, "account", strconv.FormatInt(id, 10))
}
