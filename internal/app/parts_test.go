package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/cdfoundation/portal/internal/app"
	"github.com/cdfoundation/portal/internal/testkit"
)

func TestFiguresTellOfProcessDatabaseAndMail(t *testing.T) {
	t.Parallel()
	issuer := httptest.NewServer(http.NotFoundHandler())
	defer issuer.Close()
	p := serve(t, "PORTAL_OIDC_ISSUER", strings.Replace(issuer.URL, "127.0.0.1", "localhost", 1), "PORTAL_OIDC_CLIENT_ID", "portal", "PORTAL_OIDC_CLIENT_SECRET", "hush",
		"PORTAL_STORAGE_URL", testkit.NewBucket(t).URL)
	p.get(t, "/login/with/openid")
	if code, _, said := p.run("user", "add", "--email", "ana@example.org", "--name", "Ana", "--role", "staff"); code != 0 {
		t.Fatal(said)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/login", strings.NewReader(url.Values{"email": {"ana@example.org"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := stranger.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	p.kept(t, "ana@example.org", 1)
	var text string
	until(t, "the mail counted as sent", func() bool { // which is after it was kept, and rows are counted every few seconds
		_, body := p.get(t, "/metrics")
		text = string(body)
		return strings.Contains(text, `portal_mail_attempts_total{kind="sign_in",outcome="sent",success="true"} 1`) && strings.Contains(text, `portal_rows{of="mails_waiting"} 0`)
	})
	for _, want := range []string{
		`portal_mail_attempts_total{kind="sign_in",outcome="sent",success="true"} 1`, `portal_http_requests_total{method="POST",route="/login",signed_in="false",status="2xx",success="true"} 1`,
		`go_sql_open_connections{db_name="read"}`, `go_sql_open_connections{db_name="write"}`, "process_resident_memory_bytes ", "go_goroutines ",
		`portal_rows{of="mails_waiting"} 0`, "portal_oldest_mail_seconds 0", `portal_job_failed{job="mail"} 0`,
		`portal_outgoing_requests_total{method="GET",service="openid",status="4xx",success="true"} 1`, `portal_outgoing_request_duration_seconds_count{service="openid"} 1`,
		`portal_storage_requests_total{operation="read",outcome="failed",success="false"} 0`, `portal_storage_request_seconds_count{operation="read"} 0`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the figures lack %s", want)
		}
	}
	expressions := operations(t)
	for _, name := range []string{"portal_outgoing_requests_total", "portal_mail_attempts_total", "portal_storage_requests_total", "portal_storage_request_seconds"} {
		if !strings.Contains(strings.Join(expressions, "\n"), name) {
			t.Errorf("no rule and no panel asks for %s", name)
		}
	}
	for _, expression := range expressions {
		for _, name := range metricName.FindAllString(expression, -1) {
			if !strings.Contains(text, "\n"+name) {
				t.Errorf("the expression %s asks for %s, which is no figure of ours", expression, name)
			}
		}
	}
}

var metricName = regexp.MustCompile(`\b(?:portal|go|process)_\w+`)

// operations are the expressions of the rules and the dashboard that operators are given.
func operations(t *testing.T) (expressions []string) {
	t.Helper()
	read := func(name string, decode func([]byte, any) error, into any) {
		text, err := os.ReadFile(filepath.Join("../../.github/operations", name))
		if err == nil {
			err = decode(text, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Record, Alert, Expr string }
		}
	}
	read("alerts.yml", yaml.Unmarshal, &rules)
	recorded := map[string]bool{}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			recorded[rule.Record] = true
			expressions = append(expressions, rule.Expr)
			for _, name := range recordedName.FindAllString(rule.Expr, -1) {
				if !recorded[name] {
					t.Errorf("the alert %s asks for %s, which no rule records", rule.Alert, name)
				}
			}
		}
	}
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	read("dashboard.json", json.Unmarshal, &dashboard)
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	if len(expressions) < 20 {
		t.Errorf("only %d expressions were found", len(expressions))
	}
	return expressions
}

var recordedName = regexp.MustCompile(`portal:\w+:\w+`)

func TestServingAndBackgroundWorkCanBePartedInTwoProcesses(t *testing.T) {
	t.Parallel()
	p := serve(t)
	p.stop()
	if code, _, said := p.run("user", "add", "--email", "ana@example.org", "--name", "Ana", "--role", "staff"); code != 0 {
		t.Fatal(said)
	}
	p.flags = []string{"--web-only"}
	p.start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/login", strings.NewReader(url.Values{"email": {"ana@example.org"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := stranger.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", response, err)
	}
	_ = response.Body.Close()
	time.Sleep(1200 * time.Millisecond) // a worker would have looked twice
	if files, _ := filepath.Glob(filepath.Join(p.DataDir, "mail", "*.eml")); len(files) != 0 {
		t.Errorf("the process that serves alone wrote %d mails", len(files))
	}

	if code, _, said := p.run("serve", "--worker-only"); code != 1 || !strings.Contains(said, "PORTAL_BASE_URL") {
		t.Errorf("a worker that cannot know the links of its mails: %d, %s", code, said)
	}
	p.env["PORTAL_BASE_URL"] = p.URL
	ctx, cancel := context.WithCancel(t.Context())
	var out, errOut lockedBuffer
	done := make(chan int)
	go func() {
		done <- app.Main(ctx, []string{"serve", "--worker-only"}, func(name string) string { return p.env[name] }, &out, &errOut)
	}()
	if mail := p.kept(t, "ana@example.org", 1)[0]; !strings.Contains(mail, p.URL+"/login/") {
		t.Errorf("the mail of the worker holds no link to %s:\n%s", p.URL, mail)
	}
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("the worker ended with %d: %s", code, &errOut)
	}
	if code, _, _ := p.run("serve", "--web-only", "--worker-only"); code != 2 {
		t.Errorf("both alone: exit %d, want 2", code)
	}
}
