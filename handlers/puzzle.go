package handlers

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/models"
)

// PuzzleForm is the proof of work that a form asks the browser for, which a script does; without one people wait.
type PuzzleForm struct {
	Question string // JSON
}

// crowd is a network that has used half of a form's limit or more.
type crowd struct {
	limit, used int
	until       time.Time // when its requests are counted anew
}

const (
	mostCrowds = 4096 // that are remembered

	// Half as many hashes are tried on average: a phone needs about a second for the easiest puzzle, and four times as long
	// for the hardest, when the limit is reached.
	easiestPuzzle = 40_000
	hardestPuzzle = 4 * easiestPuzzle
)

// crowdKey is whose requests are counted, for which form: it is got and sent at one path.
func (a *App) crowdKey(c *fiber.Ctx) string { return formPath(c) + " " + network(a.client(c)) }

func formPath(c *fiber.Ctx) string {
	path, _ := c.Locals(routeKey).(string)
	return path
}

// noticed remembers the networks that are past half of a form's limit, by what the limit says in the headers of its answer.
func (a *App) noticed(c *fiber.Ctx) error {
	err := c.Next()
	number := func(header string) (int, error) { return strconv.Atoi(string(c.Response().Header.Peek(header))) }
	limit, noLimit := number("X-RateLimit-Limit")
	left, noLeft := number("X-RateLimit-Remaining")
	reset, noReset := number("X-RateLimit-Reset")
	if errors.Join(noLimit, noLeft, noReset) != nil {
		return err // the limit is reached, so the network is known
	}
	if key := a.crowdKey(c); left <= limit/2 {
		a.crowds.Add(key, crowd{limit, limit - left, a.Store.Now().Add(time.Duration(reset) * time.Second)})
	} else {
		a.crowds.Remove(key)
	}
	return err
}

// crowded is the crowd that a request comes from; false when its network has not sent many.
func (a *App) crowded(c *fiber.Ctx) (crowd, bool) {
	known, ok := a.crowds.Get(a.crowdKey(c))
	return known, ok && a.Store.Now().Before(known.until)
}

// puzzle is what the next form of a crowd has to prove: the more, the nearer the limit. It is nil for everybody else.
func (a *App) puzzle(c *fiber.Ctx) (*PuzzleForm, error) {
	known, ok := a.crowded(c)
	if !ok {
		return nil, nil //nolint:nilnil // most forms have none
	}
	half := known.limit / 2
	puzzle, err := a.Store.NewPuzzle(formPath(c), easiestPuzzle+(hardestPuzzle-easiestPuzzle)*max(known.used-half, 0)/(known.limit-half))
	if err != nil {
		return nil, err
	}
	question, err := json.Marshal(puzzle)
	return &PuzzleForm{Question: string(question)}, err
}

// solved refuses the form of a crowd without its proof of work, with ErrUnsolved, and says when none is asked for any more.
func (a *App) solved(c *fiber.Ctx) error {
	known, ok := a.crowded(c)
	if !ok {
		return nil
	}
	err := a.Store.UseSolution(c.UserContext(), formPath(c), typed(c, "puzzle"))
	if errors.Is(err, models.ErrUnsolved) {
		wait := known.until.Sub(a.Store.Now()).Round(time.Second)
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(max(int(wait.Seconds()), 1)))
	}
	return err
}

// unsolved is what a form says that came without its proof of work.
var unsolved = FieldError{"puzzle", "Your network has sent many forms just now. Wait a moment, then send yours again: what you typed is kept"}
