package models

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Setting is a value that every process on the database shares.
type Setting struct {
	Key   string `gorm:"primaryKey"`
	Value string
}

// Setting returns the value kept under key, or ErrNotFound.
func (s *Store) Setting(ctx context.Context, key string) (string, error) {
	kept, err := gorm.G[Setting](s.reader).Where("key = ?", key).Take(ctx)
	kept, err = one(kept, err, "setting", key)
	return kept.Value, err
}

// KeepSetting returns the value kept under key, which is value if there was none before.
func (s *Store) KeepSetting(ctx context.Context, key, value string) (string, error) {
	var kept Setting
	err := s.tx(ctx, func(tx *Store) error {
		fresh := Setting{Key: key, Value: value}
		if err := tx.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&fresh).Error; err != nil {
			return err
		}
		var err error
		kept, err = gorm.G[Setting](tx.reader).Where("key = ?", key).Take(ctx)
		return err
	})
	return kept.Value, err
}
