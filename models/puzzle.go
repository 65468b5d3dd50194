package models

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/auth"
)

// Puzzle asks a browser for a proof of work, in ALTCHA's form: it tries the numbers from 0 to Max until the SHA-256 of the
// salt and the number is the challenge.
type Puzzle struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"` // in hexadecimal
	Max       int    `json:"maxnumber"`
	Salt      string `json:"salt"` // with the second at which the puzzle ends
	Signature string `json:"signature"`
}

// Solution is a browser's answer to a puzzle, which it sends as JSON in base64.
type Solution struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"`
	Number    int    `json:"number"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
}

const (
	puzzleAlgorithm = "SHA-256"
	puzzleLength    = 20 * time.Minute // to fill in the form that asks for it
	maxSolution     = 1000             // bytes
)

func puzzlePurpose(form string) string { return "puzzle of " + form }

// puzzleHash is what a browser looks for.
func puzzleHash(salt string, number int) string { return auth.Hash(salt + strconv.Itoa(number)) }

// NewPuzzle makes a puzzle for a form. A browser tries about half of most numbers before it has it.
func (s *Store) NewPuzzle(form string, most int) (Puzzle, error) {
	number, err := rand.Int(rand.Reader, big.NewInt(int64(most)+1))
	if err != nil {
		return Puzzle{}, err
	}
	p := Puzzle{Algorithm: puzzleAlgorithm, Max: most, Salt: auth.NewToken() + "?expires=" + strconv.FormatInt(s.Now().Add(puzzleLength).Unix(), 10) + "&"}
	p.Challenge = puzzleHash(p.Salt, int(number.Int64()))
	p.Signature = s.keys.Sign(puzzlePurpose(form), p.Challenge, p.Salt)
	return p, nil
}

// UseSolution takes a solution of one of the form's puzzles, which counts once. What is none, is of another form's puzzle, was
// used before or comes too late is ErrUnsolved. Nothing is written before it has been judged.
func (s *Store) UseSolution(ctx context.Context, form, sent string) error {
	solution, ends, err := s.readSolution(form, sent)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsolved, err)
	}
	return s.tx(ctx, func(tx *Store) error { return tx.useChallenge(ctx, solution.Challenge, ends, ErrUnsolved) })
}

// readSolution judges a solution by all but whether it was used before.
func (s *Store) readSolution(form, sent string) (solution Solution, ends time.Time, err error) {
	if len(sent) > maxSolution {
		return solution, ends, fmt.Errorf("%w: solution of %d bytes", ErrInvalid, len(sent))
	}
	b, err := base64.StdEncoding.DecodeString(sent)
	if err != nil {
		return solution, ends, err
	}
	if err := json.Unmarshal(b, &solution); err != nil {
		return solution, ends, err
	}
	// The salt is signed beside the challenge, so that no digit moves from the number into the time at its end.
	if solution.Algorithm != puzzleAlgorithm || !s.keys.Verify(solution.Signature, puzzlePurpose(form), solution.Challenge, solution.Salt) {
		return solution, ends, fmt.Errorf("%w: puzzle", ErrInvalid)
	}
	_, values, _ := strings.Cut(solution.Salt, "?")
	query, err := url.ParseQuery(values)
	if err != nil {
		return solution, ends, err
	}
	second, err := strconv.ParseInt(query.Get("expires"), 10, 64)
	if err != nil {
		return solution, ends, err
	}
	ends = time.Unix(second, 0).UTC()
	if !s.Now().Before(ends) {
		return solution, ends, fmt.Errorf("%w: puzzle has ended", ErrInvalid)
	}
	if puzzleHash(solution.Salt, solution.Number) != solution.Challenge {
		return solution, ends, fmt.Errorf("%w: number", ErrInvalid)
	}
	return solution, ends, nil
}
