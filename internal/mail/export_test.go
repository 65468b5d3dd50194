package mail

import (
	"context"
	"net"
)

// DialTo makes every connection go to address, so that a server of another name can be played here.
func (s *SMTP) DialTo(address string) {
	s.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}
