package handlers

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// AdminAudit is the audit log.
type AdminAudit struct {
	Layout
	Who, Action, Subject, Number, From, To Field
	Errors                                 FieldErrors
	Filtered                               bool
	Lines                                  []AuditLine
	Newest, Older                          string // paths; empty at the ends
}

// AuditLine is an entry of the audit log in words: "made the group", Subject, "".
type AuditLine struct {
	When          time.Time
	Person        string
	PersonURL     string
	Before, After string // of the sentence around its subject
	Subject       string
	SubjectURL    string
	Change        string
	AboutURL      string // everything that happened to the subject
	About         string
}

// auditPage is how many entries a page holds.
const auditPage = 50

// auditWords tells what was done, with %s for what it was done to. The desk's first page tells some of the same.
var auditWords = func() map[string]string {
	words := maps.Clone(happeningWords)
	maps.Copy(words, map[string]string{
		"registration.create": "registered for %s", "registration.cancel": "cancelled a place at %s", "registration.erase": "erased name and address of a place at %s",
		"attendees.erase": "erased names and addresses of %s", "session.create": "signed in%s", "session.refuse": "failed to sign in as %s",
		"session.end": "signed out%s", "session.end_other": "ended another session of theirs%s", "session.end_others": "ended all other sessions of theirs%s",
		"session.end_all": "restored a backup and ended all sessions and links%s", "mail.resend": "sent %s again",
		"user.export": "took out all data of %s", "user.erase": "erased the account %s", "audit.forget": "forgot old entries up to %s",
		"session.confirm": "proved once more who they are%s", "site.save": "changed the settings of the site%s", "sample.remove": "removed the sample content%s",
		"backup.plan": "changed the plan of backups%s", "backup.ask": "asked for %s", "backup.take": "took out %s", "backup.delete": "deleted %s",
		"password.set": "set a password for %s", "password.change": "changed the password of %s", "password.remove": "removed the password of %s",
		"authenticator.add": "set up an authenticator app for %s", "authenticator.remove": "removed the authenticator app of %s",
		"passkey.add": "added a passkey for %s", "passkey.remove": "removed a passkey of %s", "recovery_codes.create": "made recovery codes for %s",
		"recovery_code.use": "used a recovery code of %s", "factors.reset": "reset password and second factors of %s",
		"setting.second_factor_required": "changed whether staff need a second factor%s",
		"setup.begin":                    "began to set up the portal%s", "setup.settle": "called a step of setting up done%s", "setup.close": "ended the reminders of setting up%s",
		"settings.retention": "changed how long data is kept%s", "pages.renew": "let all pages be made anew%s", "content.import": "loaded a file into %s",
		"post.remove_sample": "removed the sample %s", "event.remove_sample": "removed the sample %s", "group.remove_sample": "removed the sample %s",
		"ambassador.remove_sample": "removed the sample %s",
	})
	return words
}()

// auditSubjects are what entries speak of: the table, and its words.
var auditSubjects = []struct{ table, one, many string }{
	{"ambassadors", "profile", "Profiles"},
	{"audit_entries", "entry", "The audit log"},
	{"backups", "backup", "Backups"},
	{"cohorts", "cohort", "Cohorts"},
	{"events", "event", "Events"},
	{"groups", "group", "Groups"},
	{"mails", "mail", "Mails"},
	{"pages", "page", "Pages"},
	{"users", "account", "People"},
	{"posts", "post", "Posts"},
	{"registrations", "registration", "Registrations"},
	{"sessions", "session", "Sessions"},
	{"settings", "setting", "Settings"},
}

// auditActors are those who act without an account.
var auditActors = map[string]string{
	"attendee": "Whoever holds the ticket", "command": "A command on the server", "retention": "The portal, in time", "visitor": "A visitor",
}

func (a *App) listAudit(c *fiber.Ctx) error {
	v := viewer(c)
	zone := location(v.Timezone)
	filter, errs, err := auditFilter(c, zone)
	if err != nil {
		return err
	}
	data := newAdminAudit(c, errs)
	data.Layout = a.deskLayout(c, "Audit log", "Audit log")
	if len(errs) > 0 {
		data.Scripts = append(data.Scripts, "js/form.js")
		return show(c, http.StatusUnprocessableEntity, a.pages.adminAudit, data)
	}
	rows, err := a.Store.AuditLog(c.UserContext(), v, filter)
	if err != nil {
		return err
	}
	query := []string{
		"who", data.Who.Value, "action", c.Query("action"), "subject", c.Query("subject"), "number", data.Number.Value, "from", data.From.Value, "to", data.To.Value,
	}
	if len(rows) > auditPage {
		rows = rows[:auditPage]
		data.Older = listURL(links.DeskAudit, append(query, "before", strconv.FormatInt(rows[auditPage-1].ID, 10))...)
	}
	if filter.Before != 0 {
		data.Newest = listURL(links.DeskAudit, query...)
	}
	for _, row := range rows {
		data.Lines = append(data.Lines, newAuditLine(row, zone))
	}
	return show(c, http.StatusOK, a.pages.adminAudit, data)
}

// auditFilter reads what is looked for. A choice that is none of ours is not found; a mistyped day or number is told.
func auditFilter(c *fiber.Ctx, zone *time.Location) (f models.AuditFilter, errs FieldErrors, err error) {
	f = models.AuditFilter{Who: strings.TrimSpace(c.Query("who")), Subject: c.Query("subject"), Limit: auditPage + 1}
	if action := c.Query("action"); action != "" {
		if _, known := auditWords[action]; !known {
			return f, nil, fmt.Errorf("%w: action %q", models.ErrNotFound, action)
		}
		f.Actions = []string{action}
	}
	if f.Subject != "" && !slices.ContainsFunc(auditSubjects, func(s struct{ table, one, many string }) bool { return s.table == f.Subject }) {
		return f, nil, fmt.Errorf("%w: subject %q", models.ErrNotFound, f.Subject)
	}
	if before := c.Query("before"); before != "" {
		if f.Before, err = strconv.ParseInt(before, 10, 64); err != nil || f.Before <= 0 {
			return f, nil, fmt.Errorf("%w: entry %q", models.ErrNotFound, before)
		}
	}
	if number := strings.TrimSpace(c.Query("number")); number != "" {
		if f.SubjectID, err = strconv.ParseInt(number, 10, 64); err != nil || f.SubjectID < 0 {
			errs.Add("number", "Write a number in digits, or leave it empty")
		}
	}
	for _, day := range []struct {
		field string
		into  *time.Time
		days  int
	}{{"from", &f.From, 0}, {"to", &f.To, 1}} {
		typed := strings.TrimSpace(c.Query(day.field))
		if typed == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateOnly, typed, zone)
		if err != nil {
			errs.Add(day.field, "Write a day as 2026-05-31, or leave it empty")
			continue
		}
		*day.into = at.AddDate(0, 0, day.days).UTC()
	}
	return f, errs, nil
}

func newAdminAudit(c *fiber.Ctx, errs FieldErrors) AdminAudit {
	text := func(name string) string { return strings.TrimSpace(c.Query(name)) }
	data := AdminAudit{
		Errors:  errs,
		Who:     Field{Name: "who", Label: "Who", Type: "search", Value: text("who"), Max: 200},
		Action:  Field{Name: "action", Label: "Did what", Options: []Option{{Label: "Anything", Selected: text("action") == ""}}},
		Subject: Field{Name: "subject", Label: "To what", Options: []Option{{Label: "Anything", Selected: text("subject") == ""}}},
		Number:  Field{Name: "number", Label: "Its number", Type: "text", Value: text("number"), Max: 19, Digits: true, Error: errs.Of("number")},
		From:    dayField("from", "From", text("from"), errs),
		To:      dayField("to", "To", text("to"), errs),
	}
	for action, words := range auditWords {
		before, after, _ := strings.Cut(words, "%s")
		label := strings.TrimSuffix(strings.TrimSpace(strings.TrimSpace(before)+" … "+strings.TrimSpace(after)), " …")
		data.Action.Options = append(data.Action.Options, Option{Value: action, Label: label, Selected: action == text("action")})
	}
	slices.SortFunc(data.Action.Options[1:], func(x, y Option) int {
		return cmp.Or(strings.Compare(x.Label, y.Label), strings.Compare(x.Value, y.Value))
	})
	for _, s := range auditSubjects {
		data.Subject.Options = append(data.Subject.Options, Option{Value: s.table, Label: s.many, Selected: s.table == text("subject")})
	}
	for _, name := range []string{"who", "action", "subject", "number", "from", "to"} {
		data.Filtered = data.Filtered || text(name) != ""
	}
	return data
}

// dayField asks for a day. One that was mistyped stands in a field for text, as a field for days would not show it.
func dayField(name, label, value string, errs FieldErrors) Field {
	f := Field{Name: name, Label: label, Type: "date", Value: value, Error: errs.Of(name)}
	if f.Error != nil {
		f.Type = "text"
	}
	return f
}

// newAuditLine puts an entry into words.
func newAuditLine(row models.AuditLine, zone *time.Location) AuditLine {
	line := AuditLine{When: row.CreatedAt.In(zone), Person: row.Person, Subject: row.SubjectName}
	switch {
	case row.UserID != nil:
		line.PersonURL = links.DeskPerson(*row.UserID)
	case auditActors[row.Actor] != "":
		line.Person = auditActors[row.Actor]
	default:
		line.Person = "An account that is erased"
	}
	noun := row.Subject
	for _, s := range auditSubjects {
		if s.table == row.Subject {
			noun = s.one
		}
	}
	words, known := auditWords[row.Action]
	if !known {
		words = row.Action + ": %s"
	}
	before, after, speaks := strings.Cut(words, "%s")
	line.Before, line.After = strings.TrimSpace(before), strings.TrimSpace(after)
	if !speaks || row.Subject == "sessions" || row.Subject == "settings" {
		line.Subject = ""
	} else {
		if line.Subject == "" && row.Subject == "users" {
			line.Subject = "no. " + strconv.FormatInt(row.SubjectID, 10)
		}
		if line.Subject == "" {
			line.Subject = noun + " " + strconv.FormatInt(row.SubjectID, 10)
		}
		line.SubjectURL = auditSubjectURL(row)
	}
	if row.SubjectID != 0 && row.Subject != "sessions" {
		line.About = noun + " " + strconv.FormatInt(row.SubjectID, 10)
		line.AboutURL = listURL(links.DeskAudit, "subject", row.Subject, "number", strconv.FormatInt(row.SubjectID, 10))
	}
	switch {
	case row.Action == "content.import" || strings.HasPrefix(row.Action, "setup.") || row.Subject == "registrations": // checksums, states, and what the words say
	case row.BeforeValue != "" && row.AfterValue != "" && row.BeforeValue != row.AfterValue:
		line.Change = row.BeforeValue + " → " + row.AfterValue
	case row.BeforeValue != row.AfterValue:
		line.Change = row.BeforeValue + row.AfterValue
	}
	return line
}

// auditSubjectURL is where what an entry speaks of is looked after; empty when it is gone or has no page.
func auditSubjectURL(row models.AuditLine) string {
	if !row.SubjectThere {
		return ""
	}
	switch row.Subject {
	case "posts":
		return links.DeskReview(row.SubjectID)
	case "events":
		return links.DeskEvent(row.SubjectID)
	case "groups":
		return links.DeskGroup(row.SubjectID)
	case "ambassadors":
		return links.DeskAmbassador(row.SubjectID)
	case "users":
		return links.DeskPerson(row.SubjectID)
	case "registrations":
		return links.DeskAttendees(row.EventID)
	}
	return ""
}
