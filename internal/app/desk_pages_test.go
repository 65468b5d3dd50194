package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/testkit"
)

// send posts a form as the page that the browser shows would, and returns the path where it led.
func send(t *testing.T, b *testkit.Browser, to string, fields ...[2]string) string {
	t.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	answer := testkit.Eval[[]string](b, fmt.Sprintf(
		`fetch(%q, {method: "POST", body: new URLSearchParams(%s)}).then(async r => [String(r.status), new URL(r.url).pathname, await r.text()])`, to, body))
	if answer[0] != "200" {
		t.Fatalf("POST %s led to %s with %s: %s", to, answer[1], answer[0], testkit.Parse(t, []byte(answer[2])).Text("main .summary"))
	}
	return answer[1]
}

// linked opens a page and returns the path of the first link that matches.
func linked(t *testing.T, b *testkit.Browser, page, selector string) string {
	t.Helper()
	b.Open(page)
	return testkit.Eval[string](b, fmt.Sprintf(`document.querySelector(%q).pathname`, selector))
}

var parameter = regexp.MustCompile(`:[a-z]+`)

// deskPages fills the portal so that each page of the desk has something to show, and returns their addresses for somebody
// who is an admin, has a profile and runs a group: every GET route of the desk, and states that a route alone does not tell.
func deskPages(t *testing.T, p *portal, b *testkit.Browser) []string {
	t.Helper()
	post := path.Dir(send(t, b, "/admin/posts", [2]string{"version", "0"}, [2]string{"title", "Ein Softwarelieferkettensicherheitsverfahren"},
		[2]string{"body", "## Erst prüfen\n\n![](a.png)\n\n| A | B |\n|---|---|\n| 1 | 2 |"}, [2]string{"language", "de"}, [2]string{"licence", "CC-BY-4.0"}, [2]string{"byline_name", "Ada Example"}, [2]string{"intent", "review"}))
	revision := linked(t, b, p.URL+post+"/review", `main a[href*="/revisions/"]`)
	draft := send(t, b, "/admin/events", [2]string{"version", "0"}, [2]string{"title", "Triggers by example"}, [2]string{"kind", "meetup"},
		[2]string{"mode", "online"}, [2]string{"language", "en"}, [2]string{"text_language", "en"}, [2]string{"timezone", "UTC"}, [2]string{"starts", "2099-03-04T18:30"},
		[2]string{"ends", "2099-03-04T21:00"}, [2]string{"precision", "minute"}, [2]string{"registration", "none"}, [2]string{"choose", "one"})
	b.Open(p.URL + "/events/krakow-supply-chain-hackathon/register")
	ticket := send(t, b, "/events/krakow-supply-chain-hackathon/register", [2]string{"name", "נועה דוגמה"}, [2]string{"email", "noa@example.org"},
		[2]string{"tickets", "build"}, [2]string{"tickets", "learn"}, [2]string{"consent", "yes"})
	p.kept(t, "noa@example.org", 1)
	gone := send(t, b, "/events/krakow-supply-chain-hackathon/register", [2]string{"name", "Softwarelieferkettensicherheitsverfahrensbeauftragte"}, [2]string{"email", "gone@example.org"},
		[2]string{"tickets", "build"}, [2]string{"consent", "yes"})
	send(t, b, gone+"/cancellation")
	attendees := linked(t, b, p.URL+"/admin/events?q=Supply+Chain", `main a[href$="/attendees"]`)
	ids := map[string]string{
		"/account/welcome":                                       "", // only the first admin's, and only once
		"/account/security/passkeys/new":                         "", // not at an IP address; TestBrowserPasskey has both
		"/account/security/passkeys/:id":                         "",
		"/admin/posts/:id":                                       post,
		"/admin/posts/:id/review":                                post + "/review",
		"/admin/posts/:id/revisions/:revision":                   revision,
		"/admin/profile/:id":                                     "/admin/profile/1",
		"/admin/people/:id":                                      linked(t, b, p.URL+"/admin/people?q=ada", "td.name a"),
		"/admin/mail/:name":                                      linked(t, b, p.URL+"/admin/mail", "td.name a"),
		"/admin/mail/:name/html":                                 "", // a mail is no page of the site
		"/admin/backups/:id/file":                                "", // an archive
		"/admin/events/:id":                                      path.Dir(attendees),
		"/admin/events/:id/preview":                              draft + "/preview",
		"/admin/events/:id/publication":                          draft + "/publication",
		"/admin/events/:id/cancellation":                         path.Dir(attendees) + "/cancellation",
		"/admin/events/:id/attendees.csv":                        "", // a table
		"/admin/events/:id/attendees":                            attendees,
		"/admin/events/:id/attendees/:registration/cancellation": linked(t, b, p.URL+attendees, `main a[href$="/cancellation"]`),
		"/admin/groups/:id":                                      "/admin/groups/1",
		"/admin/people/:id/erasure":                              linked(t, b, p.URL+"/admin/people?q=ada", "td.name a") + "/erasure",
		"/admin/events/:id/attendees/:registration/erasure":      linked(t, b, p.URL+attendees+"?show=.cancelled", `main a[href$="/erasure"]`),
	}
	pages := []string{
		"/login", "/login/password", ticket, gone, "/admin/posts?q=Software", "/admin/posts?q=zzzz", "/admin/mail?state=sent", "/admin/mail?state=failed", draft, draft + "/attendees",
		attendees + "?show=.cancelled", "/admin/audit?who=zzzz", "/admin/audit?subject=posts&number=1",
	}
	for _, route := range handlers.Routes() {
		known, exception := ids[route.Path]
		switch {
		case route.Method != http.MethodGet || slices.Contains([]handlers.Who{handlers.Anyone, handlers.Holder, handlers.Near}, route.Who):
		case exception && known == "":
		case exception:
			pages = append(pages, known)
		case parameter.MatchString(route.Path):
			t.Errorf("%s is a new page of the desk: say here what an address of it is", route.Path)
		default:
			pages = append(pages, route.Path)
		}
	}
	return pages
}

func TestBrowserDeskIsAccessible(t *testing.T) {
	t.Parallel()
	p := serve(t)
	code, link, errOut := p.run("user", "add", "--email", "ada@example.org", "--name", "Ada Example", "--role", "admin", "--profile", "helen-beal", "--group", "berlin")
	if code != 0 {
		t.Fatal(errOut)
	}
	b := testkit.NewBrowser(t)
	b.Resize(1440, 900)
	sources := map[string][]byte{}
	look := func(at string) {
		sources[at] = []byte(testkit.Eval[string](b, `fetch(location.href).then(r => r.text())`))
		b.Resize(390, 800)
		if wide := testkit.Eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
			t.Errorf("%s is %d pixels wider than a phone", at, wide)
		}
		b.Resize(1440, 900)
		for _, violation := range inaccessible(b) {
			t.Errorf("%s: %s", at, violation)
		}
	}
	b.Open(p.FirstAdmin)
	b.Submit("main form button")
	look("/account/welcome")
	b.Open(p.URL + "/login/" + path.Base(strings.TrimSpace(link)))
	b.Submit("main form button")
	for _, at := range deskPages(t, p, b) {
		if status := b.Open(p.URL + at); status != 200 {
			t.Errorf("%s answers %d", at, status)
			continue
		}
		look(at)
	}
	testkit.CheckHTML(t, sources)
}
