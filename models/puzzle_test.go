package models_test

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

func newPuzzle(t *testing.T, s *models.Store, form string) models.Puzzle {
	t.Helper()
	p, err := s.NewPuzzle(form, 500)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestASolutionOfAPuzzleCountsOnce(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, s *models.Store, now *clock.Fake) {
		sent := testkit.Solve(t, newPuzzle(t, s, "form"))
		now.Advance(19 * time.Minute)
		errs := make([]error, 8)
		var all sync.WaitGroup
		for n := range errs {
			all.Go(func() { errs[n] = s.UseSolution(t.Context(), "form", sent) })
		}
		all.Wait()
		taken := 0
		for _, err := range errs {
			if err == nil {
				taken++
			} else if !errors.Is(err, models.ErrUnsolved) || !errors.Is(err, models.ErrTooMany) {
				t.Error(err)
			}
		}
		if taken != 1 {
			t.Errorf("a solution sent %d times counts %d times", len(errs), taken)
		}
		// Once the puzzle has ended nobody needs to remember it.
		now.Advance(2 * time.Minute)
		if err := s.ForgetSessions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.UseSolution(t.Context(), "form", sent); !errors.Is(err, models.ErrUnsolved) {
			t.Errorf("a solution that was used and forgotten: %v", err)
		}
	})
}

// moveDigit leaves the hash as it is and makes the puzzle end later.
func moveDigit(a *models.Solution) {
	digits := strconv.Itoa(a.Number)
	a.Salt += digits[:1]
	a.Number, _ = strconv.Atoi(digits[1:])
}

func TestWhatSolvesNoPuzzleOfTheFormIsRefused(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, s *models.Store, now *clock.Fake) {
		ctx := t.Context()
		p := newPuzzle(t, s, "form")
		forged := p
		forged.Salt = strings.Replace(p.Salt, "expires=", "expires=9", 1)
		forged.Challenge = auth.Hash(forged.Salt + "7")
		for what, sent := range map[string]string{
			"nothing":                       "",
			"no base64":                     "#",
			"no JSON":                       base64.StdEncoding.EncodeToString([]byte("solved")),
			"too much":                      base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", 5000))),
			"a puzzle of one's own":         testkit.Solve(t, forged),
			"another form's puzzle":         testkit.Solve(t, newPuzzle(t, s, "other")),
			"a number that is not it":       testkit.Solve(t, p, func(a *models.Solution) { a.Number++ }),
			"another way of hashing":        testkit.Solve(t, p, func(a *models.Solution) { a.Algorithm = "MD5" }),
			"a puzzle that nobody signed":   testkit.Solve(t, p, func(a *models.Solution) { a.Signature = "" }),
			"a later end":                   testkit.Solve(t, p, func(a *models.Solution) { a.Salt = forged.Salt }),
			"a digit moved into the salt":   testkit.Solve(t, p, moveDigit),
			"a challenge with known answer": testkit.Solve(t, p, func(a *models.Solution) { a.Challenge, a.Number = auth.Hash(a.Salt+"1"), 1 }),
		} {
			if err := s.UseSolution(ctx, "form", sent); !errors.Is(err, models.ErrUnsolved) {
				t.Errorf("%s: %v", what, err)
			}
		}
		sent := testkit.Solve(t, p)
		now.Advance(20 * time.Minute)
		if err := s.UseSolution(ctx, "form", sent); !errors.Is(err, models.ErrUnsolved) {
			t.Errorf("at the puzzle's end: %v", err)
		}
		now.Advance(-time.Second)
		if err := s.UseSolution(ctx, "form", sent); err != nil {
			t.Errorf("a second before the puzzle's end, after all those refusals: %v", err)
		}
	})
}

func TestAHarderPuzzleHidesItsNumberAmongMore(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, s *models.Store, _ *clock.Fake) {
		beyond := 0
		for range 40 {
			p, err := s.NewPuzzle("form", 1000)
			if err != nil {
				t.Fatal(err)
			}
			testkit.Solve(t, p, func(a *models.Solution) {
				if a.Number > 100 {
					beyond++
				}
			})
		}
		if beyond < 20 { // of 40, where 36 are to be expected
			t.Errorf("only %d of 40 numbers up to 1000 are above 100", beyond)
		}
	})
}
