package app_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/app"
)

// portal is a running program with the built-in content, as `portal serve` starts it.
type portal struct {
	URL        string
	FirstAdmin string // the printed link
	DataDir    string
	env        map[string]string
	flags      []string // of serve
	logs       *lockedBuffer
	stop       func() int
}

// serve starts the program in this process and waits until it listens. Settings are pairs of a variable and its value. The
// database holds the built-in content already, unless a setting names the database, its folder or what to begin with.
func serve(t testing.TB, settings ...string) *portal {
	t.Helper()
	p := newPortal(t)
	for i := 0; i < len(settings); i += 2 {
		p.env[settings[i]] = settings[i+1]
	}
	if own := p.env["PORTAL_DATABASE_URL"] + p.env["PORTAL_SEED"]; own == "" && p.env["PORTAL_DATA_DIR"] == p.DataDir {
		p.fill(t)
	}
	p.DataDir = p.env["PORTAL_DATA_DIR"]
	p.start(t)
	return p
}

// newPortal has settings and an empty folder.
func newPortal(t testing.TB) *portal {
	t.Helper()
	dir := t.TempDir()
	return &portal{DataDir: dir, env: map[string]string{
		"PORTAL_ADDR": "127.0.0.1:0", "PORTAL_RATE_LIMIT": "off", "PORTAL_LOG_LEVEL": "error", "PORTAL_DRAIN": "0s", "PORTAL_DATA_DIR": dir,
	}}
}

// first are the files that a first start leaves in its folder, the database with the built-in content among them. Each start
// would take seconds to load it.
var first struct {
	sync.Once
	files map[string][]byte
}

// fill puts into the portal's folder what a first start leaves there.
func (p *portal) fill(t testing.TB) {
	t.Helper()
	first.Do(func() {
		made := newPortal(t)
		made.start(t)
		made.stop()
		first.files = map[string][]byte{}
		for _, name := range []string{"portal.db", "secret"} {
			content, err := os.ReadFile(filepath.Join(made.DataDir, name))
			if err != nil {
				t.Fatal(err)
			}
			first.files[name] = content
		}
	})
	for name, content := range first.files {
		if err := os.WriteFile(filepath.Join(p.DataDir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// start runs serve with the portal's settings; it may be called again after stop.
func (p *portal) start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	logs := &lockedBuffer{}
	p.logs = logs
	done := make(chan int, 1)
	go func() {
		code := app.Main(ctx, append([]string{"serve"}, p.flags...), func(name string) string { return p.env[name] }, in, logs)
		_ = in.Close()
		done <- code
	}()
	p.stop = sync.OnceValue(func() int {
		cancel()
		code := <-done
		if logs.String() != "" {
			t.Logf("the program's log:\n%s", logs)
		}
		return code
	})
	t.Cleanup(func() { p.stop() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if link, ok := strings.CutPrefix(lines.Text(), "first admin: "); ok {
			p.FirstAdmin = link
		}
		if address, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			p.URL = address
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	t.Fatalf("the program ended with %d before it listened:\n%s", p.stop(), logs)
}

// run runs another command with the portal's settings and returns its exit code, output and error output.
func (p *portal) run(args ...string) (code int, out, errOut string) {
	var o, e lockedBuffer
	code = app.Main(context.Background(), args, func(name string) string { return p.env[name] }, &o, &e)
	return code, o.String(), e.String()
}

// lockedBuffer collects output that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// stranger is a client without cookies that follows no redirect.
var stranger = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get fetches a path and returns the answer with its body.
func (p *portal) get(t testing.TB, path string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := stranger.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

// kept returns the newest kept mails to an address, whole, waiting until there are n.
func (p *portal) kept(t testing.TB, to string, n int) []string {
	t.Helper()
	for range 600 {
		var found []string
		files, _ := filepath.Glob(filepath.Join(p.DataDir, "mail", "*.eml"))
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err == nil && strings.Contains(string(b), to) {
				found = append(found, string(b))
			}
		}
		if len(found) >= n {
			return found
		}
		time.Sleep(50 * time.Millisecond) // the worker asks for mail twice a second
	}
	t.Fatalf("no %d mails to %s in 30 s", n, to)
	return nil
}
