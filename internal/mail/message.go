// Package mail builds mails and sends them by SMTP, or keeps them as files where there is no
// mail server.
//
// It knows the formats (RFC 5322, RFC 2045 to 2047, RFC 6047) and nothing of what a mail is
// about: the words arrive rendered, and whoever calls decides what happens after a failure.
package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// Sender sends mails. It returns nil once the mail is in safe hands; Permanent tells whether
// another attempt at the same mail is of use after an error. It honours the context's deadline
// and may be used by several goroutines at once.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Address is where mail goes to or comes from.
type Address struct {
	Name  string // as people write it; may be empty
	Email string // local@domain; the domain may be written in any script
}

// ParseAddress reads an address of the form "Name <local@domain>" or "local@domain".
func ParseAddress(s string) (Address, error) {
	parsed, err := netmail.ParseAddress(s)
	if err != nil {
		return Address{}, fmt.Errorf("%q is not a mail address: %w", s, err)
	}
	a := Address{Name: parsed.Name, Email: parsed.Address}
	_, err = a.mailbox()
	return a, err
}

// Message is one mail to one person. Control characters in names and subject become spaces.
type Message struct {
	// ID is the local part of the Message-ID, of letters, digits, "-", "_" and single dots. The
	// same at every attempt, so that a mail which arrives twice can be known as one.
	ID      string
	From    Address
	To      Address
	ReplyTo Address // left out when it has no address
	Subject string
	Text    string    // the whole message as plain text; always there
	HTML    string    // the same as a page; may be empty
	Date    time.Time // written with its own zone
	// Calendar is an invitation that the recipient's calendar takes up; nil for none.
	Calendar *Calendar
	// Unsubscribe is an address at which a POST ends such mails (RFC 8058); empty for mails that
	// have to be sent.
	Unsubscribe string
}

// Calendar is an iCalendar object for one recipient.
type Calendar struct {
	Method string // the object's own METHOD, such as REQUEST
	Data   []byte
}

// The longest name and subject in characters. A header line may hold 998 octets (RFC 5322,
// section 2.1.1), which a single word of any script stays below at this length.
const (
	maxName    = 120
	maxSubject = 240
)

var (
	idPattern     = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	methodPattern = regexp.MustCompile(`^[A-Z]+$`)
)

// compose checks the message and builds it. A message that cannot be built never can be, so
// its errors are permanent.
func (m Message) compose() (*gomail.Msg, error) {
	msg, err := m.build()
	if err != nil {
		return nil, &sendError{text: "composing a mail: " + withoutPeople(err.Error(), m.To), permanent: true, cause: err}
	}
	return msg, nil
}

func (m Message) build() (*gomail.Msg, error) {
	from, err := m.From.mailbox()
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	to, err := m.To.mailbox()
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	switch {
	case !idPattern.MatchString(m.ID) || len(m.ID) > 100:
		return nil, fmt.Errorf("%q cannot be part of a Message-ID", m.ID)
	case m.Date.IsZero():
		return nil, errors.New("no date")
	case m.Text == "":
		return nil, errors.New("no plain text")
	}
	msg := gomail.NewMsg(gomail.WithCharset("utf-8"), gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.ToMailAddress(to)
	if m.ReplyTo.Email != "" {
		replyTo, err := m.ReplyTo.mailbox()
		if err != nil {
			return nil, fmt.Errorf("address for replies: %w", err)
		}
		msg.ReplyToMailAddress(replyTo)
	}
	msg.Subject(headerText(m.Subject, maxSubject))
	msg.SetDateWithValue(m.Date)
	msg.SetMessageIDWithValue(m.ID + from.Address[strings.LastIndexByte(from.Address, '@'):])
	// RFC 3834: no holiday notice shall answer these.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Unsubscribe != "" {
		u, err := url.Parse(m.Unsubscribe)
		if err != nil || u.Host == "" {
			return nil, errors.New("the address to unsubscribe is not an absolute URL")
		}
		msg.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+u.String()+">")
		msg.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, m.addCalendar(msg)
}

// addCalendar adds the invitation twice: as the last alternative, which is what calendars act
// on, and as a file for programs that show only those.
func (m Message) addCalendar(msg *gomail.Msg) error {
	if m.Calendar == nil {
		return nil
	}
	if !methodPattern.MatchString(m.Calendar.Method) {
		return fmt.Errorf("calendar method %q is none", m.Calendar.Method)
	}
	msg.AddAlternativeString(gomail.ContentType("text/calendar; method="+m.Calendar.Method),
		string(m.Calendar.Data), gomail.WithPartEncoding(gomail.EncodingB64))
	err := msg.AttachReader("invite.ics", bytes.NewReader(m.Calendar.Data), gomail.WithFileContentType("application/ics"))
	if err != nil {
		return fmt.Errorf("attaching the calendar: %w", err)
	}
	return nil
}

// mailbox checks the address and gives it in the form that mail servers take, the domain in ASCII.
func (a Address) mailbox() (*netmail.Address, error) {
	at := strings.LastIndexByte(a.Email, '@')
	if at < 0 {
		return nil, errors.New("not a mail address")
	}
	domain, err := idna.Lookup.ToASCII(a.Email[at+1:])
	if err != nil {
		return nil, errors.New("not a mail address: its domain cannot be one")
	}
	address := a.Email[:at+1] + domain
	// Between angle brackets, nothing but the address itself can pass for one.
	parsed, err := netmail.ParseAddress("<" + address + ">")
	if err != nil || parsed.Address != address {
		return nil, errors.New("not a mail address")
	}
	return &netmail.Address{Name: headerText(a.Name, maxName), Address: address}, nil
}

// headerText makes one line of a text that people typed: what ends or forges a header becomes a
// space, and what a mail program would decode a second time (RFC 2047) stays as it was typed.
func headerText(s string, longest int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "=?", "= ?")
	if runes := []rune(s); len(runes) > longest {
		s = strings.TrimSpace(string(runes[:longest-1])) + "…"
	}
	return s
}

// sendError is a failed attempt.
type sendError struct {
	text      string
	permanent bool
	cause     error
}

func (e *sendError) Error() string { return e.text }
func (e *sendError) Unwrap() error { return e.cause }

// Permanent reports whether err, which a Sender returned, will come back at every attempt: the
// server refused this mail or its recipient for good (a reply of 5xx, RFC 5321, section 4.2.1),
// or the message cannot be built. What hinders every mail alike, such as a wrong password or a
// server that is away, is not permanent.
func Permanent(err error) bool {
	var e *sendError
	return errors.As(err, &e) && e.permanent
}
