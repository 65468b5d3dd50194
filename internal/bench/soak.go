package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	soakRate  = 300 // requests a second
	soakCrew  = 32  // connections
	soakLook  = 5 * time.Second
	soakPrint = 30 * time.Second
)

// soak puts a mixed load on a fresh portal for some time and tells whether memory, goroutines and descriptors stay as they are: by
// the medians of the second and of the last quarter.
func soak(ctx context.Context, limit time.Duration) (err error) {
	b := &bench{}
	if b.dir, err = os.MkdirTemp("", "portal-soak-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	b.portal = filepath.Join(b.dir, "portal")
	if err := b.command(ctx, "go", "build", "-o", b.portal, "./cmd/portal"); err != nil {
		return err
	}
	dir, err := b.furnished(ctx, "soak")
	if err != nil {
		return err
	}
	portal, err := start(ctx, b.portal, quick(dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, portal.stop()) }()
	c := &crowd{base: "http://" + portal.address, answers: map[string]int{}}
	c.client = &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if err := c.signIn(ctx, b, dir); err != nil {
		return err
	}
	working, stop := context.WithTimeout(ctx, limit)
	defer stop()
	var people sync.WaitGroup
	turns := time.NewTicker(time.Second / soakRate)
	defer turns.Stop()
	for range soakCrew {
		people.Go(func() {
			line := new(http.Transport) // a connection of one's own, so that as many are open throughout
			defer line.CloseIdleConnections()
			visitor, desk := *c.client, *c.desk
			visitor.Transport, desk.Transport = line, line
			for {
				select {
				case <-working.Done():
					return
				case <-turns.C:
					c.act(ctx, &visitor, &desk)
				}
			}
		})
	}
	samples, err := watch(working, c, portal.Process.Pid, dir)
	stop()
	people.Wait()
	if err != nil {
		return err
	}
	return c.judge(samples)
}

// crowd is everybody who uses the portal.
type crowd struct {
	base   string
	client *http.Client
	desk   *http.Client // of somebody who is signed in
	people atomic.Int64

	mu      sync.Mutex
	answers map[string]int // by what was done and how it ended
	failed  []string
}

// signIn makes an account and its session.
func (c *crowd) signIn(ctx context.Context, b *bench, dir string) error {
	link, err := b.output(ctx, append(quick(dir), "PORTAL_BASE_URL="+c.base), b.portal, "user", "add", "--email", "ada@example.org", "--name", "Ada", "--role", "admin")
	if err != nil {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	desk := *c.client
	desk.Jar = jar
	c.desk = &desk
	if status, _, err := c.send(ctx, c.desk, http.MethodPost, strings.TrimPrefix(strings.TrimSpace(link), c.base), url.Values{}); err != nil || status != http.StatusSeeOther {
		return fmt.Errorf("signing in: %d, %w", status, err)
	}
	return nil
}

func (c *crowd) send(ctx context.Context, client *http.Client, method, path string, form url.Values) (status int, location string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header.Get("Location"), errors.Join(err, response.Body.Close())
}

// What people look at: pages that are kept, feeds, and pages of the desk.
var (
	keptPages = []string{"/", "/blog", "/events", "/events/rush", "/groups", "/ambassadors", page}
	livePages = []string{page + "?made=anew", "/blog?made=anew", "/events/rush/register"}
	feeds     = []string{"/feed.xml", "/feed.json", "/events.ics", "/events/feed.atom", "/sitemap.xml"}
	deskPages = []string{"/admin", "/admin/posts", "/admin/events", "/admin/groups", "/admin/people", "/admin/mail", "/admin/audit", "/admin/health"}
	searched  = []string{"tekton", "jenkins", "pipeline", "supply chain", "spinnaker", "ambassador", "berlin"}
)

// below is a number from 0 that is less than n.
func below(n int) int { return rand.IntN(n) } //nolint:gosec // nobody is to be kept from guessing it

func one(of []string) string { return of[below(len(of))] }

// act does one thing, each as often as it happens.
func (c *crowd) act(ctx context.Context, visitor, desk *http.Client) {
	switch turn := below(100); {
	case turn < 50:
		c.look(ctx, "a page that is kept", visitor, one(keptPages), 200)
	case turn < 60:
		c.look(ctx, "a page that is not kept", visitor, one(livePages), 200)
	case turn < 68:
		c.look(ctx, "a search", visitor, "/search?q="+url.QueryEscape(one(searched)+" "+strconv.Itoa(below(1000))), 200)
	case turn < 78:
		c.look(ctx, "a feed", visitor, one(feeds), 200)
	case turn < 80:
		c.look(ctx, "a page that is not there", visitor, "/blog/nothing-"+strconv.Itoa(below(1000)), 404)
	case turn < 90:
		c.look(ctx, "a page of the desk", desk, one(deskPages), 200)
	case turn < 93:
		status, _, err := c.send(ctx, visitor, http.MethodPost, "/login", url.Values{"email": {"ada@example.org"}})
		c.note("a link to sign in", status, 200, err)
	default:
		n := c.people.Add(1)
		email := fmt.Sprintf("person%d@example.org", n)
		status, ticket, err := c.send(ctx, visitor, http.MethodPost, "/events/rush/register",
			url.Values{"name": {"Person"}, "email": {email}, "tickets": {"seat"}, "consent": {"yes"}, "nonce": {"nonce-" + email}})
		c.note("a registration", status, 303, err)
		if ticket != "" && n%2 == 0 {
			status, _, err := c.send(ctx, visitor, http.MethodPost, ticket+"/cancellation", url.Values{})
			c.note("a cancellation", status, 303, err)
		}
	}
}

func (c *crowd) look(ctx context.Context, what string, client *http.Client, path string, want int) {
	status, _, err := c.send(ctx, client, http.MethodGet, path, nil)
	c.note(what, status, want, err)
}

func (c *crowd) note(what string, status, want int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[what]++
	if err != nil || status != want {
		c.failed = append(c.failed, fmt.Sprintf("%s: %d, %v", what, status, err))
	}
}

// sample is what a process has at one moment.
type sample struct{ pss, heap, goroutines, descriptors, database, wal float64 }

// watch takes samples until the time is over and prints some of them.
func watch(ctx context.Context, c *crowd, pid int, dir string) (samples []sample, err error) {
	fmt.Fprintln(os.Stdout, "   time  answers  PSS MB  live MB  goroutines  descriptors  database MB  WAL MB")
	began, printed := time.Now(), time.Duration(0)
	looks := time.NewTicker(soakLook)
	defer looks.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples, nil
		case <-looks.C:
		}
		s, err := c.sample(context.WithoutCancel(ctx), pid, dir)
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
		if passed := time.Since(began); passed-printed >= soakPrint-soakLook/2 {
			printed = passed
			c.mu.Lock()
			answers := 0
			for _, n := range c.answers {
				answers += n
			}
			c.mu.Unlock()
			fmt.Fprintf(os.Stdout, "%7s %8d %7.1f %8.1f %11.0f %12.0f %12.1f %7.1f\n", passed.Round(time.Second), answers, s.pss, s.heap, s.goroutines, s.descriptors, s.database, s.wal)
		}
	}
}

const megabyte = 1 << 20

func (c *crowd) sample(ctx context.Context, pid int, dir string) (s sample, err error) {
	pss, err := memory(pid)
	if err != nil {
		return s, err
	}
	s.pss = float64(pss) / megabyte
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return s, err
	}
	s.descriptors = float64(len(open))
	for file, size := range map[string]*float64{"portal.db": &s.database, "portal.db-wal": &s.wal} {
		if info, err := os.Stat(filepath.Join(dir, file)); err == nil {
			*size = float64(info.Size()) / megabyte
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/metrics", http.NoBody)
	if err != nil {
		return s, err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return s, err
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "go_gc_heap_live_bytes":
			s.heap, err = strconv.ParseFloat(value, 64)
			s.heap /= megabyte
		case "go_goroutines":
			s.goroutines, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return s, err
		}
	}
	return s, lines.Err()
}

// judge compares the quarters.
func (c *crowd) judge(samples []sample) error {
	quarter := len(samples) / 4
	if quarter == 0 {
		return errors.New("too short to tell anything")
	}
	for what, n := range c.answers {
		fmt.Fprintf(os.Stdout, "%8d × %s\n", n, what)
	}
	var grew []error
	for _, figure := range []struct {
		name  string
		of    func(sample) float64
		share float64 // how much more is no growth: a part of what it was,
		fixed float64 // and as much on top
	}{
		{"memory (PSS, MB)", func(s sample) float64 { return s.pss }, 0.1, 4},
		{"live heap (MB)", func(s sample) float64 { return s.heap }, 0.1, 4},
		{"goroutines", func(s sample) float64 { return s.goroutines }, 0.1, 10},
		{"descriptors", func(s sample) float64 { return s.descriptors }, 0.1, 10},
	} {
		middle := func(of []sample) float64 {
			values := make([]float64, len(of))
			for i, s := range of {
				values[i] = figure.of(s)
			}
			return median(values)
		}
		early, late := middle(samples[quarter:2*quarter]), middle(samples[len(samples)-quarter:])
		words := "flat"
		if late > early*(1+figure.share)+figure.fixed {
			words = "GREW"
			grew = append(grew, fmt.Errorf("%s grew from %.1f to %.1f", figure.name, early, late))
		}
		fmt.Fprintf(os.Stdout, "%-18s %8.1f in the second quarter, %8.1f in the last: %s\n", figure.name, early, late, words)
	}
	if len(c.failed) > 0 {
		grew = append(grew, fmt.Errorf("%d answers were not as they should be, such as %s", len(c.failed), c.failed[0]))
	}
	return errors.Join(grew...)
}
