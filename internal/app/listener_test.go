package app

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// shortListener has no file descriptor for so many connections, then hands out those that it has, then ends.
type shortListener struct {
	net.Listener

	refusals *int
	conns    chan net.Conn
}

func (l shortListener) Accept() (net.Conn, error) {
	if *l.refusals--; *l.refusals >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	select {
	case conn := <-l.conns:
		return conn, nil
	default:
		return nil, net.ErrClosed
	}
}

func (shortListener) Close() error { return nil }

func TestAShortageOfFileDescriptorsEndsNoServer(t *testing.T) {
	refusals := 2
	if _, err := newPatientListener(shortListener{refusals: &refusals}).Accept(); !errors.Is(err, net.ErrClosed) || refusals != -1 {
		t.Errorf("it gave up with %v and %d refusals to come", err, refusals)
	}
}

func TestAConnectionThatAskedNothingHoldsUpNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusals, conns := 0, make(chan net.Conn, 2)
		l := newPatientListener(shortListener{refusals: &refusals, conns: conns})
		var clients, servers [2]net.Conn
		for i := range clients {
			clients[i], servers[i] = net.Pipe()
			conns <- servers[i]
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			servers[i] = conn
		}
		busy, silent := 0, 1
		go func() { _, _ = clients[busy].Write([]byte("G")) }()
		if _, err := servers[busy].Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}

		closed := time.Now()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := servers[silent].Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) || time.Since(closed) != silenceLimit {
			t.Errorf("the silent connection ended after %s with %v, want it closed after %s", time.Since(closed), err, silenceLimit)
		}
		go func() { _, _ = clients[busy].Write([]byte("E")) }()
		if _, err := servers[busy].Read(make([]byte, 1)); err != nil {
			t.Errorf("the connection with a request under way ended as well: %v", err)
		}
		if len(l.silent) != 1 || servers[silent].Close() != nil || len(l.silent) != 0 {
			t.Errorf("%d connections are held for silent, want none that spoke or ended", len(l.silent))
		}
	})
}

// movedConn notes how often its timers are moved.
type movedConn struct {
	net.Conn

	moved int
}

func (c *movedConn) SetReadDeadline(t time.Time) error {
	c.moved++
	return c.Conn.SetReadDeadline(t)
}

func TestAConnectionGivesUpInTimeAndMovesItsTimerSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		moved := &movedConn{Conn: server}
		refusals, conns := 0, make(chan net.Conn, 1)
		conns <- moved
		conn, err := newPatientListener(shortListener{refusals: &refusals, conns: conns}).Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // the test is over
		waits := func(idle, read time.Duration) (waited time.Duration) {
			t.Helper()
			began := time.Now()
			if err := errors.Join(conn.SetReadDeadline(began.Add(idle)), conn.SetReadDeadline(began.Add(read))); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("reading ended with %v", err)
			}
			return time.Since(began)
		}
		if got := waits(2*time.Minute, 15*time.Second); got != 15*time.Second {
			t.Errorf("a request was waited for %s, want 15 s", got)
		}
		if got := waits(15*time.Second, 2*time.Minute); got != 2*time.Minute {
			t.Errorf("a connection idled for %s, want 2 minutes", got)
		}
		moved.moved = 0
		for range 30 {
			go func() { _, _ = client.Write([]byte("G")) }()
			if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(deadlineSlack / 10)
		}
		if moved.moved != 3 {
			t.Errorf("the timer was moved %d times in three seconds, want 3", moved.moved)
		}
		if got := waits(time.Minute, time.Minute-deadlineSlack/2); got > time.Minute-deadlineSlack/2 || got < time.Minute-2*deadlineSlack {
			t.Errorf("it gave up after %s", got)
		}
	})
}

func TestAConnectionThatAskedNothingGetsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, asked := range []bool{false, true} {
			client, server := net.Pipe()
			refusals, conns := 0, make(chan net.Conn, 1)
			conns <- server
			conn, err := newPatientListener(shortListener{refusals: &refusals, conns: conns}).Accept()
			if err != nil {
				t.Fatal(err)
			}
			if asked {
				go func() { _, _ = client.Write([]byte("G")) }()
				if _, err := conn.Read(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("reading ended with %v", err)
			}
			go func() {
				_, _ = conn.Write([]byte("H")) // what the server says of a time that ran out
				_ = conn.Close()
			}()
			if n, _ := client.Read(make([]byte, 1)); (n == 1) != asked {
				t.Errorf("asked %t: %d bytes came", asked, n)
			}
		}
	})
}
