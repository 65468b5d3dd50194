package handlers_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/models"
)

// unzip reads every file of an archive.
func unzip(t *testing.T, body []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name, ".json") && !json.Valid(content) {
			t.Errorf("%s is no JSON", f.Name)
		}
		files[f.Name] = string(content)
	}
	return files
}

func TestWhoTakesTheirDataAlongGetsAllOfTheirsAndNothingOfOthers(t *testing.T) {
	w := newDeskWorld(t)
	w.event()
	// Bob has Ben's name, an address that looks like his, and did the same.
	w.exec("UPDATE users SET name = 'Ben Example', email = 'ben@example.com', email_key = 'ben@example.com' WHERE email = 'bob@example.org'")
	for person, address := range map[string]string{"ben": "Ben+cdf@example.org", "bob": "ben@example.com"} {
		w.attend("pipelines-as-a-product", "Ben Example", address)
		w.leads(w.upload(person, "/admin/posts", "cover", picture(t), postForm("title", "Three ways of "+person, "body", "Words of "+person, "cover_alt", "A pipe of "+person)...), "/admin/posts/")
		w.leads(w.post(person, "/admin/profile", "name", "Ben Example", "version", "1", "bio", "Grows pipelines as "+person), "/admin/profile")
	}
	w.leads(w.post("sam", "/admin/posts", postForm("title", "A third one’s", "body", "Words of sam")...), "/admin/posts/")

	answer := w.post("ben", "/account/data")
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/zip" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d, %v", answer.StatusCode, answer.Header)
	}
	files := unzip(t, answer.body)
	for name, wants := range map[string][]string{
		"README.txt":                 {"account.json"},
		"account.json":               {`"email": "ben@example.org"`, `"since": "2020-06-18T16:40:00Z"`},
		"profile.json":               {"Grows pipelines as ben"},
		"registrations.json":         {`"email": "Ben+cdf@example.org"`, `"what": "code-of-conduct"`, `"status": "confirmed"`},
		"sessions.json":              {"Firefox/1 Linux"},
		"mails.json":                 {`"kind": "registered"`, `"state": "waiting"`},
		"activity.json":              {`"action": "post.create"`, `"action": "registration.create"`, `"by": "command"`},
		"pictures.json":              {"A pipe of ben"},
		"posts/three-ways-of-ben.md": {`title: "Three ways of ben"`, "\n---\n\nWords of ben\n"},
	} {
		for _, want := range wants {
			if !strings.Contains(files[name], want) {
				t.Errorf("%s lacks %s:\n%s", name, want, files[name])
			}
		}
	}
	pictures := 0
	for name, content := range files {
		if strings.HasPrefix(name, "pictures/") {
			pictures++
			if !strings.HasPrefix(http.DetectContentType([]byte(content)), "image/") {
				t.Errorf("%s is no picture", name)
			}
			continue
		}
		for _, foreign := range []string{"example.com", "bob", "sam", "Sam", w.cookies["ben"], "token"} {
			if strings.Contains(content, foreign) {
				t.Errorf("%s says %q:\n%s", name, foreign, content)
			}
		}
		if strings.Count(content, "Ben+cdf@example.org") > 1 && name == "registrations.json" {
			t.Errorf("%s holds more than one registration", name)
		}
	}
	if pictures != 1 {
		t.Errorf("%d pictures, want his one", pictures)
	}
	var logged int
	if w.scan(&logged, "SELECT count(*) FROM audit_entries WHERE action = 'user.export' AND user_id = ?", w.viewers["ben"].UserID); logged != 1 {
		t.Errorf("logged %d times", logged)
	}
	if len(unzip(t, w.post("ana", "/account/data").body)) < 3 {
		t.Error("who did nothing gets nothing")
	}
}

// picture is a small PNG.
func picture(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "static", "img", "apple-touch-icon.png"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestAPersonErasesTheirAccount(t *testing.T) {
	w := newDeskWorld(t)
	w.event()
	w.attend("pipelines-as-a-product", "Ana Example", "ana@example.org")
	account := w.page(w.get("ana", "/account"), http.StatusOK)
	if !account.Has(`form[action="/account/data"] button`) || !strings.Contains(account.Text("[aria-labelledby=agreed]"), "Code of conduct") {
		t.Errorf("the account offers %q", account.Text("main"))
	}
	ticket := account.Attr("[aria-labelledby=agreed] a", "href")
	if withdraw := w.page(w.get("", ticket), http.StatusOK); !withdraw.Has(`form[action$="/cancellation"]`) {
		t.Error("the agreement cannot be withdrawn")
	}
	ask := w.page(w.get("ana", account.Attr(`a[href="/account/erasure"]`, "href")), http.StatusOK)
	if goes := ask.Text("[aria-labelledby=goes]"); !strings.Contains(goes, "Your account") || !strings.Contains(goes, "Your place at Pipelines as a product") || !strings.Contains(goes, "1 registration") {
		t.Errorf("what goes: %q", goes)
	}
	again := w.page(w.post("ana", "/account/erasure"), http.StatusUnprocessableEntity)
	if again.Text("#sure-error") == "" || again.Attr("[data-error-summary] a", "href") != "#sure" {
		t.Error("the box is not asked for")
	}
	answer := w.post("ana", "/account/erasure", "sure", "yes")
	w.leads(answer, "/")
	if w.cookie(answer, "session") != "" || w.cookie(answer, "flash") != "account-erased" {
		t.Errorf("cookies %v", answer.Cookies())
	}
	w.leads(w.get("ana", "/account"), "/login")
	w.page(w.get("", ticket), http.StatusNotFound)
	var left int
	if w.scan(&left, "SELECT count(*) FROM users WHERE name LIKE 'Ana%'"); left != 0 {
		t.Error("the account is there still")
	}
	last := w.page(w.get("ada", "/account/erasure"), http.StatusOK)
	if last.Has("main form") || !strings.Contains(last.Text("main"), "last admin") {
		t.Errorf("the last admin is told %q", last.Text("main"))
	}
	w.leads(w.post("ada", "/account/erasure", "sure", "yes"), "/account/erasure")
}

func TestARegistrationIsErasedFromItsOwnPageWhenItsPlaceIsGone(t *testing.T) {
	w := newDeskWorld(t)
	w.event()
	w.attend("pipelines-as-a-product", "Rita Example", "rita@example.org")
	var r models.Registration
	w.scan(&r, "SELECT * FROM registrations")
	path := "/registrations/" + w.store.RegistrationToken(r)
	if w.page(w.get("", path), http.StatusOK).Has(`form[action$="/erasure"]`) {
		t.Error("a held place can be erased")
	}
	w.page(w.post("", path+"/erasure"), http.StatusConflict)
	w.leads(w.post("", path+"/cancellation"), path)
	if !w.page(w.get("", path), http.StatusOK).Has(`form[action="` + path + `/erasure"]`) {
		t.Error("a cancelled place cannot be erased")
	}
	answer := w.post("", path+"/erasure")
	w.leads(answer, "/events/pipelines-as-a-product")
	if w.cookie(answer, "flash") != "place-erased" {
		t.Error("nothing says that it is done")
	}
	w.page(w.get("", path), http.StatusNotFound)
	list := w.page(w.get("olu", "/admin/events/1/attendees?show=.cancelled"), http.StatusOK)
	if list.Text("tbody .name") != "Erased" || list.Has(`tbody a`) {
		t.Errorf("the organiser sees %q", list.Text("tbody"))
	}
	if table := w.get("olu", "/admin/events/1/attendees.csv"); strings.Contains(string(table.body), "rita") || !strings.Contains(string(table.body), "cancelled") {
		t.Errorf("the table says %s", table.body)
	}
}

func TestAnAdminErasesOnRequest(t *testing.T) {
	w := newDeskWorld(t)
	w.event()
	w.attend("pipelines-as-a-product", "Rita Example", "rita@example.org")
	w.leads(w.post("olu", "/admin/events/1/attendees/1/cancellation"), "/admin/events/1/attendees")
	if w.page(w.get("sam", "/admin/events/1/attendees?show=.cancelled"), http.StatusOK).Has(`a[href$="/erasure"]`) {
		t.Error("staff are offered to erase")
	}
	ask := w.page(w.get("ada", "/admin/events/1/attendees?show=.cancelled"), http.StatusOK).Attr(`a[href$="/erasure"]`, "href")
	if words := w.page(w.get("ada", ask), http.StatusOK).Text("main"); !strings.Contains(words, "rita@example.org") {
		t.Errorf("asked %q", words)
	}
	w.leads(w.post("ada", ask), "/admin/events/1/attendees")
	w.page(w.get("ada", ask), http.StatusNotFound)

	person := w.page(w.get("ada", "/admin/people/1"), http.StatusOK)
	if w.page(w.get("sam", "/admin/people/1"), http.StatusOK).Has(`a[href$="/erasure"]`) {
		t.Error("staff are offered to erase an account")
	}
	if history := w.page(w.get("sam", "/admin/people/1"), http.StatusOK).Attr(`a[href^="/admin/audit"]`, "href"); w.page(w.get("sam", history), http.StatusOK).Text("h1") != "Audit log" {
		t.Error("staff are not led to what an account did")
	}
	w.page(w.get("ada", person.Attr(`a[href$="/erasure"]`, "href")), http.StatusOK)
	w.page(w.post("ada", "/admin/people/1/erasure"), http.StatusUnprocessableEntity)
	w.leads(w.post("ada", "/admin/people/1/erasure", "sure", "yes"), "/admin/people")
	w.page(w.get("ada", "/admin/people/1"), http.StatusNotFound)
	log := w.page(w.get("ada", "/admin/audit?who=ada"), http.StatusOK)
	if words := log.Texts("tbody .what"); len(words) < 2 || words[0] != "erased the account no. 1" || words[1] != "erased name and address of a place at Pipelines as a product" {
		t.Errorf("the log says %q", words)
	}
	for _, word := range []string{"Rita", "rita", "Ana"} {
		if strings.Contains(w.page(w.get("ada", "/admin/audit"), http.StatusOK).Text("main"), word) {
			t.Errorf("the log names %s", word)
		}
	}
}

func TestTheAuditLogIsReadSearchedAndPaged(t *testing.T) {
	w := newDeskWorld(t)
	w.event()
	w.leads(w.post("ben", "/admin/posts", postForm("title", "Three ways", "body", "Text")...), "/admin/posts/1")
	w.leads(w.post("sam", "/admin/people/1/role", "role", "ambassador", "version", "1"), "/admin/people/1")
	page := w.page(w.get("ada", "/admin/audit"), http.StatusOK)
	first := page.All("tbody tr")[0]
	if first.Text(".name") != "Sam Example" || first.Text(".what") != "changed the role of Ana Example attendee → ambassador" || first.Attr(".what a", "href") != "/admin/people/1" {
		t.Errorf("first line: %q, %q", first.Text(".name"), first.Text(".what"))
	}
	history := w.page(w.get("ada", first.Attr(".act a", "href")), http.StatusOK)
	if words := history.Texts("tbody .what"); len(words) != 2 || history.Attr("#number", "value") != "1" || !history.Has(`#subject option[value=users][selected]`) {
		t.Errorf("its history: %q", words)
	}
	for query, want := range map[string]int{
		"?who=ben": 2, "?action=post.create": 1, "?subject=posts&number=1": 1, "?from=2020-06-18&to=2020-06-18&action=post.create": 1, "?to=2020-06-17": 0, "?from=2020-06-19": 0,
	} {
		if got := w.page(w.get("ada", "/admin/audit"+query), http.StatusOK).Count("tbody tr"); got != want {
			t.Errorf("%s lists %d, want %d", query, got, want)
		}
	}
	if empty := w.page(w.get("ada", "/admin/audit?who=nobody"), http.StatusOK).Text(".empty"); !strings.Contains(empty, "“nobody”") {
		t.Errorf("nothing found says %q", empty)
	}
	for _, query := range []string{"?action=x", "?subject=users'--", "?before=x", "?before=-1"} {
		w.page(w.get("ada", "/admin/audit"+query), http.StatusNotFound)
	}
	wrong := w.page(w.get("ada", "/admin/audit?from=1.5.2020&number=one&who=ben"), http.StatusUnprocessableEntity)
	if wrong.Count("[data-error-summary] a") != 2 || wrong.Attr("#from", "value") != "1.5.2020" || wrong.Attr("#who", "value") != "ben" {
		t.Error("a mistyped day is not told, or what was typed is lost")
	}

	for range 60 {
		w.exec("INSERT INTO audit_entries (actor, action, subject, subject_id, created_at) VALUES ('command', 'content.import', 'pages', 1, ?)", w.store.Now())
	}
	newest := w.page(w.get("ada", "/admin/audit?action=content.import"), http.StatusOK)
	if newest.Count("tbody tr") != 50 || newest.Has("nav.pager a:not([rel=next])") {
		t.Error("the first page is not the newest 50")
	}
	older := w.page(w.get("ada", newest.Attr("nav.pager [rel=next]", "href")), http.StatusOK)
	if older.Count("tbody tr") != 10 || older.Has("nav.pager [rel=next]") || older.Attr("nav.pager a", "href") != "/admin/audit?action=content.import" {
		t.Errorf("the second page holds %d", older.Count("tbody tr"))
	}
}

func TestEveryActionOfTheAuditLogHasWords(t *testing.T) {
	w := newDeskWorld(t)
	known := map[string]bool{}
	for _, option := range w.page(w.get("ada", "/admin/audit"), http.StatusOK).All("#action option") {
		known[option.Attr(":scope", "value")] = true
	}
	literal, actionLine := regexp.MustCompile(`"([a-z_]+\.[a-z_]+)"`), regexp.MustCompile(`audit|changeSetup|SecurityChange += `)
	files, err := filepath.Glob(filepath.Join("..", "models", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(source)) {
			if !actionLine.MatchString(line) || strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, match := range literal.FindAllStringSubmatch(line, -1) {
				found++
				if !known[match[1]] {
					t.Errorf("%s: %s has no words: add them to auditWords", filepath.Base(file), match[1])
				}
			}
		}
	}
	if !known["setting.second_factor_required"] {
		t.Error("the rule for second factors has no words")
	}
	if found < 30 {
		t.Errorf("only %d actions were found in the source", found)
	}
}
