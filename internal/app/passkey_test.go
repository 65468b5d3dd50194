package app_test

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/testkit"
)

// serveByName starts the program under a name, as passkeys need it.
func serveByName(t *testing.T) *portal {
	t.Helper()
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(free.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	p := serve(t, "PORTAL_ADDR", "127.0.0.1:"+port, "PORTAL_BASE_URL", "http://localhost:"+port)
	p.URL = "http://localhost:" + port
	return p
}

// arrives waits until the browser is at a path.
func arrives(t *testing.T, b *testkit.Browser, path string) {
	t.Helper()
	for range 200 {
		if strings.HasSuffix(b.URL(), path) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("at %s, not at %s:\n%s", b.URL(), path, b.Text("main"))
}

func TestBrowserPasskey(t *testing.T) {
	t.Parallel()
	p := serveByName(t)
	b := testkit.NewBrowser(t)
	b.AllowConsole("status of 410")
	b.AllowConsole("status of 422")
	device := b.AddAuthenticator()
	signInFirstAdmin(t, p, b)

	b.Open(p.URL + "/account/security")
	accessible := func() {
		t.Helper()
		for _, violation := range b.Axe() {
			t.Errorf("%s: %s", b.URL(), violation)
		}
	}
	b.Follow(`a[href="/account/security/passkeys/new"]`)
	accessible()
	b.Fill("#name", "Laptop")
	device.Recognise(false)
	b.Click("main form button")
	b.WaitFor("[data-passkey-said]")
	device.Recognise(true)
	b.Click("main form button")
	b.WaitFor(".codes")
	if b.Count(".codes li") != 10 {
		t.Errorf("%d recovery codes", b.Count(".codes li"))
	}
	b.Follow("main a.btn-primary")
	shows(t, b, "Laptop")
	b.Follow(`a[href="/account/security/passkeys/new"]`)
	b.Click("main form button")
	b.WaitFor("[data-passkey-said]")
	if said := b.Text("[data-passkey-said]"); !strings.Contains(said, "already") {
		t.Errorf("a second passkey on one device: %q", said)
	}

	signOut := func() {
		t.Helper()
		b.Open(p.URL + "/account")
		b.Submit(`form[action="/logout"] button`)
	}
	signOut()
	device.Recognise(false)
	b.Open(p.URL + "/login")
	b.Click("form[data-passkey] button")
	b.WaitFor("[data-passkey-said]")
	device.Recognise(true)
	b.Click("form[data-passkey] button")
	arrives(t, b, "/admin")

	// The browser offers it where the address is typed, and this one's user takes it at once.
	signOut()
	b.Open(p.URL + "/login")
	arrives(t, b, "/admin")

	// A mailed link alone opens nothing any more.
	signOut()
	code, link, said := p.run("user", "link", "--email", "ada@example.org")
	if code != 0 {
		t.Fatal(said)
	}
	b.Open(p.URL + link[strings.Index(link, "/login/"):len(link)-1])
	b.Submit("main form button")
	arrives(t, b, "/login/second-factor")
	if response, _ := p.get(t, "/login/second-factor"); response.StatusCode != http.StatusGone {
		t.Errorf("to others the second step answers %d", response.StatusCode)
	}
	b.Click("form[data-passkey] button")
	arrives(t, b, "/admin")

	// An answer works once.
	answered := testkit.Eval[[]int](b, `(async () => {
		const asked = await fetch("/login/passkey"), challenge = asked.headers.get("Passkey-Challenge")
		const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await asked.json())
		const passkey = JSON.stringify(await navigator.credentials.get({publicKey}))
		const statuses = []
		for (const sent of [challenge.replace(/^./, "A"), challenge, challenge])
			statuses.push((await fetch("/login/passkey", {method: "POST", body: new URLSearchParams({challenge: sent, passkey})})).status)
		return statuses
	})()`)
	if !slices.Equal(answered, []int{422, 200, 422}) {
		t.Errorf("a challenge that was changed, the one given, and the same again answer %v", answered)
	}

	b.Open(p.URL + "/admin/audit?action=session.refuse")
	if b.Count("tbody tr") != 1 || !strings.Contains(b.Text("tbody"), "failed to sign in as Ada") {
		t.Errorf("what was sent twice is told as %q", b.Text("tbody"))
	}

	// Renamed, then removed.
	b.Open(p.URL + "/account/security")
	b.Follow(".keys a")
	accessible()
	b.Fill("#name", "Old laptop")
	b.Submit("main form button.btn-primary")
	shows(t, b, "Old laptop")
	b.Follow(".keys a")
	b.Submit(`form[action$="/removal"] button`)
	arrives(t, b, "/account/security")
	if b.Count(".keys li") != 0 {
		t.Error("the passkey is still there")
	}
	signOut()
	b.Open(p.URL + "/login")
	b.WaitFor(".summary")
	p.kept(t, "passkey was removed", 1)
}
