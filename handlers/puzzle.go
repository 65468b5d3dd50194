package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/models"
)

// PuzzleForm is the proof of work that a form asks the browser for, which a script does; without one people wait.
type PuzzleForm struct {
	Question string // JSON
}

const (
	// Half as many hashes are tried on average: a phone needs about a second for the easiest puzzle, and four times as long
	// for the hardest, when the limit is reached.
	easiestPuzzle = 40_000
	hardestPuzzle = 4 * easiestPuzzle
)

// formPath is the path of a form's route, at which it is got and sent.
func formPath(c *fiber.Ctx) string {
	path, _ := c.Locals(routeKey).(string)
	return path
}

// crowd is by how much who sent so many forms in this minute is past half of the form's limit: from 0 at the half to 1 at the limit;
// false when it is not. All processes count together: a form may be got at one and sent to another.
func (a *App) crowd(c *fiber.Ctx, sent int) (past float64, ok bool) {
	limit := a.puzzles[formPath(c)]
	half := limit / 2
	return min(1, float64(sent-half)/float64(limit-half)), limit > 0 && sent >= half
}

// puzzle is what the next form of a crowd has to prove: the more, the nearer the limit. It is nil for everybody else.
func (a *App) puzzle(c *fiber.Ctx) (*PuzzleForm, error) {
	sent, counted := c.Locals(countKey).(int)
	if !counted && a.puzzles[formPath(c)] > 0 {
		var err error
		if sent, err = a.Store.RequestCount(c.UserContext(), fiber.MethodPost+" "+formPath(c), network(a.client(c))); err != nil {
			a.fault(c, fmt.Errorf("counting requests: %w", err))
		}
	}
	past, ok := a.crowd(c, sent)
	if !ok {
		return nil, nil //nolint:nilnil // most forms have none
	}
	puzzle, err := a.Store.NewPuzzle(formPath(c), easiestPuzzle+int(past*(hardestPuzzle-easiestPuzzle)))
	if err != nil {
		return nil, err
	}
	question, err := json.Marshal(puzzle)
	return &PuzzleForm{Question: string(question)}, err
}

// solved refuses the form of a crowd without its proof of work, with ErrUnsolved, and says when none is asked for any more.
func (a *App) solved(c *fiber.Ctx) error {
	sent, _ := c.Locals(countKey).(int)
	if _, ok := a.crowd(c, sent-1); !ok {
		return nil
	}
	err := a.Store.UseSolution(c.UserContext(), formPath(c), typed(c, "puzzle"))
	if errors.Is(err, models.ErrUnsolved) {
		now := a.Store.Now()
		wait := now.Truncate(time.Minute).Add(time.Minute).Sub(now) // then the requests are counted anew
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	return err
}

// unsolved is what a form says that came without its proof of work.
var unsolved = FieldError{"puzzle", "Your network has sent many forms just now. Wait a moment, then send yours again: what you typed is kept"}
