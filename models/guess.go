package models

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Guess counts what was tried against a secret that people can guess, by a keyed hash of whose it is or of where it was
// tried from, and likewise the mails that anybody can cause to an address.
type Guess struct {
	Subject string `gorm:"primaryKey"`
	Count   int
	LastAt  time.Time
}

// guessed is something that can be guessed at so often before each further try has to wait.
type guessed struct {
	kind string
	free int
}

// The owner of an account is never locked out: the mailed link has no secret to guess, and codes are asked for only after a
// first factor that was right.
var (
	guessedPassword = guessed{"password", 5}
	guessedCode     = guessed{"code", 5}
	guessedFrom     = guessed{"network", 50} // many may share an address
)

const (
	guessPause    = time.Minute      // after the free tries; each further one doubles it
	maxGuessPause = 30 * time.Minute // which then is the most
	guessMemory   = 24 * time.Hour   // how long a count is kept after the last try
)

// takeGuess counts a try before it is judged, so that many at once are not more tries than one after the other, and refuses
// with ErrGuessing while the next has to wait. right takes it back.
func (s *Store) takeGuess(ctx context.Context, g guessed, whose string) error {
	subject := s.guessSubject(g, whose)
	return s.tx(ctx, func(tx *Store) error {
		fresh := Guess{Subject: subject, LastAt: tx.Now()}
		if err := tx.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&fresh).Error; err != nil {
			return err
		}
		var known Guess
		if err := tx.read(ctx).Raw("SELECT * FROM guesses WHERE subject = ?"+tx.forUpdate(), subject).Take(&known).Error; err != nil {
			return err
		}
		since := tx.Now().Sub(known.LastAt)
		if since > guessMemory {
			known.Count = 0
		}
		if known.Count >= g.free && since < min(guessPause<<min(known.Count-g.free, 10), maxGuessPause) {
			return ErrGuessing
		}
		return tx.write(ctx).Model(&Guess{}).Where("subject = ?", subject).
			Updates(map[string]any{"count": known.Count + 1, "last_at": tx.Now()}).Error
	})
}

// right forgets the tries before one that was right.
func (s *Store) right(ctx context.Context, g guessed, whose string) error {
	return s.write(ctx).Where("subject = ?", s.guessSubject(g, whose)).Delete(&Guess{}).Error
}

// guessSubject tells nobody who reads the table whose secret was guessed at.
func (s *Store) guessSubject(g guessed, whose string) string {
	return s.keys.Sign("guess", g.kind, whose)
}

// takeBack uncounts a try that was never judged, or that says nothing against where it came from.
func (s *Store) takeBack(ctx context.Context, g guessed, whose string) error {
	return s.write(ctx).Model(&Guess{}).Where("subject = ? AND count > 0", s.guessSubject(g, whose)).
		Update("count", gorm.Expr("count - 1")).Error
}
