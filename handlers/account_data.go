package handlers

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// AccountConsent is something that a person agreed to, on their account's page.
type AccountConsent struct {
	What, Event, Version string
	Given                time.Time
	Withdrawn            *time.Time
	WithdrawURL          string // of the place whose giving up withdraws it
}

// consentWords are the purposes of consents.
var consentWords = map[string]string{models.ConsentConduct: "Code of conduct"}

func (a *App) accountConsents(c *fiber.Ctx) (lines []AccountConsent, err error) {
	v := viewer(c)
	rows, err := a.Store.OwnConsents(c.UserContext(), v)
	zone := location(v.Timezone)
	for _, row := range rows {
		line := AccountConsent{
			What: consentWords[row.Consent.Purpose], Event: row.EventTitle, Version: consentVersion(row.Consent.Version),
			Given: row.Consent.GivenAt.In(zone), Withdrawn: inZone(row.Consent.WithdrawnAt, zone),
		}
		if row.Consent.WithdrawnAt == nil && row.Held(a.Store.Now()) {
			line.WithdrawURL = links.Registration(a.Store.RegistrationToken(models.Registration{PublicID: row.PublicID, LinkVersion: row.LinkVersion}))
		}
		lines = append(lines, line)
	}
	return lines, err
}

// consentVersion is the day of the words that were agreed to, as people write it.
func consentVersion(version string) string {
	day, err := time.Parse(time.DateOnly, version)
	if err != nil {
		return ""
	}
	return day.Format("2 January 2006")
}

// ownDataLength is how long the answer with somebody's data may take.
const ownDataLength = 2 * time.Minute

// sendOwnData streams all that the portal holds about a person as a ZIP.
func (a *App) sendOwnData(c *fiber.Ctx) error {
	v := viewer(c)
	data, err := a.Store.ExportOwnData(c.UserContext(), v)
	if err != nil {
		return err
	}
	private(c)
	c.Set(fiber.HeaderContentType, "application/zip")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="cdf-community-data.zip"`)
	// The answer is written after the handler has returned, when the request's own context has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), ownDataLength)
	reader, writer := io.Pipe()
	go func() {
		defer cancel()
		err := a.writeOwnData(ctx, writer, data, a.Store.OwnPosts(ctx, v), a.Store.Now())
		if err != nil {
			a.Log.LogAttrs(ctx, slog.LevelWarn, "export of own data broke off", slog.String("error", err.Error()))
		}
		// With an error the connection breaks off, so that nobody takes a part for the whole.
		_ = writer.CloseWithError(err)
	}()
	return c.SendStream(reader)
}

// The files of the ZIP. Their names and fields stay as they are: people's programs know them.
type (
	dataAccount struct {
		Name      string    `json:"name"`
		Email     string    `json:"email"`
		Role      string    `json:"role"`
		Language  string    `json:"language"`
		Timezone  string    `json:"timezone"`
		Since     time.Time `json:"since"`
		Organises []string  `json:"organises,omitempty"`
		Bylines   []string  `json:"bylines,omitempty"`
	}
	dataProfile struct {
		Address   string        `json:"address"`
		Status    string        `json:"status"`
		Name      string        `json:"name"`
		Title     string        `json:"title,omitempty"`
		Employer  string        `json:"employer,omitempty"`
		City      string        `json:"city,omitempty"`
		Country   string        `json:"country,omitempty"`
		Latitude  *float64      `json:"latitude,omitempty"`
		Longitude *float64      `json:"longitude,omitempty"`
		Pronouns  string        `json:"pronouns,omitempty"`
		Languages []string      `json:"languages"`
		Topics    []string      `json:"topics"`
		Links     []models.Link `json:"links"`
		Handle    string        `json:"handle,omitempty"`
		Quote     string        `json:"quote,omitempty"`
		Text      string        `json:"text"`
	}
	dataRegistration struct {
		Event        string        `json:"event"`
		Address      string        `json:"address"`
		Starts       time.Time     `json:"starts"`
		Code         string        `json:"code"`
		Name         string        `json:"name"`
		Email        string        `json:"email"`
		Status       string        `json:"status"`
		Tickets      []string      `json:"tickets"`
		RegisteredAt time.Time     `json:"registered_at"`
		CancelledAt  *time.Time    `json:"cancelled_at,omitempty"`
		AgreedTo     []dataConsent `json:"agreed_to"`
	}
	dataConsent struct {
		What        string     `json:"what"`
		Version     string     `json:"version"`
		GivenAt     time.Time  `json:"given_at"`
		WithdrawnAt *time.Time `json:"withdrawn_at,omitempty"`
	}
	dataFactors struct {
		PasswordSince      *time.Time    `json:"password_since,omitempty"`
		AuthenticatorSince *time.Time    `json:"authenticator_app_since,omitempty"`
		RecoveryCodes      int           `json:"recovery_codes_left"`
		Passkeys           []dataPasskey `json:"passkeys"`
	}
	dataPasskey struct {
		Name  string     `json:"name"`
		Added time.Time  `json:"added"`
		Used  *time.Time `json:"used,omitempty"`
	}
	dataSession struct {
		Browser string    `json:"browser"`
		Began   time.Time `json:"began"`
		Seen    time.Time `json:"seen"`
		Ends    time.Time `json:"ends"`
	}
	dataMail struct {
		Kind    string     `json:"kind"`
		To      string     `json:"to"`
		State   string     `json:"state"`
		Written time.Time  `json:"written"`
		Sent    *time.Time `json:"sent,omitempty"`
	}
	dataEvent struct {
		Title   string    `json:"title"`
		Address string    `json:"address"`
		Status  string    `json:"status"`
		Made    time.Time `json:"made"`
	}
	dataReview struct {
		Post    int64     `json:"post"`
		Verdict string    `json:"verdict"`
		Comment string    `json:"comment,omitempty"`
		At      time.Time `json:"at"`
	}
	dataPicture struct {
		File    string    `json:"file"`
		Shows   string    `json:"shows"`
		Credit  string    `json:"credit,omitempty"`
		Width   int       `json:"width"`
		Height  int       `json:"height"`
		AddedAt time.Time `json:"added_at"`
	}
	dataActivity struct {
		At      time.Time `json:"at"`
		By      string    `json:"by"`
		Action  string    `json:"action"`
		Subject string    `json:"subject"`
		Number  int64     `json:"number"`
		Before  string    `json:"before,omitempty"`
		After   string    `json:"after,omitempty"`
	}
)

const dataReadme = `Your data at the CDF community portal
=====================================

account.json        your account, the groups that you organise, the names that sign your posts
profile.json        your ambassador's profile
registrations.json  what you registered for, with tickets and what you agreed to
sessions.json       the browsers in which you are signed in
mails.json          the mails that the portal wrote to you, without their words
activity.json       what you did, and what was done to your account, from the audit log
events.json         the events that you made
reviews.json        your words about posts in review
posts/              the posts that you wrote, as Markdown
pictures.json       the pictures that you uploaded, which lie in pictures/

A file that would be empty is left out. Times are in UTC.
`

func (a *App) writeOwnData(ctx context.Context, to io.Writer, d models.OwnData, posts iter.Seq2[models.Post, error], now time.Time) error {
	archive := zip.NewWriter(to)
	create := func(name string, method uint16) (io.Writer, error) {
		return archive.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: now})
	}
	readme, err := create("README.txt", zip.Deflate)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(readme, dataReadme); err != nil {
		return err
	}
	for _, file := range a.ownDataFiles(d) {
		if file.empty {
			continue
		}
		w, err := create(file.name, zip.Deflate)
		if err != nil {
			return err
		}
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		lines.SetIndent("", "  ")
		if err := lines.Encode(file.content); err != nil {
			return err
		}
	}
	for p, err := range posts {
		if err != nil {
			return err
		}
		w, err := create("posts/"+p.Slug+".md", zip.Deflate)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, postAsMarkdown(p)); err != nil {
			return err
		}
	}
	for _, m := range d.Pictures {
		if err := a.writePicture(ctx, create, m.Name); err != nil {
			return err
		}
	}
	return archive.Close()
}

func (a *App) writePicture(ctx context.Context, create func(name string, method uint16) (io.Writer, error), name string) error {
	content, err := a.Uploads.Read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was not restored with the database
	}
	if err != nil {
		return err
	}
	w, err := create("pictures/"+name, zip.Store) // compressed already
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// ownDataFile is a JSON file of the ZIP.
type ownDataFile struct {
	name    string
	content any
	empty   bool
}

func (a *App) ownDataFiles(d models.OwnData) []ownDataFile {
	account := dataAccount{
		Name: d.User.Name, Email: d.User.Email, Role: string(d.User.Role), Language: d.User.Locale, Timezone: d.User.Timezone, Since: d.User.CreatedAt.UTC(), Organises: d.Groups,
	}
	for _, b := range d.Bylines {
		account.Bylines = append(account.Bylines, b.Name)
	}
	files := []ownDataFile{{"account.json", account, false}}
	if p := d.Profile; p != nil {
		files = append(files, ownDataFile{"profile.json", dataProfile{
			Address: a.Site.Abs(links.Ambassador(p.Slug)), Status: string(p.Status), Name: p.Name, Title: p.Title, Employer: p.Employer, City: p.City, Country: p.Country,
			Latitude: p.Latitude, Longitude: p.Longitude, Pronouns: p.Pronouns, Languages: p.Languages, Topics: p.Topics, Links: p.Links,
			Handle: p.Handle, Quote: p.Quote, Text: p.Markdown,
		}, false})
	}
	registrations := mapped(d.Registrations, func(row models.OwnDataRegistration) dataRegistration {
		r := row.Registration
		return dataRegistration{
			Event: row.EventTitle, Address: a.Site.Abs(links.Event(row.EventSlug)), Starts: row.StartsAt.UTC(), Code: r.Code(), Name: r.Name, Email: r.Email,
			Status: string(r.Status), Tickets: row.Tickets, RegisteredAt: r.CreatedAt.UTC(), CancelledAt: inZone(r.CancelledAt, time.UTC),
			AgreedTo: mapped(row.Consents, func(c models.Consent) dataConsent {
				return dataConsent{What: c.Purpose, Version: c.Version, GivenAt: c.GivenAt.UTC(), WithdrawnAt: inZone(c.WithdrawnAt, time.UTC)}
			}),
		}
	})
	sessions := mapped(d.Sessions, func(s models.Session) dataSession {
		return dataSession{Browser: s.UserAgent, Began: s.CreatedAt.UTC(), Seen: s.SeenAt.UTC(), Ends: s.ExpiresAt.UTC()}
	})
	factors := dataFactors{PasswordSince: inZone(d.Factors.Password, time.UTC), AuthenticatorSince: inZone(d.Factors.Authenticator, time.UTC), RecoveryCodes: d.Factors.RecoveryCodes}
	factors.Passkeys = mapped(d.Factors.Passkeys, func(k models.Passkey) dataPasskey {
		return dataPasskey{Name: k.Name, Added: k.CreatedAt.UTC(), Used: inZone(k.UsedAt, time.UTC)}
	})
	mails := mapped(d.Mails, func(m models.Mail) dataMail {
		return dataMail{Kind: string(m.Kind), To: m.Recipient, State: mailState(m), Written: m.CreatedAt.UTC(), Sent: inZone(m.SentAt, time.UTC)}
	})
	activity := mapped(d.Audit, func(e models.AuditEntry) dataActivity {
		line := dataActivity{At: e.CreatedAt.UTC(), By: e.Actor, Action: e.Action, Subject: e.Subject, Number: e.SubjectID, Before: e.BeforeValue, After: e.AfterValue}
		if e.UserID != nil && *e.UserID == d.User.ID {
			line.By = "you"
		}
		return line
	})
	events := mapped(d.Events, func(e models.Event) dataEvent {
		return dataEvent{Title: e.Title, Address: a.Site.Abs(links.Event(e.Slug)), Status: string(e.Status), Made: e.CreatedAt.UTC()}
	})
	reviews := mapped(d.Reviews, func(r models.Review) dataReview {
		return dataReview{Post: r.PostID, Verdict: string(r.Status), Comment: r.Comment, At: r.CreatedAt.UTC()}
	})
	pictures := mapped(d.Pictures, func(m models.Medium) dataPicture {
		return dataPicture{File: "pictures/" + m.Name, Shows: m.Alt, Credit: m.Credit, Width: m.Width, Height: m.Height, AddedAt: m.CreatedAt.UTC()}
	})
	return append(files,
		ownDataFile{"registrations.json", registrations, len(registrations) == 0}, ownDataFile{"sessions.json", sessions, len(sessions) == 0},
		ownDataFile{"signing-in.json", factors, d.Factors.Password == nil && !d.Factors.Second()},
		ownDataFile{"mails.json", mails, len(mails) == 0}, ownDataFile{"activity.json", activity, len(activity) == 0},
		ownDataFile{"events.json", events, len(events) == 0}, ownDataFile{"reviews.json", reviews, len(reviews) == 0},
		ownDataFile{"pictures.json", pictures, len(pictures) == 0})
}

// mapped is a list of one thing as a list of another, never null in JSON.
func mapped[From, To any](list []From, each func(From) To) []To {
	all := make([]To, len(list))
	for i, item := range list {
		all[i] = each(item)
	}
	return all
}

func mailState(m models.Mail) string {
	switch {
	case m.SentAt != nil:
		return string(models.MailDone)
	case m.FailedAt != nil:
		return string(models.MailGivenUp)
	}
	return string(models.MailWaiting)
}

// postAsMarkdown is a post with what else its editor holds in front; a text in JSON is one in YAML.
func postAsMarkdown(p models.Post) string {
	var b strings.Builder
	field := func(name, value string) {
		if value == "" {
			return
		}
		quoted, _ := json.Marshal(value) //nolint:errchkjson // a text always has a JSON
		b.WriteString(name + ": " + string(quoted) + "\n")
	}
	b.WriteString("---\n")
	field("title", p.Title)
	field("status", string(p.Status))
	field("excerpt", p.Excerpt)
	field("language", p.Language)
	field("licence", p.Licence)
	field("source", p.SourceName)
	field("source_author", p.SourceAuthor)
	field("source_url", p.SourceURL)
	field("written", p.CreatedAt.UTC().Format(time.RFC3339))
	if p.PublishAt != nil {
		field("published", p.PublishAt.UTC().Format(time.RFC3339))
	}
	b.WriteString("---\n\n" + strings.TrimRight(p.Markdown, "\n") + "\n")
	return b.String()
}
