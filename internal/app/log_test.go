package app

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdfoundation/portal/internal/config"
)

// lockedLines is what was written, which many may ask for.
type lockedLines struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *lockedLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(b)
}

func (l *lockedLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

func TestOrdinaryLinesAreWrittenTogetherAndWarningsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedLines
		log, flush := logger(config.Config{LogLevel: "info"}, &out)
		log.Info("one")
		log.With(slog.String("a", "b")).Info("two")
		if out.String() != "" {
			t.Errorf("written at once: %q", out.String())
		}
		time.Sleep(logFlush)
		synctest.Wait()
		if got := strings.Count(out.String(), "\n"); got != 2 {
			t.Errorf("%d lines after a moment: %q", got, out.String())
		}
		log.Info("three")
		log.WithGroup("g").Warn("four")
		if !strings.Contains(out.String(), "three") || !strings.Contains(out.String(), "four") {
			t.Errorf("a warning waits: %q", out.String())
		}
		log.Info("five")
		flush()
		if !strings.Contains(out.String(), "five") {
			t.Error("the last line is lost")
		}
	})
}
