package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/importer"
	"github.com/cdfoundation/portal/internal/jobs"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// post is a store with an event, and a worker that sends what it writes to a mailbox.
type post struct {
	t      *testing.T
	store  *models.Store
	clock  *clock.Fake
	box    *testkit.Mailbox
	worker *jobs.Worker

	uploads storage.Storage
	kept    mail.File
	metrics *prometheus.Registry // of the last worker
}

const evening = `---
title: "Tekton evening, part 2; with questions"
kind: meetup
mode: hybrid
timezone: Europe/Berlin
start: 2026-12-01T18:30
end: 2026-12-01T21:00
summary: Two talks and a long break.
hosts: [Armory]
venue: {name: Hall, address: Street 1, city: Berlin, country: DE}
online_link: https://meet.example.org/room
online_place: Zoom
choose: several
quotas:
  - {name: room, size: 20}
tickets:
  - {name: In the room, quotas: [room]}
  - {name: Online}
---

Come early.
`

func newPost(t *testing.T) *post {
	t.Helper()
	now := testkit.Clock()
	p := &post{t: t, clock: now, store: testkit.SQLite(t, now), box: testkit.NewMailbox(t)}
	content, err := importer.ReadContent(fstest.MapFS{"events/evening.md": {Data: []byte(evening)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.store.ImportContent(t.Context(), content, "community.example.org"); err != nil {
		t.Fatal(err)
	}
	p.exec("UPDATE events SET uid = 'd5f7c1a8-evening@community.example.org'")
	sender, err := mail.NewSMTP(p.box.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.kept.Dir = t.TempDir()
	if p.uploads, err = storage.OpenDirectory(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.uploads.Close() })
	p.worker = p.with(sender)
	return p
}

func (p *post) with(sender mail.Sender) *jobs.Worker {
	base, err := url.Parse("https://community.example.org")
	if err != nil {
		p.t.Fatal(err)
	}
	p.metrics = prometheus.NewRegistry()
	return jobs.New(jobs.Options{
		Uploads: p.uploads, KeptMail: p.kept, Store: p.store, Site: links.New(base), Sender: sender, Log: slog.New(slog.DiscardHandler), Metrics: p.metrics,
		From: &netmail.Address{Name: "CDF Community", Address: "community@example.org"},
	})
}

func (p *post) exec(sql string, args ...any) {
	p.t.Helper()
	if err := testkit.DB(p.t, p.store).Exec(sql, args...).Error; err != nil {
		p.t.Fatal(err)
	}
}

func (p *post) count(sql string) (n int) {
	p.t.Helper()
	if err := testkit.DB(p.t, p.store).Raw(sql).Scan(&n).Error; err != nil {
		p.t.Fatal(err)
	}
	return n
}

// run starts a worker and returns what stops it and waits for it.
func (p *post) run(worker *jobs.Worker) (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	var done sync.WaitGroup
	done.Go(func() { worker.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	p.t.Cleanup(stop)
	return stop
}

// register takes a place whose public name is known.
func (p *post) register(email string) models.Registration {
	p.t.Helper()
	r, err := p.store.Register(p.t.Context(), "evening", models.RegisterInput{
		Name: "Ada Example", Email: email, Tickets: []string{"in-the-room", "online"}, Consent: true,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *post) enqueue(kind models.MailKind, columns string, values ...any) {
	p.t.Helper()
	p.exec("INSERT INTO mails (kind, dedupe_key, recipient, recipient_name, next_at, created_at, "+columns+") VALUES (?, ?, 'ada@example.org', 'Ada Example', ?, ?"+
		strings.Repeat(", ?", len(values))+")", append([]any{kind, "test/" + string(kind), p.store.Now(), p.store.Now()}, values...)...)
}

func TestEveryMailReadsAsItsGoldenFile(t *testing.T) {
	p := newPost(t)
	r := p.register("ada@example.org")
	p.exec("UPDATE registrations SET public_id = '7KQ4M2XPABCDEFGH'")
	for _, kind := range []models.MailKind{models.MailRegistrationLink, models.MailUnregistered, models.MailEventChanged, models.MailEventCancelled} {
		p.enqueue(kind, "registration_id, event_id", r.ID, r.EventID)
	}
	p.exec("UPDATE mails SET note = 'Mon 1 June 2026, 18:30 to 20:30 CEST; c-base, Berlin' WHERE kind = 'event_changed'")
	p.exec("INSERT INTO event_cancellations (event_id, reason, created_at) VALUES (?, 'The room burned down.', ?)", r.EventID, p.store.Now())
	user, _, err := p.store.AddUser(t.Context(), models.Viewer{Role: models.RoleAdmin}, models.NewUser{Email: "ada@example.org", Name: "Ada Example", Role: models.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	p.exec("INSERT INTO posts (id, uuid, slug, status, title, user_id, publish_at, created_at, updated_at) VALUES (9, 'u', 'notes', 'published', 'Field <notes>', ?, ?, ?, ?)",
		user.ID, p.store.Now(), p.store.Now(), p.store.Now())
	p.exec("INSERT INTO reviews (id, post_id, user_id, status, comment, created_at) VALUES (4, 9, ?, 'published', 'Thank you, a good read.', ?)", user.ID, p.store.Now())
	p.enqueue(models.MailTest, "user_id", user.ID)
	p.enqueue(models.MailPostSubmitted, "user_id, post_id", user.ID, 9)
	p.enqueue(models.MailPostReviewed, "user_id, post_id, review_id", user.ID, 9, 4)
	p.enqueue(models.MailSecurity, "user_id, note", user.ID, models.PasskeyAdded)
	p.enqueue(models.MailErased, "note", "Tekton evening & more")
	p.run(p.worker)
	for _, m := range p.box.Wait(8) {
		kind, _, _ := strings.Cut(strings.ToLower(m.Subject), ":")
		name := strings.ReplaceAll(kind, " ", "-")
		testkit.Golden(t, name+".txt", []byte("Subject: "+m.Subject+"\n\n"+m.Text))
		testkit.Golden(t, name+".html", []byte(m.HTML))
		if m.Calendar != "" {
			testkit.Golden(t, name+".ics", []byte(m.Calendar))
			cal, err := ical.NewDecoder(strings.NewReader(m.Calendar)).Decode()
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			event := cal.Events()[0]
			if to := event.Props.Get("ATTENDEE"); to == nil || to.Value != "mailto:ada@example.org" {
				t.Errorf("%s names %v", name, to)
			}
		}
	}
}

func TestRightsThatEndedEndInMailsThatWait(t *testing.T) {
	p := newPost(t)
	root := models.Viewer{Role: models.RoleAdmin}
	viewers := map[string]models.Viewer{}
	for name, role := range map[string]models.Role{"ada": models.RoleAdmin, "ben": models.RoleAmbassador, "sam": models.RoleStaff, "sue": models.RoleStaff} {
		user, _, err := p.store.AddUser(t.Context(), root, models.NewUser{Email: name + "@example.org", Name: name, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		viewers[name] = models.Viewer{UserID: user.ID, Role: role, Email: user.Email}
	}
	submit := func(title string) int64 {
		post, err := p.store.CreatePost(t.Context(), viewers["ben"], models.PostEdit{
			Title: title, Excerpt: "Short.", Markdown: "Some text.", Language: "en", Licence: "CC-BY-4.0",
		})
		if err == nil {
			err = p.store.Submit(t.Context(), viewers["ben"], post.ID, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		return post.ID
	}
	submit("A first draft")
	if err := p.store.SendBack(t.Context(), viewers["ada"], submit("A second draft"), "Say more."); err != nil {
		t.Fatal(err)
	}
	if err := p.store.Publish(t.Context(), viewers["ada"], submit("A third draft"), 2, time.Time{}, ""); err != nil {
		t.Fatal(err)
	}
	p.exec("UPDATE users SET role = 'attendee' WHERE email IN ('sam@example.org', 'ben@example.org')") // while the mail server is away
	for _, name := range []string{"sam", "ben"} {                                                      // which comes behind all that waited for them
		if err := p.store.RequestSignIn(t.Context(), name+"@example.org", ""); err != nil {
			t.Fatal(err)
		}
	}
	stop := p.run(p.worker)
	var got []string
	for _, m := range p.box.Wait(9) {
		got = append(got, m.To[0]+" "+m.Subject)
	}
	all := strings.Join(got, "\n")
	if strings.Count(all, "sam@") != 1 || strings.Count(all, "ada@") != 3 || strings.Count(all, "sue@") != 3 || strings.Count(all, "ben@") != 2 ||
		!strings.Contains(all, "ben@example.org Published: ") {
		t.Errorf("there came\n%s", all)
	}
	stop()
	if kept := p.count("SELECT count(*) FROM mails"); kept != 9 {
		t.Errorf("%d mails are kept: one that was dropped is none that failed", kept)
	}
}

func TestWhoIsTakenOffAnEventIsNotToldThatTheyLeft(t *testing.T) {
	p := newPost(t)
	r := p.register("ada@example.org")
	staff, _, err := p.store.AddUser(t.Context(), models.Viewer{Role: models.RoleAdmin}, models.NewUser{Email: "olu@example.org", Name: "Olu", Role: models.RoleStaff})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.store.CancelAttendee(t.Context(), models.Viewer{UserID: staff.ID, Role: staff.Role}, r.EventID, r.ID); err != nil {
		t.Fatal(err)
	}
	p.run(p.worker)
	m := p.box.Wait(2)[1]
	if !strings.HasPrefix(m.Subject, "Your place was cancelled: ") || !strings.Contains(m.Text, "an organiser took you off") || strings.Contains(m.Text+m.HTML, "gave up") ||
		strings.Contains(m.Text+m.HTML, "register again") || !strings.Contains(m.Calendar, "METHOD:CANCEL") {
		t.Errorf("they are told\n%s\n\n%s", m.Subject, m.Text)
	}
}

func TestASignInLinkIsMadeWhenItIsSentAndWorks(t *testing.T) {
	p := newPost(t)
	if _, _, err := p.store.AddUser(t.Context(), models.Viewer{Role: models.RoleAdmin}, models.NewUser{Email: "ada@example.org", Name: "Ada", Role: models.RoleStaff}); err != nil {
		t.Fatal(err)
	}
	if err := p.store.RequestSignIn(t.Context(), "ada@example.org", ""); err != nil {
		t.Fatal(err)
	}
	p.run(p.worker)
	text := p.box.Wait(1)[0].Text
	_, rest, ok := strings.Cut(text, "https://community.example.org/login/")
	token, _, _ := strings.Cut(rest, "\n")
	if _, err := p.store.SignInLinkFor(t.Context(), token); !ok || err != nil {
		t.Errorf("the link in %q: %v", text, err)
	}
}

func TestWhoIsInvitedIsToldOfAnAccountAndGetsALinkThatWorks(t *testing.T) {
	p := newPost(t)
	admin, _, err := p.store.AddUser(t.Context(), models.Viewer{Role: models.RoleAdmin}, models.NewUser{Email: "ida@example.org", Name: "Ida", Role: models.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.store.Invite(t.Context(), models.Viewer{UserID: admin.ID, Role: models.RoleAdmin}, models.NewUser{Email: "ada@example.org", Name: "Ada", Role: models.RoleStaff}); err != nil {
		t.Fatal(err)
	}
	p.run(p.worker)
	text := p.box.Wait(1)[0].Text
	if !strings.Contains(text, "made an account for you") || !strings.Contains(text, "https://community.example.org/login\n") {
		t.Errorf("the mail says %q", text)
	}
	_, rest, ok := strings.Cut(text, "https://community.example.org/login/")
	token, _, _ := strings.Cut(rest, "\n")
	if _, err := p.store.SignInLinkFor(t.Context(), token); !ok || err != nil {
		t.Errorf("the link in %q: %v", text, err)
	}
}

func TestMailsToOnePersonArriveInOrderWhateverFails(t *testing.T) {
	p := newPost(t)
	r := p.register("ada@example.org")
	if _, err := p.store.Cancel(t.Context(), p.store.RegistrationToken(r)); err != nil {
		t.Fatal(err)
	}
	p.register("grace@example.org")
	var once sync.Once
	p.box.Refuse(func(to string) (err error) {
		if to == "ada@example.org" {
			once.Do(func() { err = &smtp.SMTPError{Code: 451, Message: "later"} })
		}
		return err
	})
	p.run(p.worker)
	if got := p.box.Wait(1)[0].To[0]; got != "grace@example.org" {
		t.Errorf("first came the mail to %s: one mailbox that is away holds up the others", got)
	}
	for range 100 {
		if p.count("SELECT count(*) FROM mails WHERE error <> ''") == 1 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.clock.Advance(2 * time.Minute)
	mails := p.box.Wait(3)
	if a, b := mails[1].Subject, mails[2].Subject; !strings.HasPrefix(a, "Your ticket") || !strings.HasPrefix(b, "You gave up") {
		t.Errorf("then came %q and %q", a, b)
	}
	if request, cancel := mails[1].Calendar, mails[2].Calendar; !strings.Contains(request, "METHOD:REQUEST") || !strings.Contains(cancel, "METHOD:CANCEL") {
		t.Error("the calendars do not ask and cancel")
	}
}

func TestAnAddressThatIsRefusedForGoodIsGivenUp(t *testing.T) {
	p := newPost(t)
	p.register("nobody@example.org")
	p.box.Refuse(func(string) error { return &smtp.SMTPError{Code: 550, Message: "no such mailbox"} })
	p.run(p.worker)
	for range 100 {
		if p.count("SELECT count(*) FROM mails WHERE failed_at IS NOT NULL AND error <> '' AND sent_at IS NULL") == 1 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the mail is not marked as failed")
}

func TestAttemptsAreCountedByWhoseFaultItIsThatTheyFail(t *testing.T) {
	p := newPost(t)
	for _, name := range []string{"ada", "nobody", "later"} {
		p.register(name + "@example.org")
	}
	p.box.Refuse(func(to string) error {
		switch to {
		case "nobody@example.org":
			return &smtp.SMTPError{Code: 550, Message: "no such mailbox"}
		case "later@example.org":
			return &smtp.SMTPError{Code: 451, Message: "later"}
		}
		return nil
	})
	stop := p.run(p.worker)
	p.box.Wait(1)
	for range 100 {
		if p.count("SELECT count(*) FROM mails WHERE error <> ''") == 2 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	const want = `# HELP portal_mail_attempts_total Attempts to send a mail, by its kind, by outcome (sent, failed for now, given_up, dropped because who it was for may not read it any more) and by success (no fault of ours or of the mail server: sent, dropped, or the recipient's address was refused for good).
# TYPE portal_mail_attempts_total counter
portal_mail_attempts_total{kind="registered",outcome="failed",success="false"} 1
portal_mail_attempts_total{kind="registered",outcome="given_up",success="true"} 1
portal_mail_attempts_total{kind="registered",outcome="sent",success="true"} 1
`
	if err := testutil.GatherAndCompare(p.metrics, strings.NewReader(want), "portal_mail_attempts_total"); err != nil {
		t.Error(err)
	}
}

// slow sends after it was told to.
type slow struct {
	begun, may chan struct{}
}

func (s slow) Send(ctx context.Context, _ mail.Message) error {
	close(s.begun)
	select {
	case <-s.may:
		return nil
	case <-ctx.Done():
		return errors.New("left")
	}
}

func TestAWorkerThatIsStoppedFinishesTheMailInHand(t *testing.T) {
	p := newPost(t)
	p.register("ada@example.org")
	s := slow{make(chan struct{}), make(chan struct{})}
	stop := p.run(p.with(s))
	<-s.begun
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Fatal("it stopped with a mail in hand")
	case <-time.After(50 * time.Millisecond):
	}
	close(s.may)
	<-stopped
	if p.count("SELECT count(*) FROM mails WHERE sent_at IS NOT NULL") != 1 {
		t.Error("the mail was sent and not noted")
	}
}

// broken cannot send to one person.
type broken struct{ mail.Sender }

func (b broken) Send(ctx context.Context, m mail.Message) error {
	if m.To.Email == "ada@example.org" {
		panic("no way to write this")
	}
	return b.Sender.Send(ctx, m)
}

func TestAMailThatCannotBeWrittenIsGivenUpAndTheOthersGo(t *testing.T) {
	p := newPost(t)
	p.register("ada@example.org")
	p.register("grace@example.org")
	p.run(p.with(broken{p.worker.Sender}))
	if got := p.box.Wait(1)[0].To[0]; got != "grace@example.org" {
		t.Errorf("the mail went to %s", got)
	}
	for range 100 {
		if p.count("SELECT count(*) FROM mails WHERE failed_at IS NOT NULL AND recipient = 'ada@example.org'") == 1 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the mail is not marked as failed")
}

func TestMailsComeFromTheSenderThatTheDeskNames(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		p := &post{t: t, clock: now, store: store, box: testkit.NewMailbox(t)}
		sender, err := mail.NewSMTP(p.box.URL)
		if err != nil {
			t.Fatal(err)
		}
		user, _, err := store.AddUser(t.Context(), models.Viewer{Role: models.RoleAdmin}, models.NewUser{Email: "ada@example.org", Name: "Ada", Role: models.RoleAdmin})
		if err != nil {
			t.Fatal(err)
		}
		site, by := models.DefaultSite(), models.Viewer{UserID: user.ID, Role: user.Role}
		site.Name, site.ShortName, site.SenderName, site.SenderAddress = "Rivermouth Makers", "RM", "The Makers", "post@makers.example"
		if err := store.SaveSite(t.Context(), by, site); err != nil {
			t.Fatal(err)
		}
		if err := store.SaveSite(t.Context(), by, site); !errors.Is(err, models.ErrStale) {
			t.Errorf("saving from the first version once more: %v", err)
		}
		if err := store.RequestSignIn(t.Context(), "ada@example.org", ""); err != nil {
			t.Fatal(err)
		}
		p.run(p.with(sender))
		m := p.box.Wait(1)[0]
		if from := m.Header.Get("From"); from != `"The Makers" <post@makers.example>` {
			t.Errorf("it is from %s", from)
		}
		if m.From != "post@makers.example" {
			t.Errorf("the envelope is from %s", m.From)
		}
		if !strings.Contains(m.Text, "the RM community portal") || !strings.Contains(m.Text, "\nRivermouth Makers, https://") || strings.Contains(m.Text+m.HTML, "CDF") ||
			!strings.Contains(m.HTML, `Rivermouth <span style="font-weight:400;color:#4a5565">Makers</span>`) {
			t.Errorf("it says\n%s\n%s", m.Text, m.HTML)
		}
	})
}
