package models

import "time"

// Medium is an uploaded picture, re-encoded by us. Its name holds a hash of the bytes and never changes.
type Medium struct {
	ID          int64
	Name        string
	ContentType string
	Width       int // pixels
	Height      int // pixels
	Size        int64
	Alt         string // empty means decorative
	Credit      string
	Licence     string // SPDX identifier
	UserID      *int64
	CreatedAt   time.Time
}

// TableName is media, the plural of the field.
func (Medium) TableName() string { return "media" }
