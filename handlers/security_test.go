package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// shownCode is the code that an app shows which has scanned or typed what the page shows.
func (w *deskWorld) shownCode(page *testkit.Doc) string {
	w.t.Helper()
	code, err := totp.GenerateCode(strings.ReplaceAll(page.Text(".secret"), " ", ""), w.store.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// addApp gives somebody an authenticator app through its page, and returns the recovery codes and how to get the next code.
func (w *deskWorld) addApp(person string) (recovery []string, code func() string) {
	w.t.Helper()
	page := w.page(w.get(person, "/account/security/authenticator"), http.StatusOK)
	code = func() string { w.t.Helper(); return w.shownCode(page) }
	codes := w.page(w.post(person, "/account/security/authenticator", "nonce", page.Attr("[name=nonce]", "value"), "code", code()), http.StatusOK)
	return codes.Texts(".codes li"), code
}

func TestAPersonSetsAPasswordAndSignsInWithIt(t *testing.T) {
	w := newDeskWorld(t)
	page := w.page(w.post("ana", "/account/security/password", "new", "Ana Example"), http.StatusUnprocessableEntity)
	if !page.Has(`.summary a[href="#new"]`) || page.Attr("#new", "value") != "" {
		t.Error("the error is not told at its field, or the page holds what was typed")
	}
	w.leads(w.post("ana", "/account/security/password", "new", deskPassword), "/account/security")
	if said := w.page(w.get("ana", "/account/security"), http.StatusOK).Texts(".factor .badge"); !slices.Contains(said, "Set on 18 June 2020") {
		t.Errorf("the page says %q", said)
	}
	page = w.page(w.get("", "/login?next=%2Fevents"), http.StatusOK)
	if page.Attr(`main a.btn`, "href") != "/login/password?next=%2Fevents" {
		t.Errorf("the way to a password is %q", page.Attr("main a.btn", "href"))
	}
	wrong := w.page(w.post("", "/login/password", "email", "ana@example.org", "password", "not it", "next", "/events"), http.StatusUnprocessableEntity)
	if wrong.Attr("#email", "value") != "ana@example.org" || wrong.Attr("#password", "value") != "" || wrong.Attr("[name=next]", "value") != "/events" {
		t.Error("the address is lost, or the password is not")
	}
	unknown := w.page(w.post("", "/login/password", "email", "who@example.org", "password", "not it", "next", "/events"), http.StatusUnprocessableEntity)
	if wrong.Text(".summary") != unknown.Text(".summary") {
		t.Errorf("known %q, unknown %q", wrong.Text(".summary"), unknown.Text(".summary"))
	}
	answer := w.post("", "/login/password", "email", "ana@example.org", "password", deskPassword, "next", "/events")
	w.leads(answer, "/events")
	w.cookies["ana2"] = w.cookie(answer, "session")
	w.page(w.get("ana2", "/account"), http.StatusOK)
	w.leads(w.post("ana2", "/account/security/password", "current", deskPassword, "new", "tall clouds over the harbour"), "/account/security")
	w.leads(w.get("ana", "/account"), "/login")
	for range 5 {
		w.page(w.post("", "/login/password", "email", "ana@example.org", "password", deskPassword), http.StatusUnprocessableEntity)
	}
	if page := w.page(w.post("", "/login/password", "email", "ana@example.org", "password", deskPassword), http.StatusTooManyRequests); !page.Has(`main a[href="/login"]`) {
		t.Error("who has to wait is not shown the way by a link")
	}
	w.page(w.post("", "/login", "email", "ana@example.org"), http.StatusOK)
	w.leads(w.post("ana2", "/account/security/password/removal"), "/account/security")
}

func TestAPersonSetsUpAnAppAndSignsInWithItsCode(t *testing.T) {
	w := newDeskWorld(t)
	page := w.page(w.get("ana", "/account/security/authenticator"), http.StatusOK)
	nonce := page.Attr("[name=nonce]", "value")
	if !page.Has(".qr-big svg path") || !strings.HasPrefix(page.Attr(".steps a", "href"), "otpauth://totp/") {
		t.Error("there is nothing to scan or to open")
	}
	again := w.page(w.post("ana", "/account/security/authenticator", "nonce", nonce, "code", "000000"), http.StatusUnprocessableEntity)
	if again.Text(".secret") != page.Text(".secret") || !again.Has(`.summary a[href="#code"]`) {
		t.Error("after a wrong code the app has to be set up anew")
	}
	codes := w.page(w.post("ana", "/account/security/authenticator", "nonce", nonce, "code", w.shownCode(page)), http.StatusOK).Texts(".codes li")
	if len(codes) != 10 {
		t.Fatalf("recovery codes %q", codes)
	}

	token, err := w.store.NewSignInLink(t.Context(), "ana@example.org")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	answer := w.post("", "/login/"+token)
	w.leads(answer, "/login/second-factor")
	if w.cookie(answer, "session") != "" {
		t.Fatal("the link alone opens a session")
	}
	half := w.cookie(answer, "half")
	with := func(method, code string) deskAnswer {
		r := httptest.NewRequest(method, "/login/second-factor", strings.NewReader("code="+code))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.AddCookie(&http.Cookie{Name: "half", Value: half})
		return w.do(r, "")
	}
	if page := w.page(with(http.MethodGet, ""), http.StatusOK); page.Attr("#code", "autocomplete") != "one-time-code" {
		t.Error("the code's field does not say what it is")
	}
	w.page(with(http.MethodPost, "123"), http.StatusUnprocessableEntity)
	answer = with(http.MethodPost, w.shownCode(page))
	w.leads(answer, "/account")
	w.cookies["phone"] = w.cookie(answer, "session")
	w.page(w.get("phone", "/account"), http.StatusOK)
	w.page(with(http.MethodPost, codes[0]), http.StatusGone)

	fresh := w.page(w.post("phone", "/account/security/recovery-codes"), http.StatusOK).Texts(".codes li")
	if len(fresh) != 10 || slices.Contains(fresh, codes[1]) {
		t.Errorf("new recovery codes %q", fresh)
	}
	w.leads(w.post("phone", "/account/security/authenticator/removal"), "/account/security")
	if w.page(w.get("phone", "/account/security"), http.StatusOK).Has(`form[action$="recovery-codes"]`) {
		t.Error("recovery codes are offered without a second factor")
	}
}

func TestAProofKeepsWhatWasTyped(t *testing.T) {
	w := newDeskWorld(t)
	w.leads(w.post("ada", "/account/security/password", "new", deskPassword), "/account/security")
	invitation := []string{"name", "Rita “R” Example", "email", "rita@example.org", "role", "ambassador", "groups", "berlin", "groups", "other"}
	w.clock.Advance(16 * time.Minute)

	page := w.page(w.post("ada", "/admin/people", invitation...), http.StatusForbidden)
	if form := page.All(`form[action="/admin/people"]`); len(form) != 1 || page.Attr("[name=name]", "value") != "Rita “R” Example" || page.Count("[name=groups]") != 2 {
		t.Fatalf("what was typed is lost: %s", page.Text("main"))
	}
	// So is what came beside a file, which is chosen anew.
	page = w.page(w.upload("ada", "/admin/settings", "logo", []byte("a picture"), "name", "Makers’ portal"), http.StatusForbidden)
	if page.Attr(`form[action="/admin/settings"] [name=name]`, "value") != "Makers’ portal" {
		t.Errorf("what was typed beside a file is lost: %s", page.Text("main"))
	}
	page = w.page(w.post("ada", "/admin/people", slices.Concat(invitation, []string{"confirm_password", "not it"})...), http.StatusUnprocessableEntity)
	if !page.Has(`.summary a[href="#confirm_password"]`) || page.Attr("[name=email]", "value") != "rita@example.org" || page.Count("[type=hidden][name=confirm_password]") != 0 {
		t.Error("after a wrong password what was typed is lost, or the password is kept")
	}
	answer := w.post("ada", "/admin/people", slices.Concat(invitation[:8], []string{"confirm_password", deskPassword})...)
	w.leads(answer, "/admin/people/")
	before := w.cookies["ada"]
	w.cookies["ada"] = w.cookie(answer, "session")
	if w.cookies["ada"] == "" || w.cookies["ada"] == before {
		t.Error("the session keeps its token")
	}
	w.page(w.get("ada", "/admin/people/new"), http.StatusOK)

	// A page is come back to, a file by the page that leads to it.
	w.event()
	w.clock.Advance(16 * time.Minute)
	for at, back := range map[string]string{"/admin/people/new": "/admin/people/new", "/admin/events/1/attendees.csv": "/admin/events/1/attendees"} {
		to := w.leads(w.get("ada", at), "/account/confirm?next=")
		page = w.page(w.get("ada", to), http.StatusOK)
		answer = w.post("ada", page.Attr("main form", "action"), "next", page.Attr("[name=next]", "value"), "confirm_password", deskPassword)
		if got := w.leads(answer, back); got != back {
			t.Errorf("%s: led back to %s", at, got)
		}
		w.cookies["ada"] = w.cookie(answer, "session")
		w.clock.Advance(16 * time.Minute)
	}

	// Who has nothing but the link comes back by the link.
	page = w.page(w.post("sam", "/admin/people", invitation...), http.StatusForbidden)
	if page.Has("[type=password]") || page.Attr(`form[action="/account/confirm/link"] [name=next]`, "value") != "/admin/people" {
		t.Errorf("sam is asked for what there is not: %s", page.Text("main"))
	}
	w.page(w.post("sam", "/account/confirm/link", "next", "/admin/people"), http.StatusOK)
	var next string
	w.scan(&next, "SELECT next_path FROM sign_in_links ORDER BY id DESC LIMIT 1")
	if next != "/admin/people" {
		t.Errorf("the link leads to %q", next)
	}

	// With a second factor nothing less will do.
	w.cookies["ada"] = ""
	token, err := w.store.NewSignInLink(t.Context(), "ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	w.cookies["ada"] = w.cookie(w.post("", "/login/"+token), "session")
	_, code := w.addApp("ada")
	w.clock.Advance(16 * time.Minute)
	page = w.page(w.get("ada", "/account/confirm?next=%2Fadmin"), http.StatusOK)
	if page.Has("[name=confirm_password]") || page.Has(`form[action="/account/confirm/link"]`) {
		t.Error("less than the second factor is taken")
	}
	w.leads(w.post("ada", "/account/confirm", "next", "/admin", "confirm_code", code()), "/admin")
}

func TestTheDeskOpensToStaffWithASecondFactorWhenItIsRequired(t *testing.T) {
	w := newDeskWorld(t)
	if err := w.store.RequireSecondFactor(t.Context(), w.viewers["ada"], true); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/admin", "/admin/people", "/admin/posts/new"} {
		w.leads(w.get("sam", path), "/account/security")
	}
	w.leads(w.post("sam", "/admin/people", "name", "x"), "/account/security")
	w.leads(w.get("ada", "/admin/mail"), "/account/security")
	w.page(w.get("ben", "/admin"), http.StatusOK)
	if page := w.page(w.get("sam", "/account/security"), http.StatusOK); !page.Has(".flash-warn") || page.Attr(".factor .btn-primary", "href") != "/account/security/passkeys/new" {
		t.Errorf("sam is not led to a second factor: %s", page.Text("main"))
	}
	token, err := w.store.NewSignInLink(t.Context(), "sam@example.org")
	if err != nil {
		t.Fatal(err)
	}
	w.leads(w.post("", "/login/"+token), "/account/security")
	w.addApp("sam")
	w.page(w.get("sam", "/admin/people"), http.StatusOK)
}

func TestWhoIsRefusedForTheMomentIsToldWhenToAskAgain(t *testing.T) {
	s := newService(t)
	w := newDeskWorld(t, auth.NewOpenID(s.URL, "portal", "hush", "http://community.example.org/login/with/openid/callback"))
	told := func(what string, answer deskAnswer, status int, after string) {
		t.Helper()
		if answer.StatusCode != status || answer.Header.Get("Retry-After") != after {
			t.Errorf("%s: %d, Retry-After %q; want %d, %q", what, answer.StatusCode, answer.Header.Get("Retry-After"), status, after)
		}
	}
	guess := func() deskAnswer {
		return w.post("", "/login/password", "email", "ana@example.org", "password", "not hers")
	}
	for range 5 {
		told("a wrong password", guess(), http.StatusUnprocessableEntity, "")
	}
	told("one too many", guess(), http.StatusTooManyRequests, "60")
	s.Close()
	told("a service that does not answer", w.get("", "/login/with/openid"), http.StatusServiceUnavailable, "5")
	told("a page", w.get("", "/events"), http.StatusOK, "")
	w.ready = models.ErrUnavailable
	told("a balancer, while the database is away", w.get("", "/readyz"), http.StatusServiceUnavailable, "5")
}

func TestStaffResetWhatSomebodyLost(t *testing.T) {
	w := newDeskWorld(t)
	w.addApp("ben")
	w.page(w.post("sam", "/admin/people/6/factors/reset"), http.StatusNotFound)
	w.leads(w.post("sam", "/admin/people/2/factors/reset"), "/admin/people/2")
	w.leads(w.get("ben", "/account"), "/login")
	token, err := w.store.NewSignInLink(t.Context(), "ben@example.org")
	if err != nil {
		t.Fatal(err)
	}
	w.leads(w.post("", "/login/"+token), "/admin")
}
