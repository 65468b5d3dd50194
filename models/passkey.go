package models

import "time"

// Passkey is a key pair of a device's; what is kept of it opens nothing by itself.
type Passkey struct {
	ID           int64
	UserID       int64
	Name         string // the person's own word for the device
	CredentialID string // base64url
	Handle       string // the account's name to authenticators
	Credential   string // JSON
	CreatedAt    time.Time
	UsedAt       *time.Time
}

// UsedChallenge is a challenge that a passkey has answered.
type UsedChallenge struct {
	Hash      string `gorm:"primaryKey"`
	ExpiresAt time.Time
}
