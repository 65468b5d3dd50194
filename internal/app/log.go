package app

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/cdfoundation/portal/internal/config"
)

// logFlush is how long a line about something ordinary may wait for others to be written with.
const logFlush = 200 * time.Millisecond

// logger returns the log that goes to w, and what writes the rest of it at the end. Lines about requests are written
// together, for to write each by itself takes longer than to answer from the cache; warnings and errors are written at once.
func logger(c config.Config, w io.Writer) (log *slog.Logger, flush func()) {
	lines := &logWriter{to: w, buffer: bufio.NewWriterSize(w, 64<<10)}
	options := &slog.HandlerOptions{Level: c.Level()}
	var handler slog.Handler = slog.NewTextHandler(lines, options)
	if c.LogFormat == "json" {
		handler = slog.NewJSONHandler(lines, options)
	}
	return slog.New(urgentHandler{handler, lines}), lines.flush
}

// logWriter gathers lines and writes them a moment later.
type logWriter struct {
	to io.Writer

	mu      sync.Mutex
	buffer  *bufio.Writer
	waiting bool // somebody is about to write what was gathered
}

func (l *logWriter) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.waiting {
		l.waiting = true
		time.AfterFunc(logFlush, l.flush)
	}
	return l.buffer.Write(line)
}

func (l *logWriter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = false
	if l.buffer.Flush() != nil {
		l.buffer.Reset(l.to) // a log that cannot be written has nobody to tell, and what comes later may be written again
	}
}

// urgentHandler writes what is more than ordinary at once.
type urgentHandler struct {
	slog.Handler
	lines *logWriter
}

// Handle writes a record.
func (h urgentHandler) Handle(ctx context.Context, record slog.Record) error {
	err := h.Handler.Handle(ctx, record)
	if record.Level > slog.LevelInfo {
		h.lines.flush()
	}
	return err
}

// WithAttrs returns a handler whose records carry the attributes too.
func (h urgentHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return urgentHandler{h.Handler.WithAttrs(attributes), h.lines}
}

// WithGroup returns a handler that names a group around what its records carry.
func (h urgentHandler) WithGroup(name string) slog.Handler {
	return urgentHandler{h.Handler.WithGroup(name), h.lines}
}
