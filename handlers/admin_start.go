package handlers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/templates"
)

// AdminStart is the desk's first page: what needs the viewer now, what is next, and what just happened.
type AdminStart struct {
	Layout
	Heading  string
	Now      time.Time
	Needs    []Need
	Events   []NextEventLine
	Latest   []LatestLine
	Staff    bool
	CanWrite bool
	CanPlan  bool // events of some group
}

// Need is something that waits for the viewer: what, why, and the one thing to do.
type Need struct {
	Icon      string
	What, Why string
	URL       string
	Action    string
	Urgent    bool
}

// NextEventLine is one of the next events, with its seats.
type NextEventLine struct {
	When, Machine string
	URL, Title    string
	Note          string
	Live          bool
	Seats         string
	Taken, Of     int // of the meter, when Of is not 0
}

// LatestLine is a line of what just happened.
type LatestLine struct {
	When   time.Time
	Today  bool
	Person string
	Words  string
}

// onlineSoon is how long before its start an event needs its link.
const onlineSoon = 48 * time.Hour

func (a *App) showDesk(c *fiber.Ctx) error {
	v, now := viewer(c), a.Store.Now()
	ctx := c.UserContext()
	zone := location(v.Timezone)
	data := AdminStart{Now: now.In(zone), Staff: v.Can(models.ReviewPosts, models.Object{}), CanWrite: v.Can(models.WritePosts, models.Object{})}
	data.CanPlan = data.Staff || len(v.GroupIDs) > 0
	events, err := a.Store.NextEvents(ctx, v, 6)
	if err != nil {
		return err
	}
	data.Needs = eventNeeds(events, now)
	posts, err := a.postNeeds(c, data.Staff, now)
	if err != nil {
		return err
	}
	data.Needs = append(data.Needs, posts...)
	if v.Can(models.ManageSite, models.Object{}) {
		counts, err := a.Store.CountMails(ctx)
		if err != nil {
			return err
		}
		if n := counts[models.MailGivenUp]; n > 0 {
			what, why := "A mail could not be sent", "It was tried and given up"
			if n > 1 {
				what, why = templates.Thousands(n)+" mails could not be sent", "They were tried and given up"
			}
			data.Needs = append(data.Needs, Need{Icon: "mail", What: what, Why: why, URL: links.DeskMail + "?state=failed", Action: "See why"})
		}
	}
	if v.Can(models.ManageSite, models.Object{}) {
		backups, err := a.backupNeed(c)
		if err != nil {
			return err
		}
		setup, err := a.setupNeed(c)
		if err != nil {
			return err
		}
		data.Needs = append(append(data.Needs, backups...), setup...)
	}
	if v.AmbassadorID != 0 {
		profile, err := a.Store.DeskAmbassador(ctx, v, v.AmbassadorID)
		if err != nil {
			return err
		}
		if profile.Status == models.AmbassadorDraft {
			need := Need{Icon: "person", What: "Your profile is not public yet", Why: "Write a few words about yourself; staff publish it", URL: links.DeskProfile, Action: "Write it"}
			if profile.Markdown != "" {
				need.Why, need.Action = "Staff publish it once you are content with it", "Look at it"
			}
			data.Needs = append(data.Needs, need)
		}
	}
	// One coral button a page: the first that is urgent.
	for i := range data.Needs {
		if data.Needs[i].Urgent {
			for j := i + 1; j < len(data.Needs); j++ {
				data.Needs[j].Urgent = false
			}
			break
		}
	}
	for _, event := range events {
		data.Events = append(data.Events, newNextEventLine(event, now))
	}
	if data.Staff {
		latest, err := a.Store.LatestHappenings(ctx, v, 24)
		if err != nil {
			return err
		}
		for _, h := range latest {
			// Saving ten times in a row is one thing that happened.
			if line, ok := newLatestLine(h, zone, now); ok && !line.like(data.Latest) && len(data.Latest) < 8 {
				data.Latest = append(data.Latest, line)
			}
		}
	}
	first, _, _ := strings.Cut(v.Name, " ")
	data.Heading = needsHeading(len(data.Needs), first)
	data.Layout = a.deskLayout(c, "Needs you", data.Heading)
	return show(c, http.StatusOK, a.pages.adminStart, data)
}

var numberWords = []string{"Nothing", "One thing", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"}

// needsHeading is the sentence with the number.
func needsHeading(n int, name string) string {
	switch {
	case n == 0:
		return "Nothing needs you, " + name
	case n == 1:
		return "One thing needs you, " + name
	case n < len(numberWords):
		return numberWords[n] + " things need you, " + name
	}
	return fmt.Sprintf("%d things need you, %s", n, name)
}

// eventNeeds are the events that begin soon, or have begun, without the link that people wait for.
func eventNeeds(events []models.NextEvent, now time.Time) (needs []Need) {
	for _, e := range events {
		if e.Mode == models.ModeInPerson || e.OnlineLink != "" || e.Registration != models.RegistrationPortal ||
			e.DatePrecision != models.PrecisionMinute && e.DatePrecision != models.PrecisionStart || e.StartsAt.Sub(now) > onlineSoon {
			continue
		}
		need := Need{Icon: "alert", What: e.Title + " begins soon without an online link", URL: links.DeskEvent(e.ID), Action: "Add the link", Urgent: true}
		if e.LiveAt(now) {
			need.What = e.Title + " has started without an online link"
		}
		switch e.Confirmed {
		case 0:
			need.Why = "It begins " + e.StartsAt.In(e.Location()).Format("Mon 2 January, 15:04 MST")
		case 1:
			need.Why = "One person waits for it"
		default:
			need.Why = templates.Thousands(e.Confirmed) + " people wait for it"
		}
		needs = append(needs, need)
	}
	return needs
}

// postNeeds are the posts that wait for the viewer: for staff those to review, for authors those sent back and begun.
func (a *App) postNeeds(c *fiber.Ctx, staff bool, now time.Time) (needs []Need, err error) {
	v := viewer(c)
	list := func(status models.PostStatus, limit int) []models.DeskPost {
		if err != nil {
			return nil
		}
		var rows []models.DeskPost
		rows, _, err = a.Store.DeskPosts(c.UserContext(), v, models.DeskPostFilter{Status: status, Limit: limit})
		return rows
	}
	if staff {
		for _, p := range list(models.PostSubmitted, 10) {
			by := byWords(p.Authors)
			if by == "" {
				by = p.Author
			}
			why := "Waits"
			if by != "" {
				why = "By " + by
			}
			if p.SubmittedAt != nil {
				why += ", " + since(*p.SubmittedAt, now)
			}
			needs = append(needs, Need{Icon: "post", What: "“" + p.Title + "” waits for review", Why: why, URL: links.DeskReview(p.ID), Action: "Review"})
		}
		return needs, err
	}
	for _, p := range list(models.PostChangesAsked, 10) {
		why := "Staff wrote what to change"
		if p.Comment != "" {
			why = shortened(p.Comment, 120)
		}
		needs = append(needs, Need{Icon: "post", What: "“" + p.Title + "” came back with a comment", Why: why, URL: links.DeskPost(p.ID), Action: "Change it"})
	}
	for _, p := range list(models.PostDraft, 5) {
		needs = append(needs, Need{Icon: "post", What: "“" + p.Title + "” is a draft", Why: "Last changed " + since(p.UpdatedAt, now), URL: links.DeskPost(p.ID), Action: "Go on"})
	}
	return needs, err
}

// since says how long ago something was, in words that do not pretend to be exact.
func since(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Hour:
		return "within the hour"
	case d < 24*time.Hour:
		return "since today"
	case d < 48*time.Hour:
		return "since yesterday"
	case d < 7*24*time.Hour:
		return "since " + t.Weekday().String()
	}
	return "since " + t.Format("2 January 2006")
}

// shortened is a text of at most so many runes, with a mark where it was cut.
func shortened(text string, most int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= most {
		return string(runes)
	}
	return strings.TrimRight(string(runes[:most]), " ,.;:") + "…"
}

func newNextEventLine(e models.NextEvent, now time.Time) NextEventLine {
	starts := e.StartsAt.In(e.Location())
	line := NextEventLine{
		When: starts.Format("Mon 2 Jan, 15:04"), Machine: starts.Format(time.RFC3339), URL: links.DeskEvent(e.ID), Title: e.Title,
		Note: e.PlaceText(), Live: e.LiveAt(now),
	}
	if line.Note == "" {
		line.Note = e.GroupName
	}
	switch e.DatePrecision {
	case models.PrecisionDay:
		line.When, line.Machine = starts.Format("Mon 2 Jan"), starts.Format(time.DateOnly)
	case models.PrecisionMonth:
		line.When, line.Machine = starts.Format("January"), starts.Format("2006-01")
	case models.PrecisionMinute, models.PrecisionStart:
	}
	switch {
	case e.Registration != models.RegistrationPortal:
		line.Seats = "Not counted here"
	case e.Seats == 0:
		line.Seats = templates.Thousands(e.Confirmed) + " come"
	default:
		line.Seats = templates.Thousands(e.Confirmed) + " of " + templates.Thousands(e.Seats)
		line.Taken, line.Of = min(e.Confirmed, e.Seats), e.Seats
	}
	return line
}

var happeningWords = map[string]string{
	"post.create": "began %s", "post.save": "edited %s", "post.submit": "sent %s to review", "post.publish": "published %s", "post.schedule": "set the day of %s",
	"post.send_back": "asked for changes to %s", "post.decline": "declined %s", "post.withdraw": "took back %s", "post.restore": "brought back an earlier text of %s",
	"event.create": "began the event %s", "event.save": "edited the event %s", "event.publish": "published the event %s", "event.cancel": "cancelled the event %s",
	"attendees.export": "took out the attendees of %s", "ambassador.save": "edited the profile of %s", "ambassador.publish": "published the profile of %s",
	"group.create": "made the group %s", "group.save": "edited the group %s", "group.delist": "took the group %s off the list", "group.list": "listed the group %s",
	"group.organiser_add": "named an organiser of %s", "group.organiser_remove": "took an organiser off %s",
	"user.create": "made an account for %s", "user.name": "named the first admin %s", "user.role": "changed the role of %s", "user.link_profile": "joined %s to a profile",
	"user.end_sessions": "ended the sessions of %s",
}

// like reports whether the line says the same as the last of those before it.
func (l LatestLine) like(before []LatestLine) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	return l.Person == last.Person && l.Words == last.Words
}

// newLatestLine tells a line of the audit log in plain words; what has none is left out.
func newLatestLine(h models.Happening, zone *time.Location, now time.Time) (LatestLine, bool) {
	words, known := happeningWords[h.Action]
	if !known {
		return LatestLine{}, false
	}
	subject := "something that is gone"
	noun, _, _ := strings.Cut(h.Action, ".")
	switch {
	case h.Subject != "" && slices.Contains([]string{"post", "event", "attendees"}, noun):
		subject = "“" + h.Subject + "”"
	case h.Subject != "":
		subject = h.Subject
	}
	line := LatestLine{When: h.CreatedAt.In(zone), Person: h.Person, Words: fmt.Sprintf(words, subject)}
	line.Today = line.When.Format(time.DateOnly) == now.In(zone).Format(time.DateOnly)
	if line.Person == "" {
		line.Person = "The portal"
	}
	return line, true
}
