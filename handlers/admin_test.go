package handlers_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// postForm is what the editor's form holds, with some fields set otherwise.
func postForm(set ...string) []string {
	return append(set, "language", "en", "licence", "CC-BY-4.0")
}

func TestTheEditor(t *testing.T) {
	t.Run("a post goes from the author to the readers", func(t *testing.T) {
		w := newDeskWorld(t)
		path := w.leads(w.post("ben", "/admin/posts", postForm("title", "Three ways", "body", "Text with ![](x.png)", "tags", "go, tests")...), "/admin/posts/1")
		page := w.page(w.get("ben", path), http.StatusOK)
		if page.Attr("#slug", "value") != "three-ways" || page.Attr("#tags", "value") != "go, tests" || page.Text("#body") != "Text with ![](x.png)" {
			t.Error("the form does not hold what was saved")
		}
		if page.Text(".preview-body .prose") == "" || !strings.Contains(page.Text("[data-findings]"), "Go to line 1") {
			t.Errorf("preview %q, findings %q", page.Text(".preview-body .prose"), page.Text("[data-findings]"))
		}
		w.leads(w.post("ben", path, postForm("version", "1", "intent", "submit", "title", "Three ways", "body", "Text")...), path+"/review")
		if what := w.page(w.get("sam", "/admin"), http.StatusOK).Text(".need b"); what != "“Three ways” waits for review" {
			t.Errorf("staff are told %q", what)
		}
		w.page(w.post("sam", path+"/changes", "comment", " "), http.StatusUnprocessableEntity)
		w.leads(w.post("sam", path+"/changes", "comment", "Say more."), path+"/review")
		if why := w.page(w.get("ben", "/admin"), http.StatusOK).Text(".need small"); why != "Say more." {
			t.Errorf("the author is told %q", why)
		}
		w.leads(w.post("ben", path+"/submission"), path+"/review")
		if page := w.page(w.get("ben", path+"/review"), http.StatusOK); page.Has(`form[action$="/publication"]`) {
			t.Error("the author may publish")
		}
		review := w.page(w.get("sam", path+"/review"), http.StatusOK)
		w.page(w.post("sam", path+"/publication", "version", "1"), http.StatusConflict)
		w.page(w.post("sam", path+"/publication", "version", review.Attr("[name=version]", "value"), "when", "later", "publish_at", "2020-01-01T10:00"), http.StatusUnprocessableEntity)
		w.leads(w.post("sam", path+"/publication", "version", review.Attr("[name=version]", "value"), "when", "now"), path+"/review")
		w.page(w.get("", "/blog/three-ways"), http.StatusOK)
		w.leads(w.get("ben", path), path+"/review")
		if page := w.page(w.get("ben", path+"/review"), http.StatusOK); !strings.Contains(page.Text("main aside"), "only staff change") {
			t.Error("the author is not told why")
		}
		w.leads(w.post("sam", path+"/withdrawal"), path+"/review")
		w.page(w.get("", "/blog/three-ways"), http.StatusGone)
	})

	t.Run("a post for later is called scheduled, not published", func(t *testing.T) {
		w := newDeskWorld(t)
		w.leads(w.post("sam", "/admin/posts", postForm("title", "Later", "body", "Text")...), "/admin/posts/1")
		w.leads(w.post("sam", "/admin/posts/1/publication", "version", "1", "when", "later", "publish_at", "2030-05-12T09:00"), "/admin/posts/1/review")
		if done := w.page(w.get("sam", "/admin/posts/1/review"), http.StatusOK).Text("main"); !strings.Contains(done, "scheduled it") || strings.Contains(done, "published it") {
			t.Errorf("the history says %q", done)
		}
	})

	t.Run("a stale save shows both texts and loses none", func(t *testing.T) {
		w := newDeskWorld(t)
		w.leads(w.post("ben", "/admin/posts", postForm("title", "Two", "body", "Common\nOld")...), "/admin/posts/1")
		w.leads(w.post("sam", "/admin/posts/1", postForm("version", "1", "title", "Two", "body", "Common\nTheirs")...), "/admin/posts/1")
		page := w.page(w.post("ben", "/admin/posts/1", postForm("version", "1", "title", "Mine", "body", "Common\nMine", "tags", "kept")...), http.StatusConflict)
		if page.Text("#body") != "Common Mine" || page.Text("#title") != "Mine" || page.Attr("#tags", "value") != "kept" {
			t.Error("what was typed is lost")
		}
		if page.Text(".diff ins") != "Theirs" || page.Text(".diff del") != "Mine" || !strings.Contains(page.Text(".preview-bar"), "Sam Example") {
			t.Errorf("beside it stands %q", page.Text(".preview"))
		}
		version := page.Attr("[name=version]", "value")
		w.leads(w.post("ben", "/admin/posts/1", postForm("version", version, "title", "Both", "body", "Both")...), "/admin/posts/1")
	})

	t.Run("bad input keeps what was typed and says what to do", func(t *testing.T) {
		w := newDeskWorld(t)
		page := w.page(w.post("ben", "/admin/posts", postForm("body", "Words", "slug", "Not A Slug", "source_url", "javascript:alert(1)", "source_name", "X")...), http.StatusUnprocessableEntity)
		if errs := page.Texts("[data-error-summary] a"); len(errs) != 3 || page.Text("#body") != "Words" || page.Attr("#slug", "value") != "Not A Slug" {
			t.Errorf("errors %q", errs)
		}
		for _, link := range page.All("[data-error-summary] a") {
			if target := link.Attr(":scope", "href"); !page.Has(target) {
				t.Errorf("%s leads nowhere", target)
			}
		}
	})

	t.Run("the preview is what saving gives, and what was typed stays text", func(t *testing.T) {
		w := newDeskWorld(t)
		page := w.page(w.post("ben", "/admin/preview", "title", "<b>T</b>", "body", "**bold** <script>alert(1)</script>"), http.StatusOK)
		if page.Text("strong") != "bold" || page.Has("script") || page.Text(".preview-title") != "<b>T</b>" {
			t.Errorf("preview %q", page.Text("body"))
		}
		w.page(w.post("ben", "/admin/posts", postForm("title", "T", "body", "B", "intent", "preview")...), http.StatusOK)
		var posts int
		if w.scan(&posts, "SELECT count(*) FROM posts"); posts != 0 {
			t.Error("a preview was saved")
		}
	})

	t.Run("lists are filtered, searched and paged", func(t *testing.T) {
		w := newDeskWorld(t)
		if !w.page(w.get("sam", "/admin/posts"), http.StatusOK).Has(".empty") {
			t.Error("no word for an empty list")
		}
		for _, title := range []string{"Apples", "Pears_", "100% pears"} {
			w.leads(w.post("ben", "/admin/posts", postForm("title", title)...), "/admin/posts/")
		}
		for query, want := range map[string]int{"?q=pears": 2, "?q=%25": 1, "?q=_": 1, "?status=drafts": 3, "?status=published": 0} {
			if got := w.page(w.get("sam", "/admin/posts"+query), http.StatusOK).Count("tbody tr"); got != want {
				t.Errorf("%s lists %d, want %d", query, got, want)
			}
		}
		w.page(w.get("sam", "/admin/posts?status=nonsense"), http.StatusNotFound)
		w.page(w.get("sam", "/admin/posts?page=2"), http.StatusNotFound)
		if got := w.page(w.get("bob", "/admin/posts"), http.StatusOK).Count("tbody tr"); got != 0 {
			t.Errorf("another author sees %d", got)
		}
	})
}

// upload sends a form with a picture.
func (w *deskWorld) upload(person, path, field string, content []byte, fields ...string) deskAnswer {
	w.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		_ = form.WriteField(fields[i], fields[i+1])
	}
	file, _ := form.CreateFormFile(field, "../../evil.png")
	_, _ = file.Write(content)
	_ = form.Close()
	r := httptest.NewRequest(http.MethodPost, path, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return w.do(r, person)
}

func TestPictures(t *testing.T) {
	var dot bytes.Buffer
	m := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	m.SetNRGBA(3, 3, color.NRGBA{A: 255})
	if err := png.Encode(&dot, m); err != nil {
		t.Fatal(err)
	}
	profile := []string{"name", "Ben Example", "version", "1", "bio", "Words."}

	t.Run("a photo is written anew and served for ever", func(t *testing.T) {
		w := newDeskWorld(t)
		w.leads(w.upload("ben", "/admin/profile", "photo", dot.Bytes(), append(profile, "photo_alt", "Ben at a white board")...), "/admin/profile")
		page := w.page(w.get("ben", "/admin/profile"), http.StatusOK)
		if page.Attr(".cover-now img", "alt") != "Ben at a white board" {
			t.Errorf("alt %q", page.Attr(".cover-now img", "alt"))
		}
		answer := w.get("", page.Attr(".cover-now img", "src"))
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "image/jpeg" || !strings.Contains(answer.Header.Get("Cache-Control"), "immutable") ||
			answer.Header.Get("X-Content-Type-Options") != "nosniff" || len(answer.body) == 0 {
			t.Errorf("%d %v", answer.StatusCode, answer.Header)
		}
	})

	t.Run("a picture needs words, and words that say something", func(t *testing.T) {
		w := newDeskWorld(t)
		for alt, want := range map[string]int{"": 422, "A close up of a man Description automatically generated": 422, "IMG_2031": 422, "photo": 422, "portrait.jpg": 422} {
			page := w.page(w.upload("ben", "/admin/profile", "photo", dot.Bytes(), append(profile, "photo_alt", alt)...), want)
			if page.Attr("#name", "value") != "Ben Example" || !page.Has("#photo_alt-error") {
				t.Errorf("%q: what was typed is lost, or the error is not told", alt)
			}
		}
		w.leads(w.upload("ben", "/admin/profile", "photo", dot.Bytes(), append(profile, "photo_decorative", "yes")...), "/admin/profile")
	})

	t.Run("words typed for a picture that is refused are kept", func(t *testing.T) {
		w := newDeskWorld(t)
		page := w.page(w.upload("ben", "/admin/profile", "photo", []byte("GIF89a"), append(profile, "photo_alt", "Us at the lake", "photo_credit", "Ana")...), http.StatusUnprocessableEntity)
		if page.Attr("#photo_alt", "value") != "Us at the lake" || page.Attr("#photo_credit", "value") != "Ana" {
			t.Errorf("the form holds %q, %q", page.Attr("#photo_alt", "value"), page.Attr("#photo_credit", "value"))
		}
	})

	t.Run("nobody refers to what the editor does not offer them", func(t *testing.T) {
		w := newDeskWorld(t)
		w.leads(w.upload("sam", "/admin/posts", "cover", dot.Bytes(), postForm("title", "Sam's", "cover_alt", "A board full of notes")...), "/admin/posts/1")
		for field, id := range map[string]string{"cover_id": "1", "series": "999", "announces": "999"} {
			if page := w.page(w.post("ben", "/admin/posts", postForm("title", "Ben's", field, id)...), http.StatusUnprocessableEntity); !page.Has("[data-error-summary] a") {
				t.Errorf("%s %s: no error is told", field, id)
			}
		}
		w.page(w.post("ben", "/admin/profile", append(profile, "photo_id", "1")...), http.StatusUnprocessableEntity)
		w.leads(w.upload("ben", "/admin/posts", "cover", dot.Bytes(), postForm("title", "Ben's", "cover_alt", "A board full of notes")...), "/admin/posts/2")
		w.leads(w.post("ben", "/admin/posts/2", postForm("title", "Ben's again", "version", "1", "cover_id", "2")...), "/admin/posts/2")
	})

	t.Run("what is no picture is refused", func(t *testing.T) {
		w := newDeskWorld(t)
		page := w.page(w.upload("ben", "/admin/profile", "photo", []byte("<svg onload=alert(1)>"), append(profile, "photo_alt", "A drawing of us")...), http.StatusUnprocessableEntity)
		if !page.Has("#photo-error") {
			t.Error("the error is not told")
		}
	})
}

func TestRightsEndAtOnce(t *testing.T) {
	w := newDeskWorld(t)
	w.page(w.get("sam", "/admin/people"), http.StatusOK)
	w.leads(w.post("ada", "/admin/people/5/role", "role", string(models.RoleAttendee), "version", "1"), "/admin/people/5")
	w.page(w.get("sam", "/admin/people"), http.StatusNotFound)
	w.page(w.post("ada", "/admin/people/6/role", "role", string(models.RoleAttendee), "version", "1"), http.StatusConflict)
	w.leads(w.post("ada", "/admin/people/5/sessions/end"), "/admin/people/5")
	w.leads(w.get("sam", "/account"), "/login")
}

func TestAnAttendeeHasNoProfileAndAnOrganiserIsCalledOne(t *testing.T) {
	w := newDeskWorld(t)
	if people := w.page(w.get("sam", "/admin/people"), http.StatusOK).Text("main"); strings.Count(people, "Organiser") != 1 {
		t.Errorf("the list does not call the one organiser so: %s", people)
	}
	w.exec(`INSERT INTO ambassadors (id, slug, status, name, created_at, updated_at) VALUES (77, 'free', 'published', 'Free', ?, ?)`, w.store.Now(), w.store.Now())
	person := func(role models.Role) deskAnswer {
		return w.post("sam", "/admin/people", "name", "Eva Example", "email", "eva@example.org", "role", string(role), "profile", "free")
	}
	if page := w.page(person(models.RoleAttendee), http.StatusUnprocessableEntity); !page.Has("#profile-error") || page.Attr("#name", "value") != "Eva Example" {
		t.Error("an attendee with a profile is refused without words, or what was typed is lost")
	}
	if w.page(w.get("sam", "/admin/people/1"), http.StatusOK).Has("#profile") {
		t.Error("an attendee is offered a profile")
	}
	w.leads(person(models.RoleAmbassador), "/admin/people/")
}

func TestKeptMailHasNoRights(t *testing.T) {
	w := newDeskWorld(t)
	if err := w.kept.Send(context.Background(), mail.Message{
		ID: "a", From: mail.Address{Email: "cdf@example.org"}, To: mail.Address{Email: "ben@example.org"}, Subject: "A <b>link</b>", Text: "http://x",
		HTML: "<p>Hello <script>alert(1)</script></p>", Date: w.store.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	list := w.page(w.get("ada", "/admin/mail"), http.StatusOK)
	if list.Text("td.name") != "A <b>link</b>" {
		t.Errorf("subject %q", list.Text("td.name"))
	}
	answer := w.get("ada", list.Attr("td.name a", "href"))
	page := w.page(answer, http.StatusOK)
	if !strings.Contains(answer.Header.Get("Content-Security-Policy"), "frame-src 'self'") || strings.Contains(page.Attr("iframe", "sandbox"), "allow-scripts") {
		t.Errorf("policy %q", answer.Header.Get("Content-Security-Policy"))
	}
	frame := w.get("ada", page.Attr("iframe", "src"))
	policy := frame.Header.Get("Content-Security-Policy")
	if frame.StatusCode != http.StatusOK || !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script") {
		t.Errorf("frame %d %q", frame.StatusCode, policy)
	}
	w.page(w.get("ada", "/admin/mail/..%2Fportal.db"), http.StatusNotFound)
}

func TestFailedMailsAreSentAgain(t *testing.T) {
	w := newDeskWorld(t)
	w.page(w.post("", "/login", "email", "ana@example.org"), http.StatusOK)
	w.exec("UPDATE mails SET failed_at = ?, attempts = 10, error = 'no mailbox'", w.store.Now())
	if need := w.page(w.get("ada", "/admin"), http.StatusOK).Text(".need b"); need != "A mail could not be sent" {
		t.Errorf("the admin is told %q", need)
	}
	w.leads(w.post("ada", "/admin/mail/1/resend"), "/admin/mail?state=waiting")
	if mails, err := w.store.ClaimMails(context.Background(), 5); err != nil || len(mails) != 1 {
		t.Errorf("%d mails are due, %v", len(mails), err)
	}
	w.page(w.post("ada", "/admin/mail/1/resend"), http.StatusConflict)
}

func TestPagesOfTheDeskAreValidHTML(t *testing.T) {
	w := newPermissionWorld(t)
	pages := map[string][]byte{}
	for name, path := range map[string]string{
		"start": "/admin", "posts": "/admin/posts", "editor": "/admin/posts/1", "new post": "/admin/posts/new", "review": "/admin/posts/2/review",
		"revision": "/admin/posts/1/revisions/1", "profile": "/admin/profile/1", "people": "/admin/people", "new account": "/admin/people/new",
		"account in the desk": "/admin/people/1", "mail": "/admin/mail", "failed mail": "/admin/mail?state=failed", "kept mail": "/admin/mail/20200618T164000Z-a.eml",
		"account": "/account",
	} {
		pages[name] = w.get("ada", path).body
	}
	pages["sign in"] = w.get("", "/login").body
	pages["sign in asked"] = w.post("", "/login", "email", "who@example.org").body
	pages["link ended"] = w.get("", "/login/none").body
	pages["author's start"] = w.get("ben", "/admin").body
	pages["stale"] = w.post("ben", "/admin/posts/1", "title", "T", "language", "en", "version", "9").body
	pages["errors"] = w.post("ada", "/admin/people", "name", "").body
	pages["profile's errors"] = w.post("ben", "/admin/profile", "latitude", "x").body
	testkit.CheckHTML(t, pages)
}
