package testkit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The preparation of `make test` reads this line and keeps that version.
const vnuVersion = "26.9.27"

// CheckHTML holds pages, by any name such as their address, against the HTML
// standard with the Nu checker and reports every error as name:line message.
// One call checks them all in one run of Java, which takes a second to start.
func CheckHTML(tb testing.TB, pages map[string][]byte) {
	tb.Helper()
	for _, finding := range checkHTML(tb, pages) {
		tb.Error(finding)
	}
}

func checkHTML(tb testing.TB, pages map[string][]byte) (findings []string) {
	tb.Helper()
	if len(pages) == 0 {
		tb.Fatal("no pages to check")
	}
	java := find([]string{"java"}, nil)
	if java == "" {
		missing(tb, "Java (Debian package default-jre-headless)")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	jar := filepath.Join(cache, "portal-test", "vnu-"+vnuVersion+".jar")
	if _, err = os.Stat(jar); err != nil {
		missing(tb, "the Nu HTML checker at %s (npm package vnu-jar)", jar)
	}

	dir := tb.TempDir()
	names := slices.Sorted(maps.Keys(pages))
	args := []string{"-jar", jar, "--format", "json", "--errors-only", "--exit-zero-always"}
	for i, name := range names {
		file := filepath.Join(dir, fmt.Sprintf("%06d.html", i))
		if err = os.WriteFile(file, pages[name], 0o600); err != nil {
			tb.Fatal(err)
		}
		args = append(args, file)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(tb.Context(), java, args...)
	cmd.Stderr = &stderr
	if err = cmd.Run(); err != nil {
		tb.Fatalf("the Nu HTML checker: %v\n%s", err, stderr.Bytes())
	}
	findings, err = readFindings(stderr.Bytes(), names)
	if err != nil {
		tb.Fatalf("the Nu HTML checker answered %q: %v", stderr.Bytes(), err)
	}
	return findings
}

// readFindings turns the checker's report into lines. The pages were given to it
// as files whose names are their places in names.
func readFindings(report []byte, names []string) (findings []string, err error) {
	var parsed struct {
		Version  string
		Messages []struct {
			URL      string
			LastLine int
			Message  string
			Extract  string
		}
	}
	if err := json.Unmarshal(report, &parsed); err != nil {
		return nil, err
	}
	if parsed.Version == "" {
		return nil, errors.New("no version in the report")
	}
	for _, m := range parsed.Messages {
		place := m.URL
		var i int
		if _, err := fmt.Sscanf(filepath.Base(m.URL), "%06d.html", &i); err == nil && i < len(names) {
			place = names[i]
		}
		extract := strings.Join(strings.Fields(m.Extract), " ")
		findings = append(findings, fmt.Sprintf("%s:%d %s (%s)", place, m.LastLine, m.Message, extract))
	}
	return findings, nil
}
