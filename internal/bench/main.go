// Command bench measures the portal beside what its parts can do at most, in one run on one machine, and prints each budget
// with what it came to.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "bare":
		return serveBare(args[1])
	case len(args) == 1:
		return measure(ctx, args[0])
	}
	return errors.New("usage: bench PORTAL, with the path of the program")
}

// bareAnswer is what the bare server answers: the same bytes as the portal, from a handler that does nothing else.
type bareAnswer struct {
	Header map[string]string
	Body   []byte
}

// serveBare serves the answer that a file holds until the process is ended, and any POST with a redirection.
func serveBare(file string) error {
	content, err := os.ReadFile(file) //nolint:gosec // our own argument
	if err != nil {
		return err
	}
	var answer bareAnswer
	if err := json.Unmarshal(content, &answer); err != nil {
		return err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/page", func(c *fiber.Ctx) error {
		for name, value := range answer.Header {
			c.Set(name, value)
		}
		c.Response().SetBodyRaw(answer.Body)
		return nil
	})
	app.Post("/form", func(c *fiber.Ctx) error {
		if c.FormValue("email") == "" {
			return fiber.ErrUnprocessableEntity
		}
		return c.Redirect("/done", fiber.StatusSeeOther)
	})
	app.Hooks().OnListen(func(data fiber.ListenData) error {
		fmt.Printf("listening on http://%s:%s\n", data.Host, data.Port) //nolint:forbidigo // for the process that started this one
		return nil
	})
	return app.Listen("127.0.0.1:0")
}

// server is a process that serves.
type server struct {
	*exec.Cmd
	address string
	started time.Duration // until it said that it listens
}

// start runs a program until it says where it listens.
func start(ctx context.Context, environment []string, program string, args ...string) (*server, error) {
	s := &server{Cmd: exec.CommandContext(ctx, program, args...)}
	s.Env = append(os.Environ(), environment...)
	out, err := s.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "listening on http://"); ok {
			s.address, s.started = address, time.Since(began)
			go func() {
				for lines.Scan() { //nolint:revive // what it says later is read, so that it need not wait
				}
			}()
			return s, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s ended before it listened", program), s.Wait())
}

// stop ends the process as an operator does and waits for it.
func (s *server) stop() error {
	return errors.Join(s.Process.Signal(syscall.SIGTERM), s.Wait())
}

// quick is how the portal is started for a load: without the limits that hold one client.
func quick(dir string) []string {
	return []string{"PORTAL_DATA_DIR=" + dir, "PORTAL_ADDR=127.0.0.1:0", "PORTAL_RATE_LIMIT=off"}
}

const (
	rounds = 3
	each   = 2 * time.Second
	many   = 64 // connections
)

func measure(ctx context.Context, program string) error {
	dir, err := os.MkdirTemp("", "portal-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	portal, err := start(ctx, quick(filepath.Join(dir, "data")), program, "serve")
	if err != nil {
		return err
	}
	defer func() { _ = portal.stop() }()
	const page = "/blog/cdf-turns-one"
	header, body, err := fetch(portal.address, get(page))
	if err != nil {
		return err
	}
	answer := bareAnswer{Header: map[string]string{}, Body: body}
	for _, name := range []string{"content-type", "content-encoding", "etag", "cache-control", "vary"} {
		answer.Header[name] = header[name]
	}
	content, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "answer.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bare, err := start(ctx, nil, self, "bare", file)
	if err != nil {
		return err
	}
	defer func() { _ = bare.Process.Kill() }()

	var rates, costs, unchanged []float64
	for range rounds {
		limit, err := load(bare.address, bare.Process.Pid, many, each, always(get("/page")))
		if err != nil {
			return err
		}
		cached, err := load(portal.address, portal.Process.Pid, many, each, always(get(page)))
		if err != nil {
			return err
		}
		same, err := load(portal.address, portal.Process.Pid, many, each, always(get(page, "If-None-Match", header["etag"])))
		if err != nil {
			return err
		}
		fmt.Printf("bare %.0f/s %v %v · cached %.0f/s %v %v · 304 %.0f/s %v %v\n", limit.perSecond(), limit.cpuEach(), limit.statuses, cached.perSecond(), cached.cpuEach(), cached.statuses,
			same.perSecond(), same.cpuEach(), same.statuses)
		rates = append(rates, cached.perSecond()/limit.perSecond())
		costs = append(costs, float64(cached.cpuEach())/float64(limit.cpuEach()))
		unchanged = append(unchanged, same.perSecond()/limit.perSecond())
	}
	fmt.Printf("1: %.2f  2: %.2f  3: %.2f\n", median(rates), median(costs), median(unchanged))
	return nil
}

func always(request []byte) func() []byte { return func() []byte { return request } }

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
