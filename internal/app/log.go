package app

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
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
	return slog.New(logHandler{Handler: handler, lines: lines, json: c.LogFormat == "json", plain: true}), lines.flush
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
	return l.gather(line)
}

// gather is Write for who holds the lock.
func (l *logWriter) gather(line []byte) (int, error) {
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

// logHandler writes what is more than ordinary at once. Lines of plain words and numbers, as those about requests are, it writes by
// itself, as log/slog would: that takes three times as long, which is more than all else about an answer from the cache.
type logHandler struct {
	slog.Handler

	lines *logWriter
	json  bool
	plain bool   // with is all that WithAttrs was told
	with  string // as it stands in a line
}

// Handle writes a record.
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if h.plain && record.Level == slog.LevelInfo {
		if done, err := h.handlePlain(record); done {
			return err
		}
	}
	err := h.Handler.Handle(ctx, record)
	if record.Level > slog.LevelInfo {
		h.lines.flush()
	}
	return err
}

// WithAttrs returns a handler whose records carry the attributes too.
func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(attributes)
	with := []byte(h.with)
	for _, a := range attributes {
		if h.plain {
			with, h.plain = h.appendPlain(with, a)
		}
	}
	h.with = string(with)
	return h
}

// WithGroup returns a handler that names a group around what its records carry.
func (h logHandler) WithGroup(name string) slog.Handler {
	h.Handler, h.plain = h.Handler.WithGroup(name), false
	return h
}

// tenth is where the tenths of a millisecond stand in a line of text.
const tenth = len("time=2006-01-02T15:04:05.000")

// handlePlain writes an ordinary record if all that it says is plain.
func (h logHandler) handlePlain(record slog.Record) (done bool, err error) {
	h.lines.mu.Lock()
	defer h.lines.mu.Unlock()
	line, plain := h.lines.buffer.AvailableBuffer(), isPlain(record.Message) && !record.Time.IsZero()
	if h.json {
		line = record.Time.AppendFormat(append(line, `{"time":"`...), time.RFC3339Nano)
		line = append(append(line, `","level":"INFO","msg":"`...), record.Message...)
		line = append(append(line, '"'), h.with...)
	} else {
		// Of its formats package time writes this one fast. A digit more keeps the three that count.
		line = record.Time.Truncate(time.Millisecond).Add(time.Millisecond/10).AppendFormat(append(line, "time="...), time.RFC3339Nano)
		line = slices.Delete(line, tenth, tenth+1)
		line = append(append(line, " level=INFO msg="...), record.Message...)
		line = append(line, h.with...)
	}
	record.Attrs(func(a slog.Attr) bool {
		if plain {
			line, plain = h.appendPlain(line, a)
		}
		return plain
	})
	if !plain {
		return false, nil
	}
	if h.json {
		line = append(line, '}')
	}
	_, err = h.lines.gather(append(line, '\n'))
	return true, err
}

// appendPlain adds an attribute to a line if it is plain.
func (h logHandler) appendPlain(line []byte, a slog.Attr) (longer []byte, plain bool) {
	if h.json {
		line = append(append(append(line, `,"`...), a.Key...), `":`...)
	} else {
		line = append(append(append(line, ' '), a.Key...), '=')
	}
	value := a.Value
	switch kind := value.Kind(); {
	case !isPlain(a.Key):
		return line, false
	case kind == slog.KindInt64:
		return strconv.AppendInt(line, value.Int64(), 10), true
	case kind == slog.KindDuration && h.json:
		return strconv.AppendInt(line, int64(value.Duration()), 10), true
	case kind == slog.KindDuration:
		return append(line, value.Duration().String()...), true
	case kind == slog.KindString && h.json:
		return append(append(append(line, '"'), value.String()...), '"'), isPlain(value.String())
	case kind == slog.KindString:
		return append(line, value.String()...), isPlain(value.String())
	}
	return line, false
}

// isPlain reports whether a word stands in a line of the log as it is.
func isPlain(word string) bool {
	for _, b := range []byte(word) {
		if b <= ' ' || b >= 0x7f || b == '"' || b == '\\' || b == '=' {
			return false
		}
	}
	return word != ""
}
