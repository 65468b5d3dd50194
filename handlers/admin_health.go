package handlers

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/templates"
)

// AdminHealth is how the portal is, for who runs it: the figures of /metrics in words, with what to do about them.
type AdminHealth struct {
	Layout
	Heading  string
	Now      time.Time
	Parts    []HealthPart // of the whole portal
	Process  []HealthPart // of the process that answers
	Where    string       // it runs
	Shared   bool         // several processes may run, each with figures of its own
	Rows     []RowCount
	Statuses []StatusCount
	Routes   []RecentRoute
	Minutes  int // that the counts of requests span
}

// HealthPart is one thing that can be well or not.
type HealthPart struct {
	Name  string
	Facts string
	State State
	Do    string // empty while it is well
	URL   string // where to do it
	Label string // of the link
}

// RowCount is how much there is of something.
type RowCount struct {
	Of string
	N  int
}

// StatusCount is how many answers had a status of a family.
type StatusCount struct {
	Family, Words string
	N             int
}

// Disk is the room on the disk that the data lies on, in bytes.
type Disk struct{ Free, Total uint64 }

// routesShown is how many routes are listed, the slowest ones.
const routesShown = 12

// slowAnswer is from when on a route stands out: no page may take so long.
const slowAnswer = 500 * time.Millisecond

var statusWords = []struct{ family, words string }{
	{"2xx", "Answered"}, {"3xx", "Sent elsewhere, or unchanged"}, {"4xx", "Refused: the request was at fault"}, {"5xx", "Failed: we were at fault"},
}

var (
	wellState = State{"Well", "ok"}
	poorState = State{"Look at it", "warn"}
	sickState = State{"Act now", "bad"}
	noState   = State{"Not known", ""}
)

func (a *App) showHealth(c *fiber.Ctx) error {
	now := a.Store.Now()
	h, err := a.Store.Health(c.UserContext(), viewer(c))
	if err != nil {
		return err
	}
	recent := a.lately(now)
	page := AdminHealth{Now: now.In(location(viewer(c).Timezone)), Minutes: int(recentSpan.Minutes()), Where: a.Process, Shared: h.Shared}
	page.Parts = append(page.Parts,
		HealthPart{Name: "Database", Facts: fmt.Sprintf("%s, %s, schema %d", h.Database, byteWords(uint64(max(0, h.Size))), h.Schema), State: wellState},
		a.mailPart(h))
	page.Parts = append(page.Parts, jobParts(h.Jobs, now)...)
	plan, err := a.Store.BackupPlan(c.UserContext())
	if err != nil {
		return err
	}
	backups, err := a.Store.Backups(c.UserContext(), viewer(c))
	if err != nil {
		return err
	}
	page.Parts = append(page.Parts, backupPart(backups, plan, now))
	page.Process = append(page.Process,
		HealthPart{Name: "Program", Facts: "portal " + cmp.Or(a.Version, "of unknown version") + ", up for " + spanWords(now.Sub(a.started)), State: wellState},
		a.diskPart(), clockPart(h), requestPart(recent), signInPart(recent))
	page.Process = append(page.Process, a.callParts(recent)...)
	page.Process = append(page.Process, processParts(recent.now)...)
	for _, s := range statusWords {
		page.Statuses = append(page.Statuses, StatusCount{s.family, s.words, recent.count(requestCount, "status", s.family)})
	}
	page.Rows = []RowCount{
		{"Public posts", int(h.Posts)},
		{"Groups", int(h.Groups)},
		{"Events to come", int(h.Events)},
		{"Accounts", int(h.Accounts)},
		{"Registrations", int(h.Registrations)},
		{"Cancelled registrations", int(h.Cancellations)},
	}
	routes := recent.routes()
	page.Routes = routes[:min(len(routes), routesShown)]
	page.Heading = healthHeading(slices.Concat(page.Parts, page.Process))
	page.Layout = a.deskLayout(c, "Health", page.Heading)
	return show(c, http.StatusOK, a.pages.adminHealth, page)
}

// renewPages lets all pages be made anew.
func (a *App) renewPages(c *fiber.Ctx) error {
	if err := a.Store.RenewPages(c.UserContext(), viewer(c)); err != nil {
		return err
	}
	a.flash(c, "pages-renewed")
	return seeOther(c, links.DeskHealth)
}

// healthHeading says in a sentence how many parts are not well.
func healthHeading(parts []HealthPart) string {
	sick, poor := 0, 0
	for _, p := range parts {
		switch p.State {
		case sickState:
			sick++
		case poorState:
			poor++
		}
	}
	switch {
	case sick > 0:
		return templates.Plural(sick, "thing needs", "things need") + " you now"
	case poor > 0:
		return "It runs; " + templates.Plural(poor, "thing", "things") + " to look at"
	}
	return "All is well"
}

func (a *App) diskPart() HealthPart {
	part := HealthPart{Name: "Disk", Facts: "The data dir lies on a disk that cannot be asked", State: noState}
	if a.Disk == nil {
		return part
	}
	disk, err := a.Disk()
	if err != nil || disk.Total == 0 {
		return part
	}
	part.Facts, part.State = byteWords(disk.Free)+" of "+byteWords(disk.Total)+" free", wellState
	share := float64(disk.Free) / float64(disk.Total)
	switch {
	case disk.Free < 200<<20 || share < .02:
		part.State, part.Do = sickState, "Make room at once: when the disk is full, nobody can register. Delete old backups, or move the data dir to a larger disk."
	case disk.Free < 1<<30 || share < .1:
		part.State, part.Do = poorState, "Make room before it is full: delete old backups, or move the data dir to a larger disk."
	}
	return part
}

// clockPart compares the program's clock with the database's.
func clockPart(h models.Health) HealthPart {
	part := HealthPart{Name: "Clock", Facts: "As the database has it", State: wellState}
	off := h.ClockAhead.Abs()
	if off <= 5*time.Second {
		return part
	}
	if off >= time.Minute {
		off = off.Round(time.Minute) // nobody sets a clock by the seconds that a page takes
	}
	part.Facts = off.Round(time.Second).String() + " behind the database's clock"
	if h.ClockAhead > 0 {
		part.Facts = off.Round(time.Second).String() + " ahead of the database's clock"
	}
	part.State, part.Do = sickState, "Let both machines set their clock by the network, and take PORTAL_CLOCK_OFFSET out: events open and close by this clock."
	return part
}

func (a *App) mailPart(h models.Health) HealthPart {
	part := HealthPart{Name: "Mail", Facts: "None waits", State: wellState}
	if h.MailsWaiting > 0 {
		part.Facts = templates.Plural(int(h.MailsWaiting), "mail waits", "mails wait")
		if h.OldestMail > 0 {
			part.Facts += ", one for " + spanWords(h.OldestMail)
		}
	}
	if h.MailsFailed > 0 {
		part.Facts += "; " + templates.Plural(int(h.MailsFailed), "was given up", "were given up")
	}
	if h.MailError != "" {
		part.Facts += ". The last error: " + shortened(h.MailError, 200)
	}
	switch {
	case h.OldestMail > time.Hour:
		part.State, part.Do, part.URL, part.Label = sickState, "See whether the background work runs and the mail server takes our mail.", links.DeskMail+"?state=waiting", "See the mails"
	case h.MailsFailed > 0:
		part.State, part.Do, part.URL, part.Label = poorState, "Mend what the error says, then send them again.", links.DeskMail+"?state=failed", "See the mails"
	case h.OldestMail > 5*time.Minute:
		part.State, part.Do, part.URL, part.Label = poorState, "They are slow to leave: see whether the mail server takes our mail.", links.DeskMail+"?state=waiting", "See the mails"
	case a.KeptMail != nil:
		part.State, part.Do, part.URL, part.Label = poorState, "Nobody gets mail: it is kept here. Name a mail server in PORTAL_SMTP_URL before people come.", links.DeskMail, "See the mails"
	}
	return part
}

var jobWords = map[string]string{models.JobMail: "Sending mail", models.JobForget: "Forgetting what was kept for its time"}

// jobParts are the parts of the background work, and whether somebody does it.
func jobParts(runs []models.JobRun, now time.Time) (parts []HealthPart) {
	for _, run := range runs {
		words, known := jobWords[run.Name]
		if !known {
			continue // of another version of the program
		}
		part := HealthPart{Name: words, Facts: "Last " + spanWords(now.Sub(run.EndedAt)) + " ago, next " + inWords(run.NextAt.Sub(now)), State: wellState}
		switch {
		case now.Sub(run.NextAt) > max(2*time.Minute, run.NextAt.Sub(run.EndedAt)):
			part.Facts = "Last " + spanWords(now.Sub(run.EndedAt)) + " ago"
			part.State, part.Do = sickState, "Nobody does the background work: run `portal serve` without --web-only, or `portal serve --worker-only` beside it."
		case run.Error != "":
			part.Facts += ". It failed: " + shortened(run.Error, 200)
			part.State, part.Do = poorState, "It is tried again by itself; if it fails again, the log tells more."
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		parts = append(parts, HealthPart{
			Name: "Background work", Facts: "Nobody has done any yet", State: sickState, Do: "Run `portal serve` without --web-only, or `portal serve --worker-only` beside it.",
		})
	}
	return parts
}

func requestPart(recent lately) HealthPart {
	total, failed := recent.count(requestCount), recent.count(requestCount, "success", "false")
	part := HealthPart{Name: "Requests", Facts: templates.Plural(total, "answer", "answers") + " in the last minutes, none failed", State: wellState}
	if failed > 0 {
		part.Facts = templates.Plural(total, "answer", "answers") + " in the last minutes, of which " + templates.Thousands(failed) + " failed"
		part.State, part.Do = poorState, "Find their request in the log, with level ERROR or WARN."
		if failed*100 > total {
			part.State = sickState
		}
	}
	return part
}

// manyGuesses is how many wrong passwords and codes in the last minutes stand out: one a second.
const manyGuesses = int(recentSpan / time.Second)

func signInPart(recent lately) HealthPart {
	part := HealthPart{Name: "Sign-ins", Facts: "None in the last minutes", State: wellState}
	accepted, refused, failed := recent.count(signInCount, "outcome", "accepted"), recent.count(signInCount, "outcome", "refused"), recent.count(signInCount, "outcome", "failed")
	if accepted+refused+failed == 0 {
		return part
	}
	part.Facts = templates.Thousands(accepted) + " accepted, " + templates.Thousands(refused) + " refused and " + templates.Thousands(failed) + " failed in the last minutes"
	switch {
	case failed > 0:
		part.State, part.Do = poorState, "They broke off by a fault of ours or of a service: find their request in the log, with level ERROR or WARN."
	case recent.count(signInCount, "outcome", "refused", "way", byPassword)+recent.count(signInCount, "outcome", "refused", "way", bySecondFactor) > manyGuesses:
		part.State, part.Do = poorState, "Somebody guesses passwords or codes. Each account and network waits longer after each try; the log of the proxy tells from where they come."
	}
	return part
}

// callParts are how others answer the process: the mail server, the bucket of uploads, services to sign in with.
func (a *App) callParts(recent lately) (parts []HealthPart) {
	if a.KeptMail == nil {
		parts = append(parts, callPart(recent, HealthPart{
			Name: "Mail server", Do: "It is silent or refuses us: the mails wait and are tried again. `portal doctor` tells why.",
		}, "portal_mail_attempts_total", "portal_mail_attempt_seconds"))
	}
	if len(recent.now["portal_storage_requests_total"]) > 0 {
		parts = append(parts, callPart(recent, HealthPart{
			Name: "Bucket of uploads", Do: "Pictures are missing from pages and new ones are refused. `portal doctor` tells why.",
		}, "portal_storage_requests_total", "portal_storage_request_seconds"))
	}
	for _, service := range a.Outside {
		parts = append(parts, callPart(recent, HealthPart{
			Name: service.Name, Do: "Nobody can sign in with it; the mailed link still works.",
		}, "portal_outgoing_requests_total", "portal_outgoing_request_duration_seconds", "service", service.Key))
	}
	return parts
}

// callPart is how others answered of late; what to do is kept only where they failed.
func callPart(recent lately, part HealthPart, count, seconds string, labels ...string) HealthPart {
	calls, failed := recent.count(count, labels...), recent.count(count, slices.Concat(labels, []string{"success", "false"})...)
	if failed > 0 {
		part.Facts, part.State = templates.Plural(calls, "call", "calls")+" in the last minutes, of which "+templates.Thousands(failed)+" failed", poorState
		return part
	}
	part.Facts, part.State, part.Do = "Not called in the last minutes", wellState, ""
	if calls > 0 {
		_, within := recent.within(seconds, labels...)
		part.Facts = templates.Plural(calls, "call", "calls") + " in the last minutes, none failed; 95% took at most " + templates.Took(within)
	}
	return part
}

// processParts are what the process takes and does, as its metrics tell.
func processParts(figures processFigures) []HealthPart {
	memory := HealthPart{Name: "Memory", Facts: "This machine does not tell", State: noState}
	if n := figures.sum("process_resident_memory_bytes"); n > 0 {
		memory.Facts, memory.State = byteWords(uint64(n))+", in "+templates.Thousands(int(figures.sum("go_goroutines")))+" goroutines", wellState
	}
	files := HealthPart{Name: "Open files", Facts: "This machine does not tell", State: noState}
	if open, most := figures.sum("process_open_fds"), figures.sum("process_max_fds"); open > 0 && most > 0 {
		files.Facts, files.State = templates.Thousands(int(open))+" of "+templates.Thousands(int(min(most, math.MaxInt32))), wellState
		if open > .8*most {
			files.State, files.Do = sickState, "Raise the limit of open files (LimitNOFILE of the service): without more, new visitors have to wait."
		}
	}
	return []HealthPart{changesPart(figures), pagesPart(figures), memory, files}
}

// changesPart is how long those wait who change something, in this process since it started.
func changesPart(figures processFigures) HealthPart {
	part := HealthPart{Name: "Changes", Facts: "None yet", State: wellState}
	took, waited := figures.durations("portal_commit_seconds"), figures.durations("portal_commit_wait_seconds")
	if took.n == 0 {
		return part
	}
	tookWithin, waitedFor := quantile(.95, durations{}, took), quantile(.95, durations{}, waited)
	part.Facts = fmt.Sprintf("%s in %s; 95%% of them waited at most %s and took at most %s",
		templates.Plural(int(figures.sum("portal_commit_changes")), "change", "changes"), templates.Plural(int(took.n), "commit", "commits"), //nolint:gosec // no process commits so often
		templates.Took(waitedFor), templates.Took(tookWithin))
	waiting := int(figures.sum("portal_commit_queue_changes"))
	if waiting > 0 {
		part.Facts += "; " + templates.Plural(waiting, "waits", "wait") + " now"
	}
	switch {
	case waiting > queueSick:
		part.State, part.Do = sickState, "More come than can be kept, and from 4,096 on they are refused: look at the disk, and at what else writes to the database."
	case waiting > queuePoor || waitedFor >= slowCommit || tookWithin >= slowCommit:
		part.State, part.Do = poorState, "People wait when they save: look whether the disk is slow or busy, and what else writes to the database."
	}
	return part
}

const (
	queuePoor  = 512 // changes that wait
	queueSick  = 2048
	slowCommit = time.Second
)

// pagesPart is how many public pages are kept ready, in this process since it started.
func pagesPart(figures processFigures) HealthPart {
	part := HealthPart{Name: "Ready pages", Facts: "None asked for yet", State: wellState}
	hits, misses := figures.sum("portal_page_cache_requests_total", "result", "hit"), figures.sum("portal_page_cache_requests_total", "result", "miss")
	if hits+misses == 0 {
		return part
	}
	share := hits / (hits + misses)
	part.Facts = fmt.Sprintf("%s of %s taken; %.0f%% of the public pages that were asked for lay ready", byteWords(uint64(figures.sum("portal_page_cache_bytes"))), byteWords(pageCacheLimit), math.Floor(100*share))
	if gone := figures.sum("portal_page_cache_evictions_total"); gone > 0 {
		part.Facts += "; " + templates.Plural(int(gone), "page", "pages") + " had to go for want of room"
		if share < .5 {
			part.State, part.Do = poorState, "Most pages are made anew for each who asks: see in the log of the proxy whether a crawler reads the whole site, and slow it down there."
		}
	}
	return part
}

// byteWords is a number of bytes as people say it.
func byteWords(n uint64) string {
	value, units := float64(n), []string{"bytes", "KB", "MB", "GB", "TB"}
	unit := 0
	for value >= 1000 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	if unit == 0 || value >= 100 {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + units[unit]
}

// spanWords is how long something took or lasts, in words.
func spanWords(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return templates.Plural(int(max(0, d).Seconds()), "second", "seconds")
	case d < 2*time.Hour:
		return templates.Plural(int(d.Minutes()), "minute", "minutes")
	case d < 48*time.Hour:
		return templates.Plural(int(d.Hours()), "hour", "hours")
	}
	return templates.Plural(int(d.Hours()/24), "day", "days")
}

// inWords is when something will be.
func inWords(d time.Duration) string {
	if d < time.Second {
		return "now"
	}
	return "in " + spanWords(d)
}
