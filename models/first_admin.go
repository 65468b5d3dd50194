package models

import "context"

// FirstAdminLink is the token of the one-time link by which the first admin signs in, or the empty token when there is
// an admin already. The account is made with the first link and gets its name and address when it is first used.
func (s *Store) FirstAdminLink(ctx context.Context) (token string, err error) {
	err = s.tx(ctx, func(tx *Store) error {
		var admins int64
		if err := tx.read(ctx).Model(&User{}).Where("role = ?", RoleAdmin).Count(&admins).Error; err != nil || admins > 0 {
			return err
		}
		user := User{
			Email: "admin@localhost", EmailKey: "admin@localhost", Name: "First admin", Role: RoleAdmin, Locale: "en", Timezone: "UTC",
			Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		if err := tx.write(ctx).Create(&user).Error; err != nil {
			return err
		}
		token, err = tx.newSignInLink(ctx, user.ID)
		return err
	})
	return token, err
}
