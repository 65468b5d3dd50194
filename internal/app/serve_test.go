package app_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/app"
	"github.com/cdfoundation/portal/internal/testkit"
)

func TestServeStartsOnAnEmptyDatabaseAndStopsCleanly(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.start(t)
	if !strings.HasPrefix(p.FirstAdmin, p.URL+"/login/") {
		t.Errorf("first admin: %q, want a link under %s", p.FirstAdmin, p.URL)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 200, "/blog": 200, "/nothing-here": 404} {
		if response, _ := p.get(t, path); response.StatusCode != want {
			t.Errorf("GET %s = %d, want %d", path, response.StatusCode, want)
		}
	}
	if info, err := os.Stat(p.DataDir + "/secret"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secret: %v %v, want a file of mode 0600", info, err)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d after being told to stop, want 0", code)
	}
}

func TestDoctorTellsWhetherThePortalThatRunsIsReady(t *testing.T) {
	t.Parallel()
	p := serve(t, "PORTAL_SEED", "none", "PORTAL_BASE_URL", "https://community.example.org")
	_, port, _ := strings.Cut(strings.TrimPrefix(p.URL, "http://"), ":")
	p.env["PORTAL_ADDR"] = "0.0.0.0:" + port
	if code, out, errOut := p.run("doctor", "--ready"); code != 0 || out != "ready\n" {
		t.Errorf("while it runs: exit %d, said %q %q", code, out, errOut)
	}
	p.stop()
	if code, _, errOut := p.run("doctor", "--ready"); code != 1 || !strings.Contains(errOut, "no portal answers") {
		t.Errorf("after its end: exit %d, said %q", code, errOut)
	}
}

func TestASecondStartKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	p := serve(t)
	_, before, _ := p.run("stats")
	p.stop()
	p.start(t)
	if _, after, _ := p.run("stats"); after != before {
		t.Errorf("after a second start:\n%s\nbefore:\n%s", after, before)
	}
}

func TestMigrateBeforeServeStillLoadsTheContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := func(name string) string { return map[string]string{"PORTAL_DATA_DIR": dir}[name] }
	var out, errOut lockedBuffer
	if code := app.Main(context.Background(), []string{"migrate"}, env, &out, &errOut); code != 0 {
		t.Fatalf("migrate = %d: %s", code, &errOut)
	}
	p := serve(t, "PORTAL_DATA_DIR", dir)
	if response, _ := p.get(t, "/blog/spinnaker-live-today"); response.StatusCode != http.StatusOK {
		t.Errorf("a built-in post answers %d, want 200", response.StatusCode)
	}
}

func TestAWrongSettingStopsTheStartInOneLine(t *testing.T) {
	for name, tt := range map[string]struct{ variable, value, allowed string }{
		"address":  {"PORTAL_ADDR", "nowhere", "HOST:PORT"},
		"base URL": {"PORTAL_BASE_URL", "ftp://x", "http:// or https://"},
		"database": {"PORTAL_DATABASE_URL", "mysql://x", "sqlite:PATH"},
		"seed":     {"PORTAL_SEED", "everything", "content or none"},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"PORTAL_DATA_DIR": t.TempDir(), tt.variable: tt.value}
			var out, errOut lockedBuffer
			code := app.Main(context.Background(), []string{"serve"}, func(n string) string { return env[n] }, &out, &errOut)
			said := errOut.String()
			if code == 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, tt.variable) || !strings.Contains(said, tt.allowed) {
				t.Errorf("exit %d, said %q; want one line that names %s and what is allowed", code, said, tt.variable)
			}
		})
	}
}

func TestADamagedDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	p := serve(t)
	p.stop()
	whole, err := os.ReadFile(filepath.Join(p.DataDir, "portal.db"))
	if err != nil {
		t.Fatal(err)
	}
	rubbish := []byte(strings.Repeat("not a database ", 2000))
	for name, damage := range map[string]func(file []byte) []byte{
		"something else":         func([]byte) []byte { return rubbish },
		"its beginning is lost":  func(file []byte) []byte { return append(rubbish[:100:100], file[100:]...) },
		"its end is lost":        func(file []byte) []byte { return file[:len(file)/2] },
		"pages are written over": func(file []byte) []byte { copy(file[40*4096:], rubbish); return file },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "portal.db")
			if err := os.WriteFile(file, damage(bytes.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{"PORTAL_DATA_DIR": dir, "PORTAL_ADDR": "127.0.0.1:0"}
			for command, words := range map[string]string{"serve": "portal: " + file + " is damaged", "doctor": "1 of the checks failed"} {
				var out, errOut lockedBuffer
				code := app.Main(context.Background(), []string{command}, func(n string) string { return env[n] }, &out, &errOut)
				if said := errOut.String(); code != 1 || strings.Count(said, "\n") != 1 || !strings.Contains(said, words) {
					t.Errorf("portal %s: exit %d, said %q; want 1 and one line with %q", command, code, said, words)
				}
			}
		})
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	for _, args := range [][]string{
		{"serve"},
		{"migrate"},
		{"content", "import"},
		{"content", "remove-sample"},
		{"user", "add"},
		{"user", "link"},
		{"doctor"},
		{"routes"},
		{"stats"},
		{"version"},
	} {
		var out, errOut lockedBuffer
		code := app.Main(context.Background(), append(args, "--help"), func(string) string { return "" }, &out, &errOut)
		if code != 0 || !strings.Contains(out.String(), "Example:") || !strings.Contains(out.String(), "portal "+strings.Join(args, " ")) {
			t.Errorf("portal %s --help: exit %d, %q %q", strings.Join(args, " "), code, &out, &errOut)
		}
	}
}

func TestWrongUsageIsTwo(t *testing.T) {
	for _, args := range [][]string{{"fly"}, {"user", "add"}, {"user", "add", "--email", "a@example.org", "--name", "A", "--role", "king"}, {"serve", "--wings"}} {
		var out, errOut lockedBuffer
		if code := app.Main(context.Background(), args, func(string) string { return "" }, &out, &errOut); code != 2 || errOut.String() == "" {
			t.Errorf("portal %s: exit %d, said %q; want 2 and why", strings.Join(args, " "), code, &errOut)
		}
	}
}

func TestWhatACommandChangesShowsOnPagesThatWereKept(t *testing.T) {
	t.Parallel()
	p := serve(t)
	_, before := p.get(t, "/events")
	if code, _, errOut := p.run("content", "remove-sample"); code != 0 {
		t.Fatal(errOut)
	}
	for range 200 {
		if _, after := p.get(t, "/events"); string(after) != string(before) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Error("five seconds after the events of the sample were removed the page shows them")
}

func TestTheDoctorSignsInToTheMailServer(t *testing.T) {
	t.Parallel()
	box := testkit.NewSecureMailbox(t, "portal", "hush-hush")
	p := newEmptyPortal(t, "")
	for address, want := range map[string]string{
		box.URL: "mail           ok\n",
		strings.Replace(box.URL, "hush-hush", "other-hush", 1): "mail           PORTAL_SMTP_URL: the server refuses the user or the password",
	} {
		p.env["PORTAL_SMTP_URL"] = address
		if _, out, _ := p.run("doctor"); !strings.Contains(out, want) || strings.Contains(out, "hush") {
			t.Errorf("the doctor says %s", out)
		}
	}
}

func TestTheDoctorComparesTheClock(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.fill(t)
	says := func(code int, want string) {
		t.Helper()
		if got, out, _ := p.run("doctor"); got != code || !strings.Contains(out, want) {
			t.Errorf("the doctor ends with %d and says %s", got, out)
		}
	}
	says(0, "clock          ok\n")
	p.env["PORTAL_CLOCK_OFFSET"] = "-2h"
	says(1, ", the database's 20")
	p.env["PORTAL_CLOCK_OFFSET"] = "+2h" // as a machine whose clock stood ahead
	if code, _, said := p.run("user", "add", "--email", "ana@example.org", "--name", "Ana", "--role", "staff"); code != 0 {
		t.Fatal(said)
	}
	delete(p.env, "PORTAL_CLOCK_OFFSET")
	says(1, "but the last change was made at 20")
}
