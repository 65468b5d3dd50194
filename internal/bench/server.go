package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a process that serves.
type server struct {
	*exec.Cmd
	address string
	first   time.Duration // from its start to its first answer
}

// listening begins the line in which a server says where it does.
const listening = "listening on http://"

// quick is how the portal is started for a load: without the limits that hold one client.
func quick(dir string) []string {
	return []string{"PORTAL_DATA_DIR=" + dir, "PORTAL_ADDR=127.0.0.1:0", "PORTAL_RATE_LIMIT=off"}
}

// start runs a program until it answers. Without arguments that is `serve`. Its log goes into a file beside its data.
func start(ctx context.Context, program string, environment []string, args ...string) (*server, error) {
	if len(args) == 0 {
		args = []string{"serve"}
	}
	s := &server{Cmd: exec.CommandContext(ctx, program, args...)} //nolint:gosec // our own programs
	s.Env = append(os.Environ(), environment...)
	for _, setting := range environment {
		if dir, ok := strings.CutPrefix(setting, "PORTAL_DATA_DIR="); ok {
			log, err := os.Create(filepath.Clean(dir) + ".log")
			if err != nil {
				return nil, err
			}
			defer log.Close() //nolint:errcheck // the process has it by then
			s.Stderr = log
		}
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		address, ok := strings.CutPrefix(lines.Text(), listening)
		if !ok {
			continue
		}
		s.address = address
		if _, _, err := fetch(ctx, s.address, get("/healthz")); err != nil {
			return nil, err
		}
		s.first = time.Since(began)
		go func() {
			more := true
			for more { // what it says later is read, so that it need not wait
				more = lines.Scan()
			}
		}()
		return s, nil
	}
	return nil, errors.Join(fmt.Errorf("%s ended before it listened", program), s.Wait())
}

// stop ends the process and waits for it. One that knows no better ends by the signal itself.
func (s *server) stop() error {
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := s.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && !exit.Exited() {
		return nil
	}
	return err
}

// clockTicks is how many of a process's ticks in /proc make a second: USER_HZ, which Linux fixes at 100 (proc_pid_stat(5)).
const clockTicks = 100

// processorTime is what a process has used so far, by itself and the kernel for it.
func processorTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / clockTicks, err
}

// quiet waits until the process has next to nothing to do: mails that an earlier load left behind are then sent.
func (s *server) quiet(ctx context.Context) error {
	for {
		before, err := processorTime(s.Process.Pid)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		if after, err := processorTime(s.Process.Pid); err != nil || after-before < time.Second/20 {
			return err
		}
	}
}

// memory is the proportional set size of a process, in bytes.
func memory(pid int) (int64, error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(rollup)) {
		if kilobytes, ok := strings.CutPrefix(line, "Pss:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kilobytes), "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, errors.New("no Pss in smaps_rollup")
}
