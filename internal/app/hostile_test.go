package app_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"maps"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/cdfoundation/portal/internal/testkit"
)

// payload is hostile text; § in it becomes a mark of the field that it is typed into.
type payload struct {
	name, text string
	email      string // the same where an e-mail address is asked for
	browser    bool   // its pages are opened in a browser: it is the sort that could run there
}

var payloads = []payload{
	{"script", `§"'></title></textarea><script>window.pwned=1</script>`, `§<script>@evil.example`, true},
	{"handler", `§"><img src=x onerror=window.pwned=1><svg onload=window.pwned=1>' onfocus=window.pwned=1 autofocus`, `"§'onfocus=x"@evil.example`, true},
	{"address", `javascript:window.pwned=1//§`, `javascript:§@evil.example`, true},
	{"entity", `§&lt;script&gt;window.pwned=1&lt;/script&gt;&#60;img src=x onerror=window.pwned=1&#62;`, `§&lt@evil.example`, true},
	{"feed", `§]]></title><script>window.pwned=1</script><!--`, `§-->@evil.example`, false},
	{"JSON", `§"}</script><script>window.pwned=1</script>{"\u003c`, `§}@evil.example`, false},
	{"mail header", "§\r\nBcc: x@evil.example\r\n\r\n<script>window.pwned=1</script>", "§@evil.example\r\nBcc: x@evil.example", false},
	{"encoded word", `§=?utf-8?q?=0D=0ABcc:_x@evil.example?= <x@evil.example>,`, `§@evil.example,x@evil.example`, false},
	{"calendar", "§\r\nATTENDEE:mailto:x@evil.example\nEND:VEVENT\nBEGIN:VEVENT\rX-PWNED;A=\"b:c", "§@evil.example\nATTENDEE:mailto:x@evil.example", false},
	{"formula", `=HYPERLINK("http://evil.example/","§")`, `=1+§@evil.example`, false},
	{"plus", `+1+cmd|' /C calc'!A0 §`, `+§@evil.example`, false},
	{"minus", `-2+3 §`, `-§@evil.example`, false},
	{"at", `@SUM(1+1) §`, `@§@evil.example`, false},
	{"template", `§{{.}}{{printf "%s" .Viewer}}${7*7}<%= 7*7 %>`, `{§}@evil.example`, false},
	{"direction", "§\u202egnp.exe\u2066", "§\u202e@evil.example", false},
	{"long", "§ " + strings.Repeat("long words ", 1500), "§" + strings.Repeat("x", 5000) + "@evil.example", false},
}

// mark is what marks look like: of the row in the table, and of the payload.
var mark = regexp.MustCompile(`m[0-9]{3}r[0-9]{2}`)

func markOf(row, round int) string { return fmt.Sprintf("m%03dr%02d", row, round) }

// What a field takes. It makes of a payload what is typed, and what is typed instead where that is refused; "" leaves
// what the form had.
type takes func(p payload, mark string) (hostile, instead string)

func words(p payload, mark string) (hostile, instead string) {
	return strings.ReplaceAll(p.text, "§", mark), mark + " words"
}

func email(p payload, mark string) (hostile, instead string) {
	return strings.ReplaceAll(p.email, "§", mark), mark + "@example.org"
}

func address(p payload, mark string) (hostile, instead string) {
	if p.name == "address" {
		return "java\tscript:window.pwned=1//" + mark, "https://evil.example/" + mark
	}
	hostile, _ = words(p, mark)
	return "https://evil.example/?" + hostile, "https://evil.example/" + mark + `?"><script>window.pwned=1</script>`
}

// linkList is a link a line: its words, then its address.
func linkList(p payload, mark string) (hostile, instead string) {
	text, _ := words(p, mark)
	if p.name == "address" {
		return mark + " javascript:window.pwned=1", mark + " https://evil.example/" + mark
	}
	text = strings.Join(strings.Fields(text), " ")
	return text + ` https://evil.example/"><script>window.pwned=1</script>`, mark + " https://evil.example/" + mark
}

func markdown(p payload, mark string) (hostile, instead string) {
	hostile, _ = words(p, mark)
	switch p.name {
	case "address":
		hostile += "\n\n[a](javascript:window.pwned=1) ![b](javascript:window.pwned=1) [c](<java\tscript:window.pwned=1>) <javascript:window.pwned=1> " +
			"[d](data:text/html,<script>window.pwned=1</script>) [e][f] <a href=\"java&#115;cript:window.pwned=1\">g</a>\n\n[f]: vbscript:window.pwned=1"
	case "handler":
		hostile += "\n\n![a](/x \"b\\\" onerror=window.pwned=1\") <a href=/ onclick=window.pwned=1>c</a>\n\n```go\" onclick=\"window.pwned=1\n```\n\n## d {onclick=window.pwned=1}"
	case "script":
		hostile += "\n\n<style>*{display:none}</style><iframe srcdoc=\"<script>window.pwned=1</script>\"></iframe><math><mtext><style><img src=x onerror=window.pwned=1></style></mtext></math>"
	}
	return hostile, mark + " text"
}

// shaped is for fields that take only what has one shape, such as a date: text is refused, and the form keeps its own value.
func shaped(p payload, mark string) (hostile, instead string) {
	hostile, _ = words(p, mark)
	return hostile, ""
}

// or is the same with a value to type instead.
func or(value string) takes {
	return func(p payload, mark string) (string, string) {
		hostile, _ := words(p, mark)
		return hostile, value
	}
}

// apart is a longitude that no other text has: groups near each other share a dot on the map, which names their number instead.
func apart(p payload, mark string) (hostile, instead string) {
	hostile, _ = words(p, mark)
	_, round, _ := strings.Cut(mark, "r")
	n, _ := strconv.Atoi(round)
	return hostile, strconv.Itoa(15*n%360 - 180)
}

// field is a row of the table of everything that people can type.
type field struct {
	forms   string // where it is sent, several with "," between them
	name    string // with * for the number of a repeated part
	takes   takes
	showing string // routes that show it afterwards, with "," between them; empty: it is refused, or shown only as a form's value
	errorAt string // what an error of the form names when it is not the field
}

const (
	newEvent  = "POST /admin/events,POST /admin/events/:id"
	newGroup  = "POST /admin/groups,POST /admin/groups/:id"
	newPost   = "POST /admin/posts,POST /admin/posts/:id"
	anProfile = "POST /admin/profile,POST /admin/profile/:id"
)

// typedFields is every field that people can type into.
var typedFields = []field{
	{"GET /search", "q", words, "GET /search", ""},
	{"GET /groups", "q", words, "GET /groups", ""},
	{"GET /ambassadors", "q", words, "GET /ambassadors", ""},
	{"GET /admin/events", "q", words, "GET /admin/events", ""},
	{"GET /admin/events/:id/attendees", "q", words, "GET /admin/events/:id/attendees", ""},
	{"GET /admin/groups", "q", words, "GET /admin/groups", ""},
	{"GET /admin/people", "q", words, "GET /admin/people", ""},
	{"GET /admin/posts", "q", words, "GET /admin/posts", ""},
	{"GET /admin/audit", "who", words, "GET /admin/audit", ""},
	{"GET /admin/audit", "number", shaped, "", ""},
	{"GET /admin/audit", "from", shaped, "", ""},
	{"GET /admin/audit", "to", shaped, "", ""},

	{"POST /login", "email", email, "POST /login", ""},
	{"POST /login/password", "email", email, "", ""},
	{"POST /login/password", "password", words, "", ""},
	{"POST /account/security/password", "new", words, "", ""},
	{"POST /account/security/authenticator", "code", words, "", ""},
	{"POST /account/welcome", "name", words, "", ""},
	{"POST /account/welcome", "email", email, "", ""},
	{"POST /account/welcome", "timezone", shaped, "", ""},
	{"POST /account", "name", words, "GET /account,GET /admin/people,GET /admin/posts/:id/review", ""},
	{"POST /account", "timezone", shaped, "", ""},

	{"POST /events/:slug/register", "name", words, "GET /registrations/:token,GET /admin/events/:id/attendees,GET /admin/events/:id/attendees.csv,GET /admin/events/:id/attendees/:registration/cancellation", ""},
	{"POST /events/:slug/register", "email", email, "GET /registrations/:token,GET /admin/events/:id/attendees,GET /admin/events/:id/attendees.csv,GET /admin/mail", ""},
	{"POST /events/:slug/register", "fax", or(""), "", ""},

	{newGroup, "name", words, "GET /,GET /groups,GET /groups/:slug,GET /groups/:slug/events.ics,GET /groups/:slug/feed.xml,GET /groups/:slug/feed.atom,GET /groups/:slug/feed.json,GET /events,GET /events/:slug,GET /feeds,GET /admin/groups", ""},
	{newGroup, "slug", shaped, "", ""},
	{newGroup, "city", words, "GET /groups,GET /groups/:slug,GET /admin/groups", ""},
	{newGroup, "latitude", or("52.5"), "", ""},
	{newGroup, "longitude", apart, "", ""},
	{newGroup, "timezone", shaped, "", ""},
	{newGroup, "topics", words, "GET /groups,GET /groups/:slug", ""},
	{newGroup, "links", linkList, "GET /groups/:slug", ""},
	{newGroup, "body", markdown, "GET /groups/:slug", ""},
	{"POST /admin/groups/:id/organisers", "organiser", or("helen-beal"), "", ""},

	{"POST /admin/people", "name", words, "GET /login/:token,mail text", ""},
	{"POST /admin/people", "email", email, "GET /admin/people,GET /login/:token,GET /account", ""},

	{"POST /admin/settings", "name", words, "GET /,GET /feed.json,GET /manifest.webmanifest", ""},
	{"POST /admin/settings", "short_name", words, "GET /manifest.webmanifest,GET /feeds", ""},
	{"POST /admin/settings", "organisation", words, "GET /feed.json", ""},
	{"POST /admin/settings", "about", words, "GET /", ""},
	{"POST /admin/settings", "footer_heading", words, "GET /", ""},
	{"POST /admin/settings", "footer_links", linkList, "GET /", ""},
	{"POST /admin/settings", "legal", words, "GET /", ""},
	{"POST /admin/settings", "contact", email, "GET /", ""},
	{"POST /admin/settings", "conduct_contact", email, "GET /", ""},
	{"POST /admin/settings", "sender_name", words, "", ""},
	{"POST /admin/settings", "sender_address", email, "", ""},
	{"POST /admin/settings/retention", "attendee_days", or("365"), "", ""},
	{"POST /admin/settings/retention", "mail_days", or("90"), "", ""},
	{"POST /admin/settings/retention", "audit_days", or("730"), "", ""},
	{"POST /admin/backups/plan", "daily", or("7"), "", ""},
	{"POST /admin/backups/plan", "weekly", or("4"), "", ""},

	{anProfile, "name", words, "GET /ambassadors,GET /ambassadors/:slug,GET /ambassadors/:slug/events.ics,GET /ambassadors/:slug/feed.xml,GET /ambassadors/:slug/feed.atom,GET /ambassadors/:slug/feed.json,GET /admin/people", ""},
	{anProfile, "title", words, "GET /ambassadors/:slug", ""},
	{anProfile, "employer", words, "GET /ambassadors/:slug,GET /ambassadors", ""},
	{anProfile, "pronouns", words, "GET /ambassadors/:slug", ""},
	{anProfile, "quote", words, "GET /ambassadors/:slug", ""},
	{anProfile, "bio", markdown, "GET /ambassadors/:slug", ""},
	{anProfile, "topics", words, "GET /ambassadors/:slug", ""},
	{anProfile, "city", words, "GET /ambassadors/:slug,GET /ambassadors", ""},
	{anProfile, "country", shaped, "", ""},
	{anProfile, "latitude", or("1.5"), "", ""},
	{anProfile, "longitude", or("1.5"), "", ""},
	{anProfile, "languages", or("en, de"), "", ""},
	{anProfile, "link_label", words, "GET /ambassadors/:slug", "links"},
	{anProfile, "link_url", address, "GET /ambassadors/:slug", "links"},
	{anProfile, "handle", shaped, "GET /ambassadors/:slug", ""},
	{anProfile, "photo_alt", words, "GET /ambassadors/:slug", ""},
	{anProfile, "photo_credit", words, "GET /ambassadors/:slug", ""},

	{newEvent, "title", words, "GET /events,GET /events/:slug,GET /events/:slug.ics,GET /events.ics,GET /events/feed.xml,GET /events/feed.atom,GET /events/feed.json,GET /events/:slug/register,GET /registrations/:token,GET /registrations/:token/event.ics,GET /groups/:slug,GET /ambassadors/:slug,GET /admin/events,mail,mail text", ""},
	{newEvent, "slug", shaped, "", ""},
	{newEvent, "summary", words, "GET /events/:slug,GET /events/:slug.ics,GET /events.ics,GET /events/feed.json", ""},
	{newEvent, "hosts", words, "GET /events/:slug,GET /events/feed.json", ""},
	{newEvent, "body", markdown, "GET /events/:slug", ""},
	{newEvent, "links", linkList, "GET /events/:slug,GET /registrations/:token", ""},
	{newEvent, "timezone", shaped, "", ""},
	{newEvent, "starts", shaped, "", ""},
	{newEvent, "ends", shaped, "", ""},
	{newEvent, "venue_name", words, "GET /events/:slug,GET /events/:slug.ics,GET /registrations/:token,mail text", ""},
	{newEvent, "venue_address", words, "GET /events/:slug,GET /events/:slug.ics,GET /registrations/:token,mail text", ""},
	{newEvent, "venue_city", words, "GET /events,GET /events/:slug,GET /events/:slug.ics,GET /events/feed.json,GET /registrations/:token,GET /admin/events,mail text", ""},
	{newEvent, "online_link", address, "GET /registrations/:token,GET /registrations/:token/event.ics", ""},
	{newEvent, "online_place", words, "GET /events/:slug,GET /events/:slug.ics,mail text", ""},
	{newEvent, "registration_url", address, "GET /events/:slug", ""},
	{newEvent, "registration_note", words, "GET /events/:slug", ""},
	{newEvent, "opens", shaped, "", ""},
	{newEvent, "closes", shaped, "", ""},
	{newEvent, "quota-*-name", words, "GET /admin/events/:id", ""},
	{newEvent, "quota-*-size", or("50"), "", ""},
	{newEvent, "quota-*-held", or("1"), "", ""},
	{newEvent, "ticket-*-name", words, "GET /events/:slug,GET /events/:slug/register,GET /registrations/:token,GET /admin/events/:id/attendees.csv,mail text", ""},
	{newEvent, "ticket-*-description", words, "GET /events/:slug/register", ""},
	{newEvent, "agenda-*-title", words, "GET /events/:slug", ""},
	{newEvent, "agenda-*-day", or("1"), "", ""},
	{newEvent, "agenda-*-starts", or("18:30"), "", ""},
	{newEvent, "agenda-*-minutes", or("20"), "", ""},
	{newEvent, "agenda-*-track", words, "GET /admin/events/:id", ""},
	{newEvent, "agenda-*-speakers", words, "GET /events/:slug", ""},
	{newEvent, "agenda-*-summary", words, "GET /events/:slug", ""},
	{newEvent, "speaker-*-name", words, "GET /events/:slug", ""},
	{newEvent, "speaker-*-title", words, "GET /events/:slug", ""},
	{newEvent, "speaker-*-employer", words, "GET /events/:slug", ""},
	{newEvent, "speaker-*-url", address, "GET /events/:slug", ""},
	{newEvent, "speaker-*-bio", words, "GET /events/:slug", ""},
	{newEvent, "sponsor-*-name", words, "GET /events/:slug", ""},
	{newEvent, "sponsor-*-contribution", words, "GET /events/:slug", ""},
	{newEvent, "sponsor-*-url", address, "GET /events/:slug", ""},
	{"POST /admin/events/:id/cancellation", "reason", words, "GET /events/:slug,GET /registrations/:token,mail text", ""},

	{newPost, "title", words, "GET /blog,GET /blog/:slug,GET /blog/author/:slug,GET /blog/series/:slug,GET /feed.xml,GET /feed.atom,GET /feed.json,GET /admin/posts,GET /admin/posts/:id/review,GET /admin/posts/:id/revisions/:revision,mail text", ""},
	{newPost, "excerpt", words, "GET /blog/:slug,GET /feed.xml,GET /feed.json", ""},
	{newPost, "body", markdown, "GET /blog/:slug,GET /feed.xml,GET /feed.atom,GET /feed.json,GET /admin/posts/:id/review,GET /admin/posts/:id/revisions/:revision", ""},
	{newPost, "slug", shaped, "", ""},
	{newPost, "tags", words, "GET /blog/:slug,GET /blog/tag/:slug,GET /feed.xml,GET /feed.json", ""},
	{newPost, "new_series", words, "GET /blog/:slug,GET /blog/series/:slug,GET /blog/series/:slug/feed.xml,GET /feeds", ""},
	{newPost, "language", shaped, "", ""},
	{newPost, "byline_name", words, "GET /blog,GET /blog/:slug,GET /blog/author/:slug,GET /blog/author/:slug/feed.xml,GET /feed.xml,GET /feed.atom,GET /feed.json,GET /feeds", "bylines"},
	{newPost, "byline_title", words, "GET /blog/:slug", "bylines"},
	{newPost, "byline_employer", words, "GET /blog/:slug", "bylines"},
	{newPost, "source_name", words, "GET /blog/:slug", ""},
	{newPost, "source_author", words, "GET /blog/:slug", ""},
	{newPost, "source_url", address, "GET /blog/:slug", ""},
	{newPost, "cover_alt", words, "GET /blog/:slug", ""},
	{newPost, "cover_credit", words, "GET /blog/:slug", ""},
	{"POST /admin/posts/:id/changes,POST /admin/posts/:id/refusal", "comment", words, "GET /admin/posts/:id/review,mail text", ""},
	{"POST /admin/posts/:id/publication", "publish_at", or("2045-01-01T10:00"), "", ""},
}

// hostileRun is a portal in which people type hostile text.
type hostileRun struct {
	t              testing.TB
	p              *portal
	w              *watch
	admin, visitor *person
	rows           map[string]int // form and field to row
	accepted       map[string]string
	payload        payload
	n              int
	event          int // whose attendees are looked at
	unknown        map[string]bool
}

// fill types the payload into every field of a form and sends it, and again with other words where it was refused.
func (r *hostileRun) fill(who *person, page answer, action string, fixed map[string]string, files map[string]file) answer {
	r.t.Helper()
	f := page.form(r.t, action)
	set, instead, rows := map[string]string{}, map[string]string{}, map[string]int{}
	for _, c := range f.controls {
		if !c.typed() {
			continue
		}
		key := routeOf(f.method, action) + ": " + numberInName.ReplaceAllString(c.name, "-*-")
		row, ok := r.rows[key]
		if !ok {
			r.unknown[key] = true
			continue
		}
		rows[c.name] = row
		set[c.name], instead[c.name] = typedFields[row].takes(r.payload, markOf(row, r.n))
	}
	maps.Copy(set, fixed)
	for range 6 {
		got := who.upload(f, action, set, files)
		if got.status != http.StatusUnprocessableEntity && got.status != http.StatusConflict {
			for name, row := range rows {
				if value, sent := set[name]; sent {
					r.accepted[markOf(row, r.n)] = value
				}
			}
			return got
		}
		r.kept(got, action, set)
		progress := false
		for _, at := range got.errorsAt() {
			for name, row := range rows {
				if name != at && typedFields[row].errorAt != at {
					continue
				}
				if value, sent := set[name]; sent && value != instead[name] && instead[name] != "" {
					set[name], progress = instead[name], true
				} else if sent {
					delete(set, name)
					progress = true
				}
			}
		}
		if !progress {
			r.t.Fatalf("%s: %s is refused for good (%d): %q\n%v", r.payload.name, action, got.status, got.errorsAt(), set)
		}
	}
	r.t.Fatalf("%s: %s is refused again and again", r.payload.name, action)
	return answer{}
}

// kept fails when a refused form does not hold what was typed.
func (r *hostileRun) kept(page answer, action string, set map[string]string) {
	r.t.Helper()
	seen := map[string]bool{}
	f := page.form(r.t, action)
	for _, c := range f.controls {
		// A picture that was taken has its words already.
		if of, _, _ := strings.Cut(c.name, "_"); of != c.name && valueOf(f, of+"_id") > "0" && c.value == "" {
			continue
		}
		if want, typed := set[c.name]; typed && c.typed() && !seen[c.name] && c.name != "fax" && loose(c.value) != loose(want) {
			r.t.Errorf("%s: %s of the refused form %s holds %.100q, want %.100q", r.payload.name, c.name, action, c.value, want)
		}
		seen[c.name] = true
	}
}

// loose is text without spaces and commas: fields that take a list write it anew.
func loose(text string) string { return strings.NewReplacer(" ", "", ",", "").Replace(spaced(text)) }

// errorsAt are the ids of what a form's summary of errors leads to.
func (a answer) errorsAt() (all []string) {
	for n := range elements(a.root) {
		if !has(n, "data-error-summary") {
			continue
		}
		for link := range elements(n) {
			if id, ok := strings.CutPrefix(attrOr(link, "href", ""), "#"); ok {
				all = append(all, id)
			}
		}
	}
	return all
}

// leads fails unless an answer redirects, and gives where to.
func (r *hostileRun) leads(got answer) string {
	r.t.Helper()
	if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/") {
		r.t.Fatalf("%s: %s answers %d to %q: %q", r.payload.name, got.path, got.status, got.location, got.errorsAt())
	}
	return got.location
}

// press sends a form as it is.
func (r *hostileRun) press(who *person, page answer, action string) string {
	r.t.Helper()
	return r.leads(who.submit(page.form(r.t, action), action, nil))
}

// signIn uses the newest link to sign in that was mailed to an address.
func (r *hostileRun) signIn(to string) *person {
	r.t.Helper()
	who := r.w.newPerson(r.t, r.p)
	mails := r.p.kept(r.t, to, 1)
	link := regexp.MustCompile(`/login/[A-Za-z0-9_-]+`).FindString(strings.ReplaceAll(mails[len(mails)-1], "=\r\n", ""))
	page := who.open(link)
	r.press(who, page, link)
	return who
}

// round lets people use the whole portal with the payload in every field: a group, an account, a profile, an event with
// registrations, a post. It returns the ambassador and the address of a ticket.
func (r *hostileRun) round() (ambassador *person, ticket string) {
	r.t.Helper()
	open := func(who *person, path string) answer { r.t.Helper(); return who.open(path) }
	// The site itself
	r.leads(r.fill(r.admin, open(r.admin, "/admin/settings"), "/admin/settings", nil, nil))
	r.leads(r.fill(r.admin, open(r.admin, "/admin/backups"), "/admin/backups/plan", nil, nil))
	for _, path := range []string{"/", "/feed.json", "/feeds", "/manifest.webmanifest"} {
		open(r.visitor, path)
	}
	// A group and somebody who runs it
	group := r.leads(r.fill(r.admin, open(r.admin, "/admin/groups/new"), "/admin/groups", map[string]string{"country": "DE"}, nil))
	group, _, _ = strings.Cut(group, "#")
	r.leads(r.fill(r.admin, open(r.admin, group), group, nil, nil))
	r.fill(r.admin, open(r.admin, group), group+"/organisers", nil, nil)
	groupID := pathOnly(group)[strings.LastIndexByte(group, '/')+1:]
	account := r.leads(r.fill(r.admin, open(r.admin, "/admin/people/new"), "/admin/people", map[string]string{"role": "ambassador", "groups": valueOf(open(r.admin, group).form(r.t, group), "slug")}, nil))
	ambassador = r.signIn(r.accepted[markOf(r.rows["POST /admin/people: email"], r.n)])
	r.leads(r.fill(ambassador, open(ambassador, "/account"), "/account", nil, nil))

	// Their profile
	picture := file{`"><script>window.pwned=1</script>.png`, dot}
	r.leads(r.fill(ambassador, open(ambassador, "/admin/profile"), "/admin/profile", nil, map[string]file{"photo": picture}))
	profile := ""
	for _, link := range open(r.admin, account).links() {
		if strings.HasPrefix(link, "/admin/profile/") {
			profile = link
		}
	}
	r.leads(r.fill(r.admin, open(r.admin, profile), profile, nil, nil))
	r.press(r.admin, open(r.admin, profile), profile+"/publication")

	// An event, with people who come and one who does not
	editor := open(ambassador, "/admin/events/new")
	parts := map[string]string{} // an empty part is left out when the next is added
	for _, part := range []string{"speaker", "agenda", "sponsor"} {
		parts["add"] = part
		editor = ambassador.submit(editor.form(r.t, "/admin/events"), "/admin/events", parts)
		parts[part+"-0-name"], parts[part+"-0-title"] = "Somebody", "Something"
	}
	event := r.leads(r.fill(ambassador, editor, "/admin/events", map[string]string{"group": groupID, "venue_country": "DE", "mode": "hybrid"}, nil))
	r.event, _ = strconv.Atoi(event[strings.LastIndexByte(event, '/')+1:])
	r.press(ambassador, open(ambassador, event+"/publication"), event+"/publication")
	public := ""
	for _, link := range open(ambassador, event).links() {
		if strings.HasPrefix(link, "/events/") {
			public = link
		}
	}
	consent := map[string]string{"consent": "yes", "fax": ""}
	r.visitor.get(public)
	ticket = r.leads(r.fill(r.visitor, open(r.visitor, public+"/register"), public+"/register", consent, nil))
	open(r.visitor, ticket)
	other := map[string]string{"consent": "yes", "fax": "", "email": "other" + strconv.Itoa(r.n) + "@example.org"}
	gone := r.leads(r.fill(r.visitor, open(r.visitor, public+"/register"), public+"/register", other, nil))
	r.press(r.visitor, open(r.visitor, gone), gone+"/cancellation")
	r.leads(r.fill(ambassador, open(ambassador, event), event, map[string]string{"starts": r.later(14, 17), "ends": r.later(14, 19)}, nil))
	elsewhere := map[string]string{"starts": r.later(30, 17), "ends": r.later(30, 19), "registration": "outside"}
	copied := r.leads(ambassador.submit(open(ambassador, "/admin/events/new?from="+strconv.Itoa(r.event)).form(r.t, "/admin/events"), "/admin/events", elsewhere))
	r.press(ambassador, open(ambassador, copied+"/publication"), copied+"/publication")
	copied = r.leads(ambassador.submit(open(ambassador, "/admin/events/new?from="+strconv.Itoa(r.event)).form(r.t, "/admin/events"), "/admin/events",
		map[string]string{"starts": r.later(20, 17), "ends": r.later(20, 19)}))
	r.press(ambassador, open(ambassador, copied+"/publication"), copied+"/publication")
	for _, link := range open(ambassador, copied).links() {
		if strings.HasPrefix(link, "/events/") {
			public = link
		}
	}
	void := r.leads(r.fill(r.visitor, open(r.visitor, public+"/register"), public+"/register", consent, nil))
	r.leads(r.fill(ambassador, open(ambassador, copied+"/cancellation"), copied+"/cancellation", nil, nil))
	open(r.visitor, void)

	// A post, sent back once
	post := r.leads(r.fill(ambassador, open(ambassador, "/admin/posts/new"), "/admin/posts", map[string]string{"intent": "submit"}, map[string]file{"cover": picture}))
	post = strings.TrimSuffix(post, "/review")
	r.leads(r.fill(r.admin, open(r.admin, post+"/review"), post+"/changes", nil, nil))
	r.leads(r.fill(ambassador, open(ambassador, post), post, map[string]string{"intent": "submit"}, nil))
	r.leads(r.fill(r.admin, open(r.admin, post), post, map[string]string{"intent": "review"}, nil))
	r.fill(r.admin, open(r.admin, post+"/review"), post+"/publication", map[string]string{"when": "later"}, nil)
	r.leads(r.admin.submit(open(r.admin, post+"/review").form(r.t, post+"/publication"), post+"/publication", map[string]string{"when": "now"}))
	return ambassador, ticket
}

// valueOf is what a field of a form holds.
func valueOf(f form, name string) string {
	for _, c := range f.controls {
		if c.name == name {
			return c.value
		}
	}
	return ""
}

// later is a wall time in some days.
func (r *hostileRun) later(days, hour int) string {
	return time.Now().AddDate(0, 0, days).Format("2006-01-02") + fmt.Sprintf("T%02d:00", hour)
}

// dot is a small picture.
var dot = func() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		panic(err)
	}
	return b.Bytes()
}()

// shown fails for a field that is not shown where the table says, as the text that it is.
func (r *hostileRun) shown(row int) {
	f := typedFields[row]
	for route := range strings.SplitSeq(f.showing, ",") {
		found, all := 0, 0
		for n := range payloads {
			value, stored := r.accepted[markOf(row, n)]
			if !stored {
				continue
			}
			all++
			want := spaced(value)
			// Markdown is rendered, lists are taken apart and addresses are escaped; the mark is there in any case.
			if m := mark.FindString(value); m != "" && (slices.Contains([]string{"body", "bio", "links", "footer_links", "handle"}, f.name) || strings.ContainsAny(value, ",\n\r") || strings.HasPrefix(value, "https:")) {
				want = m
			}
			if slices.ContainsFunc(r.w.texts[route], func(text string) bool { return strings.Contains(text, want) }) {
				found++
			}
		}
		// Feeds and lists hold the newest only, and long text is cut.
		if found == 0 || found < all/2 {
			r.t.Errorf("%s: %s shows %d of the %d values that were taken", f.name, route, found, all)
		}
	}
}

// headers are those that our mails have.
var headers = []string{
	"Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To", "Reply-To", "Content-Disposition",
	"List-Unsubscribe", "List-Unsubscribe-Post", "Content-Language",
}

// mails checks every mail that was kept: to one person who was meant, with our headers only, and nothing live in it.
func (r *hostileRun) mails() {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.p.DataDir, "mail", "*.eml"))
	if err != nil || len(files) < len(payloads)*5 {
		r.t.Fatalf("%d mails are kept, %v", len(files), err)
	}
	meant := map[string]bool{"ada@example.org": true}
	for n := range payloads {
		meant[fmt.Sprintf("other%d@example.org", n)] = true
	}
	for _, value := range r.accepted {
		meant[strings.ToLower(strings.TrimSpace(value))] = true
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		fault := func(format string, args ...any) {
			r.t.Helper()
			r.t.Errorf("%s: %s", filepath.Base(name), fmt.Sprintf(format, args...))
		}
		m, err := testkit.ReadMail(raw)
		if err != nil {
			fault("is no mail: %v", err)
			continue
		}
		for key, values := range m.Header {
			if !slices.Contains(headers, key) || len(values) != 1 {
				fault("has headers %s: %q", key, values)
			}
		}
		to, err := mail.ParseAddressList(m.Header.Get("To"))
		if err != nil || len(to) != 1 || !meant[strings.ToLower(to[0].Address)] || strings.HasPrefix(to[0].Address, "x@") {
			fault("goes to %q, %v", m.Header.Get("To"), err)
		}
		kinds := []string{}
		for _, part := range m.Parts {
			kinds = append(kinds, part.Type)
			page := answer{route: "mail", path: filepath.Base(name), kind: part.Type, body: part.Body}
			switch part.Type {
			case "text/html":
				if page.root, err = html.Parse(bytes.NewReader(part.Body)); err != nil {
					r.t.Fatal(err)
				}
				page.route = "mail /admin/mail/:name/html"
			case "application/ics":
				page.kind = "text/calendar"
			}
			r.w.see(r.t, page)
		}
		r.w.texts["mail text"] = append(r.w.texts["mail text"], spaced(m.Text))
		r.w.texts["mail subject"] = append(r.w.texts["mail subject"], spaced(m.Subject))
		if !slices.Equal(kinds, []string{"text/plain", "text/html"}) && !slices.Equal(kinds, []string{"text/plain", "text/html", "text/calendar", "application/ics"}) {
			fault("has parts %q", kinds)
		}
		for address := range strings.FieldsSeq(m.Text) {
			if strings.HasPrefix(strings.ToLower(address), "javascript:") && !mark.MatchString(address) {
				fault("leads to %s", address)
			}
		}
	}
}

func TestWhatPeopleTypeIsShownAsTextEverywhere(t *testing.T) {
	t.Parallel()
	p := serve(t)
	w := newWatch(p.URL)
	r := &hostileRun{
		t: t, p: p, w: w, admin: w.newPerson(t, p), visitor: w.newPerson(t, p),
		rows: map[string]int{}, accepted: map[string]string{}, unknown: map[string]bool{},
	}
	for n, f := range typedFields {
		for form := range strings.SplitSeq(f.forms, ",") {
			r.rows[form+": "+f.name] = n
		}
	}
	link := strings.TrimPrefix(p.FirstAdmin, p.URL)
	r.press(r.admin, r.admin.open(link), link)
	const welcome = "/account/welcome"
	for r.n, r.payload = range payloads {
		got := r.admin.submit(r.admin.open(welcome).form(t, welcome), welcome, map[string]string{"name": r.payload.text, "email": r.payload.email + " x", "timezone": r.payload.text})
		if got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s answers %d", r.payload.name, welcome, got.status)
		}
	}
	r.leads(r.admin.submit(r.admin.open(welcome).form(t, welcome), welcome, map[string]string{"name": "Ada", "email": "ada@example.org"}))
	people := []*person{r.visitor, r.admin}
	from := map[*person][]string{r.visitor: {"/"}, r.admin: {"/admin", "/account"}}
	for r.n, r.payload = range payloads {
		ambassador, ticket := r.round()
		from[r.visitor] = append(from[r.visitor], ticket)
		people, from[ambassador] = append(people, ambassador), []string{"/account", "/admin", "/admin/profile"}
	}
	for range 100 {
		if waiting := r.admin.open("/admin/mail?state=waiting"); bytes.Contains(waiting.body, []byte(`class="empty`)) {
			break
		}
		time.Sleep(50 * time.Millisecond) // the worker asks for mail twice a second
	}
	for _, who := range people {
		seldom := map[string]int{}
		who.crawl(func(path string) bool {
			// What the built-in content fills needs to be seen a few times only.
			route := routeOf(http.MethodGet, path)
			seldom[route]++
			ours := mark.MatchString(path) || seldom[route] <= 60
			switch who {
			case r.visitor:
			case r.admin:
				ours = ours && strings.HasPrefix(path, "/admin")
			default:
				ours = strings.HasPrefix(path, "/account") || strings.HasPrefix(path, "/admin") && seldom[route] <= 2
			}
			return ours && !strings.HasPrefix(path, "/static/") && !strings.HasPrefix(path, "/share/")
		}, from[who]...)
	}
	r.queries()
	r.mails()

	for key := range w.fields {
		if _, ok := r.rows[key]; !ok {
			t.Errorf("the table has no row for %s", key)
		}
	}
	for key := range r.rows {
		if !w.fields[key] {
			t.Errorf("no form has %s, which is in the table", key)
		}
	}
	for row, f := range typedFields {
		if f.showing != "" {
			r.shown(row)
		}
	}
	r.browse()
}

// queries types into every form that searches, and asks for a link to sign in.
func (r *hostileRun) queries() {
	for r.n, r.payload = range payloads {
		for key, row := range r.rows {
			path, name, _ := strings.Cut(strings.TrimPrefix(key, "GET "), ": ")
			if !strings.HasPrefix(key, "GET ") {
				continue
			}
			who := r.admin
			if !strings.HasPrefix(path, "/admin") {
				who = r.visitor
			}
			page := who.open(strings.Replace(path, ":id", strconv.Itoa(r.event), 1))
			for _, f := range page.forms() {
				if f.method == http.MethodGet && routeOf("GET", f.action) == "GET "+path {
					value, _ := typedFields[row].takes(r.payload, markOf(row, r.n))
					if got := who.submit(f, f.action, map[string]string{name: value}); got.status == http.StatusOK {
						r.accepted[markOf(row, r.n)] = value
					}
					break
				}
			}
		}
		if got := r.fill(r.visitor, r.visitor.open("/login"), "/login", nil, nil); got.status != http.StatusOK {
			r.t.Errorf("asking for a link answers %d", got.status)
		}
	}
}

// browse opens pages with hostile text in a browser, so many that it sees each payload that could run on each route.
func (r *hostileRun) browse() {
	b := testkit.NewBrowser(r.t)
	b.AllowConsole("status of 404") // pictures that a text asks for
	b.AllowConsole("status of 409") // forms of what is over
	b.AllowConsole("beforeunload")  // an editor that is left without saving
	seen := map[string]bool{}
	opened := 0
	b.Open(r.p.URL + r.adminLink())
	b.Submit("main form button")
	for _, path := range slices.Sorted(maps.Keys(r.w.worst)) {
		page := r.w.worst[path]
		fresh := false
		for _, m := range mark.FindAllString(string(page.body), -1) {
			n, _ := strconv.Atoi(m[len(m)-2:])
			if key := page.route + payloads[n].name; payloads[n].browser && !seen[key] {
				seen[key], fresh = true, true
			}
		}
		if !fresh || page.route == "GET /login/:token" || page.route == "GET /admin/profile" {
			continue // used up, or of another viewer
		}
		opened++
		b.Open(r.p.URL + path)
		if testkit.Eval[bool](b, "window.pwned !== undefined") {
			r.t.Errorf("%s ran what was typed", path)
		}
	}
	// What is typed into an editor is shown beside it at once, and again from the browser's own copy.
	typed, _ := markdown(payloads[1], "Typed")
	for _, path := range []string{"/admin/posts/new", "/admin/events/new", "/admin/groups/new"} {
		b.Open(r.p.URL + path)
		testkit.Eval[bool](b, fmt.Sprintf(`{const e = document.querySelector("#body"); e.value = %q; e.dispatchEvent(new Event("input", {bubbles: true}))}`, typed))
		for tries := 0; !testkit.Eval[bool](b, `document.querySelector("[data-preview]").textContent.includes("Typed")`); tries++ {
			if tries == 100 {
				r.t.Fatalf("%s shows no preview", path)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if testkit.Eval[bool](b, "window.pwned !== undefined || document.querySelector('[data-preview] [onerror], [data-preview] [onload], [data-preview] [onclick]') !== null") {
			r.t.Errorf("the preview of %s ran what was typed", path)
		}
		b.Open(r.p.URL + path)
		if testkit.Eval[bool](b, "window.pwned !== undefined") {
			r.t.Errorf("%s ran what was typed before", path)
		}
	}
	if opened < 50 {
		r.t.Errorf("the browser opened %d pages only", opened)
	}
}

// adminLink asks for a link to sign in and takes it from the mail.
func (r *hostileRun) adminLink() string {
	page := r.visitor.open("/login")
	r.visitor.submit(page.form(r.t, "/login"), "/login", map[string]string{"email": "ada@example.org"})
	mails := r.p.kept(r.t, "ada@example.org", 1)
	for range 100 {
		for _, m := range mails {
			if link := regexp.MustCompile(`/login/[A-Za-z0-9_-]+`).FindString(strings.ReplaceAll(m, "=\r\n", "")); link != "" {
				return link
			}
		}
		time.Sleep(50 * time.Millisecond)
		mails = r.p.kept(r.t, "ada@example.org", 1)
	}
	r.t.Fatal("no link for the admin")
	return ""
}
