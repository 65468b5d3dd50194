package jobs_test

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// until waits for something that the worker does, which looks twice a second.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 250 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("in 5 s: not %s", what)
}

func (p *post) keptTo(address string) (n int) {
	p.t.Helper()
	all, err := p.kept.List(100)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, k := range all {
		if strings.Contains(k.To, address) {
			n++
		}
	}
	return n
}

func TestTheWorkerForgetsWhatWasKeptForItsTime(t *testing.T) {
	p := newPost(t)
	p.run(p.with(p.kept))
	p.register("ada@example.org")
	until(t, "a kept mail", func() bool { return p.keptTo("ada@example.org") == 1 })
	until(t, "noted as sent", func() bool { return p.count("SELECT count(*) FROM mails WHERE sent_at IS NOT NULL") == 1 })
	p.clock.Advance(90*24*time.Hour - time.Minute)
	p.clock.Advance(2 * time.Minute)
	until(t, "without the mail", func() bool { return p.count("SELECT count(*) FROM mails") == 0 && p.keptTo("ada@example.org") == 0 })
	if p.count("SELECT count(*) FROM registrations WHERE name = 'Ada Example'") != 1 {
		t.Error("the registration was forgotten with its mail")
	}
	p.clock.Advance(370 * 24 * time.Hour)
	until(t, "without the name", func() bool {
		return p.count("SELECT count(*) FROM registrations WHERE name = '' AND erased_at IS NOT NULL") == 1
	})
}

func TestTheLastMailIsSentAndLeavesNoRow(t *testing.T) {
	p := newPost(t)
	user, _, err := p.store.AddUser(t.Context(), models.Viewer{Role: models.RoleAdmin}, models.NewUser{Email: "ada@example.org", Name: "Ada Example", Role: models.RoleStaff})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.store.EraseAccount(t.Context(), models.Viewer{UserID: user.ID, Role: user.Role}, user.ID); err != nil {
		t.Fatal(err)
	}
	p.run(p.worker)
	m := p.box.Wait(1)[0]
	if m.Subject != "Your data is erased" || m.To[0] != "ada@example.org" || strings.Contains(m.Text+m.HTML, "Ada") {
		t.Errorf("the last mail: %s\n%s", m.Subject, m.Text)
	}
	until(t, "without its row", func() bool { return p.count("SELECT count(*) FROM mails") == 0 })
}

func TestOnlyTheFilesThatAreMeantAreRemoved(t *testing.T) {
	p := newPost(t)
	at := p.store.Now()
	for _, k := range []struct {
		id, to string
		date   time.Time
	}{
		{"1.1.portal", "Ada+x@example.org", at.Add(-time.Minute)},
		{"1.2.portal", "ada@example.org", at},
		{"1.3.portal", "bo@example.org", at.Add(-time.Minute)},
		{"1.4.portal", "bo@example.org", at},
	} {
		if err := p.kept.Send(t.Context(), mail.Message{
			ID: k.id, From: mail.Address{Email: "cdf@example.org"}, To: mail.Address{Email: k.to}, Subject: "S", Text: "T", HTML: "<p>T</p>", Date: k.date,
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a.png", "b.png"} {
		if err := p.uploads.Put(t.Context(), name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	want := func(kind models.FileKind, name string, due time.Time) {
		p.exec("INSERT INTO file_removals (kind, name, before_at, due_at, created_at) VALUES (?, ?, ?, ?, ?)", kind, name, at, due, at)
	}
	want(models.FileMailbox, models.MailboxHash("ada@example.org"), at)
	want(models.FileMail, "1.4.portal", at)
	want(models.FileUpload, "a.png", at)
	want(models.FileUpload, "gone.png", at)
	want(models.FileUpload, "b.png", at.Add(time.Hour))
	p.run(p.worker)
	until(t, "done", func() bool { return p.count("SELECT count(*) FROM file_removals") == 1 })
	kept, err := p.kept.List(9)
	if err != nil || len(kept) != 2 || kept[0].To != "<ada@example.org>" || kept[1].To != "<bo@example.org>" {
		t.Errorf("kept are %+v, %v", kept, err)
	}
	if _, err := p.uploads.Read(t.Context(), "a.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the picture is there still: %v", err)
	}
	if _, err := p.uploads.Read(t.Context(), "b.png"); err != nil {
		t.Errorf("a picture went before its time: %v", err)
	}
}

func TestAnUploadIsRemovedFromABucketWhenItIsBack(t *testing.T) {
	p := newPost(t)
	server := testkit.NewBucket(t)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := storage.NewBucket(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.worker.Uploads = bucket
	at := p.store.Now()
	for _, name := range []string{"a.png", "b.png", "c.png"} {
		if err := bucket.Put(t.Context(), name, []byte("x")); err != nil {
			t.Fatal(err)
		}
		p.exec("INSERT INTO file_removals (kind, name, due_at, created_at) VALUES (?, ?, ?, ?)", models.FileUpload, name, at, at)
	}
	p.exec("INSERT INTO file_removals (kind, name, due_at, created_at) VALUES (?, ?, ?, ?)", models.FileMail, "1.1.portal", at, at)
	server.Away(true)
	stop := p.run(p.worker)
	until(t, "done what is no upload", func() bool { return p.count("SELECT count(*) FROM file_removals") == 3 })
	stop()
	server.Away(false)
	p.run(p.worker)
	until(t, "done", func() bool { return p.count("SELECT count(*) FROM file_removals") == 0 })
	if _, err := bucket.Read(t.Context(), "c.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the picture is there still: %v", err)
	}
}
