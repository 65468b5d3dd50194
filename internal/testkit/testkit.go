// Package testkit is what tests stand on: real databases, a real browser, the
// checker of HTML, questions to parsed pages, golden files. Only tests import
// it; it knows everything of ours but cmd and internal/app.
package testkit

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// missing ends a test that cannot run on this machine. With PORTAL_TEST_REQUIRE
// set, as `make test` does, it fails; otherwise it is skipped and says why.
func missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	what := fmt.Sprintf(format, args...)
	if os.Getenv("PORTAL_TEST_REQUIRE") != "" {
		tb.Fatalf("MISSING: %s", what)
	}
	tb.Skipf("NOT TESTED: %s; `make test` gets it", what)
}

// find returns the path of the first of the programs that is in PATH or in a
// folder that matches one of the patterns, the last match first; "" if none is.
func find(programs, patterns []string) string {
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
		for _, pattern := range patterns {
			found, _ := filepath.Glob(filepath.Join(pattern, program)) // the patterns are ours and well formed
			if len(found) > 0 {
				return slices.Max(found)
			}
		}
	}
	return ""
}

// attend starts a shell script whose standard input stays open for as long as
// this test process lives. A script that reads to the end of it and then cleans
// up does so however the process ends: passed, panicked, timed out or killed.
//
// Nobody writes to the pipe: that it closes is the message. The caller keeps it
// for as long, because an unreachable file is closed by the garbage collector.
func attend(cmd *exec.Cmd) (alive io.Closer, err error) {
	if alive, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return alive, cmd.Start()
}
