// Command bench measures the portal beside what its parts can do at most, in one run on one machine, and writes each budget with
// what it came to into a table. Run it on a machine that does nothing else: from the top of the repository, with minutes of
// patience, and a quarter of an hour more when the large database is made for the first time.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "bare":
		return serveBare(args[1])
	case len(args) == 4 && args[0] == "crowd":
		rate, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		return come(ctx, args[1], args[2], rate)
	case len(args) == 2 && args[0] == "soak":
		limit, err := time.ParseDuration(args[1])
		if err != nil {
			return err
		}
		return soak(ctx, limit)
	case len(args) == 2:
		return measure(ctx, args[0], args[1])
	}
	return errors.New("usage: bench DATA TABLE, with a folder for the databases, which is kept, and the file for the table; or bench soak 20m")
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
		_, err := fmt.Fprintf(os.Stdout, "%s%s:%s\n", listening, data.Host, data.Port)
		return err
	})
	return app.Listen("127.0.0.1:0")
}

// budget is a line of the table.
type budget struct {
	what, wanted, got string
	kept              bool
}

// bench is one run.
type bench struct {
	dir     string // temporary
	data    string // kept
	portal  string // the program
	budgets []budget
	pages   int64 // bytes of memory while pages are read
}

func (b *bench) add(what, wanted string, kept bool, got string, values ...any) {
	line := budget{what, wanted, fmt.Sprintf(got, values...), kept}
	b.budgets = append(b.budgets, line)
	fmt.Fprintf(os.Stderr, "%s: %s (%s)\n", what, line.got, wanted)
}

const (
	rounds = 5
	each   = 2 * time.Second
	few    = 64  // connections
	many   = 256 // connections
	page   = "/blog/cdf-turns-one"
)

func measure(ctx context.Context, data, table string) (err error) {
	b := &bench{data: data}
	if b.dir, err = os.MkdirTemp("", "portal-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	b.portal = filepath.Join(b.dir, "portal")
	if err := b.command(ctx, "go", "build", "-o", b.portal, "./cmd/portal"); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{b.cachedPages, b.livePages, b.burst, b.registrations, b.writer, b.growth, b.queries} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return b.write(ctx, table)
}

func (b *bench) command(ctx context.Context, name string, args ...string) error {
	_, err := b.output(ctx, nil, name, args...)
	return err
}

// output runs a command and returns what it prints.
func (b *bench) output(ctx context.Context, environment []string, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...) //nolint:gosec // our own commands
	c.Env = append(os.Environ(), environment...)
	out, err := c.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// rush is an event that everybody can register for, as a content file.
const rush = `---
title: Rush
kind: meetup
mode: online
timezone: UTC
start: 2036-01-15T18:00
end: 2036-01-15T20:00
summary: An event for as many as come.
language: en
online_place: Video call
registration: portal
quotas:
  - {name: room, size: 1000000}
tickets:
  - {name: Seat, quotas: [room]}
sample: true
---

Everybody comes.
`

// withRush lets a data folder hold the event.
func (b *bench) withRush(ctx context.Context, dir string) error {
	folder := filepath.Join(b.dir, "content", "events")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "rush.md"), []byte(rush), 0o600); err != nil {
		return err
	}
	_, err := b.output(ctx, []string{"PORTAL_DATA_DIR=" + dir}, b.portal, "content", "import", filepath.Dir(folder))
	return err
}

// furnished returns the path of a fresh data folder with the built-in content and the event.
func (b *bench) furnished(ctx context.Context, name string) (dir string, err error) {
	dir = filepath.Join(b.dir, name)
	s, err := start(ctx, b.portal, quick(dir))
	if err != nil {
		return "", err
	}
	return dir, errors.Join(s.stop(), b.withRush(ctx, dir))
}

// fresh starts a portal with the built-in content and the event.
func (b *bench) fresh(ctx context.Context, name string) (*server, error) {
	dir, err := b.furnished(ctx, name)
	if err != nil {
		return nil, err
	}
	return start(ctx, b.portal, quick(dir))
}

// cachedPages measures pages from the cache beside a bare handler.
func (b *bench) cachedPages(ctx context.Context) (err error) {
	portal, err := b.fresh(ctx, "pages")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, portal.stop()) }()
	header, body, err := fetch(ctx, portal.address, get(page))
	if err != nil {
		return err
	}
	answer := bareAnswer{Header: map[string]string{}, Body: body}
	for _, name := range []string{"content-type", "content-encoding", "etag", "cache-control", "vary"} {
		answer.Header[name] = header[name]
	}
	bare, err := b.bare(ctx, answer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	var rates, costs, unchanged, limits []float64
	for range rounds {
		limit, err := load(ctx, bare, few, each, always(get("/page")))
		if err != nil {
			return err
		}
		cached, err := load(ctx, portal, few, each, always(get(page)))
		if err != nil {
			return err
		}
		same, err := load(ctx, portal, few, each, always(get(page, "If-None-Match: "+header["etag"])))
		if err != nil {
			return err
		}
		if limit.statuses[200] != limit.requests || cached.statuses[200] != cached.requests || same.statuses[304] != same.requests {
			return fmt.Errorf("answers: bare %v, cached %v, unchanged %v", limit.statuses, cached.statuses, same.statuses)
		}
		limits = append(limits, limit.perSecond())
		rates = append(rates, cached.perSecond()/limit.perSecond())
		costs = append(costs, float64(cached.cpuEach())/float64(limit.cpuEach()))
		unchanged = append(unchanged, same.perSecond()/limit.perSecond())
	}
	b.add("1 · cached page, requests a second against a bare Fiber handler with the same bytes", "≥ 0.90", median(rates) >= 0.9, "%.2f (%.0f/s of %.0f/s)",
		median(rates), median(rates)*median(limits), median(limits))
	b.add("2 · the same, processor time", "≤ 1.20 ×", median(costs) <= 1.2, "%.2f ×", median(costs))
	b.add("3 · answer 304 against that handler, requests a second", "≥ 1.1", median(unchanged) >= 1.1, "%.2f", median(unchanged))
	b.pages, err = memory(portal.Process.Pid)
	return err
}

// bare starts the server of the limit.
func (b *bench) bare(ctx context.Context, answer bareAnswer) (*server, error) {
	content, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "answer.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, self, nil, "bare", file)
}

// livePages measures a page that is not in the cache beside rendering the same struct, in one process.
func (b *bench) livePages(ctx context.Context) error {
	out, err := b.output(ctx, nil, "go", "test", "-run", "^$", "-bench", "PostPage/ratio", "-benchtime", "5s", "./handlers")
	if err != nil {
		return err
	}
	ratio, err := reported(out, "live/template")
	b.add("4 · post page not in the cache against rendering the same struct, processor time, 10,000 posts", "≤ 1.5 ×", ratio <= 1.5, "%.2f ×", ratio)
	return err
}

// registrations measures registering over HTTP beside a bare POST.
func (b *bench) registrations(ctx context.Context) (err error) {
	bare, err := b.bare(ctx, bareAnswer{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	portal, err := b.fresh(ctx, "registrations")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, portal.stop()) }()
	for _, waiting := range []struct {
		people int
		least  float64
	}{{few, 0.25}, {many, 0.40}} {
		var rates, p99s, ratios []float64
		for range rounds {
			limit, err := load(ctx, bare, waiting.people, each, everybody("/form"))
			if err != nil {
				return err
			}
			got, err := load(ctx, portal, waiting.people, each, everybody("/events/rush/register"))
			if err != nil {
				return err
			}
			if got.statuses[303] != got.requests {
				return fmt.Errorf("registering answered %v", got.statuses)
			}
			rates = append(rates, got.perSecond())
			ratios = append(ratios, got.perSecond()/limit.perSecond())
			p99s = append(p99s, float64(got.p99())/1e6)
		}
		b.add(fmt.Sprintf("5 · registration over HTTP, %d waiting, against a bare POST", waiting.people), fmt.Sprintf("≥ %.2f", waiting.least),
			median(ratios) >= waiting.least, "%.2f (%.0f/s)", median(ratios), median(rates))
		if waiting.people == many {
			b.add("7 · p99 of a registration with 256 waiting", "≤ 60 ms", median(p99s) <= 60, "%.0f ms", median(p99s))
		}
	}
	pss, err := memory(portal.Process.Pid)
	b.add("12 · memory (PSS) under load", "≤ 96 MB", max(b.pages, pss) <= 96<<20, "%d MB while pages are read, %d MB while 256 register", b.pages>>20, pss>>20)
	return err
}

// burst measures how long readers wait for a cached page while others register, beside how long they wait while nobody does.
func (b *bench) burst(ctx context.Context) (err error) {
	portal, err := b.fresh(ctx, "burst")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, portal.stop()) }()
	_, body, err := fetch(ctx, portal.address, get(page))
	if err != nil {
		return err
	}
	bare, err := b.bare(ctx, bareAnswer{Body: body})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	announced, err := b.waits(ctx, portal, page, "/events/rush/register", announcedRate)
	if err != nil {
		return err
	}
	b.add("10 · p99 of a cached page while 25,000 register within a minute, against idle", "≤ 3 ×", announced.times() <= 3, "%s", announced)
	rushed, err := b.waits(ctx, portal, page, "/events/rush/register", 0)
	if err != nil {
		return err
	}
	limit, err := b.waits(ctx, bare, "/page", "/form", 0)
	b.add("10 · the same while 64 connections register as quickly as they can", "≤ 3 ×", rushed.times() <= 3, "%s; a bare handler beside bare POSTs %s", rushed, limit)
	return err
}

// announcedRate is how many register in a second when an announcement to 25,000 people brings all of them within a minute.
const announcedRate = 25000 / 60

// slower is the p99 of a wait while nobody else comes and amid others, in nanoseconds.
type slower struct{ idle, amid float64 }

func (s slower) times() float64 { return s.amid / s.idle }

func (s slower) String() string {
	return fmt.Sprintf("%.1f × (%.2f ms of %.2f ms)", s.times(), s.amid/1e6, s.idle/1e6)
}

// waits measures how long two readers wait while nobody else comes, and while others send a form. Who sends the form is another
// process, so that readers wait for the server alone: so many in a second, or those of 64 connections.
func (b *bench) waits(ctx context.Context, s *server, path, form string, rate int) (p99 slower, err error) {
	read := func() (float64, error) {
		var p99s []float64
		for range rounds {
			r, err := load(ctx, s, 2, each, always(get(path)))
			if err != nil {
				return 0, err
			}
			p99s = append(p99s, float64(r.p99()))
		}
		return median(p99s), nil
	}
	if err := s.quiet(ctx); err != nil {
		return p99, err
	}
	if p99.idle, err = read(); err != nil {
		return p99, err
	}
	self, err := os.Executable()
	if err != nil {
		return p99, err
	}
	coming, stop := context.WithCancel(ctx)
	crowd := exec.CommandContext(coming, self, "crowd", s.address, form, strconv.Itoa(rate)) //nolint:gosec // ourselves
	crowd.Stderr = os.Stderr
	if err := crowd.Start(); err != nil {
		stop()
		return p99, err
	}
	time.Sleep(each)
	p99.amid, err = read()
	stop()
	if left := crowd.Wait(); crowd.ProcessState.Exited() {
		err = errors.Join(err, fmt.Errorf("the crowd left: %w", left))
	}
	return p99, err
}

// come lets ever new people send a form until the process is ended: so many in a second, each on a connection of their own, or as
// many as 64 connections let through.
func come(ctx context.Context, address, form string, rate int) error {
	people.Store(time.Now().UnixNano())
	next, failed := everybody(form), make(chan error)
	send := func(next func() []byte) {
		_, statuses, err := converse(ctx, address, time.Now().Add(time.Hour), next)
		if delete(statuses, 303); err == nil && len(statuses) > 0 {
			err = fmt.Errorf("registering answered %v", statuses)
		}
		if err != nil {
			failed <- err
		}
	}
	if rate == 0 {
		for range few {
			go send(next)
		}
		return <-failed
	}
	turns := time.NewTicker(time.Second / time.Duration(rate))
	defer turns.Stop()
	for {
		select {
		case err := <-failed:
			return err
		case <-turns.C:
			requests := [][]byte{next()}
			go send(func() (request []byte) {
				if len(requests) > 0 {
					request, requests = requests[0], nil
				}
				return request
			})
		}
	}
}

// people numbers those who register, so that nobody comes twice.
var people atomic.Int64

// everybody returns the requests of ever new people who send a form.
func everybody(path string) func() []byte {
	return func() []byte {
		n := people.Add(1)
		return post(path, fmt.Sprintf("name=Ada+Example&email=ada-%d%%40example.org&tickets=seat&consent=yes&nonce=%d", n, n))
	}
}

// slowDisk makes fsync take five milliseconds longer, as on a disk behind a network.
const slowDisk = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static void wait_for_disk(void) { usleep(5000); }
int fsync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fsync"); wait_for_disk(); return real(fd); }
int fdatasync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync"); wait_for_disk(); return real(fd); }
`

// writer measures commits together beside commits alone, on this disk and on a slow one.
func (b *bench) writer(ctx context.Context) error {
	tests, source, library := filepath.Join(b.dir, "models.test"), filepath.Join(b.dir, "slow.c"), filepath.Join(b.dir, "slow.so")
	if err := b.command(ctx, "go", "test", "-c", "-o", tests, "./models"); err != nil {
		return err
	}
	if err := os.WriteFile(source, []byte(slowDisk), 0o600); err != nil {
		return err
	}
	if err := b.command(ctx, "cc", "-shared", "-fPIC", "-o", library, source, "-ldl"); err != nil {
		return err
	}
	for _, disk := range []struct {
		name, times string
		environment []string
		least       float64
	}{
		{"this disk", "20000x", nil, 3},
		{"fsync 5 ms longer", "4000x", []string{"LD_PRELOAD=" + library}, 20},
	} {
		var rates [2]float64
		for n, way := range []string{"alone", "together"} {
			out, err := b.output(ctx, disk.environment, tests, "-test.run", "^$", "-test.bench", "Register/256-"+way, "-test.benchtime", disk.times)
			if err == nil {
				rates[n], err = reported(out, "registrations/s")
			}
			if err != nil {
				return err
			}
		}
		b.add("6 · registrations committed together against one transaction each, "+disk.name, fmt.Sprintf("≥ %.0f ×", disk.least), rates[1] >= disk.least*rates[0],
			"%.1f × (%.0f/s and %.0f/s)", rates[1]/rates[0], rates[1], rates[0])
	}
	return nil
}

// growth measures what a large database costs: 100,000 posts, 1,000 groups, 20,000 events and 1,000,000 registrations.
func (b *bench) growth(ctx context.Context) error {
	small, err := b.sample(ctx, "small", "200", "100", "200", "1000")
	if err != nil {
		return err
	}
	large, err := b.sample(ctx, "large", "100000", "1000", "20000", "1000000")
	if err != nil {
		return err
	}
	var servers [2]*server
	for n, dir := range []string{small, large} {
		if servers[n], err = start(ctx, b.portal, quick(dir)); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, servers[0].stop(), servers[1].stop()) }()
	b.add("11 · start to the first answer, 100,000 posts", "≤ 250 ms", servers[1].first <= 250*time.Millisecond, "%d ms", servers[1].first.Milliseconds())

	for _, s := range servers {
		if err := s.quiet(ctx); err != nil {
			return err
		}
	}
	var slow []string
	worst := 0.0
	for _, path := range []string{"/", "/blog", "/blog/category/blog", "/events", "/events/past", "/groups", "/ambassadors", "/feed.xml"} {
		var took [2]time.Duration
		for n, s := range servers {
			if took[n], err = quickest(ctx, s, path); err != nil {
				return err
			}
		}
		ratio := float64(took[1]) / float64(took[0])
		worst = max(worst, ratio)
		if ratio > 2 {
			slow = append(slow, fmt.Sprintf("`%s` %.1f to %.1f ms", path, float64(took[0])/1e6, float64(took[1])/1e6))
		}
	}
	got := fmt.Sprintf("at most %.1f ×", worst)
	if len(slow) > 0 {
		got += ": " + strings.Join(slow, ", ")
	}
	b.add("9 · a page's time, 100,000 posts against 200", "≤ 2 ×", worst <= 2, "%s", got)
	searched, err := load(ctx, servers[1], 1, each, always(get("/search?q=delivery&made=anew")))
	if err != nil {
		return err
	}
	b.add("9 · p99 of a search for a common word, 100,000 posts", "≤ 50 ms", searched.p99() <= 50*time.Millisecond, "%.0f ms", float64(searched.p99())/1e6)

	var ratios []float64
	for range rounds {
		var rates [2]float64
		for n, s := range servers {
			r, err := load(ctx, s, few, each, everybody("/events/rush/register"))
			if err != nil {
				return err
			}
			if r.statuses[303] != r.requests {
				return fmt.Errorf("registering answered %v", r.statuses)
			}
			rates[n] = r.perSecond()
		}
		ratios = append(ratios, rates[1]/rates[0])
	}
	b.add("8 · rate of registrations with 1,000,000 present against 1,000", "≥ 0.9", median(ratios) >= 0.9, "%.2f", median(ratios))
	return nil
}

// queries asks the test that counts them.
func (b *bench) queries(ctx context.Context) error {
	if err := b.command(ctx, "go", "test", "-run", "^TestListsCostTheSameForFewAndMany$", "./handlers"); err != nil {
		return err
	}
	b.add("13 · queries of a page with many rows against few", "the same", true, "the same")
	return nil
}

// sample returns the path of a data folder of that size, made when it is not there or of another schema.
func (b *bench) sample(ctx context.Context, name, posts, groups, events, registrations string) (dir string, err error) {
	dir = filepath.Join(b.data, name)
	environment := []string{"PORTAL_DATA_DIR=" + dir}
	if _, err := os.Stat(filepath.Join(dir, "portal.db")); err != nil {
		if _, err := b.output(ctx, environment, b.portal, "migrate"); err != nil {
			return "", err
		}
		if _, err := b.output(ctx, environment, b.portal, "sample", "--posts", posts, "--groups", groups, "--events", events, "--registrations", registrations); err != nil {
			return "", err
		}
	}
	if _, err := b.output(ctx, environment, b.portal, "migrate"); err != nil {
		return "", err
	}
	return dir, b.withRush(ctx, dir)
}

// quickest is the least time of some requests for a page that is made anew.
func quickest(ctx context.Context, s *server, path string) (time.Duration, error) {
	r, err := load(ctx, s, 1, each/2, always(get(path+"?made=anew")))
	if err != nil {
		return 0, err
	}
	if r.statuses[200] != r.requests {
		return 0, fmt.Errorf("%s answered %v", path, r.statuses)
	}
	return slices.Min(r.waits), nil
}

// begins and ends enclose the table where another document quotes it.
const begins, ends = "<!-- budgets -->\n", "<!-- end of budgets -->\n"

// write prints the table, keeps it in a file and lets the README quote it.
func (b *bench) write(ctx context.Context, file string) error {
	slices.SortStableFunc(b.budgets, func(x, y budget) int { return number(x) - number(y) })
	commit, err := b.output(ctx, nil, "git", "describe", "--always", "--dirty")
	if err != nil {
		return err
	}
	var t strings.Builder
	t.WriteString("| budget | wanted | got | |\n|---|---|---|---|\n")
	for _, line := range b.budgets {
		verdict := "holds"
		if !line.kept {
			verdict = "**missed**"
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %s |\n", line.what, line.wanted, line.got, verdict)
	}
	table := t.String()
	if _, err := os.Stdout.WriteString(table); err != nil {
		return err
	}
	document := fmt.Sprintf("# What the portal costs\n\nPrinted by `make bench`: the portal and its limit beside each other in one run, client and server on the same %d cores (%s), medians of %d rounds.\n"+
		"Ratios hold between machines, absolute figures do not. Commit %s. What stands behind the figures is told in [PERFORMANCE](PERFORMANCE.md).\n\n",
		runtime.NumCPU(), runtime.GOARCH, rounds, strings.TrimSpace(commit))
	readme, err := os.ReadFile("README.md")
	if err != nil {
		return err
	}
	before, rest, opened := strings.Cut(string(readme), begins)
	_, after, closed := strings.Cut(rest, ends)
	if !opened || !closed {
		return errors.New("README.md has no place for the table")
	}
	return errors.Join(
		os.WriteFile(file, []byte(document+table), 0o644),                        //nolint:gosec // a document
		os.WriteFile("README.md", []byte(before+begins+table+ends+after), 0o644), //nolint:gosec // a document
	)
}

// number is the number that a budget's line begins with.
func number(b budget) (n int) {
	_, _ = fmt.Sscan(b.what, &n)
	return n
}

// reported is a figure that a benchmark of Go reports under a unit.
func reported(out, unit string) (value float64, err error) {
	fields := strings.Fields(out)
	at := slices.Index(fields, unit)
	if at < 1 {
		return 0, fmt.Errorf("no %s in %s", unit, out)
	}
	_, err = fmt.Sscan(fields[at-1], &value)
	return value, err
}

func always(request []byte) func() []byte { return func() []byte { return request } }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
