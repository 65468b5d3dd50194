package models

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/auth"
)

// Session is a signed-in browser. Only the hash of its token is stored.
type Session struct {
	ID        int64
	UserID    int64
	TokenHash string
	UserAgent string
	CreatedAt time.Time
	SeenAt    time.Time
	ProvedAt  time.Time // when the person at it last proved who they are
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

const (
	sessionLength   = 30 * 24 * time.Hour  // after the last request
	sessionLongest  = 365 * 24 * time.Hour // after signing in, whatever is done meanwhile
	sessionTouch    = 5 * time.Minute      // how exactly the last request is known
	signInLength    = 30 * time.Minute     // of a mailed link
	unaskedLength   = 24 * time.Hour       // of a link that its owner does not wait for: of an invitation or a command
	halfLength      = 10 * time.Minute     // to prove the second factor
	freshLength     = 15 * time.Minute     // how long a person counts as the one who proved who they are
	signInMailPause = time.Minute          // between two mailed links to one account
)

// ViewerBySession finds who holds a session's token. A token that is unknown or has ended is ErrNotFound.
func (s *Store) ViewerBySession(ctx context.Context, token string) (Viewer, error) {
	var row struct {
		Viewer
		SeenAt    time.Time
		BeganAt   time.Time
		ExpiresAt time.Time
	}
	now := s.Now()
	err := s.read(ctx).Raw(`SELECT s.id AS session_id, s.seen_at, s.created_at AS began_at, s.expires_at, u.id AS user_id, u.name, u.email, u.role, u.timezone,
			COALESCE(a.id, 0) AS ambassador_id, s.proved_at,
			u.role IN ('staff', 'admin') AND NOT `+hasSecondFactor+`
				AND EXISTS (SELECT 1 FROM settings WHERE key = '`+settingSecondFactor+`' AND value = 'yes') AS needs_factor
		FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN ambassadors a ON a.user_id = u.id
		WHERE s.token_hash = ? AND s.expires_at > ?`, auth.Hash(token), now).Take(&row).Error
	v, err := one(row.Viewer, err, "session", "of the browser")
	if err != nil {
		return Viewer{}, err
	}
	if v.GroupIDs, err = s.organisedGroups(ctx, v); err != nil {
		return Viewer{}, err
	}
	if now.Sub(row.SeenAt) > sessionTouch {
		ends := now.Add(sessionLength)
		if longest := row.BeganAt.Add(sessionLongest); ends.After(longest) {
			ends = longest
		}
		err = s.tx(ctx, func(tx *Store) error {
			return tx.write(ctx).Model(&Session{}).Where("id = ?", v.SessionID).
				Updates(map[string]any{"seen_at": now, "expires_at": ends}).Error
		})
		if errors.Is(err, ErrUnavailable) {
			err = nil // reading goes on while nothing can be written; the next request tries again
		}
	}
	return v, err
}

// Fresh reports whether the person proved who they are a short time ago, as what has great effect asks for.
func (v Viewer) Fresh(now time.Time) bool { return now.Sub(v.ProvedAt) < freshLength }

// organisedGroups are the groups that a viewer runs, by the account or by the linked profile.
func (s *Store) organisedGroups(ctx context.Context, v Viewer) ([]int64, error) {
	var ids []int64
	err := s.read(ctx).Raw(`SELECT DISTINCT group_id FROM group_organisers WHERE user_id = ? OR ambassador_id = ? ORDER BY group_id`,
		v.UserID, v.AmbassadorID).Scan(&ids).Error
	return ids, translate(err)
}

// NewSignInLink makes a one-time link for an account without a mail and returns its token, for a command to print.
func (s *Store) NewSignInLink(ctx context.Context, email string) (token string, err error) {
	err = s.tx(ctx, func(tx *Store) error {
		user, err := tx.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		token, err = tx.newSignInLink(ctx, user.ID)
		return err
	})
	return token, err
}

func (s *Store) newSignInLink(ctx context.Context, userID int64) (token string, err error) {
	token = auth.NewToken()
	hash := auth.Hash(token)
	return token, s.write(ctx).Create(&SignInLink{
		UserID: userID, TokenHash: &hash, CreatedAt: s.Now(), ExpiresAt: s.Now().Add(unaskedLength),
	}).Error
}

// RequestSignIn mails a one-time link to the account with this address; who has registered with it gets an account
// first. Whether there is one is not told: an unknown address, or one that was mailed to a moment ago, is no error.
// next is the path to open after signing in.
func (s *Store) RequestSignIn(ctx context.Context, email, next string) error {
	return s.tx(ctx, func(tx *Store) error {
		// Whoever asks waits for a commit, so that time does not tell either.
		if err := tx.countMail(ctx, asksToSignIn, EmailKey(email)); err != nil {
			return err
		}
		user, err := tx.UserByEmail(ctx, email)
		if errors.Is(err, ErrNotFound) {
			user, err = tx.attendeeAccount(ctx, email)
		}
		if errors.Is(err, ErrNotFound) || user.Email == firstAdminEmail {
			return nil
		}
		if err != nil {
			return err
		}
		// One after the other, so that who asks many times at once gets one mail.
		if user, err = tx.lockUser(ctx, user.ID); err != nil {
			return err
		}
		var links, recent int64
		if err := tx.read(ctx).Model(&SignInLink{}).Where("user_id = ? AND created_at > ?", user.ID, tx.Now().Add(-24*time.Hour)).Count(&links).Error; err != nil {
			return err
		}
		pause := signInMailPause
		if links >= manySignInMails {
			pause = longerSignInMailPause
		}
		err = tx.read(ctx).Model(&Mail{}).Where("user_id = ? AND kind IN ? AND created_at > ?",
			user.ID, []MailKind{MailSignIn, MailInvitation}, tx.Now().Add(-pause)).Count(&recent).Error
		if err != nil || recent > 0 {
			return err
		}
		return tx.mailSignInLink(ctx, MailSignIn, user, next)
	})
}

// mailSignInLink makes a one-time link without a token and the mail that will bring it.
func (s *Store) mailSignInLink(ctx context.Context, kind MailKind, user User, next string) error {
	length := signInLength
	if kind == MailInvitation {
		length = unaskedLength
	}
	link := SignInLink{UserID: user.ID, NextPath: next, CreatedAt: s.Now(), ExpiresAt: s.Now().Add(length)}
	if err := s.write(ctx).Create(&link).Error; err != nil {
		return err
	}
	return s.enqueue(ctx, Mail{
		Kind: kind, DedupeKey: fmt.Sprintf("%s/%d", kind, link.ID), Recipient: user.Email,
		RecipientName: user.Name, UserID: &user.ID, SignInLinkID: &link.ID,
	})
}

// SignInToken makes the token of a mailed link, for the worker that sends it: a mail sent twice holds two tokens, of
// which the later works. The link lasts as long from now as it was meant to from its making.
func (s *Store) SignInToken(ctx context.Context, linkID int64) (token string, err error) {
	token = auth.NewToken()
	err = s.tx(ctx, func(tx *Store) error {
		link, err := gorm.G[SignInLink](tx.reader).Where("id = ? AND used_at IS NULL", linkID).Take(ctx)
		if link, err = one(link, err, "sign-in link", strconv.FormatInt(linkID, 10)); err != nil {
			return err
		}
		return changed(tx.write(ctx).Model(&SignInLink{}).Where("id = ? AND used_at IS NULL", linkID).
			Updates(map[string]any{"token_hash": auth.Hash(token), "expires_at": tx.Now().Add(link.ExpiresAt.Sub(link.CreatedAt))}), "sign-in link", linkID)
	})
	return token, err
}

// SignInLinkFor returns the account that a one-time link signs in, without using it. A link that is unknown, was used
// or has ended is ErrLinkUsed.
func (s *Store) SignInLinkFor(ctx context.Context, token string) (User, error) {
	link, err := s.signInLink(ctx, token)
	if err != nil {
		return User{}, err
	}
	return s.UserByID(ctx, link.UserID)
}

func (s *Store) signInLink(ctx context.Context, token string) (SignInLink, error) {
	link, err := gorm.G[SignInLink](s.reader).
		Where("token_hash = ? AND used_at IS NULL AND expires_at > ?", auth.Hash(token), s.Now()).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return link, ErrLinkUsed
	}
	return link, translate(err)
}

// SignIn uses a one-time link up and returns the token of a new session, and the path to open next, which may be
// empty. The session that the browser has so far, if any, ends. Where the account has a second factor it refuses with
// ErrSecondFactor, and the token is for SignInWithCode.
func (s *Store) SignIn(ctx context.Context, before Viewer, linkToken, userAgent string) (token, next string, err error) {
	var entry entry
	err = s.tx(ctx, func(tx *Store) error {
		link, err := tx.signInLink(ctx, linkToken)
		if err != nil {
			return err
		}
		used := tx.write(ctx).Model(&SignInLink{}).Where("id = ? AND used_at IS NULL", link.ID).Update("used_at", tx.Now())
		if used.Error != nil {
			return used.Error
		}
		if used.RowsAffected == 0 {
			return ErrLinkUsed
		}
		next = link.NextPath
		entry, err = tx.enter(ctx, before, link.UserID, userAgent, "link", next)
		return err
	})
	return entry.result(next, err)
}

// SignInFromOutside signs in, as SignIn does, by a mail address that an outside service has verified. An address that no account
// has is ErrNotFound.
func (s *Store) SignInFromOutside(ctx context.Context, before Viewer, email, service, userAgent, path string) (token, next string, err error) {
	var entry entry
	err = s.tx(ctx, func(tx *Store) error {
		user, err := tx.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		// Another spelling may be another mailbox to the service.
		if !strings.EqualFold(user.Email, email) {
			return fmt.Errorf("%w: account", ErrNotFound)
		}
		entry, err = tx.enter(ctx, before, user.ID, userAgent, service, path)
		return err
	})
	return entry.result(path, err)
}

// entry is what a first factor opens: a session, or the way to the second factor.
type entry struct {
	token string
	half  bool
}

func (e entry) result(path string, failed error) (token, next string, err error) {
	if failed == nil && e.half {
		failed = ErrSecondFactor
	}
	return e.token, path, failed
}

// enter begins a session for an account whose first factor was right, or a half sign-in when it has a second one.
func (s *Store) enter(ctx context.Context, before Viewer, userID int64, userAgent, factor, next string) (e entry, err error) {
	if e.half, err = s.hasSecondFactor(ctx, userID); err != nil {
		return e, err
	}
	if !e.half {
		e.token, err = s.newSession(ctx, before, userID, userAgent, factor)
		return e, err
	}
	e.token = auth.NewToken()
	return e, s.write(ctx).Create(&HalfSignIn{
		UserID: userID, TokenHash: auth.Hash(e.token), FirstFactor: factor, NextPath: next,
		CreatedAt: s.Now(), ExpiresAt: s.Now().Add(halfLength),
	}).Error
}

// newSession begins a session and ends the one that the browser had. factors say how the person proved who they are.
func (s *Store) newSession(ctx context.Context, before Viewer, userID int64, userAgent, factors string) (token string, err error) {
	if err := s.write(ctx).Where("id = ?", before.SessionID).Delete(&Session{}).Error; err != nil {
		return "", err
	}
	token = auth.NewToken()
	session := Session{
		UserID: userID, TokenHash: auth.Hash(token), UserAgent: cut(userAgent, 200),
		CreatedAt: s.Now(), SeenAt: s.Now(), ProvedAt: s.Now(), ExpiresAt: s.Now().Add(sessionLength),
	}
	if err := s.write(ctx).Create(&session).Error; err != nil {
		return "", err
	}
	return token, s.audit(ctx, Viewer{UserID: userID}, "session.create", "sessions", session.ID, "", factors)
}

// ForgetSessions deletes the sessions and one-time links that have ended, and what was kept about signing in for a while.
func (s *Store) ForgetSessions(ctx context.Context) error {
	return s.tx(ctx, func(tx *Store) error {
		if err := tx.write(ctx).Where("expires_at <= ?", tx.Now()).Delete(&Session{}).Error; err != nil {
			return err
		}
		for _, ended := range []any{&HalfSignIn{}, &UsedChallenge{}} {
			if err := tx.write(ctx).Where("expires_at <= ?", tx.Now()).Delete(ended).Error; err != nil {
				return err
			}
		}
		if err := tx.write(ctx).Where("last_at <= ?", tx.Now().Add(-guessMemory)).Delete(&Guess{}).Error; err != nil {
			return err
		}
		// A day longer, so that who comes late reads that the link has ended, and a mail on its way still finds it.
		return tx.write(ctx).Where("expires_at <= ?", tx.Now().Add(-24*time.Hour)).Delete(&SignInLink{}).Error
	})
}

// Sessions lists an account's sessions that go on, the latest used first.
func (s *Store) Sessions(ctx context.Context, userID int64) ([]Session, error) {
	sessions, err := gorm.G[Session](s.reader).Where("user_id = ? AND expires_at > ?", userID, s.Now()).Order("seen_at DESC, id DESC").Find(ctx)
	return sessions, translate(err)
}

// EndSession ends one of the viewer's own sessions; another's is ErrNotFound.
func (s *Store) EndSession(ctx context.Context, by Viewer, sessionID int64) error {
	return s.tx(ctx, func(tx *Store) error {
		if err := changed(tx.write(ctx).Where("id = ? AND user_id = ?", sessionID, by.UserID).Delete(&Session{}), "session", sessionID); err != nil {
			return err
		}
		if sessionID != by.SessionID {
			return tx.audit(ctx, by, "session.end_other", "sessions", sessionID, "", "")
		}
		return tx.audit(ctx, by, "session.end", "sessions", sessionID, "", "")
	})
}

// EndOtherSessions ends every session of the viewer's account but the present one.
func (s *Store) EndOtherSessions(ctx context.Context, by Viewer) error {
	return s.tx(ctx, func(tx *Store) error {
		if err := tx.endOtherSessions(ctx, by); err != nil {
			return err
		}
		return tx.audit(ctx, by, "session.end_others", "sessions", by.SessionID, "", "")
	})
}

// endOtherSessions also ends what another could begin: sign-ins that are under way and one-time links that nobody used, with the
// mails that would bring them.
func (s *Store) endOtherSessions(ctx context.Context, by Viewer) error {
	if err := s.write(ctx).Where("user_id = ?", by.UserID).Delete(&HalfSignIn{}).Error; err != nil {
		return err
	}
	if err := s.write(ctx).Where("user_id = ? AND used_at IS NULL", by.UserID).Delete(&SignInLink{}).Error; err != nil {
		return err
	}
	return s.write(ctx).Where("user_id = ? AND id <> ?", by.UserID, by.SessionID).Delete(&Session{}).Error
}

// EndAllSessions ends every session, sign-in under way and unused one-time link of all accounts, with the mails that would bring
// links: what a backup holds of them may have been ended since it was made. It returns how many sessions and links that were.
func (s *Store) EndAllSessions(ctx context.Context, by Viewer) (sessions, links int64, err error) {
	err = s.tx(ctx, func(tx *Store) error {
		if err := tx.write(ctx).Where("1 = 1").Delete(&HalfSignIn{}).Error; err != nil {
			return err
		}
		ended := tx.write(ctx).Where("1 = 1").Delete(&Session{})
		if ended.Error != nil {
			return ended.Error
		}
		unused := tx.write(ctx).Where("used_at IS NULL").Delete(&SignInLink{})
		if unused.Error != nil {
			return unused.Error
		}
		sessions, links = ended.RowsAffected, unused.RowsAffected
		return tx.audit(ctx, by, "session.end_all", "sessions", 0, "", fmt.Sprintf("%d sessions, %d links", sessions, links))
	})
	return sessions, links, err
}

// cut shortens a string that others wrote to so many bytes, at a whole character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
