package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// result is what a load told.
type result struct {
	requests int
	took     time.Duration
	cpu      time.Duration // of the server's process
	waits    []time.Duration
	statuses map[int]int
}

func (r result) perSecond() float64 { return float64(r.requests) / r.took.Seconds() }

// cpuEach is the server's processor time for a request.
func (r result) cpuEach() time.Duration { return r.cpu / time.Duration(max(1, r.requests)) }

// p99 is the wait that 99 of a hundred requests stay under.
func (r result) p99() time.Duration {
	if len(r.waits) == 0 {
		return 0
	}
	slices.Sort(r.waits)
	return r.waits[min(len(r.waits)-1, len(r.waits)*99/100)]
}

// load sends requests on some connections at once, each the next when the last is answered, until the time is over or there
// is none left, and returns what came back. next returns the bytes of a request, or nil.
func load(ctx context.Context, s *server, connections int, limit time.Duration, next func() []byte) (result, error) {
	all := result{statuses: map[int]int{}}
	var mu sync.Mutex
	var failed error
	var people sync.WaitGroup
	before, err := processorTime(s.Process.Pid)
	if err != nil {
		return all, err
	}
	began := time.Now()
	for range connections {
		people.Go(func() {
			waits, statuses, err := converse(ctx, s.address, began.Add(limit), next)
			mu.Lock()
			defer mu.Unlock()
			all.waits = append(all.waits, waits...)
			all.requests += len(waits)
			for status, n := range statuses {
				all.statuses[status] += n
			}
			failed = errors.Join(failed, err)
		})
	}
	people.Wait()
	all.took = time.Since(began)
	after, err := processorTime(s.Process.Pid)
	all.cpu = after - before
	return all, errors.Join(failed, err)
}

// converse sends requests on one connection. It reads no more of an answer than it must, so that a client takes little of the
// machine that it shares with the server.
func converse(ctx context.Context, address string, until time.Time, next func() []byte) (waits []time.Duration, statuses map[int]int, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	statuses = map[int]int{}
	answer := bufio.NewReaderSize(conn, 64<<10)
	for began := time.Now(); began.Before(until); {
		request := next()
		if request == nil {
			return waits, statuses, nil
		}
		if _, err := conn.Write(request); err != nil {
			return waits, statuses, err
		}
		status, err := skim(answer)
		if err != nil {
			return waits, statuses, err
		}
		statuses[status]++
		now := time.Now()
		waits = append(waits, now.Sub(began))
		began = now
	}
	return waits, statuses, nil
}

// skim reads one answer and returns its status.
func skim(answer *bufio.Reader) (status int, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := answer.ReadSlice('\n')
		if err != nil {
			return 0, fmt.Errorf("answer: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case first:
			if len(line) < 12 {
				return 0, fmt.Errorf("answer begins with %q", line)
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, err
			}
		case len(line) == 0:
			_, err := answer.Discard(length)
			return status, err
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
			if status == 304 {
				length = 0
			}
		}
	}
}

// fetch sends one request and returns the answer's header lines and body.
func fetch(ctx context.Context, address string, request []byte) (header map[string]string, body []byte, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.Write(request); err != nil {
		return nil, nil, err
	}
	answer := bufio.NewReader(conn)
	header = map[string]string{}
	for {
		line, err := answer.ReadString('\n')
		if err != nil {
			return nil, nil, err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		header[strings.ToLower(name)] = value
	}
	length, _ := strconv.Atoi(header["content-length"])
	body = make([]byte, length)
	_, err = io.ReadFull(answer, body)
	return header, body, err
}

// get is the request of a browser for a page, with more lines of its header.
func get(path string, more ...string) []byte {
	lines := append([]string{"GET " + path + " HTTP/1.1", "Host: localhost", "User-Agent: bench", "Accept: text/html", "Accept-Encoding: gzip, deflate, br"}, more...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

// post is the request of a browser that sends a form.
func post(path, form string) []byte {
	return []byte("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nSec-Fetch-Site: same-origin\r\n" +
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " + strconv.Itoa(len(form)) + "\r\n\r\n" + form)
}
