package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/auth"
)

// Authenticator is an account's app that shows a code each half minute. Its secret is derived from the nonce.
type Authenticator struct {
	UserID    int64 `gorm:"primaryKey"`
	Nonce     string
	LastStep  int64 // of the last code that was used
	CreatedAt time.Time
}

// RecoveryCode works once instead of a second factor. All of an account's are hashed with one salt.
type RecoveryCode struct {
	ID        int64
	UserID    int64
	Hash      string
	CreatedAt time.Time
	UsedAt    *time.Time
}

// HalfSignIn is a sign-in whose first factor was right and whose second is asked for. It is no session: nothing can be done
// with it but to go on.
type HalfSignIn struct {
	ID          int64
	UserID      int64
	TokenHash   string
	FirstFactor string
	NextPath    string
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// SecurityChange is what was changed of how an account signs in: the note of its mail, and the action in the audit log.
type SecurityChange string

// The changes.
const (
	PasswordSet          SecurityChange = "password.set"
	PasswordChanged      SecurityChange = "password.change"
	PasswordRemoved      SecurityChange = "password.remove"
	AuthenticatorAdded   SecurityChange = "authenticator.add"
	AuthenticatorRemoved SecurityChange = "authenticator.remove"
	RecoveryCodesMade    SecurityChange = "recovery_codes.create"
	RecoveryCodeUsed     SecurityChange = "recovery_code.use"
	PasskeyAdded         SecurityChange = "passkey.add"
	PasskeyRemoved       SecurityChange = "passkey.remove"
	FactorsReset         SecurityChange = "factors.reset"
)

// hasSecondFactor is a condition on the accounts u.
const hasSecondFactor = `(EXISTS (SELECT 1 FROM authenticators f WHERE f.user_id = u.id) OR EXISTS (SELECT 1 FROM passkeys f WHERE f.user_id = u.id))`

func (s *Store) hasSecondFactor(ctx context.Context, userID int64) (has bool, err error) {
	err = s.read(ctx).Raw("SELECT "+hasSecondFactor+" FROM users u WHERE u.id = ?", userID).Scan(&has).Error
	return has, translate(err)
}

// Factors is how an account can prove whose it is, beside mailed links.
type Factors struct {
	Password      *time.Time // since when there is one; nil: none
	Authenticator *time.Time
	Passkeys      []Passkey
	RecoveryCodes int  // that are left
	Required      bool // a second one must be there
}

// Second reports whether a second factor is asked for at each sign-in.
func (f Factors) Second() bool { return f.Authenticator != nil || len(f.Passkeys) > 0 }

// Factors reads how the viewer's own account can prove whose it is.
func (s *Store) Factors(ctx context.Context, by Viewer) (f Factors, err error) {
	if f, err = s.factorsOf(ctx, by.UserID); err != nil {
		return f, err
	}
	if by.Role == RoleStaff || by.Role == RoleAdmin {
		f.Required, err = s.SecondFactorRequired(ctx)
	}
	return f, err
}

// FactorsOf reads how an account can prove whose it is, for staff and admins. Others are told ErrNotFound.
func (s *Store) FactorsOf(ctx context.Context, by Viewer, user User) (f Factors, err error) {
	if !by.Can(ManagePeople, Object{}) {
		return f, fmt.Errorf("%w: account %d", ErrNotFound, user.ID)
	}
	return s.Factors(ctx, Viewer{UserID: user.ID, Role: user.Role})
}

func (s *Store) factorsOf(ctx context.Context, userID int64) (f Factors, err error) {
	password, err := s.passwordOf(ctx, userID)
	if err != nil {
		return f, err
	}
	if password.Hash != "" {
		f.Password = &password.CreatedAt
	}
	app, err := s.authenticatorOf(ctx, userID)
	if err != nil {
		return f, err
	}
	if app.Nonce != "" {
		f.Authenticator = &app.CreatedAt
	}
	if f.Passkeys, err = gorm.G[Passkey](s.reader).Where("user_id = ?", userID).Order("created_at, id").Find(ctx); err != nil {
		return f, translate(err)
	}
	left, err := gorm.G[RecoveryCode](s.reader).Where("user_id = ? AND used_at IS NULL", userID).Count(ctx, "id")
	f.RecoveryCodes = int(left)
	return f, translate(err)
}

// authenticatorOf is an account's app; without a nonce when it has none.
func (s *Store) authenticatorOf(ctx context.Context, userID int64) (Authenticator, error) {
	app, err := gorm.G[Authenticator](s.reader).Where("user_id = ?", userID).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Authenticator{}, nil
	}
	return app, translate(err)
}

// NewAuthenticator is what an app is set up with: the address that it scans, the secret in it for typing, and the nonce that
// AddAuthenticator wants back. Nothing is kept yet.
func (s *Store) NewAuthenticator(by Viewer, issuer, nonce string) (address, secret, sameNonce string, err error) {
	if nonce == "" {
		nonce = auth.NewToken()
	}
	address, secret, err = s.keys.AuthenticatorURL(issuer, by.Email, strconv.FormatInt(by.UserID, 10), nonce)
	return address, secret, nonce, err
}

// AddAuthenticator gives the viewer's account the app that shows this code, in place of one that it may have, and returns
// new recovery codes when it has none left. It refuses with ErrWrongCode and ErrGuessing.
func (s *Store) AddAuthenticator(ctx context.Context, by Viewer, nonce, code string) (codes []string, err error) {
	if err := s.takeGuess(ctx, guessedCode, strconv.FormatInt(by.UserID, 10)); err != nil {
		return nil, err
	}
	step, ok := s.keys.AuthenticatorStep(auth.PlainCode(code), strconv.FormatInt(by.UserID, 10), nonce, s.Now(), 0)
	if !ok || nonce == "" || len(nonce) > 100 {
		return nil, ErrWrongCode
	}
	fresh, err := newRecoveryCodes(ctx)
	if err != nil {
		return nil, err
	}
	err = s.tx(ctx, func(tx *Store) error {
		if _, err := tx.lockUser(ctx, by.UserID); err != nil {
			return err
		}
		if err := tx.right(ctx, guessedCode, strconv.FormatInt(by.UserID, 10)); err != nil {
			return err
		}
		if err := tx.write(ctx).Where("user_id = ?", by.UserID).Delete(&Authenticator{}).Error; err != nil {
			return err
		}
		app := Authenticator{UserID: by.UserID, Nonce: nonce, LastStep: step, CreatedAt: tx.Now()}
		if err := tx.write(ctx).Create(&app).Error; err != nil {
			return err
		}
		if codes, err = tx.firstRecoveryCodes(ctx, by, fresh); err != nil {
			return err
		}
		return tx.securityChanged(ctx, by, AuthenticatorAdded)
	})
	return codes, err
}

// RemoveAuthenticator takes the app of the viewer's account away. ErrNotFound tells that it has none.
func (s *Store) RemoveAuthenticator(ctx context.Context, by Viewer) error {
	return s.tx(ctx, func(tx *Store) error {
		if _, err := tx.lockUser(ctx, by.UserID); err != nil {
			return err
		}
		if err := changed(tx.write(ctx).Where("user_id = ?", by.UserID).Delete(&Authenticator{}), "authenticator of account", by.UserID); err != nil {
			return err
		}
		if err := tx.dropIdleRecoveryCodes(ctx, by.UserID); err != nil {
			return err
		}
		return tx.securityChanged(ctx, by, AuthenticatorRemoved)
	})
}

// recoveryCodes are new codes: as they are shown, once, and as they are kept.
type recoveryCodes struct{ shown, kept []string }

func newRecoveryCodes(ctx context.Context) (c recoveryCodes, err error) {
	salt := auth.Salt()
	for range auth.RecoveryCodes {
		code := auth.NewRecoveryCode()
		hash, err := auth.HashSecret(ctx, auth.PlainRecoveryCode(code), salt)
		if err != nil {
			return c, err
		}
		c.shown, c.kept = append(c.shown, code), append(c.kept, hash)
	}
	return c, nil
}

// NewRecoveryCodes replaces the recovery codes of the viewer's account and returns the new ones, which nobody can be shown
// again. An account without a second factor is ErrConflict.
func (s *Store) NewRecoveryCodes(ctx context.Context, by Viewer) ([]string, error) {
	fresh, err := newRecoveryCodes(ctx)
	if err != nil {
		return nil, err
	}
	return fresh.shown, s.tx(ctx, func(tx *Store) error {
		if _, err := tx.lockUser(ctx, by.UserID); err != nil {
			return err
		}
		if has, err := tx.hasSecondFactor(ctx, by.UserID); err != nil {
			return err
		} else if !has {
			return fmt.Errorf("%w: no second factor", ErrConflict)
		}
		if err := tx.keepRecoveryCodes(ctx, by.UserID, fresh); err != nil {
			return err
		}
		return tx.securityChanged(ctx, by, RecoveryCodesMade)
	})
}

// firstRecoveryCodes keeps the codes for an account that has none left and returns them as they are shown.
func (s *Store) firstRecoveryCodes(ctx context.Context, by Viewer, fresh recoveryCodes) ([]string, error) {
	left, err := gorm.G[RecoveryCode](s.reader).Where("user_id = ? AND used_at IS NULL", by.UserID).Count(ctx, "id")
	if err != nil || left > 0 {
		return nil, err
	}
	return fresh.shown, s.keepRecoveryCodes(ctx, by.UserID, fresh)
}

func (s *Store) keepRecoveryCodes(ctx context.Context, userID int64, fresh recoveryCodes) error {
	if err := s.write(ctx).Where("user_id = ?", userID).Delete(&RecoveryCode{}).Error; err != nil {
		return err
	}
	rows := make([]RecoveryCode, len(fresh.kept))
	for i, hash := range fresh.kept {
		rows[i] = RecoveryCode{UserID: userID, Hash: hash, CreatedAt: s.Now()}
	}
	return s.write(ctx).Create(&rows).Error
}

// dropIdleRecoveryCodes deletes the recovery codes of an account that has no second factor any more.
func (s *Store) dropIdleRecoveryCodes(ctx context.Context, userID int64) error {
	if has, err := s.hasSecondFactor(ctx, userID); err != nil || has {
		return err
	}
	return s.write(ctx).Where("user_id = ?", userID).Delete(&RecoveryCode{}).Error
}

// HalfSignInFor is what is known of a sign-in that waits for its second factor: whether an app and passkeys may prove it.
// One that is unknown or has ended is ErrLinkUsed.
func (s *Store) HalfSignInFor(ctx context.Context, token string) (HalfSignIn, Factors, error) {
	half, err := gorm.G[HalfSignIn](s.reader).Where("token_hash = ? AND expires_at > ?", auth.Hash(token), s.Now()).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return half, Factors{}, ErrLinkUsed
	}
	if err != nil {
		return half, Factors{}, translate(err)
	}
	factors, err := s.factorsOf(ctx, half.UserID)
	return half, factors, err
}

// SignInWithCode goes on with a sign-in that waits for its second factor, by the code of an app or a recovery code, and
// returns the token of a session and the path to open next. It refuses with ErrLinkUsed, ErrWrongCode and ErrGuessing.
func (s *Store) SignInWithCode(ctx context.Context, before Viewer, halfToken, code, userAgent string) (token, next string, err error) {
	half, _, err := s.HalfSignInFor(ctx, halfToken)
	if err != nil {
		return "", "", err
	}
	spend, err := s.judgeCode(ctx, half.UserID, code)
	if err == nil {
		err = s.tx(ctx, func(tx *Store) error {
			ended := tx.write(ctx).Where("id = ? AND expires_at > ?", half.ID, tx.Now()).Delete(&HalfSignIn{})
			if ended.Error != nil {
				return ended.Error
			}
			if ended.RowsAffected == 0 {
				return ErrLinkUsed
			}
			factor, err := spend(tx)
			if err != nil {
				return err
			}
			token, err = tx.newSession(ctx, before, half.UserID, userAgent, half.FirstFactor+" and "+factor)
			return err
		})
	}
	if errors.Is(err, ErrWrongCode) {
		err = s.signInRefused(ctx, half.UserID, half.FirstFactor+" and a wrong code", err)
	}
	return token, half.NextPath, err
}

// judgeCode judges the code of an app, or a recovery code, without using it up: that is done by what it returns, in the
// transaction of what the code is for, and fails when another was faster.
func (s *Store) judgeCode(ctx context.Context, userID int64, typed string) (spend func(tx *Store) (factor string, err error), err error) {
	whose := strconv.FormatInt(userID, 10)
	if err := s.takeGuess(ctx, guessedCode, whose); err != nil {
		return nil, err
	}
	app, err := s.authenticatorOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	once := func(result *gorm.DB) error {
		if result.Error == nil && result.RowsAffected != 1 {
			return ErrWrongCode
		}
		return result.Error
	}
	if step, ok := s.keys.AuthenticatorStep(auth.PlainCode(typed), whose, app.Nonce, s.Now(), app.LastStep); ok && app.Nonce != "" {
		return func(tx *Store) (string, error) {
			if err := once(tx.write(ctx).Model(&Authenticator{}).Where("user_id = ? AND nonce = ? AND last_step < ?", userID, app.Nonce, step).Update("last_step", step)); err != nil {
				return "", err
			}
			return "code", tx.right(ctx, guessedCode, whose)
		}, nil
	}
	codes, err := gorm.G[RecoveryCode](s.reader).Where("user_id = ? AND used_at IS NULL", userID).Order("id").Find(ctx)
	if err != nil {
		return nil, translate(err)
	}
	plain := auth.PlainRecoveryCode(typed)
	if len(codes) == 0 || len(plain) != 10 {
		return nil, ErrWrongCode
	}
	hash, err := auth.HashLike(ctx, codes[0].Hash, plain)
	if err != nil {
		return nil, err
	}
	for _, code := range codes {
		if auth.Same(code.Hash, hash) {
			return func(tx *Store) (string, error) {
				if err := once(tx.write(ctx).Model(&RecoveryCode{}).Where("id = ? AND used_at IS NULL", code.ID).Update("used_at", tx.Now())); err != nil {
					return "", err
				}
				user, err := tx.UserByID(ctx, userID)
				if err != nil {
					return "", err
				}
				if err := tx.noteSecurity(ctx, Viewer{UserID: userID, Role: user.Role}, user, RecoveryCodeUsed); err != nil {
					return "", err
				}
				return "recovery code", tx.right(ctx, guessedCode, whose)
			}, nil
		}
	}
	return nil, ErrWrongCode
}

// Confirm lets the viewer prove once more who they are, by what their account asks of them: a code when it has a second
// factor, else its password. It returns the session's new token; the one before ends. It refuses with ErrWrongCode,
// ErrWrongPassword and ErrGuessing.
func (s *Store) Confirm(ctx context.Context, by Viewer, password, code string) (token string, err error) {
	second, err := s.hasSecondFactor(ctx, by.UserID)
	if err != nil {
		return "", err
	}
	spend := func(*Store) (string, error) { return "password", nil }
	if second {
		spend, err = s.judgeCode(ctx, by.UserID, code)
	} else {
		err = s.confirmPassword(ctx, by, password)
	}
	if err != nil {
		return "", err
	}
	return token, s.tx(ctx, func(tx *Store) error {
		factor, err := spend(tx)
		if err != nil {
			return err
		}
		token, err = tx.proved(ctx, by, factor)
		return err
	})
}

func (s *Store) confirmPassword(ctx context.Context, by Viewer, password string) error {
	kept, err := s.passwordOf(ctx, by.UserID)
	if err != nil {
		return err
	}
	right, err := s.checkPassword(ctx, by, kept, password)
	if err == nil && !right {
		err = ErrWrongPassword
	}
	return err
}

// proved notes that the viewer has proved once more who they are, and gives their session another token.
func (s *Store) proved(ctx context.Context, by Viewer, factor string) (token string, err error) {
	token = auth.NewToken()
	if err := changed(s.write(ctx).Model(&Session{}).Where("id = ? AND user_id = ?", by.SessionID, by.UserID).
		Updates(map[string]any{"token_hash": auth.Hash(token), "proved_at": s.Now()}), "session", by.SessionID); err != nil {
		return "", err
	}
	return token, s.audit(ctx, by, "session.confirm", "sessions", by.SessionID, "", factor)
}

// ResetFactors takes the password and every second factor of somebody's account away and ends its sessions, so that who lost
// them gets in by a mailed link. It is for who may give and take the account's role; another's account is ErrNotFound.
func (s *Store) ResetFactors(ctx context.Context, by Viewer, id int64) error {
	return s.tx(ctx, func(tx *Store) error {
		user, err := tx.lockUser(ctx, id)
		if err != nil {
			return err
		}
		if !slices.Contains(by.MayGive(), user.Role) {
			return fmt.Errorf("%w: account %d", ErrNotFound, id)
		}
		return tx.resetFactors(ctx, by, user)
	})
}

// ResetFactorsOf does the same for a command, by an account's address.
func (s *Store) ResetFactorsOf(ctx context.Context, by Viewer, email string) error {
	return s.tx(ctx, func(tx *Store) error {
		user, err := tx.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		return tx.resetFactors(ctx, by, user)
	})
}

func (s *Store) resetFactors(ctx context.Context, by Viewer, user User) error {
	for _, factor := range []any{&Password{}, &Authenticator{}, &Passkey{}, &RecoveryCode{}} {
		if err := s.write(ctx).Where("user_id = ?", user.ID).Delete(factor).Error; err != nil {
			return err
		}
	}
	if err := s.endOtherSessions(ctx, Viewer{UserID: user.ID}); err != nil {
		return err
	}
	return s.noteSecurity(ctx, by, user, FactorsReset)
}

// securityChanged ends all other sessions of the viewer's account after a change of how it signs in, notes it and tells by mail.
func (s *Store) securityChanged(ctx context.Context, by Viewer, change SecurityChange) error {
	user, err := s.UserByID(ctx, by.UserID)
	if err != nil {
		return err
	}
	if err := s.endOtherSessions(ctx, by); err != nil {
		return err
	}
	// The change is refused and not its mail left out: nobody changes anything behind the owner's back.
	if err := s.countMail(ctx, mailsOfSecurity, strconv.FormatInt(user.ID, 10)); err != nil {
		return err
	}
	return s.noteSecurity(ctx, by, user, change)
}

// noteSecurity writes what changed of an account into the audit log and a mail.
func (s *Store) noteSecurity(ctx context.Context, by Viewer, user User, change SecurityChange) error {
	if err := s.audit(ctx, by, string(change), "users", user.ID, "", ""); err != nil {
		return err
	}
	return s.enqueue(ctx, Mail{
		Kind: MailSecurity, DedupeKey: fmt.Sprintf("%s/%d/%s/%d", MailSecurity, user.ID, change, s.Now().UnixMicro()),
		Recipient: user.Email, RecipientName: user.Name, UserID: &user.ID, Note: string(change),
	})
}
