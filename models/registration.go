package models

import (
	"database/sql/driver"
	"time"
)

// RegistrationStatus is the state of a registration.
type RegistrationStatus string

// The states of a registration.
const (
	RegistrationConfirmed RegistrationStatus = "confirmed"
	RegistrationCancelled RegistrationStatus = "cancelled"
)

// Value refuses a state that is not one of ours.
func (s RegistrationStatus) Value() (driver.Value, error) {
	return oneOf("registration status", s, RegistrationConfirmed, RegistrationCancelled)
}

// Registration is a person's place at an event.
type Registration struct {
	ID           int64
	EventID      int64
	PublicID     string // random, names the registration outside
	LinkVersion  int    // raising it revokes the links made before
	Nonce        *string
	Status       RegistrationStatus
	Name         string
	Email        string // as typed, used for sending
	EmailKey     string // normalised, used for comparing
	LinkMailedAt *time.Time
	CreatedAt    time.Time
	CancelledAt  *time.Time
}

// RegistrationTicket is a ticket of a registration.
type RegistrationTicket struct {
	RegistrationID int64 `gorm:"primaryKey;autoIncrement:false"`
	TicketTypeID   int64 `gorm:"primaryKey;autoIncrement:false"`
}

// Consent is what a person agreed to, in which version of its words, and when.
type Consent struct {
	ID             int64
	RegistrationID *int64
	UserID         *int64
	Purpose        string
	Version        string
	GivenAt        time.Time
	WithdrawnAt    *time.Time
}
