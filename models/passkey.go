package models

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/auth"
)

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

// UsedChallenge is a challenge that was answered, by a passkey or by a proof of work.
type UsedChallenge struct {
	Hash      string `gorm:"primaryKey"`
	ExpiresAt time.Time
}

// PasskeyRequest is what a browser is asked, and the challenge in it signed, which comes back with the answer: nothing is
// written before somebody has proved something.
type PasskeyRequest struct {
	Options   string // JSON
	Challenge string
}

// challengeLength is how long a browser may take to answer.
const challengeLength = 5 * time.Minute

// mostPasskeys is how many an account may have.
const mostPasskeys = 20

// challenge is what a signed challenge holds.
type challenge struct {
	Asked json.RawMessage `json:"asked"`
	Ends  time.Time       `json:"ends"`
}

func (s *Store) signChallenge(purpose string, asked []byte) (string, error) {
	b, err := json.Marshal(challenge{asked, s.Now().Add(challengeLength)})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	return text + "." + s.keys.Sign(purpose, text), nil
}

// readChallenge gives what was asked, unless the challenge is not ours or too old.
func (s *Store) readChallenge(purpose, signed string) (c challenge, err error) {
	text, signature, _ := strings.Cut(signed, ".")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !s.keys.Verify(signature, purpose, text) || json.Unmarshal(b, &c) != nil || !s.Now().Before(c.Ends) {
		return challenge{}, fmt.Errorf("%w: challenge", ErrWrongPasskey)
	}
	return c, nil
}

// useChallenge refuses, with what its caller refuses by, a challenge that was answered before.
func (s *Store) useChallenge(ctx context.Context, asked string, ends time.Time, refusal error) error {
	err := s.write(ctx).Create(&UsedChallenge{Hash: auth.Hash(asked), ExpiresAt: ends}).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return refusal
	}
	return err
}

const passkeyPurpose = "passkey"

func newPasskeyPurpose(by Viewer) string { return "new passkey of " + strconv.FormatInt(by.UserID, 10) }

// passkeyOwner is an account as its passkeys know it.
func (s *Store) passkeyOwner(ctx context.Context, userID int64) (auth.PasskeyOwner, error) {
	user, err := s.UserByID(ctx, userID)
	if err != nil {
		return auth.PasskeyOwner{}, err
	}
	owner := auth.PasskeyOwner{Email: user.Email, Name: user.Name}
	keys, err := gorm.G[Passkey](s.reader).Where("user_id = ?", userID).Order("id").Find(ctx)
	for _, key := range keys {
		owner.Handle, owner.Credentials = key.Handle, append(owner.Credentials, key.Credential)
	}
	return owner, translate(err)
}

// NewPasskey asks the browser to make a passkey for the viewer's account.
func (s *Store) NewPasskey(ctx context.Context, site *auth.Passkeys, by Viewer) (PasskeyRequest, error) {
	owner, err := s.passkeyOwner(ctx, by.UserID)
	if err != nil {
		return PasskeyRequest{}, err
	}
	if owner.Handle == "" {
		owner.Handle = auth.NewToken()
	}
	options, asked, err := site.Invite(owner)
	if err != nil {
		return PasskeyRequest{}, err
	}
	signed, err := s.signChallenge(newPasskeyPurpose(by), asked)
	return PasskeyRequest{string(options), signed}, err
}

// AddPasskey keeps the passkey that the browser made for the viewer's account under a name of theirs, and returns new
// recovery codes when the account has none left. It refuses with ErrWrongPasskey, with FieldErrors of name, and with
// ErrConflict when there are too many.
func (s *Store) AddPasskey(ctx context.Context, site *auth.Passkeys, by Viewer, name, signed, answer string) (codes []string, err error) {
	name, err = passkeyName(name)
	if err != nil {
		return nil, err
	}
	c, err := s.readChallenge(newPasskeyPurpose(by), signed)
	if err != nil {
		return nil, err
	}
	owner, err := s.passkeyOwner(ctx, by.UserID)
	if err != nil {
		return nil, err
	}
	var asked struct {
		Handle []byte `json:"user_id"`
	}
	if err := json.Unmarshal(c.Asked, &asked); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrongPasskey, err)
	}
	if owner.Handle == "" {
		owner.Handle = string(asked.Handle)
	}
	id, stored, err := site.Accept(owner, c.Asked, []byte(answer))
	if err != nil {
		return nil, wrongPasskey(err)
	}
	fresh, err := newRecoveryCodes(ctx)
	if err != nil {
		return nil, err
	}
	err = s.tx(ctx, func(tx *Store) error {
		if _, err := tx.lockUser(ctx, by.UserID); err != nil {
			return err
		}
		if err := tx.useChallenge(ctx, string(c.Asked), c.Ends, ErrWrongPasskey); err != nil {
			return err
		}
		if n, err := gorm.G[Passkey](tx.reader).Where("user_id = ?", by.UserID).Count(ctx, "id"); err != nil {
			return err
		} else if n >= mostPasskeys {
			return fmt.Errorf("%w: too many passkeys", ErrConflict)
		}
		key := Passkey{UserID: by.UserID, Name: name, CredentialID: id, Handle: owner.Handle, Credential: stored, CreatedAt: tx.Now()}
		if err := tx.write(ctx).Create(&key).Error; err != nil {
			return err
		}
		if codes, err = tx.firstRecoveryCodes(ctx, by, fresh); err != nil {
			return err
		}
		return tx.securityChanged(ctx, by, PasskeyAdded)
	})
	return codes, err
}

func passkeyName(typed string) (string, error) {
	name := oneLine(typed)
	if name == "" || tooLong(name, 60) {
		return "", FieldErrors{{"name", "Give it a name of up to 60 letters, such as the device that it is on"}}
	}
	return name, nil
}

// wrongPasskey is the refusal of an answer; other errors stay what they are.
func wrongPasskey(err error) error {
	if errors.Is(err, auth.ErrPasskey) || errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %w", ErrWrongPasskey, err)
	}
	return err
}

// AskPasskey asks the browser for a passkey of the site.
func (s *Store) AskPasskey(site *auth.Passkeys) (PasskeyRequest, error) {
	options, asked, err := site.Ask()
	if err != nil {
		return PasskeyRequest{}, err
	}
	signed, err := s.signChallenge(passkeyPurpose, asked)
	return PasskeyRequest{string(options), signed}, err
}

// SignInWithPasskey signs in by a passkey, which counts as both factors, and returns the token of a session. It refuses with
// ErrWrongPasskey.
func (s *Store) SignInWithPasskey(ctx context.Context, site *auth.Passkeys, before Viewer, signed, answer, userAgent string) (token string, err error) {
	key, use, err := s.judgePasskey(ctx, site, signed, answer)
	if err == nil {
		err = s.tx(ctx, func(tx *Store) error {
			if err := use(tx); err != nil {
				return err
			}
			token, err = tx.newSession(ctx, before, key.UserID, userAgent, "passkey")
			return err
		})
	}
	if errors.Is(err, ErrWrongPasskey) && key.UserID != 0 {
		err = s.signInRefused(ctx, key.UserID, "passkey", err)
	}
	return token, err
}

// ConfirmWithPasskey lets the viewer prove once more who they are, as Confirm does.
func (s *Store) ConfirmWithPasskey(ctx context.Context, site *auth.Passkeys, by Viewer, signed, answer string) (token string, err error) {
	key, use, err := s.judgePasskey(ctx, site, signed, answer)
	if err != nil {
		return "", err
	}
	if key.UserID != by.UserID {
		return "", fmt.Errorf("%w: of another account", ErrWrongPasskey)
	}
	return token, s.tx(ctx, func(tx *Store) error {
		if err := use(tx); err != nil {
			return err
		}
		token, err = tx.proved(ctx, by, "passkey")
		return err
	})
}

// judgePasskey judges a passkey's answer; use notes it in the transaction of what it is for.
func (s *Store) judgePasskey(ctx context.Context, site *auth.Passkeys, signed, answer string) (key Passkey, use func(tx *Store) error, err error) {
	c, err := s.readChallenge(passkeyPurpose, signed)
	if err != nil {
		return key, nil, err
	}
	_, stored, err := site.Check(c.Asked, []byte(answer), func(id string) (auth.PasskeyOwner, error) {
		found, err := gorm.G[Passkey](s.reader).Where("credential_id = ?", id).Take(ctx)
		if key, err = one(found, err, "passkey", id); err != nil {
			return auth.PasskeyOwner{}, err
		}
		return s.passkeyOwner(ctx, key.UserID)
	})
	if err != nil {
		return key, nil, wrongPasskey(err)
	}
	return key, func(tx *Store) error {
		if err := tx.useChallenge(ctx, string(c.Asked), c.Ends, ErrWrongPasskey); err != nil {
			return err
		}
		// A removed one is of no use any more, and of two answers at once the later counter holds.
		used := tx.write(ctx).Model(&Passkey{}).Where("id = ? AND credential = ?", key.ID, key.Credential).
			Updates(map[string]any{"credential": stored, "used_at": tx.Now()})
		if used.Error == nil && used.RowsAffected != 1 {
			return ErrWrongPasskey
		}
		return used.Error
	}, nil
}

// PasskeyByID is one of the viewer's own passkeys; another's is ErrNotFound.
func (s *Store) PasskeyByID(ctx context.Context, by Viewer, id int64) (Passkey, error) {
	key, err := gorm.G[Passkey](s.reader).Where("id = ? AND user_id = ?", id, by.UserID).Take(ctx)
	return one(key, err, "passkey", strconv.FormatInt(id, 10))
}

// RenamePasskey gives one of the viewer's own passkeys another name. It refuses with FieldErrors of name.
func (s *Store) RenamePasskey(ctx context.Context, by Viewer, id int64, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	return s.tx(ctx, func(tx *Store) error {
		return changed(tx.write(ctx).Model(&Passkey{}).Where("id = ? AND user_id = ?", id, by.UserID).Update("name", name), "passkey", id)
	})
}

// RemovePasskey takes one of the viewer's own passkeys away.
func (s *Store) RemovePasskey(ctx context.Context, by Viewer, id int64) error {
	return s.tx(ctx, func(tx *Store) error {
		if _, err := tx.lockUser(ctx, by.UserID); err != nil {
			return err
		}
		if err := changed(tx.write(ctx).Where("id = ? AND user_id = ?", id, by.UserID).Delete(&Passkey{}), "passkey", id); err != nil {
			return err
		}
		if err := tx.dropIdleRecoveryCodes(ctx, by.UserID); err != nil {
			return err
		}
		return tx.securityChanged(ctx, by, PasskeyRemoved)
	})
}
