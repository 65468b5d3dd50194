package models

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cdfoundation/portal/internal/auth"
)

// Password is what an account signs in with beside the mailed link; only its hash is kept.
type Password struct {
	UserID    int64 `gorm:"primaryKey"`
	Hash      string
	CreatedAt time.Time
}

// siteNames are words of the site that make no password.
const siteNames = "CDF Community Continuous Delivery Foundation portal"

// SetPassword gives the viewer's account a password, or another one, which takes the present one. All other sessions of the
// account end, and it is told by mail. It refuses with FieldErrors, of new and current, or with ErrGuessing.
func (s *Store) SetPassword(ctx context.Context, by Viewer, current, password string) error {
	var wrong FieldErrors
	kept, err := s.passwordOf(ctx, by.UserID)
	if err != nil {
		return err
	}
	if kept.Hash != "" {
		right, err := s.checkPassword(ctx, by, kept, current)
		if err != nil {
			return err
		}
		if !right {
			wrong.add("current", "That is not your password as it is now")
		}
	}
	switch length := utf8.RuneCountInString(password); {
	case length < auth.MinPassword:
		wrong.add("new", fmt.Sprintf("Take %d characters or more; several words make a good password", auth.MinPassword))
	case length > auth.MaxPassword:
		wrong.add("new", fmt.Sprintf("Take at most %d characters", auth.MaxPassword))
	case auth.Guessable(password, by.Name, by.Email, siteNames):
		wrong.add("new", "Others would try this one early: it is common, or made of your name or ours. Take several words that do not belong together")
	}
	if len(wrong) > 0 {
		return wrong
	}
	hash, err := auth.HashSecret(ctx, password, auth.Salt())
	if err != nil {
		return err
	}
	return s.tx(ctx, func(tx *Store) error {
		row := Password{UserID: by.UserID, Hash: hash, CreatedAt: tx.Now()}
		if err := tx.write(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return err
		}
		if kept.Hash != "" {
			return tx.securityChanged(ctx, by, PasswordChanged)
		}
		return tx.securityChanged(ctx, by, PasswordSet)
	})
}

// RemovePassword takes the password of the viewer's account away: it signs in by mailed links then. ErrNotFound tells that
// it has none.
func (s *Store) RemovePassword(ctx context.Context, by Viewer) error {
	return s.tx(ctx, func(tx *Store) error {
		if err := changed(tx.write(ctx).Where("user_id = ?", by.UserID).Delete(&Password{}), "password of account", by.UserID); err != nil {
			return err
		}
		return tx.securityChanged(ctx, by, PasswordRemoved)
	})
}

// SignInWithPassword signs in as SignIn does. It refuses with ErrWrongPassword, in the same time whether the account is
// unknown, has no password or has another one, and with ErrGuessing. network is where the request came from, for counting
// tries; empty counts nothing.
func (s *Store) SignInWithPassword(ctx context.Context, before Viewer, email, password, network, userAgent, path string) (token, next string, err error) {
	if network != "" {
		if err := s.takeGuess(ctx, guessedFrom, network); err != nil {
			return "", "", err
		}
	}
	if err := s.takeGuess(ctx, guessedPassword, EmailKey(email)); err != nil {
		return "", "", err
	}
	user, err := s.UserByEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", "", err
	}
	kept, err := s.passwordOf(ctx, user.ID)
	if err != nil {
		return "", "", err
	}
	if right, err := auth.CheckSecret(ctx, kept.Hash, password); err != nil {
		return "", "", err
	} else if !right {
		return "", "", s.passwordRefused(ctx, user.ID, email)
	}
	var entry entry
	err = s.tx(ctx, func(tx *Store) error {
		// Somebody may have changed it while the hash was computed.
		if now, err := tx.passwordOf(ctx, user.ID); err != nil {
			return err
		} else if now.Hash != kept.Hash {
			return ErrWrongPassword
		}
		if err := tx.right(ctx, guessedPassword, EmailKey(email)); err != nil {
			return err
		}
		if network != "" {
			if err := tx.takeBack(ctx, guessedFrom, network); err != nil {
				return err
			}
		}
		entry, err = tx.enter(ctx, before, user.ID, userAgent, "password", path)
		return err
	})
	return entry.result(path, err)
}

// passwordRefused notes that somebody failed to sign in to an account. An unknown address is noted nowhere, and waits for a commit
// all the same, so that time does not tell.
func (s *Store) passwordRefused(ctx context.Context, userID int64, email string) error {
	if userID != 0 {
		return s.signInRefused(ctx, userID, "password", ErrWrongPassword)
	}
	err := s.tx(ctx, func(tx *Store) error {
		return tx.write(ctx).Model(&Guess{}).Where("subject = ?", tx.guessSubject(guessedPassword, EmailKey(email))).Update("last_at", gorm.Expr("last_at")).Error
	})
	return cmp.Or(err, ErrWrongPassword)
}

// signInRefused notes that somebody, who need not be its owner, failed to sign in to an account, and returns why.
func (s *Store) signInRefused(ctx context.Context, userID int64, factor string, refusal error) error {
	err := s.tx(ctx, func(tx *Store) error { return tx.audit(ctx, Viewer{}, "session.refuse", "users", userID, "", factor) })
	return cmp.Or(err, refusal)
}

// passwordOf is an account's password; without a hash when it has none.
func (s *Store) passwordOf(ctx context.Context, userID int64) (Password, error) {
	kept, err := gorm.G[Password](s.reader).Where("user_id = ?", userID).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Password{}, nil
	}
	return kept, translate(err)
}

// checkPassword judges the password that somebody signed in types once more.
func (s *Store) checkPassword(ctx context.Context, by Viewer, kept Password, password string) (bool, error) {
	if err := s.takeGuess(ctx, guessedPassword, EmailKey(by.Email)); err != nil {
		return false, err
	}
	right, err := auth.CheckSecret(ctx, kept.Hash, password)
	if err != nil || !right {
		return false, err
	}
	return true, s.tx(ctx, func(tx *Store) error { return tx.right(ctx, guessedPassword, EmailKey(by.Email)) })
}
