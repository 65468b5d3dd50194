package app_test

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/cdfoundation/portal/internal/testkit"
)

func TestBrowserSigningInAndLookingAfterThePortalWorkByKeyboardAlone(t *testing.T) {
	t.Parallel()
	p := serveByName(t)
	b := testkit.NewBrowser(t)
	b.AllowConsole("status of 422")
	b.Resize(1440, 900)
	write := func(selector, text string) {
		t.Helper()
		tabTo(t, b, selector)
		b.Keys(text)
	}
	accessible := func() {
		t.Helper()
		for _, violation := range b.Axe() {
			t.Errorf("%s: %s", b.URL(), violation)
		}
	}
	var link string
	for _, who := range []string{"Grace Example", "Ada Example"} {
		code, out, said := p.run("user", "add", "--email", strings.ToLower(strings.Fields(who)[0])+"@example.org", "--name", who, "--role", "admin")
		if code != 0 {
			t.Fatal(said)
		}
		link = out
	}
	b.Open(p.URL + "/login/" + path.Base(strings.TrimSpace(link)))
	press(t, b, "main form button", ".rail")

	// A password and an app for codes.
	const password = "correct horse battery staple"
	press(t, b, `.rail a[href="/account"]`, `a[href="/account/security"]`)
	press(t, b, `a[href="/account/security"]`, ".factors")
	press(t, b, `a[href="/account/security/password"]`, "#new")
	write("#new", password)
	press(t, b, "main form button.btn-primary", ".flash-ok")
	press(t, b, `a[href="/account/security/authenticator"]`, "#code")
	secret := strings.ReplaceAll(b.Text(".secret"), " ", "")
	codeAt := func(at time.Time) string {
		t.Helper()
		code, err := totp.GenerateCode(secret, at)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	write("#code", codeAt(time.Now()))
	press(t, b, "main form button.btn-primary", ".codes")
	accessible()
	press(t, b, "main a.btn-primary", ".factors")
	press(t, b, ".crumbs a", `form[action="/logout"]`)
	press(t, b, `form[action="/logout"] button`, `.signin[href="/login"]`)

	press(t, b, `.signin[href="/login"]`, `main a[href="/login/password"]`)
	press(t, b, `main a[href="/login/password"]`, "#password")
	write("#email", "ada@example.org")
	write("#password", password)
	press(t, b, "main form button.btn-primary", ".code-field")
	accessible()
	write(".code-field .input", codeAt(time.Now().Add(30*time.Second))) // each works once
	press(t, b, "main form button.btn-primary", ".rail")

	// What is wrong in the settings has the focus, and a link to its field is next.
	press(t, b, `.rail a[href="/admin/settings"]`, "#name")
	write("#name", "\b") // what stands in a field is chosen when Tab comes to it
	press(t, b, ".desk-form .submit button", ".summary")
	if !testkit.Eval[bool](b, `document.activeElement.matches(".summary")`) {
		t.Error("the focus is not where it says what is wrong")
	}
	accessible()
	tabTo(t, b, `.summary a[href="#name"]`)
	write("#name", "Makers of pipelines")
	press(t, b, ".desk-form .submit button", ".flash-ok")
	press(t, b, `.rail a[href="/admin/backups"]`, "#daily")
	write("#daily", "9")
	press(t, b, `form[action="/admin/backups/plan"] button`, ".flash-ok")
	if b.Count(`#daily[value="9"]`) != 1 {
		t.Error("the plan was not saved")
	}

	// Hours later what has great effect is asked about once more, and then goes on where it was.
	p.stop()
	p.env["PORTAL_CLOCK_OFFSET"] = "+3h"
	p.start(t)
	p.URL = p.env["PORTAL_BASE_URL"]
	press(t, b, `.rail a[href="/account"]`, `a[href="/account/erasure"]`)
	press(t, b, `a[href="/account/erasure"]`, ".code-field")
	accessible()
	write(".code-field .input", codeAt(time.Now().Add(3*time.Hour)))
	press(t, b, "main form:has(.code-field) button", "#sure")
	tabTo(t, b, "#sure")
	b.Keys(" ")
	if b.Count("#sure:checked") != 1 {
		t.Error("the box is not ticked")
	}
	tabTo(t, b, "main form button.btn-danger") // its press is tested elsewhere
	press(t, b, `main form a[href="/account"]`, `a[href="/account/security"]`)
	press(t, b, `a[href="/account/security"]`, ".factors")
	press(t, b, `a[href="/account/security/password"]`, "#current")
	press(t, b, `form[action$="/removal"] button`, ".flash-ok")
	if text := b.Text(".factors"); !strings.Contains(text, "None") {
		t.Errorf("the password is still there: %s", text)
	}
}
