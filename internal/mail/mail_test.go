package mail_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/internal/testkit"
)

const ics = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Süß\r\nEND:VCALENDAR\r\n"

func letter() mail.Message {
	return mail.Message{
		ID:       "registered.7f3a",
		From:     mail.Address{Name: "CD Foundation Community", Email: "community@portal.example"},
		To:       mail.Address{Name: "Zoë Ångström", Email: "zoe@mail.example"},
		ReplyTo:  mail.Address{Name: "Berlin, group", Email: "berlin@portal.example"},
		Subject:  "Deine Anmeldung für „Pipelines“ 🎂",
		Text:     "Hallo Zoë,\n.\nbis Dienstag!\nFrom here on: " + strings.Repeat("x", 1200) + "\n",
		HTML:     "<p>Hallo Zoë</p>\n",
		Date:     time.Date(2025, 10, 1, 9, 30, 0, 0, time.FixedZone("", 7200)),
		Calendar: &mail.Calendar{Method: "REQUEST", Data: []byte(ics)},
	}
}

func sender(t *testing.T, address string) *mail.SMTP {
	t.Helper()
	s, err := mail.NewSMTP(address)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAMailArrivesAsItWasWritten(t *testing.T) {
	box := testkit.NewMailbox(t)
	if err := sender(t, box.URL).Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	got := box.Wait(1)[0]
	want := letter()
	if got.From != "community@portal.example" || !slices.Equal(got.To, []string{"zoe@mail.example"}) {
		t.Errorf("envelope from %q to %q", got.From, got.To)
	}
	if got.Subject != want.Subject || got.Text != want.Text || got.HTML != want.HTML {
		t.Errorf("subject %q\ntext %q\nHTML %q", got.Subject, got.Text, got.HTML)
	}
	for key, address := range map[string]mail.Address{"From": want.From, "To": want.To, "Reply-To": want.ReplyTo} {
		list, err := got.Header.AddressList(key)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 1 || list[0].Name != address.Name || list[0].Address != address.Email {
			t.Errorf("%s is %v, want %v", key, list, address)
		}
	}
	for key, value := range map[string]string{
		"Message-Id":       "<registered.7f3a@portal.example>",
		"Date":             "Wed, 01 Oct 2025 09:30:00 +0200",
		"Auto-Submitted":   "auto-generated",
		"User-Agent":       "",
		"X-Mailer":         "",
		"List-Unsubscribe": "",
	} {
		if got.Header.Get(key) != value {
			t.Errorf("%s is %q, want %q", key, got.Header.Get(key), value)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(got.Raw), "\r\n"), "\r\n") {
		if len(line) > 200 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d octets: %.100q", len(line), line)
		}
	}
}

func TestAnInvitationIsTheLastAlternativeAndAFile(t *testing.T) {
	box := testkit.NewMailbox(t)
	s := sender(t, box.URL)
	plain := letter()
	plain.Calendar, plain.HTML = nil, ""
	for _, m := range []mail.Message{letter(), plain} {
		if err := s.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	received := box.Wait(2)
	var shape []string
	for _, p := range received[0].Parts {
		shape = append(shape, fmt.Sprintf("%s in %s %s", p.Type, p.Within, p.Filename))
	}
	want := []string{
		"text/plain in multipart/alternative ",
		"text/html in multipart/alternative ",
		"text/calendar in multipart/alternative ",
		"application/ics in multipart/mixed invite.ics",
	}
	if diff := cmp.Diff(want, shape); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	invitation := received[0].Parts[2]
	if invitation.Params["method"] != "REQUEST" || invitation.Params["charset"] != "utf-8" {
		t.Errorf("parameters %v", invitation.Params)
	}
	for _, p := range received[0].Parts[2:] {
		if string(p.Body) != ics {
			t.Errorf("%s holds %q", p.Type, p.Body)
		}
	}
	if parts := received[1].Parts; len(parts) != 1 || parts[0].Type != "text/plain" || parts[0].Within != "" {
		t.Errorf("a mail of text alone has %d parts, the first %s in %q", len(parts), parts[0].Type, parts[0].Within)
	}
}

func TestAMailThatMayBeEndedSaysHow(t *testing.T) {
	box := testkit.NewMailbox(t)
	m := letter()
	m.Unsubscribe = "https://portal.example/unsubscribe/" + strings.Repeat("k", 80)
	if err := sender(t, box.URL).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	h := box.Wait(1)[0].Header
	if h.Get("List-Unsubscribe") != "<"+m.Unsubscribe+">" || h.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("List-Unsubscribe %q, -Post %q", h.Get("List-Unsubscribe"), h.Get("List-Unsubscribe-Post"))
	}
}

func TestWhatPeopleTypeCannotForgeAHeader(t *testing.T) {
	box := testkit.NewMailbox(t)
	s := sender(t, box.URL)
	for n, hostile := range []string{
		"Hi\r\nBcc: all@mail.example\r\n\r\nbody",
		"Hi\nBcc: all@mail.example",
		"Hi\rBcc: all@mail.example\x00\x1b[31m\x7f",
		"Hi\u2028Bcc: all@mail.example\u0085x",
		"=?utf-8?q?Hi=0D=0ABcc:_all@mail.example?=",
		`"Hi" <all@mail.example>, `,
		"Ж\r\nBcc: all@mail.example",
		strings.Repeat("long", 2000),
		strings.Repeat("Ж", 2000),
		strings.Repeat("a  b\t", 300),
		"\xff\xfe broken",
		"",
	} {
		m := letter()
		m.Subject, m.To.Name, m.From.Name, m.ReplyTo.Name = hostile, hostile, hostile, hostile
		if err := s.Send(t.Context(), m); err != nil {
			t.Errorf("%q: %v", hostile, err)
			continue
		}
		got := box.Wait(n + 1)[n]
		if _, ok := got.Header["Bcc"]; ok || got.Text != m.Text || len(got.To) != 1 {
			t.Errorf("%q reached the header: %v", hostile, got.Header)
		}
		if strings.ContainsAny(got.Subject, "\r\n\x00\x1b") {
			t.Errorf("%q: subject %q", hostile, got.Subject)
		}
		for key, address := range map[string]string{"From": m.From.Email, "To": m.To.Email, "Reply-To": m.ReplyTo.Email} {
			list, err := got.Header.AddressList(key)
			if err != nil || len(list) != 1 || list[0].Address != address || strings.ContainsAny(list[0].Name, "\r\n") {
				t.Errorf("%q: %s is %v (%v)", hostile, key, list, err)
			}
		}
		head, _, _ := strings.Cut(string(got.Raw), "\r\n\r\n")
		for line := range strings.SplitSeq(head, "\r\n") {
			if len(line) > 998 || strings.TrimSpace(line) == "" {
				t.Errorf("%.40q: header line of %d octets %.60q", hostile, len(line), line)
			}
		}
	}
}

func TestAMessageThatCannotBeAMailIsRefusedForGood(t *testing.T) {
	box := testkit.NewMailbox(t)
	file := mail.File{Dir: filepath.Join(t.TempDir(), "mail")}
	for name, spoil := range map[string]func(*mail.Message){
		"no recipient":           func(m *mail.Message) { m.To.Email = "" },
		"two recipients":         func(m *mail.Message) { m.To.Email = "a@mail.example, b@mail.example" },
		"a line in an address":   func(m *mail.Message) { m.To.Email = "a@mail.example\r\nRCPT TO:<b@mail.example>" },
		"a name in an address":   func(m *mail.Message) { m.To.Email = "B <b@mail.example>" },
		"no sender":              func(m *mail.Message) { m.From = mail.Address{} },
		"a broken reply address": func(m *mail.Message) { m.ReplyTo.Email = "b@" },
		"a path as id":           func(m *mail.Message) { m.ID = "../../x" },
		"no id":                  func(m *mail.Message) { m.ID = "" },
		"a line in the id":       func(m *mail.Message) { m.ID = "x\r\nBcc:y" },
		"no text":                func(m *mail.Message) { m.Text = "" },
		"no date":                func(m *mail.Message) { m.Date = time.Time{} },
		"a method of its own":    func(m *mail.Message) { m.Calendar.Method = "REQUEST; x=y" },
		"no way to unsubscribe":  func(m *mail.Message) { m.Unsubscribe = "/unsubscribe" },
	} {
		m := letter()
		spoil(&m)
		for _, s := range []mail.Sender{sender(t, box.URL), file} {
			if err := s.Send(t.Context(), m); err == nil || !mail.Permanent(err) {
				t.Errorf("%s by %T: %v, want a permanent error", name, s, err)
			}
		}
	}
	if n := len(box.Received()); n != 0 {
		t.Errorf("%d mails arrived", n)
	}
}

func TestARefusalSaysWhetherToTryAgain(t *testing.T) {
	for _, tt := range []struct {
		code      int
		permanent bool
	}{{550, true}, {553, true}, {451, false}, {421, false}, {530, false}} {
		t.Run(strconv.Itoa(tt.code), func(t *testing.T) {
			box := testkit.NewMailbox(t)
			box.Refuse(func(to string) error {
				box, _, _ := strings.Cut(to, "@")
				return &smtp.SMTPError{
					Code: tt.code, EnhancedCode: smtp.EnhancedCode{tt.code / 100, 1, 1},
					Message: "<" + to + ">, <" + strings.ToUpper(to) + "> not now: " + box + " reads at other@example.net",
				}
			})
			s := sender(t, box.URL)
			err := s.Send(t.Context(), letter())
			if err == nil || mail.Permanent(err) != tt.permanent {
				t.Errorf("permanent %v, want %v: %v", mail.Permanent(err), tt.permanent, err)
			}
			if !strings.Contains(err.Error(), strconv.Itoa(tt.code)) || regexp.MustCompile(`(?i)zoe|other@`).MatchString(err.Error()) {
				t.Errorf("%q should hold the code and not the address", err)
			}
			box.Refuse(nil)
			if err := s.Send(t.Context(), letter()); err != nil {
				t.Errorf("after the refusal was lifted: %v", err)
			}
		})
	}
	if mail.Permanent(nil) || mail.Permanent(errors.New("550 of somebody else")) {
		t.Error("what did not come from a sender counts as permanent")
	}
}

func TestAServerThatIsAwayIsNoPermanentFailure(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sender(t, "smtp://"+address).Send(t.Context(), letter()); err == nil || mail.Permanent(err) {
		t.Errorf("got %v, want an error that may pass", err)
	}
}

func TestAHangingServerIsLeftAtTheDeadline(t *testing.T) {
	for _, tt := range []struct{ name, scheme, says string }{
		{"before the greeting", "smtp://", ""},
		{"before the handshake", "smtps://", ""},
		{"after the greeting", "smtp://", "220 mailbox.example\r\n"},
		{"after the introduction", "smtp://", "220 mailbox.example\r\n250 mailbox.example\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address := script(t, func(conn net.Conn, _ *bufio.Reader) {
				say(conn, tt.says)
				<-t.Context().Done()
			})
			ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
			defer cancel()
			begun := time.Now()
			err := sender(t, tt.scheme+address).Send(ctx, letter())
			if !errors.Is(err, context.DeadlineExceeded) || mail.Permanent(err) {
				t.Errorf("got %v, want a passing error of the deadline", err)
			}
			if waited := time.Since(begun); waited > 5*time.Second {
				t.Errorf("waited %v", waited)
			}
		})
	}
}

func TestAMailThatWasTakenIsSentWhateverComesAfter(t *testing.T) {
	var mails atomic.Int32
	address := script(t, func(conn net.Conn, r *bufio.Reader) {
		say(conn, "220 mailbox.example\r\n")
		inData := false
		for {
			line, err := r.ReadString('\n')
			switch {
			case err != nil:
				return
			case inData && line == ".\r\n":
				mails.Add(1)
				say(conn, "250 taken\r\n")
				return // and hang up, instead of answering RSET and QUIT
			case inData:
			case line == "DATA\r\n":
				inData = true
				say(conn, "354 go on\r\n")
			default:
				say(conn, "250 fine\r\n")
			}
		}
	})
	if err := sender(t, "smtp://"+address).Send(t.Context(), letter()); err != nil || mails.Load() != 1 {
		t.Errorf("%d mails taken, and still %v", mails.Load(), err)
	}
}

func TestASecureServerIsSignedInTo(t *testing.T) {
	box := testkit.NewSecureMailbox(t, "portal", "p@ss/wörd")
	for n, address := range []string{box.URL, box.SecureURL} {
		if err := sender(t, address).Send(t.Context(), letter()); err != nil {
			t.Fatalf("%.8s: %v", address, err)
		}
		box.Wait(n + 1)
	}
	wrong := strings.Replace(box.URL, "portal", "nobody", 1)
	err := sender(t, wrong).Send(t.Context(), letter())
	if err == nil || mail.Permanent(err) {
		t.Errorf("a wrong password gives %v, want an error that may pass", err)
	}
}

func TestACheckSaysWhatIsWrongWithTheServer(t *testing.T) {
	open, secure := testkit.NewMailbox(t), testkit.NewSecureMailbox(t, "portal", "hush-hush")
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, tt := range map[string]struct{ address, want string }{
		"anybody may send":        {open.URL, ""},
		"signed in by STARTTLS":   {secure.URL, ""},
		"signed in by TLS":        {secure.SecureURL, ""},
		"a wrong password":        {strings.Replace(secure.URL, "hush-hush", "other-hush", 1), "the server refuses the user or the password"},
		"nobody can sign in":      {strings.Replace(open.URL, "://", "://portal:hush-hush@", 1), "or lets nobody sign in"},
		"no server":               {"smtp://" + closed.Addr().String(), "the server does not answer"},
		"TLS where there is none": {strings.Replace(open.URL, "smtp:", "smtps:", 1), "the server answers, but gives no connection that a mail may take"},
	} {
		err := sender(t, tt.address).Check(t.Context(), letter().From)
		if said := fmt.Sprint(err); (err == nil) != (tt.want == "") || !strings.Contains(said, tt.want) || strings.Contains(said, "hush") {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if n := len(open.Received()) + len(secure.Received()); n != 0 {
		t.Errorf("%d mails arrived", n)
	}
}

func TestOffThisMachineNothingGoesUnencryptedOrToAServerWithoutAProvenName(t *testing.T) {
	open, secure := testkit.NewMailbox(t), testkit.NewSecureMailbox(t, "portal", "secret")
	for name, box := range map[string]*testkit.Mailbox{"without STARTTLS": open, "with a certificate of nobody": secure} {
		for _, address := range []string{box.URL, box.SecureURL} {
			if address == "" {
				continue
			}
			scheme, rest, _ := strings.Cut(address, "://")
			host := rest[strings.LastIndexByte(rest, '@')+1:]
			s := sender(t, strings.Replace(scheme+"://"+rest, "127.0.0.1", "smtp.mail.example", 1))
			s.DialTo(host)
			if err := s.Send(t.Context(), letter()); err == nil || mail.Permanent(err) {
				t.Errorf("%s by %s: %v, want an error that may pass", name, scheme, err)
			}
		}
		if n := len(box.Received()); n != 0 {
			t.Errorf("%s: %d mails arrived", name, n)
		}
	}
}

func TestABadServerAddressIsNamedWithoutItsPassword(t *testing.T) {
	for _, address := range []string{"", "mail.example:25", "http://user:secret@mail.example", "smtp://user:secret@", "smtp://user:secret@host:x", "smtp://user:secret@host:99999", "smtp://user:se cret@\x00"} {
		_, err := mail.NewSMTP(address)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q gives %v", address, err)
		}
	}
}

func TestAnAddressInAnyScriptReachesItsServer(t *testing.T) {
	box := testkit.NewMailbox(t)
	m := letter()
	m.To.Email = "jörg+ci@Bücher.example"
	if err := sender(t, box.URL).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := box.Wait(1)[0].To; !slices.Equal(got, []string{"jörg+ci@xn--bcher-kva.example"}) {
		t.Errorf("to %q", got)
	}
}

func TestASenderIsReadFromTheSettings(t *testing.T) {
	got, err := mail.ParseAddress("CD Foundation Community <community@localhost>")
	if err != nil || got != (mail.Address{Name: "CD Foundation Community", Email: "community@localhost"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := mail.ParseAddress("CD Foundation Community"); err == nil {
		t.Error("a name alone passes for an address")
	}
}

func TestAKeptMailIsReadAsItWasWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept", "mail")
	f := mail.File{Dir: dir}
	if kept, err := f.List(10); err != nil || len(kept) != 0 {
		t.Fatalf("before the first mail: %v, %v", kept, err)
	}
	older, newer := letter(), letter()
	newer.ID, newer.Date, newer.Subject = "later", older.Date.Add(time.Minute), "Später"
	newer.Calendar = nil
	for _, m := range []mail.Message{newer, older, older} {
		if err := f.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := f.List(10)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 2 || kept[0].Subject != "Später" || kept[1].Name != "20251001T073000Z-registered.7f3a.eml" {
		t.Fatalf("list %+v", kept)
	}
	if kept, err := f.List(1); err != nil || len(kept) != 1 || kept[0].Subject != "Später" {
		t.Errorf("the newest one is %+v (%v)", kept, err)
	}
	got, err := f.Open(kept[1].Name)
	if err != nil {
		t.Fatal(err)
	}
	want := mail.Kept{
		Name: kept[1].Name, From: `"CD Foundation Community" <community@portal.example>`,
		To: "Zoë Ångström <zoe@mail.example>", Subject: older.Subject, Date: older.Date,
		Text: older.Text, HTML: older.HTML, Attachments: []string{"invite.ics"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d files (%v)", len(entries), err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %v (%v)", e.Name(), info.Mode(), err)
		}
	}
	raw, err := os.Open(filepath.Join(dir, kept[1].Name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if m, err := netmail.ReadMessage(raw); err != nil || m.Header.Get("Message-Id") != "<registered.7f3a@portal.example>" {
		t.Errorf("message id %v (%v)", m.Header, err)
	}
}

func TestOnlyKeptMailsCanBeOpened(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "secret.eml")
	if err := os.WriteFile(outside, []byte("Subject: secret\r\n\r\nx"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := mail.File{Dir: filepath.Join(dir, "mail")}
	if err := f.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"link.eml": outside, "relative.eml": "../secret.eml", "own.eml": "20251001T073000Z-registered.7f3a.eml"} {
		if err := os.Symlink(to, filepath.Join(f.Dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(f.Dir, "folder.eml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.Dir, "zz-broken.eml"), []byte("no mail"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../secret.eml", outside, "link.eml", "relative.eml", "own.eml", "folder.eml", "a/b.eml", `..\secret.eml`, "nothing.eml", ".partial.eml", "x\x00.eml"} {
		if k, err := f.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q opens %+v, %v", name, k, err)
		}
	}
	kept, err := f.List(10)
	if err != nil || len(kept) != 2 || kept[0].Name != "zz-broken.eml" || kept[0].Subject != "" {
		t.Errorf("list %+v (%v)", kept, err)
	}
	if _, err := f.Open("zz-broken.eml"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is no mail gives %v", err)
	}
}

// say sends a line, and minds nothing: the client under test may be gone.
func say(conn net.Conn, line string) { _, _ = conn.Write([]byte(line)) }

// script plays a mail server by hand, for what a proper one does not do.
func script(t *testing.T, serve func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				serve(conn, bufio.NewReader(conn))
			}()
		}
	}()
	return listener.Addr().String()
}
