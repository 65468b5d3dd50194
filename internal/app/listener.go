package app

import (
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// acceptPause is how long a process waits that has no file descriptor left for another connection.
	acceptPause = 100 * time.Millisecond
	// silenceLimit is how long a connection on which nothing was asked yet may hold up the end of the program.
	silenceLimit = time.Second
)

// patientListener waits while the process or the machine is out of file descriptors or memory for connections, for which the
// server would end. Connections on which nothing was asked yet end soon after it: the server takes them for busy ones,
// and would wait for them as long as a request may take.
type patientListener struct {
	net.Listener

	mu     sync.Mutex
	silent map[*silentConn]bool
}

func newPatientListener(l net.Listener) *patientListener {
	return &patientListener{Listener: l, silent: map[*silentConn]bool{}}
}

// Accept returns the next connection.
func (l *patientListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err == nil {
			return l.watched(conn), nil
		}
		short := slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}, func(e error) bool { return errors.Is(err, e) })
		if !short {
			return nil, err
		}
		time.Sleep(acceptPause)
	}
}

// Close takes no more connections.
func (l *patientListener) Close() error {
	time.AfterFunc(silenceLimit, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for conn := range l.silent {
			_ = conn.Conn.Close()
		}
	})
	return l.Listener.Close()
}

// watched keeps the connection among the silent ones until something is asked on it or it ends.
func (l *patientListener) watched(conn net.Conn) net.Conn {
	s := &silentConn{Conn: conn}
	s.forget = sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.silent, s)
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent[s] = true
	return s
}

// silentConn is a connection whose first bytes are waited for.
type silentConn struct {
	net.Conn

	heard  bool
	forget func()
}

// Read reads from the connection.
func (s *silentConn) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if n > 0 && !s.heard {
		s.heard = true
		s.forget()
	}
	return n, err
}

// Close ends the connection.
func (s *silentConn) Close() error {
	s.forget()
	return s.Conn.Close()
}
