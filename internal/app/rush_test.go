package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/testkit"
)

// rushEvent is an event of three tracks in one room.
const rushEvent = `---
title: Rush
kind: hackathon
mode: in_person
timezone: Europe/Berlin
next: {in_days: 10, time: "10:00", duration: 8h}
summary: Many people, few seats.
venue: {name: Hall, city: Berlin, country: DE}
choose: several
quotas:
  - {name: room, size: %d}
tickets:
  - {name: Build, quotas: [room]}
  - {name: Learn, quotas: [room]}
  - {name: Mend, quotas: [room]}
---

Come early.
`

// newRush writes a folder of content that holds just the event with so many seats.
func newRush(t *testing.T, seats int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "events"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "events", "rush.md"), fmt.Appendf(nil, rushEvent, seats), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// eachDatabaseURL runs a test with the address of an empty database of each kind.
func eachDatabaseURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "portal.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, testkit.Postgres(t))
	})
}

// crowd are clients that share a pool of connections.
var crowd = &http.Client{
	Timeout:       30 * time.Second,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// register fills in the form of the rush as a person does and returns the status and where it led.
func register(base, email string, tickets ...string) (status int, location string, err error) {
	form := url.Values{"name": {"Person " + email}, "email": {email}, "tickets": tickets, "consent": {"yes"}, "nonce": {"nonce-" + email}}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, base+"/events/rush/register", strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := crowd.Do(request)
	if err != nil {
		return 0, "", err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header.Get("Location"), closed(response.Body, err)
}

func closed(body io.Closer, err error) error {
	if e := body.Close(); err == nil {
		err = e
	}
	return err
}

// All come at once and none may wait too long, so this does not share the machine.
func TestTwoHundredPeopleForTwentySeatsOfThreeTracksInOneRoom(t *testing.T) { //nolint:tparallel // only its two parts run together
	eachDatabaseURL(t, func(t *testing.T, url string) {
		p := serve(t, "PORTAL_SEED", "none", "PORTAL_DATABASE_URL", url)
		if code, _, said := p.run("content", "import", newRush(t, 20)); code != 0 {
			t.Fatalf("import: %s", said)
		}
		var seats, told, other atomic.Int64
		var links sync.Map
		var people sync.WaitGroup
		tracks := []string{"build", "learn", "mend"}
		for n := range 200 {
			people.Go(func() {
				status, location, err := register(p.URL, fmt.Sprintf("person%d@example.org", n), tracks[n%3:]...)
				switch {
				case err == nil && status == http.StatusSeeOther:
					seats.Add(1)
					links.Store(location, true)
				case err == nil && status == http.StatusConflict:
					told.Add(1)
				default:
					other.Add(1)
					t.Errorf("person %d: %d, %v", n, status, err)
				}
			})
		}
		people.Wait()
		if seats.Load() != 20 || told.Load() != 180 || other.Load() != 0 {
			t.Errorf("%d got a seat, %d were told that it is full, %d got something else; want 20, 180, 0", seats.Load(), told.Load(), other.Load())
		}
		different := 0
		links.Range(func(any, any) bool { different++; return true })
		if different != 20 {
			t.Errorf("%d different registrations were shown, want 20", different)
		}
		if code, out, _ := p.run("doctor"); code != 0 {
			t.Errorf("doctor after the rush:\n%s", out)
		}
	})
}

// program builds the binary once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "portal-binary-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "portal")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/portal").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// process is the built program in a process of its own, which a test can kill.
type process struct {
	t     *testing.T
	flags []string // of serve
	env   []string
	cmd   *exec.Cmd
	out   io.ReadCloser
	logs  *lockedBuffer
	url   string
}

func startProcess(t *testing.T, env ...string) *process {
	t.Helper()
	p := &process{t: t, env: env}
	p.launch()
	p.listen()
	return p
}

// launch starts the program, again where it has ended.
func (p *process) launch() {
	p.t.Helper()
	path, err := program()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"serve"}, p.flags...)...)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "PORTAL_ADDR=127.0.0.1:0", "PORTAL_SEED=none", "PORTAL_RATE_LIMIT=off", "PORTAL_LOG_LEVEL=error", "PORTAL_DRAIN=0s",
	}, p.env...)
	p.cmd, p.logs = cmd, new(lockedBuffer)
	cmd.Stderr = p.logs
	if p.out, err = cmd.StdoutPipe(); err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// listen waits until the program listens.
func (p *process) listen() {
	p.t.Helper()
	out := p.out
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			p.url = address
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	p.t.Fatalf("the program ended before it listened:\n%s", p.logs)
}

// end sends the program a signal and waits for its end.
func (p *process) end(signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return err
	}
	return p.cmd.Wait()
}

func TestFiveThousandPeopleForAThousandSeatsLoseNothingToASIGKILL(t *testing.T) {
	t.Parallel()
	const people, seats, killed = 5000, 1000, 300
	eachDatabaseURL(t, func(t *testing.T, address string) {
		dir := t.TempDir()
		settings := []string{"PORTAL_DATA_DIR=" + dir, "PORTAL_DATABASE_URL=" + address}
		first := startProcess(t, settings...)
		commands := &portal{env: map[string]string{"PORTAL_DATA_DIR": dir, "PORTAL_DATABASE_URL": address}}
		if code, _, said := commands.run("content", "import", newRush(t, seats)); code != 0 {
			t.Fatalf("import: %s", said)
		}
		var serving atomic.Pointer[string]
		serving.Store(&first.url)
		var answered sync.Map // person → where they were led
		var given, told atomic.Int64
		everybody := make(chan int, people)
		for n := range people {
			everybody <- n
		}
		close(everybody)
		var crews sync.WaitGroup
		for range 64 {
			crews.Go(func() {
				for n := range everybody {
					email := fmt.Sprintf("person%d@example.org", n)
					for tries := 0; ; tries++ {
						status, location, err := register(*serving.Load(), email, "build")
						switch {
						case err == nil && status == http.StatusSeeOther:
							answered.Store(email, location)
							given.Add(1)
						case err == nil && status == http.StatusConflict:
							told.Add(1)
						case tries < 1000: // the program is gone, or has just come back: the browser sends the form again
							time.Sleep(20 * time.Millisecond)
							continue
						default:
							t.Errorf("%s: %d, %v", email, status, err)
						}
						break
					}
				}
			})
		}
		for given.Load() < killed {
			time.Sleep(time.Millisecond) // let the crowd in
		}
		if err := first.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = first.cmd.Wait()
		second := startProcess(t, settings...)
		serving.Store(&second.url)
		crews.Wait()
		if given.Load() != seats || told.Load() != people-seats {
			t.Errorf("%d got a seat and %d were told that it is full; want %d and %d", given.Load(), told.Load(), seats, people-seats)
		}
		db, err := database.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close() //nolint:errcheck // only read from
		var rows []string
		if err := db.Reader.Raw("SELECT email FROM registrations WHERE status = 'confirmed'").Scan(&rows).Error; err != nil {
			t.Fatal(err)
		}
		if len(rows) != seats {
			t.Errorf("%d registrations for %d seats", len(rows), seats)
		}
		for _, email := range rows {
			if _, ok := answered.LoadAndDelete(email); !ok {
				t.Errorf("%s is registered and was not told, or is registered twice", email)
			}
		}
		answered.Range(func(email, _ any) bool {
			t.Errorf("%s was given a seat that is not there", email)
			return true
		})
		if code, out, _ := commands.run("doctor"); code != 0 {
			t.Errorf("doctor after the kill:\n%s", out)
		}
	})
}

func TestALinkFromBeforeASIGKILLOpensAfterIt(t *testing.T) {
	t.Parallel()
	eachDatabaseURL(t, func(t *testing.T, address string) {
		dir := t.TempDir()
		settings := []string{"PORTAL_DATA_DIR=" + dir, "PORTAL_DATABASE_URL=" + address}
		first := startProcess(t, settings...)
		commands := &portal{env: map[string]string{"PORTAL_DATA_DIR": dir, "PORTAL_DATABASE_URL": address}}
		if code, _, said := commands.run("content", "import", newRush(t, 1)); code != 0 {
			t.Fatalf("import: %s", said)
		}
		status, link, err := register(first.url, "ada@example.org", "build")
		if err != nil || status != http.StatusSeeOther {
			t.Fatal(status, err)
		}
		if err := first.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = first.cmd.Wait()
		second := startProcess(t, settings...)
		response, err := crowd.Get(second.url + link)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close() //nolint:errcheck // only the status counts
		if response.StatusCode != http.StatusOK {
			t.Errorf("the link answers %s", response.Status)
		}
	})
}
