// Package testkit holds what tests of several packages need. Only tests import it.
package testkit

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Mailbox is a mail server of its own that keeps what it is sent.
type Mailbox struct {
	// URL is where to send: smtp://127.0.0.1:port, with user and password when they are asked for.
	URL string
	// SecureURL is the same by smtps; only of NewSecureMailbox.
	SecureURL string

	t              testing.TB
	user, password string

	mu       sync.Mutex
	arrived  chan struct{} // closed and made anew at each mail
	received []Received
	refuse   func(to string) error
}

// Received is a mail as it arrived, envelope and content.
type Received struct {
	From   string // of the envelope
	To     []string
	Header mail.Header
	// Subject, and the bodies below, are decoded; their lines end with LF.
	Subject  string
	Text     string
	HTML     string
	Calendar string // the text/calendar alternative
	Parts    []Part // in order, those that only hold others left out
	Raw      []byte
}

// Part is a leaf of a mail's tree of parts.
type Part struct {
	Within   string // the media type of the part that holds it, empty for the mail itself
	Type     string // such as text/calendar
	Params   map[string]string
	Filename string // of an attachment
	Body     []byte // decoded
}

// NewMailbox starts a server that takes mail from anybody, without encryption, until the test ends.
func NewMailbox(t testing.TB) *Mailbox {
	t.Helper()
	m := &Mailbox{t: t, arrived: make(chan struct{})}
	m.URL = m.serve(nil, false)
	return m
}

// NewSecureMailbox starts a server that takes mail only from who has signed in over TLS, by
// STARTTLS at URL or from the start at SecureURL. Its certificate is signed by nobody.
func NewSecureMailbox(t testing.TB, user, password string) *Mailbox {
	t.Helper()
	m := &Mailbox{t: t, arrived: make(chan struct{}), user: user, password: password}
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12}
	m.URL = m.serve(config, false)
	m.SecureURL = m.serve(config, true)
	return m
}

// Refuse makes the server answer each recipient with what refuse returns, an
// *smtp.SMTPError for a reply of its own; nil takes the mail again.
func (m *Mailbox) Refuse(refuse func(to string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = refuse
}

// Received gives what has arrived so far, in order.
func (m *Mailbox) Received() []Received {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Received(nil), m.received...)
}

// Wait gives the mails once there are n or more, and fails the test when they are not within
// ten seconds.
func (m *Mailbox) Wait(n int) []Received {
	m.t.Helper()
	late := time.After(10 * time.Second)
	for {
		m.mu.Lock()
		received, arrived := append([]Received(nil), m.received...), m.arrived
		m.mu.Unlock()
		if len(received) >= n {
			return received
		}
		select {
		case <-arrived:
		case <-late:
			m.t.Fatalf("%d mails arrived, want %d", len(received), n)
		}
	}
}

func (m *Mailbox) serve(config *tls.Config, implicit bool) string {
	m.t.Helper()
	listener, err := new(net.ListenConfig).Listen(m.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &mailSession{mailbox: m, signedIn: m.user == ""}, nil
	}))
	server.Domain = "mailbox.example"
	server.EnableSMTPUTF8 = true
	server.ErrorLog = silence{}
	server.TLSConfig = config
	address := url.URL{Scheme: "smtp", Host: listener.Addr().String()}
	if m.user != "" {
		address.User = url.UserPassword(m.user, m.password)
	}
	if implicit {
		address.Scheme = "smtps"
		listener = tls.NewListener(listener, config)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with the listener
	}()
	m.t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // which the server does not know yet when a test ends at once
		<-done
	})
	return address.String()
}

func (m *Mailbox) take(r Received) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.received = append(m.received, r)
	close(m.arrived)
	m.arrived = make(chan struct{})
}

// silence swallows the server's own log: a client that hangs up is part of the tests.
type silence struct{}

func (silence) Printf(string, ...any) {}
func (silence) Println(...any)        {}

type mailSession struct {
	mailbox  *Mailbox
	signedIn bool
	from     string
	to       []string
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.mailbox.user || password != s.mailbox.password {
			return smtp.ErrAuthFailed
		}
		s.signedIn = true
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if !s.signedIn {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	s.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mailbox.mu.Lock()
	refuse := s.mailbox.refuse
	s.mailbox.mu.Unlock()
	if refuse != nil {
		if err := refuse(to); err != nil {
			return err
		}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	received, err := ReadMail(raw)
	if err != nil {
		// Not a failure of the test as such: a hostile test may send what is no mail.
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "not a mail: " + err.Error()}
	}
	received.From, received.To = s.from, s.to
	s.mailbox.take(received)
	return nil
}

func (s *mailSession) Reset()        { s.from, s.to = "", nil }
func (s *mailSession) Logout() error { return nil }

// ReadMail reads a mail as it was sent or kept, without an envelope.
func ReadMail(raw []byte) (Received, error) {
	r := Received{Raw: raw}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return r, err
	}
	r.Header = m.Header
	if r.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return r, err
	}
	if r.Parts, err = leaves("", textproto.MIMEHeader(m.Header), m.Body); err != nil {
		return r, err
	}
	for _, p := range r.Parts {
		body := strings.ReplaceAll(string(p.Body), "\r\n", "\n")
		switch {
		case p.Filename != "":
		case p.Type == "text/plain":
			r.Text = body
		case p.Type == "text/html":
			r.HTML = body
		case p.Type == "text/calendar":
			r.Calendar = body
		}
	}
	return r, nil
}

func leaves(within string, header textproto.MIMEHeader, body io.Reader) ([]Part, error) {
	mediaType, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		var parts []Part
		for r := multipart.NewReader(body, params["boundary"]); ; {
			p, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				return parts, nil
			}
			if err != nil {
				return nil, err
			}
			below, err := leaves(mediaType, p.Header, p)
			if err != nil {
				return nil, err
			}
			parts = append(parts, below...)
		}
	}
	switch header.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	leaf := Part{Within: within, Type: mediaType, Params: params}
	if leaf.Body, err = io.ReadAll(body); err != nil {
		return nil, err
	}
	if _, disposition, err := mime.ParseMediaType(header.Get("Content-Disposition")); err == nil {
		leaf.Filename = disposition["filename"]
	}
	return []Part{leaf}, nil
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
