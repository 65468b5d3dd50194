package models

import (
	"context"
	"fmt"
	"time"
)

// SlugHistory remembers a slug that once led to a thing.
type SlugHistory struct {
	Kind      string `gorm:"primaryKey"` // post, ambassador, group, event
	Slug      string `gorm:"primaryKey"`
	ObjectID  int64
	CreatedAt time.Time
}

// TableName is slug_history: one history, many rows.
func (SlugHistory) TableName() string { return "slug_history" }

// MovedError is the answer to a slug that a public thing had before. It wraps ErrNotFound for whoever does not follow.
type MovedError struct {
	Slug string // the one that it has now
}

func (e *MovedError) Error() string { return fmt.Sprintf("moved to %q", e.Slug) }

// Unwrap makes it a thing that is not found.
func (e *MovedError) Unwrap() error { return ErrNotFound }

// moved is the answer to a slug that nothing public has now: a *MovedError where query finds whose it was, else
// ErrNotFound. The query takes the slug and returns the present one.
func (s *Store) moved(ctx context.Context, kind, slug, query string) error {
	var now []string
	if err := s.read(ctx).Raw(query, slug).Scan(&now).Error; err != nil {
		return translate(err)
	}
	if len(now) == 0 {
		return fmt.Errorf("%w: %s %q", ErrNotFound, kind, slug)
	}
	return &MovedError{Slug: now[0]}
}
