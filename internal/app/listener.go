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
	// deadlineSlack is how much earlier than it was told a connection may give up.
	deadlineSlack = time.Second
)

// patientListener waits while the process or the machine is out of file descriptors or memory for connections, for which the
// server would end. Connections on which nothing was asked yet end soon after it: the server takes them for busy ones,
// and would wait for them as long as a request may take.
type patientListener struct {
	net.Listener

	mu     sync.Mutex
	silent map[*servedConn]bool
}

func newPatientListener(l net.Listener) *patientListener {
	return &patientListener{Listener: l, silent: map[*servedConn]bool{}}
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
	s := &servedConn{Conn: conn, reading: deadline{move: conn.SetReadDeadline}, writing: deadline{move: conn.SetWriteDeadline}}
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

// servedConn is a connection of a server, which reads and writes it in turn.
type servedConn struct {
	net.Conn

	heard            bool
	mute             bool // it ended, or was silent for too long, before anything was asked
	forget           func()
	reading, writing deadline
}

// Read reads from the connection.
func (s *servedConn) Read(b []byte) (int, error) {
	if err := s.reading.apply(); err != nil {
		return 0, err
	}
	n, err := s.Conn.Read(b)
	if n > 0 && !s.heard {
		s.heard = true
		s.forget()
	}
	s.mute = !s.heard && err != nil
	return n, err
}

// Write writes to the connection. Nobody who asked nothing gets an answer: browsers open connections before they need them, and one
// would take the word that it was too slow for the answer to what it asks at that moment.
func (s *servedConn) Write(b []byte) (int, error) {
	if s.mute {
		return len(b), nil
	}
	if err := s.writing.apply(); err != nil {
		return 0, err
	}
	return s.Conn.Write(b)
}

// SetReadDeadline says until when the next Read may wait.
func (s *servedConn) SetReadDeadline(t time.Time) error {
	s.reading.wanted = t
	return nil
}

// SetWriteDeadline says until when the next Write may wait.
func (s *servedConn) SetWriteDeadline(t time.Time) error {
	s.writing.wanted = t
	return nil
}

// SetDeadline says until when the next Read and Write may wait.
func (s *servedConn) SetDeadline(t time.Time) error {
	s.reading.wanted, s.writing.wanted = t, t
	return nil
}

// Close ends the connection.
func (s *servedConn) Close() error {
	s.forget()
	return s.Conn.Close()
}

// deadline is one of a connection's. The server sets three for a request, most of which no system call ever waits for; to move
// the timer behind them each time takes half as long as to answer from the cache.
type deadline struct {
	wanted, set time.Time
	move        func(time.Time) error
}

// apply moves the timer if it would go off late, or too early.
func (d *deadline) apply() error {
	if early := d.wanted.Sub(d.set); early >= 0 && early < deadlineSlack {
		return nil
	}
	d.set = d.wanted
	return d.move(d.wanted)
}
