package handlers_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/models"
)

// permission is a row of the matrix: who gets in at a sample of a route's address. Ana is an attendee, Ben an ambassador
// who owns what the samples name, Bob another one, Olu an organiser of the group Berlin, Sam staff, Ada an admin.
type permission struct {
	sample string   // address; empty: the route's own path
	may    string   // names of those who get in; "all" are all, also visitors
	form   []string // pairs of field and value
	status int      // of the answer to those who get in, where the form is refused
}

const (
	signedIn = "ana ben bob olu sam ada"
	atDesk   = "ben bob olu sam ada"
	staff    = "sam ada"
	ownOnly  = "ben sam ada"
	ofBerlin = "olu sam ada"
)

// permissions has a row for every route, by method and path. To add a route, add its row.
var permissions = map[string]permission{
	"GET /metrics":                                 {may: "all"},
	"POST /events/:slug/register":                  {sample: "/events/none/register", may: "all"},
	"GET /registrations/:token":                    {sample: "/registrations/none", may: "all"},
	"GET /registrations/:token/event.ics":          {sample: "/registrations/none/event.ics", may: "all"},
	"POST /registrations/:token/cancellation":      {sample: "/registrations/none/cancellation", may: "all"},
	"GET /login":                                   {may: "all"},
	"POST /login":                                  {may: "all", form: []string{"email", "who@example.org"}},
	"GET /login/:token":                            {sample: "/login/none", may: "all"},
	"POST /login/:token":                           {sample: "/login/none", may: "all"},
	"GET /login/password":                          {may: "all"},
	"POST /login/password":                         {may: "all", form: []string{"email", "who@example.org", "password", "a password of nobody"}},
	"GET /login/passkey":                           {may: "all"},
	"POST /login/passkey":                          {may: "all", form: []string{"challenge", "none", "passkey", "{}"}},
	"GET /account/security/passkeys/new":           {may: signedIn},
	"POST /account/security/passkeys":              {may: signedIn, form: []string{"name", "Phone", "challenge", "none", "passkey", "{}"}, status: http.StatusUnprocessableEntity},
	"GET /account/security/passkeys/:id":           {sample: "/account/security/passkeys/1", may: "ben"},
	"POST /account/security/passkeys/:id":          {sample: "/account/security/passkeys/1", may: "ben", form: []string{"name", "Phone"}},
	"POST /account/security/passkeys/:id/removal":  {sample: "/account/security/passkeys/1/removal", may: "ben"},
	"GET /login/with/:service":                     {sample: "/login/with/none", may: "all"},
	"GET /login/with/:service/callback":            {sample: "/login/with/none/callback", may: "all"},
	"GET /login/second-factor":                     {may: "all"},
	"POST /login/second-factor":                    {may: "all", form: []string{"code", "123456"}},
	"POST /logout":                                 {may: "all"},
	"GET /account/confirm":                         {may: signedIn},
	"POST /account/confirm":                        {may: signedIn, form: []string{"confirm_code", "123456"}, status: http.StatusUnprocessableEntity},
	"POST /account/confirm/link":                   {may: signedIn},
	"GET /account/security":                        {may: signedIn},
	"GET /account/security/password":               {may: signedIn},
	"POST /account/security/password":              {may: signedIn, form: []string{"current", deskPassword, "new", "tall clouds over the harbour"}},
	"POST /account/security/password/removal":      {may: signedIn},
	"GET /account/security/authenticator":          {may: signedIn},
	"POST /account/security/authenticator":         {may: signedIn, form: []string{"nonce", "n", "code", "1"}, status: http.StatusUnprocessableEntity},
	"POST /account/security/authenticator/removal": {may: signedIn},
	"POST /account/security/recovery-codes":        {may: signedIn},
	"GET /account":                                 {may: signedIn},
	"POST /account":                                {may: signedIn, form: []string{"name", "A Name", "timezone", "UTC"}},
	"GET /account/welcome":                         {may: signedIn},
	"POST /account/welcome":                        {may: signedIn},
	"POST /account/sessions/end":                   {may: signedIn},
	"POST /account/sessions/:id/end":               {sample: "/account/sessions/2/end", may: "ben"},
	"GET /admin":                                   {may: atDesk},
	"GET /admin/posts":                             {may: atDesk},
	"POST /admin/posts":                            {may: atDesk, form: []string{"title", "A title", "language", "en"}},
	"GET /admin/posts/new":                         {may: atDesk},
	"GET /admin/posts/:id":                         {sample: "/admin/posts/1", may: ownOnly},
	"POST /admin/posts/:id":                        {sample: "/admin/posts/1", may: ownOnly, form: []string{"title", "A title", "language", "en", "version", "1"}},
	"GET /admin/posts/:id/review":                  {sample: "/admin/posts/1/review", may: ownOnly},
	"POST /admin/posts/:id/submission":             {sample: "/admin/posts/1/submission", may: ownOnly},
	"POST /admin/posts/:id/publication":            {sample: "/admin/posts/2/publication", may: staff},
	"POST /admin/posts/:id/changes":                {sample: "/admin/posts/2/changes", may: staff, form: []string{"comment", "More."}},
	"POST /admin/posts/:id/refusal":                {sample: "/admin/posts/2/refusal", may: staff, form: []string{"comment", "No."}},
	"POST /admin/posts/:id/withdrawal":             {sample: "/admin/posts/4/withdrawal", may: staff},
	"GET /admin/posts/:id/revisions/:revision":     {sample: "/admin/posts/1/revisions/1", may: ownOnly},
	"POST /admin/preview":                          {may: atDesk, form: []string{"body", "Text"}},
	"GET /admin/profile":                           {may: "ben bob"},
	"POST /admin/profile":                          {may: "ben bob", form: []string{"name", "A Name", "version", "1"}},
	"GET /admin/profile/:id":                       {sample: "/admin/profile/1", may: ownOnly},
	"POST /admin/profile/:id":                      {sample: "/admin/profile/1", may: ownOnly, form: []string{"name", "A Name", "version", "1"}},
	"POST /admin/profile/:id/publication":          {sample: "/admin/profile/1/publication", may: staff},
	"GET /admin/people":                            {may: staff},
	"POST /admin/people":                           {may: staff, form: []string{"name", "New", "email", "new@example.org", "role", "ambassador"}},
	"GET /admin/people/new":                        {may: staff},
	"GET /admin/people/:id":                        {sample: "/admin/people/1", may: staff},
	"POST /admin/people/:id/role":                  {sample: "/admin/people/5/role", may: "ada", form: []string{"role", "ambassador", "version", "1"}},
	"POST /admin/people/:id/profile":               {sample: "/admin/people/5/profile", may: staff, form: []string{"profile", "free"}},
	"POST /admin/people/:id/link":                  {sample: "/admin/people/1/link", may: staff},
	"POST /admin/people/:id/factors/reset":         {sample: "/admin/people/5/factors/reset", may: "ada"},
	"POST /admin/people/:id/sessions/end":          {sample: "/admin/people/5/sessions/end", may: "ada"},
	"GET /admin/mail":                              {may: "ada"},
	"GET /admin/mail/:name":                        {sample: "/admin/mail/20200618T164000Z-a.eml", may: "ada"},
	"GET /admin/mail/:name/html":                   {sample: "/admin/mail/20200618T164000Z-a.eml/html", may: "ada"},
	"POST /admin/mail/:id/resend":                  {sample: "/admin/mail/1/resend", may: "ada"},
	"POST /registrations/:token/erasure":           {sample: "/registrations/none/erasure", may: "all"},
	"POST /account/data":                           {may: signedIn},
	"GET /account/erasure":                         {may: signedIn},
	"POST /account/erasure":                        {may: signedIn, form: []string{"sure", "yes"}},
	"GET /admin/people/:id/erasure":                {sample: "/admin/people/1/erasure", may: "ada"},
	"POST /admin/people/:id/erasure":               {sample: "/admin/people/1/erasure", may: "ada", form: []string{"sure", "yes"}},
	"GET /admin/audit":                             {may: staff},
	"GET /admin/settings":                          {may: "ada"},
	"GET /admin/backups":                           {may: "ada"},
	"POST /admin/backups":                          {may: "ada"},
	"POST /admin/backups/plan":                     {may: "ada", form: []string{"every", "24", "hour", "3", "daily", "7", "weekly", "4"}},
	"GET /admin/backups/:id/file":                  {sample: "/admin/backups/1/file", may: "ada"},
	"POST /admin/backups/:id/deletion":             {sample: "/admin/backups/1/deletion", may: "ada"},
	"GET /admin/setup":                             {may: "ada"},
	"POST /admin/setup":                            {may: "ada", form: []string{"step", "mail"}},
	"POST /admin/setup/mail":                       {may: "ada"},
	"POST /admin/setup/sample":                     {may: "ada"},
	"GET /admin/health":                            {may: "ada"},
	"POST /admin/health/pages":                     {may: "ada"},
	"POST /admin/settings/retention":               {may: "ada", form: []string{"attendee_days", "365", "mail_days", "90", "audit_days", "730"}},
	"POST /admin/settings/second-factor":           {may: "ada"},
	"POST /admin/settings":                         {may: "ada", form: siteForm()},
	"POST /admin/posts/:id/revisions/:revision/restoration": {
		sample: "/admin/posts/1/revisions/1/restoration", may: ownOnly, form: []string{"version", "1"},
	},
	"GET /admin/events":                                    {may: atDesk},
	"POST /admin/events":                                   {may: ofBerlin, form: eventFields()},
	"GET /admin/events/new":                                {may: ofBerlin},
	"GET /admin/events/:id":                                {sample: "/admin/events/1", may: ofBerlin},
	"POST /admin/events/:id":                               {sample: "/admin/events/2", may: ofBerlin, form: eventFields("version", "1")},
	"GET /admin/events/:id/preview":                        {sample: "/admin/events/2/preview", may: ofBerlin},
	"GET /admin/events/:id/publication":                    {sample: "/admin/events/2/publication", may: ofBerlin},
	"POST /admin/events/:id/publication":                   {sample: "/admin/events/2/publication", may: ofBerlin},
	"GET /admin/events/:id/cancellation":                   {sample: "/admin/events/1/cancellation", may: ofBerlin},
	"POST /admin/events/:id/cancellation":                  {sample: "/admin/events/1/cancellation", may: ofBerlin, form: []string{"reason", "No room"}},
	"GET /admin/events/:id/attendees":                      {sample: "/admin/events/1/attendees", may: ofBerlin},
	"GET /admin/events/:id/attendees.csv":                  {sample: "/admin/events/1/attendees.csv", may: ofBerlin},
	"GET /admin/groups":                                    {may: atDesk},
	"POST /admin/groups":                                   {may: staff, form: groupForm},
	"GET /admin/groups/new":                                {may: staff},
	"GET /admin/groups/:id":                                {sample: "/admin/groups/1", may: ofBerlin},
	"POST /admin/groups/:id":                               {sample: "/admin/groups/1", may: ofBerlin, form: append([]string{"version", "1"}, groupForm...)},
	"POST /admin/groups/:id/status":                        {sample: "/admin/groups/1/status", may: staff, form: []string{"status", "delisted"}},
	"POST /admin/groups/:id/organisers":                    {sample: "/admin/groups/1/organisers", may: staff, form: []string{"organiser", "ben@example.org"}},
	"POST /admin/groups/:id/organisers/:organiser/removal": {sample: "/admin/groups/1/organisers/1/removal", may: staff},
	"GET /admin/events/:id/attendees/:registration/cancellation": {
		sample: "/admin/events/1/attendees/1/cancellation", may: ofBerlin,
	},
	"GET /admin/events/:id/attendees/:registration/erasure": {
		sample: "/admin/events/1/attendees/2/erasure", may: "ada",
	},
	"POST /admin/events/:id/attendees/:registration/erasure": {
		sample: "/admin/events/1/attendees/2/erasure", may: "ada",
	},
	"POST /admin/events/:id/attendees/:registration/cancellation": {
		sample: "/admin/events/1/attendees/1/cancellation", may: ofBerlin,
	},
}

// publicPages are the routes that only read what is public: everybody gets the same answer.
var publicPages = strings.Fields(`
	/ /healthz /readyz /static/:name /static/:folder/:name /robots.txt /sitemap.xml /sitemap-:part<int>.xml /manifest.webmanifest
	/.well-known/security.txt /share/* /search /feeds /media/:name
	/blog /blog/:slug /blog/category/:slug /blog/tag/:slug /blog/author/:slug /blog/series/:slug
	/ambassadors /ambassadors/apply /ambassadors/cohorts/:slug /ambassadors/:slug /groups /groups/:slug
	/events /events/past /events.ics /events/:slug.ics /events/:slug /events/:slug/register /ambassadors/:slug/events.ics /groups/:slug/events.ics
	/feed /feed/* /category/* /tag/* /author/* /blog/:year<int>/:month<int>/:day<int>/* /:year<int>/:month<int>/:day<int>/* /*`)

// samples stand for the parameters of public pages.
var samples = strings.NewReplacer(":name", "none", ":folder", "js", ":part<int>", "1", ":kind", "posts", ":slug", "none",
	":year<int>", "2020", ":month<int>", "06", ":day<int>", "18", "*", "none")

func isPublicPage(r handlers.Route) bool {
	return r.Method == http.MethodGet && (slices.Contains(publicPages, r.Path) || strings.Contains(r.Path, "/feed."))
}

// newPermissionWorld is a world that holds what the samples name.
func newPermissionWorld(t *testing.T) *deskWorld {
	t.Helper()
	w := newDeskWorld(t)
	ctx := context.Background()
	write := func(title string) models.Post {
		p, err := w.store.CreatePost(ctx, w.viewers["ben"], models.PostEdit{Title: title, Markdown: "Text.", Language: "en", Licence: "CC-BY-4.0"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("A draft")
	for _, title := range []string{"Submitted", "Submitted as well", "Published"} {
		if err := w.store.Submit(ctx, w.viewers["ben"], write(title).ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	w.exec("UPDATE posts SET status = 'published', publish_at = ? WHERE id = 4", w.store.Now())
	w.exec("UPDATE ambassadors SET markdown = 'Words.' WHERE id = 1")
	w.exec(`INSERT INTO ambassadors (slug, status, name, created_at, updated_at) VALUES ('free', 'published', 'Free', ?, ?)`, w.store.Now(), w.store.Now())
	w.exec("UPDATE mails SET failed_at = ? WHERE id = 1", w.store.Now())
	if err := w.kept.Send(ctx, mail.Message{
		ID: "a", From: mail.Address{Email: "cdf@example.org"}, To: mail.Address{Email: "ben@example.org"}, Subject: "A link", Text: "A link.", HTML: "<p>A link</p>", Date: w.store.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	w.exec("INSERT INTO passwords (user_id, hash, created_at) SELECT id, ?, ? FROM users", deskPasswordHash(t), w.store.Now())
	w.exec("INSERT INTO authenticators (user_id, nonce, last_step, created_at) SELECT id, 'nonce', 0, ? FROM users", w.store.Now())
	w.exec(`INSERT INTO passkeys (id, user_id, name, credential_id, handle, credential, created_at) VALUES (1, 2, 'Key', 'key', 'ben', '{"id":"a2V5"}', ?)`, w.store.Now())
	w.backedUp(models.BackupGood, "", time.Hour)
	w.exec("UPDATE backups SET file = 'portal.zip'")
	if err := os.WriteFile(filepath.Join(w.backups, "portal.zip"), []byte("a backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.event()
	w.attend("pipelines-as-a-product", "Ada Example", "ada@example.net")
	w.attend("pipelines-as-a-product", "Bea Example", "bea@example.net")
	if err := w.store.CancelAttendee(ctx, w.viewers["ada"], 1, 2); err != nil {
		t.Fatal(err)
	}
	w.leads(w.post("olu", "/admin/events", eventFields("title", "Still a draft")...), "/admin/events/")
	return w
}

func TestEveryRouteIsOpenToThoseWhoMay(t *testing.T) {
	w := newPermissionWorld(t)
	people := []string{"", "ana", "ben", "bob", "olu", "sam", "ada"}
	known := map[string]bool{}
	for _, route := range handlers.Routes() {
		key := route.Method + " " + route.Path
		known[key] = true
		row, found := permissions[key]
		switch {
		case isPublicPage(route):
			row = permission{sample: samples.Replace(route.Path), may: "all"}
		case !found:
			t.Errorf("%s has no row: say who may", key)
			continue
		}
		if row.sample == "" {
			row.sample = route.Path
		}
		first := 0
		for _, person := range people {
			var answer deskAnswer
			if route.Method == http.MethodGet {
				answer = w.get(person, row.sample)
			} else {
				answer = w.post(person, row.sample, row.form...)
			}
			toLogin := answer.StatusCode == http.StatusSeeOther && strings.HasPrefix(answer.Header.Get("Location"), "/login")
			name := person
			if person == "" {
				name = "a visitor"
			}
			switch {
			case row.may == "all":
				if first == 0 {
					first = answer.StatusCode
				}
				if toLogin || answer.StatusCode != first && route.Path != "/login" && route.Path != "/login/password" || answer.StatusCode == http.StatusForbidden {
					t.Errorf("%s: %s gets %d, the first got %d", key, name, answer.StatusCode, first)
				}
			case slices.Contains(strings.Fields(row.may), person):
				if toLogin || answer.StatusCode >= http.StatusBadRequest && answer.StatusCode != row.status {
					t.Errorf("%s: %s may, but gets %d", key, name, answer.StatusCode)
				}
			case person == "":
				if !toLogin {
					t.Errorf("%s: a visitor is not led to the sign-in but gets %d", key, answer.StatusCode)
				}
			case answer.StatusCode != http.StatusNotFound:
				t.Errorf("%s: %s may not, but gets %d", key, name, answer.StatusCode)
			case strings.HasPrefix(route.Path, "/admin/") && w.viewers[person].Can(models.UseDesk, models.Object{}) != bytes.Contains(answer.body, []byte("Back to the desk")):
				t.Errorf("%s: %s is refused in the wrong frame", key, name)
			}
			if route.Method != http.MethodGet && answer.StatusCode < http.StatusBadRequest && !toLogin {
				w = newPermissionWorld(t)
			}
		}
	}
	for key := range permissions {
		if !known[key] {
			t.Errorf("%s has a row but is no route", key)
		}
	}
}

func TestWhatHasGreatEffectAsksForAFreshProof(t *testing.T) {
	w := newPermissionWorld(t)
	w.clock.Advance(16 * time.Minute)
	asked := map[string]bool{}
	for _, route := range handlers.Routes() {
		key := route.Method + " " + route.Path
		row := permissions[key]
		if !route.Fresh {
			continue
		}
		if row.sample == "" {
			row.sample = route.Path
		}
		asked[key] = true
		for _, person := range []string{"", "ana", "ben", "bob", "olu", "sam", "ada"} {
			before := w.changes()
			var answer deskAnswer
			if route.Method == http.MethodGet {
				answer = w.get(person, row.sample)
			} else {
				answer = w.post(person, row.sample, row.form...)
			}
			led := strings.HasPrefix(answer.Header.Get("Location"), "/account/confirm?next="+url.QueryEscape(row.sample))
			switch {
			case person == "":
				if !strings.HasPrefix(answer.Header.Get("Location"), "/login") {
					t.Errorf("%s: a visitor gets %d", key, answer.StatusCode)
				}
			case !slices.Contains(atRoute(route.Who), person):
				if answer.StatusCode != http.StatusNotFound {
					t.Errorf("%s: %s may not, but gets %d", key, person, answer.StatusCode)
				}
			case route.Method == http.MethodGet && !led, route.Method == http.MethodPost && answer.StatusCode != http.StatusForbidden:
				t.Errorf("%s: %s is not asked but gets %d, %q", key, person, answer.StatusCode, answer.Header.Get("Location"))
			}
			if after := w.changes(); after != before {
				t.Errorf("%s: %s changed something without a proof", key, person)
			}
		}
	}
	for _, key := range []string{
		"GET /admin/events/:id/attendees.csv", "POST /admin/people", "POST /admin/people/:id/role", "POST /admin/people/:id/factors/reset",
		"POST /admin/groups/:id/organisers", "POST /admin/people/:id/profile", "POST /account/security/password", "POST /account/security/authenticator",
	} {
		if !asked[key] {
			t.Errorf("%s asks for no fresh proof", key)
		}
	}
}

// atRoute are the people who pass a route's own check; the object may refuse some of them later.
func atRoute(who handlers.Who) []string {
	return strings.Fields(map[handlers.Who]string{handlers.SignedIn: signedIn, handlers.DeskUser: atDesk, handlers.Staff: staff, handlers.Admin: "ada"}[who])
}
