package models

import (
	"context"
	"errors"
	"fmt"

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

// settingSecondFactor is the key under which "yes" means that staff must have a second factor.
const settingSecondFactor = "second_factor_required"

// SecondFactorRequired reports whether staff and admins must have a second factor before the desk opens to them.
func (s *Store) SecondFactorRequired(ctx context.Context) (bool, error) {
	kept, err := s.Setting(ctx, settingSecondFactor)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return kept == "yes", err
}

// RequireSecondFactor says whether staff and admins must have a second factor, for admins. It holds from their next click on.
func (s *Store) RequireSecondFactor(ctx context.Context, by Viewer, required bool) error {
	if !by.Can(ManageSite, Object{}) {
		return fmt.Errorf("%w: settings", ErrNotFound)
	}
	return s.tx(ctx, func(tx *Store) error {
		before, err := tx.SecondFactorRequired(ctx)
		if err != nil || before == required {
			return err
		}
		words := map[bool]string{false: "no", true: "yes"}
		value := Setting{Key: settingSecondFactor, Value: words[required]}
		if err := tx.write(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&value).Error; err != nil {
			return err
		}
		return tx.audit(ctx, by, "setting."+settingSecondFactor, "settings", 0, words[before], words[required])
	})
}
