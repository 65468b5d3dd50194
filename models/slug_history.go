package models

import "time"

// SlugHistory remembers a slug that once led to a thing.
type SlugHistory struct {
	Kind      string `gorm:"primaryKey"` // post, ambassador, group, event
	Slug      string `gorm:"primaryKey"`
	ObjectID  int64
	CreatedAt time.Time
}

// TableName is slug_history: one history, many rows.
func (SlugHistory) TableName() string { return "slug_history" }
