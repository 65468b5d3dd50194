package models

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/slug"
)

// Role is what an account may do on the whole site. Organising a group is not a role: see Viewer.
type Role string

// The roles.
const (
	RoleAttendee   Role = "attendee"
	RoleAmbassador Role = "ambassador"
	RoleStaff      Role = "staff"
	RoleAdmin      Role = "admin"
)

// Roles lists the roles from the least to the most.
var Roles = []Role{RoleAttendee, RoleAmbassador, RoleStaff, RoleAdmin}

// Value refuses a role that is not one of ours.
func (r Role) Value() (driver.Value, error) { return oneOf("role", r, Roles...) }

// oneOf is the stored form of a state, or an error when it is not one of those allowed.
func oneOf[T ~string](kind string, value T, allowed ...T) (driver.Value, error) {
	if slices.Contains(allowed, value) {
		return string(value), nil
	}
	return nil, fmt.Errorf("%s %q is not one of ours", kind, value)
}

// User is an account.
type User struct {
	ID        int64
	Email     string // as typed, used for sending
	EmailKey  string // normalised, used for comparing
	Name      string
	Role      Role
	Locale    string // BCP 47
	Timezone  string // IANA name
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time `gorm:"autoUpdateTime:false"`
}

// Viewer is who asks: the zero Viewer is a visitor without a session.
type Viewer struct {
	UserID       int64
	SessionID    int64
	Name         string
	Email        string
	Role         Role
	Timezone     string
	AmbassadorID int64   // the linked ambassador's profile, or 0
	GroupIDs     []int64 `gorm:"-"` // the groups that the viewer organises
	ProvedAt     time.Time
	NeedsFactor  bool // staff who must set up a second factor before they may do what staff may
}

// SignedIn reports whether the viewer has a session.
func (v Viewer) SignedIn() bool { return v.UserID != 0 }

// EmailKey is the form of an address in which two spellings of one mailbox compare equal: lower case, Unicode
// normalised, without a plus-tag. It is for comparing only, never for sending.
func EmailKey(address string) string {
	local, domain, ok := strings.Cut(strings.ToLower(norm.NFKC.String(strings.TrimSpace(address))), "@")
	if !ok {
		return local
	}
	if tag := strings.IndexByte(local, '+'); tag > 0 {
		local = local[:tag]
	}
	return local + "@" + domain
}

// ParseEmail returns the bare address that was typed, or an error that wraps ErrInvalid. It takes what RFC 5321
// allows in a mailbox of a host with a dot, of at most 254 bytes.
func ParseEmail(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	a, err := mail.ParseAddress(typed)
	if err != nil || a.Address != typed || len(typed) > 254 || strings.ContainsAny(typed, "\"(),:;<>[\\]\r\n\t ") {
		return "", fmt.Errorf("%w: e-mail address", ErrInvalid)
	}
	local, domain, _ := strings.Cut(typed, "@")
	if len(local) > 64 || !strings.Contains(domain, ".") || strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") ||
		strings.Contains(domain, "..") || strings.HasPrefix(domain, "-") {
		return "", fmt.Errorf("%w: e-mail address", ErrInvalid)
	}
	return typed, nil
}

// UserByEmail finds an account by any spelling of its address.
func (s *Store) UserByEmail(ctx context.Context, email string) (User, error) {
	user, err := gorm.G[User](s.reader).Where("email_key = ?", EmailKey(email)).Take(ctx)
	return one(user, err, "account", email)
}

// UserByID finds an account.
func (s *Store) UserByID(ctx context.Context, id int64) (User, error) {
	user, err := gorm.G[User](s.reader).Where("id = ?", id).Take(ctx)
	return one(user, err, "account", strconv.FormatInt(id, 10))
}

// NewUser is an account to be made.
type NewUser struct {
	Email, Name string
	Role        Role
	Profile     string   // slug of an ambassador's profile to link; an ambassador without one gets a draft
	Groups      []string // slugs of the groups that they organise
}

// AddUser makes an account, links it to a profile, makes it an organiser of groups and returns it with the token of a
// one-time sign-in link. The first admin is reminded of what a new portal needs. It refuses with ErrEmailTaken, ErrInvalid, also for a profile of an attendee's, or ErrNotFound for an unknown profile or group. A
// profile that another account has is ErrConflict.
func (s *Store) AddUser(ctx context.Context, by Viewer, n NewUser) (user User, token string, err error) {
	err = s.tx(ctx, func(tx *Store) error {
		if user, err = tx.addUser(ctx, by, n); err != nil {
			return err
		}
		token, err = tx.newSignInLink(ctx, user.ID)
		return err
	})
	return user, token, err
}

func (s *Store) addUser(ctx context.Context, by Viewer, n NewUser) (User, error) {
	email, err := ParseEmail(n.Email)
	if err != nil {
		return User{}, err
	}
	if n.Name, err = parseName(n.Name); err != nil {
		return User{}, err
	}
	user := User{
		Email: email, EmailKey: EmailKey(email), Name: n.Name, Role: n.Role, Locale: "en", Timezone: "UTC",
		Version: 1, CreatedAt: s.Now(), UpdatedAt: s.Now(),
	}
	if err := s.write(ctx).Create(&user).Error; err != nil {
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return User{}, ErrEmailTaken
		}
		return User{}, err
	}
	if user.Role == RoleAdmin {
		err := s.keepAnAdmin(ctx, user.ID)
		if errors.Is(err, ErrLastAdmin) { // the first, who has a new portal before them
			err = s.writeSetup(ctx, by, "setup.begin", setupBegins)
		}
		if err != nil {
			return User{}, err
		}
	}
	if err := s.linkProfile(ctx, user, n.Profile); err != nil {
		return User{}, err
	}
	for _, slug := range n.Groups {
		group, err := gorm.G[Group](s.reader).Where("slug = ?", slug).Take(ctx)
		if group, err = one(group, err, "group", slug); err != nil {
			return User{}, err
		}
		if err := s.write(ctx).Create(&GroupOrganiser{GroupID: group.ID, UserID: &user.ID, CreatedAt: s.Now()}).Error; err != nil {
			return User{}, err
		}
	}
	return user, s.audit(ctx, by, "user.create", "users", user.ID, "", string(user.Role))
}

// linkProfile gives an account its ambassador's profile.
func (s *Store) linkProfile(ctx context.Context, user User, slugOfProfile string) error {
	if slugOfProfile != "" {
		if user.Role == RoleAttendee {
			return fmt.Errorf("%w: an attendee has no profile; give the role of an ambassador", ErrInvalid)
		}
		profile, err := gorm.G[Ambassador](s.reader).Where("slug = ?", slugOfProfile).Take(ctx)
		if profile, err = one(profile, err, "profile", slugOfProfile); err != nil {
			return err
		}
		if profile.UserID != nil {
			return fmt.Errorf("%w: the profile %q has an account", ErrConflict, slugOfProfile)
		}
		return changed(s.write(ctx).Model(&Ambassador{}).Where("id = ? AND user_id IS NULL", profile.ID).Update("user_id", user.ID), "profile", profile.ID)
	}
	if user.Role != RoleAmbassador {
		return nil
	}
	free, err := s.freeSlug(ctx, "ambassadors", slug.Make(user.Name))
	if err != nil {
		return err
	}
	return s.write(ctx).Create(&Ambassador{
		Slug: free, UserID: &user.ID, Status: AmbassadorDraft, Name: user.Name,
		Languages: []string{}, Topics: []string{}, Links: []Link{},
		Version: 1, CreatedAt: s.Now(), UpdatedAt: s.Now(),
	}).Error
}

// freeSlug is the wanted slug, or it with the first free number behind it.
func (s *Store) freeSlug(ctx context.Context, table, wanted string) (string, error) {
	if wanted == "" || slug.Valid(wanted) != nil {
		wanted = strings.TrimSuffix(cut(wanted, slug.MaxLength-4), "-") + "-1"
		wanted = strings.TrimPrefix(wanted, "-")
	}
	kind := strings.TrimSuffix(table, "s")
	candidate := wanted
	for n := 2; ; n++ {
		var taken int64
		err := s.read(ctx).Raw("SELECT (SELECT count(*) FROM "+table+" WHERE slug = ?) + (SELECT count(*) FROM slug_history WHERE kind = ? AND slug = ?)",
			candidate, kind, candidate).Scan(&taken).Error
		if err != nil || taken == 0 {
			return candidate, err
		}
		suffix := fmt.Sprintf("-%d", n)
		candidate = strings.TrimSuffix(cut(wanted, slug.MaxLength-len(suffix)), "-") + suffix
	}
}
