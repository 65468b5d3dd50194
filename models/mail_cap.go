package models

import (
	"context"
	"fmt"
	"time"
)

// How many mails anybody can cause to one address, or to one account, within a day from the first of them.
var (
	mailsOfRegistrations = mailCap{"mails of registrations", 40} // cancelling tells no more often than registering
	mailsOfSecurity      = mailCap{"mails of security", 30}
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

// countMail counts a mail before it is written, and refuses with ErrManyMails past the cap. The count outlives the mail's row,
// which who holds a registration's link can erase.
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
