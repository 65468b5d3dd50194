package mail

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"time"
)

// File keeps each mail as a file of its own instead of sending it. The directory is made, for
// its owner only, when the first mail comes.
type File struct {
	Dir string
}

// Kept is a mail in a File's directory.
type Kept struct {
	Name    string // of the file, and what Open takes
	From    string // "Name" <address>
	To      string
	Subject string
	Date    time.Time
	// What follows is filled by Open only. HTML is as it was sent: to be shown in a frame
	// without rights, never as part of a page.
	Text        string
	HTML        string
	Attachments []string // names of files
}

const (
	suffix      = ".eml"
	stampLayout = "20060102T150405Z"
)

// Send writes the mail to <date in UTC>-<id>.eml, readable by the owner only. The file appears
// whole or not at all; the same mail sent twice is one file.
func (f File) Send(ctx context.Context, m Message) error {
	msg, err := m.compose()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("keeping a mail: %w", err)
	}
	var body bytes.Buffer
	if _, err := msg.WriteTo(&body); err != nil {
		return fmt.Errorf("keeping a mail: %w", err)
	}
	if err := f.write(m.Date.UTC().Format(stampLayout)+"-"+m.ID+suffix, body.Bytes()); err != nil {
		return fmt.Errorf("keeping a mail: %w", err)
	}
	return nil
}

func (f File) write(name string, body []byte) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	partial := ".partial-" + rand.Text()
	file, err := root.OpenFile(partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(body)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = root.Rename(partial, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(partial))
	}
	return nil
}

// List gives the newest mails, at most limit of them, without their bodies. Before the first
// mail there are none. A file that is no mail has only its name.
func (f File) List(limit int) ([]Kept, error) {
	root, err := os.OpenRoot(f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing kept mails: %w", err)
	}
	defer func() { _ = root.Close() }()
	names, err := newest(root, limit)
	if err != nil {
		return nil, fmt.Errorf("listing kept mails: %w", err)
	}
	var kept []Kept
	for _, name := range names {
		k := Kept{Name: name}
		file, err := root.Open(name)
		if err != nil {
			return nil, fmt.Errorf("listing kept mails: %w", err)
		}
		if m, err := netmail.ReadMessage(file); err == nil {
			k.readHeader(m.Header)
		}
		if err := file.Close(); err != nil {
			return nil, fmt.Errorf("listing kept mails: %w", err)
		}
		kept = append(kept, k)
	}
	return kept, nil
}

// newest are the names of the newest mails, which begin with their time: the newest first. There may be very many more, so they are
// read in pieces.
func newest(root *os.Root, limit int) (names []string, err error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	for {
		entries, err := dir.ReadDir(512)
		for _, e := range entries {
			if isName(e.Name()) && e.Type().IsRegular() {
				names = append(names, e.Name())
			}
		}
		slices.SortFunc(names, func(a, b string) int { return strings.Compare(b, a) })
		names = names[:min(limit, len(names))]
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// Open reads one mail. A name that is not one of List's gives fs.ErrNotExist, whatever it
// points to.
func (f File) Open(name string) (Kept, error) {
	k := Kept{Name: name}
	if !isName(name) {
		return Kept{}, fmt.Errorf("opening a kept mail: %w", fs.ErrNotExist)
	}
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return Kept{}, fmt.Errorf("opening a kept mail: %w", err)
	}
	defer func() { _ = root.Close() }()
	if info, err := root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return Kept{}, fmt.Errorf("opening a kept mail: %w", fs.ErrNotExist)
	}
	file, err := root.Open(name)
	if err != nil {
		return Kept{}, fmt.Errorf("opening a kept mail: %w", err)
	}
	defer func() { _ = file.Close() }()
	m, err := netmail.ReadMessage(file)
	if err != nil {
		return Kept{}, fmt.Errorf("reading a kept mail: %w", err)
	}
	k.readHeader(m.Header)
	if err := k.readPart(textproto.MIMEHeader(m.Header), m.Body); err != nil {
		return Kept{}, fmt.Errorf("reading a kept mail: %w", err)
	}
	return k, nil
}

// Remove deletes those of the kept mails that match, and tells of each the id that it was sent under, the second at which it was
// written and, for which the file has to be read, the bare address that it goes to. Before the first mail there are none.
func (f File) Remove(match func(id string, date time.Time, to func() string) bool) error {
	root, err := os.OpenRoot(f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing kept mails: %w", err)
	}
	defer func() { _ = root.Close() }()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return fmt.Errorf("removing kept mails: %w", err)
	}
	for _, e := range entries {
		if !isName(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		stamp, id, _ := strings.Cut(strings.TrimSuffix(e.Name(), suffix), "-")
		date, err := time.Parse(stampLayout, stamp)
		if err != nil {
			continue // not of our making
		}
		var unread error
		matches := match(id, date, func() (to string) {
			to, unread = recipient(root, e.Name())
			return to
		})
		if unread != nil {
			return fmt.Errorf("removing kept mails: %w", unread)
		}
		if !matches {
			continue
		}
		if err := root.Remove(e.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing kept mails: %w", err)
		}
	}
	return nil
}

// recipient is the bare address that a kept mail goes to; empty where it has none, or is gone by now.
func recipient(root *os.Root, name string) (string, error) {
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	m, err := netmail.ReadMessage(file)
	if err != nil {
		return "", nil // what is no mail has no recipient
	}
	to, err := netmail.ParseAddress(m.Header.Get("To"))
	if err != nil {
		return "", nil
	}
	return to.Address, nil
}

// isName reports whether Send could have made a file of this name.
func isName(name string) bool {
	id, ok := strings.CutSuffix(name, suffix)
	return ok && idPattern.MatchString(id)
}

func (k *Kept) readHeader(h netmail.Header) {
	k.From, k.To, k.Subject = decoded(h.Get("From")), decoded(h.Get("To")), decoded(h.Get("Subject"))
	if date, err := h.Date(); err == nil {
		k.Date = date
	}
}

// decoded undoes RFC 2047, and leaves a value that breaks its rules as it is.
func decoded(s string) string {
	if d, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		return d
	}
	return s
}

func (k *Kept) readPart(h textproto.MIMEHeader, body io.Reader) error {
	mediaType, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("type of a part: %w", err)
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := k.readPart(p.Header, p); err != nil {
				return err
			}
		}
	}
	if disposition, params, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil && disposition == "attachment" {
		k.Attachments = append(k.Attachments, decoded(params["filename"]))
		return nil
	}
	switch h.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	switch text := strings.ReplaceAll(string(content), "\r\n", "\n"); mediaType {
	case "text/plain":
		k.Text = text
	case "text/html":
		k.HTML = text
	}
	return nil
}
