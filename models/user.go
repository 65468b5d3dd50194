package models

import (
	"database/sql/driver"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
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
	for _, a := range allowed {
		if value == a {
			return string(value), nil
		}
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
	UpdatedAt time.Time
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
	GroupIDs     []int64 // the groups that the viewer organises
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
