package models

import "time"

// Session is a signed-in browser. Only the hash of its token is stored.
type Session struct {
	ID        int64
	UserID    int64
	TokenHash string
	UserAgent string
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
}

// SignInLink is a one-time link. A mailed one has no token until its mail is sent.
type SignInLink struct {
	ID        int64
	UserID    int64
	TokenHash *string
	NextPath  string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time
}
