package app

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

// shortListener has no file descriptor for so many connections, then ends.
type shortListener struct {
	net.Listener

	refusals *int
}

func (l shortListener) Accept() (net.Conn, error) {
	if *l.refusals--; *l.refusals >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return nil, net.ErrClosed
}

func TestAShortageOfFileDescriptorsEndsNoServer(t *testing.T) {
	refusals := 2
	if _, err := (patientListener{shortListener{refusals: &refusals}}).Accept(); !errors.Is(err, net.ErrClosed) || refusals != -1 {
		t.Errorf("it gave up with %v and %d refusals to come", err, refusals)
	}
}
