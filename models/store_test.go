package models

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
)

func TestADatabaseThatWentAwayIsUnavailableAndAMistakeIsNot(t *testing.T) {
	for _, err := range []error{
		driver.ErrBadConn, io.ErrUnexpectedEOF,
		fmt.Errorf("write failed: %w", &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}),
	} {
		if got := translate(err); !errors.Is(got, ErrUnavailable) || !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	if mistake := errors.New("no such column"); errors.Is(translate(mistake), ErrUnavailable) {
		t.Error("a mistake of ours passes for a database that went away")
	}
}
