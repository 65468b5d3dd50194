package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// sendTimeout bounds one attempt when the context allows for more.
const sendTimeout = time.Minute

// SMTP sends by a mail server, with a connection for each mail.
type SMTP struct {
	host, user, password string
	port                 int
	implicitTLS          bool
	dial                 func(ctx context.Context, network, address string) (net.Conn, error)
}

// NewSMTP reads where and how to send from smtp://user:password@host:port or smtps://…. With
// smtp (port 587 when none is given) the connection is encrypted by STARTTLS, which only a
// server on the same machine may lack; with smtps (port 465) it is from the start. Certificates
// are checked unless the server is on the same machine. The errors never show the password.
func NewSMTP(address string) (*SMTP, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, errors.New("the mail server's address is not of the form smtp://user:password@host:port or smtps://…")
	}
	s := &SMTP{host: u.Hostname(), port: 587, implicitTLS: u.Scheme == "smtps", dial: (&net.Dialer{}).DialContext}
	if s.implicitTLS {
		s.port = 465
	}
	if u.Port() != "" {
		if s.port, err = strconv.Atoi(u.Port()); err != nil || s.port > 65535 {
			return nil, errors.New("the mail server's port is not a number up to 65535")
		}
	}
	s.user = u.User.Username()
	s.password, _ = u.User.Password()
	return s, nil
}

// Send hands the mail to the server.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := m.compose()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	client, err := s.client(ctx, m.From)
	if err != nil {
		return fmt.Errorf("preparing to send a mail: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() {
		// Once the server has taken the mail, a failed farewell must not send it again.
		return nil
	}
	failed := &sendError{text: "sending a mail: " + withoutPeople(err.Error(), m.To), cause: err}
	if ctx.Err() != nil {
		failed.text, failed.cause = "sending a mail: "+ctx.Err().Error(), ctx.Err()
		return failed
	}
	if refused, ok := errors.AsType[*gomail.SendError](err); ok {
		code := refused.ErrorCode()
		failed.permanent = code >= 500 && code != 530 // 530 asks for a sign-in, whatever the mail
	}
	return failed
}

// Check connects and signs in as Send does, and hands no mail over. The error says what failed.
func (s *SMTP) Check(ctx context.Context, from Address) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	client, err := s.client(ctx, from)
	if err != nil {
		return err
	}
	err = client.DialWithContext(ctx)
	if err == nil {
		return client.Close()
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the server does not answer: %w", ctx.Err())
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	if strings.Contains(err.Error(), "AUTH") { // the client has no other word for it
		return fmt.Errorf("the server refuses the user or the password, or lets nobody sign in: %w", err)
	}
	return fmt.Errorf("the server answers, but gives no connection that a mail may take: %w", err)
}

func (s *SMTP) client(ctx context.Context, from Address) (*gomail.Client, error) {
	config := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	policy := gomail.TLSMandatory
	if loopback(s.host) {
		policy = gomail.TLSOpportunistic
		config.InsecureSkipVerify = true
	}
	if s.implicitTLS {
		policy = gomail.NoTLS // that is, none on top
	}
	options := []gomail.Option{
		gomail.WithPort(s.port),
		gomail.WithTimeout(sendTimeout),
		gomail.WithTLSConfig(config),
		gomail.WithTLSPolicy(policy),
		gomail.WithHELO(from.Email[strings.LastIndexByte(from.Email, '@')+1:]),
		gomail.WithDialContextFunc(func(_ context.Context, network, _ string) (net.Conn, error) {
			conn, err := s.dial(ctx, network, net.JoinHostPort(s.host, strconv.Itoa(s.port)))
			if err != nil {
				return nil, err
			}
			// The client looks at the context while it dials and no later, and leaves the connection
			// open when the greeting fails.
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			if !s.implicitTLS {
				return conn, nil
			}
			encrypted := tls.Client(conn, config)
			return encrypted, encrypted.HandshakeContext(ctx)
		}),
	}
	if s.user != "" {
		options = append(options, gomail.WithUsername(s.user), gomail.WithPassword(s.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.host, options...)
}

// loopback reports whether the host is this machine.
func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// anyAddress is what looks like a mail address, whoever's it is and however a server spells it.
var anyAddress = regexp.MustCompile(`[^\s<>()\[\]"',;:]+@[^\s<>()\[\]"',;:]+`)

// withoutPeople takes out of what went wrong whom it names, for a server says so in words of its own: errors end in logs, and logs
// hold no personal data. What is left of an address without its domain is taken out where the recipient's is meant.
func withoutPeople(text string, to Address) string {
	text = anyAddress.ReplaceAllString(text, "(address)")
	local, _, _ := strings.Cut(to.Email, "@")
	for _, own := range []string{to.Email, local, to.Name} {
		if len(own) > 2 {
			text = regexp.MustCompile(`(?i)(^|\PL)`+regexp.QuoteMeta(own)+`($|\PL)`).ReplaceAllString(text, "${1}(recipient)${2}")
		}
	}
	return text
}
