package app

import (
	"bytes"
	"io"
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

func TestLinesAreWrittenAsLogSlogWritesThem(t *testing.T) {
	at := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	records := func(h slog.Handler) {
		write := func(h slog.Handler, at time.Time, level slog.Level, message string, attributes ...slog.Attr) {
			record := slog.NewRecord(at, level, message, 0)
			record.AddAttrs(attributes...)
			if err := h.Handle(t.Context(), record); err != nil {
				t.Error(err)
			}
		}
		for _, route := range []string{"/blog/:slug", "/:year<int>/*", "", "two words", "a=b", `"`, `\`, "é", "\n"} {
			h := h.WithAttrs([]slog.Attr{slog.String("route", route), slog.Int("status", 200)})
			write(h, at, slog.LevelInfo, "request", slog.String("id", "x1"), slog.Int("bytes", -7), slog.Duration("took", 1234567))
			write(h.WithAttrs([]slog.Attr{slog.Bool("again", true)}), at, slog.LevelInfo, "request", slog.String("id", "x1"))
			write(h, at, slog.LevelInfo, "request", slog.String("id", route))
			write(h.WithGroup("g"), at, slog.LevelInfo, "request", slog.String("id", "x1"))
		}
		for _, after := range []time.Duration{0, time.Microsecond, time.Millisecond, 120 * time.Millisecond, 999999 * time.Microsecond} {
			write(h, at.Add(after), slog.LevelInfo, "request")
			write(h, at.Add(after).In(time.FixedZone("", 3600)), slog.LevelInfo, "request")
		}
		write(h, time.Time{}, slog.LevelInfo, "request")
		write(h, at, slog.LevelInfo, "two words", slog.Any("error", io.EOF), slog.Group("g", slog.Int("n", 1)), slog.String("a key", "x")) //nolint:sloglint // a key that needs quotes
		write(h, at, slog.LevelWarn, "warning", slog.Float64("of", .5))
		write(h, at, slog.LevelInfo, "request", slog.Int("a", 1), slog.Int("b", 2), slog.Int("c", 3), slog.Int("d", 4), slog.Int("e", 5), slog.Int("f", 6), slog.Int("g", 7))
	}
	for _, format := range []string{"text", "json"} {
		var got, want bytes.Buffer
		log, flush := logger(config.Config{LogLevel: "info", LogFormat: format}, &got)
		records(log.Handler())
		flush()
		var theirs slog.Handler = slog.NewTextHandler(&want, nil)
		if format == "json" {
			theirs = slog.NewJSONHandler(&want, nil)
		}
		records(theirs)
		lines := strings.Split(want.String(), "\n")
		for n, line := range strings.Split(got.String(), "\n") {
			if n >= len(lines) || line != lines[n] {
				t.Fatalf("line %d is\n%s\nwant\n%s", n, line, lines[min(n, len(lines)-1)])
			}
		}
		if got.Len() != want.Len() {
			t.Errorf("%d bytes of %s, want %d", got.Len(), format, want.Len())
		}
	}
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
