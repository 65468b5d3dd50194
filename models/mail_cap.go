package models

import (
	"context"
	"fmt"
	"math"
	"time"
)

// How many mails anybody can cause to one address, or to one account, within a day.
var (
	mailsOfRegistrations = mailCap{"mails of registrations", 30} // giving a place up tells no more often than taking it
	mailsOfSecurity      = mailCap{"mails of security", 30}
	asksToSignIn         = mailCap{"asks to sign in", math.MaxInt32} // never refused, which would lock somebody out
)

// Past so many links a day an account waits longer for the next, but never longer than the one before lasts: nobody locks it out
// by asking for links in its owner's name.
const (
	manySignInMails       = 10
	longerSignInMailPause = 20 * time.Minute
)

type mailCap struct {
	kind string
	most int
}

// ErrManyMails is for an address that got as many mails as anybody can cause in a day.
var ErrManyMails = fmt.Errorf("%w: mails to one address", ErrTooMany)

// countMail counts a mail beside its row, and refuses with ErrManyMails past the cap.
func (s *Store) countMail(ctx context.Context, c mailCap, whose string) error {
	counted, err := s.exec(ctx, `INSERT INTO guesses (subject, count, last_at) VALUES ($1, 1, $2)
		ON CONFLICT (subject) DO UPDATE SET count = CASE WHEN guesses.last_at <= $3 THEN 1 ELSE guesses.count + 1 END,
			last_at = CASE WHEN guesses.last_at <= $3 THEN excluded.last_at ELSE guesses.last_at END
		WHERE guesses.count < $4 OR guesses.last_at <= $3`,
		s.guessSubject(guessed{kind: c.kind}, whose), s.Now(), s.Now().Add(-guessMemory), c.most)
	if err == nil && counted == 0 {
		err = ErrManyMails
	}
	return err
}

// manyRegistrationMails are those of some addresses to which registering, and asking to, brought as many mails as it may in a day.
// It only reads: those who register for several events at once would wait for each other's counts. What was erased is counted beside.
func (s *Store) manyRegistrationMails(ctx context.Context, emailKeys []any) (map[string]bool, error) {
	since := s.Now().Add(-guessMemory)
	mails := make(map[string]int)
	if err := s.eachOf(ctx, `SELECT r.email_key, count(*) FROM registrations r JOIN mails m ON m.registration_id = r.id
		WHERE m.created_at > $1 AND m.kind IN ('registered', 'registration_link') AND r.email_key IN (%s) GROUP BY r.email_key`, []any{since}, emailKeys, func(scan scanner) error {
		var key string
		var n int
		err := scan(&key, &n)
		mails[key] = n
		return err
	}); err != nil {
		return nil, err
	}
	subjects, of := make([]any, len(emailKeys)), make(map[string]string, len(emailKeys))
	for n, key := range emailKeys {
		key := key.(string) //nolint:errcheck // that is what they are
		subject := s.guessSubject(guessed{kind: mailsOfRegistrations.kind}, key)
		subjects[n], of[subject] = subject, key
	}
	if err := s.eachOf(ctx, "SELECT subject, count FROM guesses WHERE last_at > $1 AND subject IN (%s)", []any{since}, subjects, func(scan scanner) error {
		var subject string
		var n int
		err := scan(&subject, &n)
		mails[of[subject]] += n
		return err
	}); err != nil {
		return nil, err
	}
	many := make(map[string]bool)
	for key, n := range mails {
		many[key] = n >= mailsOfRegistrations.most
	}
	return many, nil
}
