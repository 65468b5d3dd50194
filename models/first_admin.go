package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// firstAdminEmail is the address of the first admin's account until they say who they are. No mail can go there.
const firstAdminEmail = "admin@localhost"

// Unnamed reports whether the viewer is the first admin, who has yet to say who they are.
func (v Viewer) Unnamed() bool { return v.Email == firstAdminEmail }

// FirstAdminLink is the token of the one-time link by which the first admin signs in, or the empty token when there is
// an admin already. The account is made with the first link and gets its name and address when it is first used; until
// then every call makes a new link, which ends the one before.
func (s *Store) FirstAdminLink(ctx context.Context) (token string, err error) {
	err = s.tx(ctx, func(tx *Store) error {
		var admins []User
		if err := tx.read(ctx).Where("role = ?", RoleAdmin).Find(&admins).Error; err != nil {
			return err
		}
		var user User
		for _, admin := range admins {
			if admin.Email != firstAdminEmail {
				return nil
			}
			user = admin
		}
		if user.ID == 0 {
			user = User{
				Email: firstAdminEmail, EmailKey: EmailKey(firstAdminEmail), Name: "First admin", Role: RoleAdmin, Locale: "en", Timezone: "UTC",
				Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
			}
			if err := tx.write(ctx).Create(&user).Error; err != nil {
				return err
			}
		}
		if err := tx.write(ctx).Where("user_id = ? AND used_at IS NULL", user.ID).Delete(&SignInLink{}).Error; err != nil {
			return err
		}
		token, err = tx.newSignInLink(ctx, user.ID)
		return err
	})
	return token, err
}

// NameFirstAdmin gives the first admin's account its owner's name, address and time zone. It is refused with
// ErrNotFound to everybody else, with ErrInvalid, or with ErrEmailTaken.
func (s *Store) NameFirstAdmin(ctx context.Context, by Viewer, name, email, timezone string) error {
	if !by.Unnamed() || !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: first admin", ErrNotFound)
	}
	email, err := ParseEmail(email)
	if err != nil {
		return err
	}
	if name, err = parseName(name); err != nil {
		return err
	}
	if err := checkTimezone(timezone); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *Store) error {
		result := tx.write(ctx).Model(&User{}).Where("id = ? AND email = ?", by.UserID, firstAdminEmail).Updates(map[string]any{
			"name": name, "email": email, "email_key": EmailKey(email), "timezone": timezone,
			"version": gorm.Expr("version + 1"), "updated_at": tx.Now(),
		})
		if errors.Is(result.Error, gorm.ErrDuplicatedKey) {
			return ErrEmailTaken
		}
		if err := changed(result, "account", by.UserID); err != nil {
			return err
		}
		return tx.audit(ctx, by, "user.name", "users", by.UserID, "", "")
	})
}

// parseName is a person's name without the spaces around it, or an error that wraps ErrInvalid.
func parseName(typed string) (string, error) {
	name := oneLine(typed)
	if name == "" || tooLong(name, maxName) {
		return "", fmt.Errorf("%w: name", ErrInvalid)
	}
	return name, nil
}

// checkTimezone refuses what is not the name of a zone.
func checkTimezone(name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return fmt.Errorf("%w: time zone %q", ErrInvalid, name)
	}
	return nil
}
