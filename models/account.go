package models

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// SaveAccount changes the viewer's own name and time zone, an IANA name. Errors wrap ErrInvalid.
func (s *Store) SaveAccount(ctx context.Context, by Viewer, name, timezone string) error {
	name, err := parseName(name)
	if err != nil {
		return err
	}
	if err := checkTimezone(timezone); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *Store) error {
		return changed(tx.write(ctx).Model(&User{}).Where("id = ?", by.UserID).Updates(map[string]any{
			"name": name, "timezone": timezone, "version": gorm.Expr("version + 1"), "updated_at": tx.Now(),
		}), "account", by.UserID)
	})
}

// OwnRegistration is a registration of the viewer's, with what tells its event.
type OwnRegistration struct {
	Registration Registration `gorm:"embedded"`

	EventTitle    string
	EventSlug     string
	EventStatus   EventStatus
	EventTimezone string
	StartsAt      time.Time
	EndsAt        time.Time
	DatePrecision DatePrecision
}

// OwnRegistrations lists what was registered with the viewer's address, in any spelling of it, the latest event first.
func (s *Store) OwnRegistrations(ctx context.Context, by Viewer) ([]OwnRegistration, error) {
	return s.registrationsOf(ctx, EmailKey(by.Email), 200)
}

// registrationsOf lists what was registered with an address, at most limit of it, or all when that is -1.
func (s *Store) registrationsOf(ctx context.Context, emailKey string, limit int) ([]OwnRegistration, error) {
	var rows []OwnRegistration
	query := s.read(ctx).Table("registrations r").Select(`r.*, e.title AS event_title, e.slug AS event_slug, e.status AS event_status,
			e.timezone AS event_timezone, e.starts_at, e.ends_at, e.date_precision`).
		Joins("JOIN events e ON e.id = r.event_id").Where("r.email_key = ?", emailKey).Order("e.starts_at DESC, r.id DESC").Limit(limit)
	err := query.Scan(&rows).Error
	return rows, translate(err)
}

// attendeeAccount makes an account for somebody who registered with this address but has none yet, so that they can see
// what they registered for. An address that nobody registered with is ErrNotFound.
func (s *Store) attendeeAccount(ctx context.Context, email string) (User, error) {
	registration, err := gorm.G[Registration](s.reader).Where("email_key = ?", EmailKey(email)).Order("id DESC").Take(ctx)
	if registration, err = one(registration, err, "registration", "of an address"); err != nil {
		return User{}, err
	}
	user := User{
		Email: registration.Email, EmailKey: registration.EmailKey, Name: registration.Name, Role: RoleAttendee,
		Locale: "en", Timezone: "UTC", Version: 1, CreatedAt: s.Now(), UpdatedAt: s.Now(),
	}
	// Whoever asks twice at once gets one account. An error instead would end a transaction of PostgreSQL's.
	result := s.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&user)
	if result.Error != nil {
		return User{}, result.Error
	}
	if result.RowsAffected == 0 {
		return s.UserByEmail(ctx, email)
	}
	return user, s.audit(ctx, Viewer{}, "user.create", "users", user.ID, "", string(user.Role))
}
