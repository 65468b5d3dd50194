package app_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/cdfoundation/portal/internal/testkit"
)

// members are who can sign in at a provider.
type members map[string]*storage.User

func (m members) GetUserByID(id string) *storage.User         { return m[id] }
func (m members) GetUserByUsername(name string) *storage.User { return m[name] }
func (members) ExampleClientID() string                       { return "service" }

// member has a password, and an address that the provider has verified or not.
func (m members) member(name, email string, verified bool) {
	m[name] = &storage.User{ID: name, Username: name, Password: "hush " + name, Email: email, EmailVerified: verified}
}

// newProvider starts an OpenID Connect provider, certified as such by the OpenID Foundation: with RSA keys, a form to sign in,
// and addresses at its UserInfo endpoint only, as the standard wants it where the answer is a code.
func newProvider(t *testing.T, all members) (issuer string, clients map[string]*storage.Client) {
	t.Helper()
	var provider http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { provider.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	issuer, clients = strings.Replace(server.URL, "127.0.0.1", "localhost", 1), map[string]*storage.Client{}
	provider = exampleop.SetupServer(issuer, storage.NewStorageWithClients(all, clients), slog.New(slog.DiscardHandler), false)
	return issuer, clients
}

// visitor is a browser that follows redirects.
type visitor struct {
	t      *testing.T
	client http.Client
	last   *http.Response
	page   *testkit.Doc
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, client: http.Client{Jar: jar}}
}

func (v *visitor) take(response *http.Response, err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		v.t.Fatal(err)
	}
	v.last, v.page = response, testkit.Parse(v.t, body)
}

func (v *visitor) open(address string) {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		v.t.Fatal(err)
	}
	v.take(v.client.Do(request))
}

// signInAt fills in the form of the provider, which the page in front of the visitor is.
func (v *visitor) signInAt(name, password string) {
	v.t.Helper()
	action, err := v.last.Request.URL.Parse(v.page.Attr("form", "action"))
	if err != nil || !v.page.Has("#password") {
		v.t.Fatalf("%s is no form to sign in: %v", v.last.Request.URL, err)
	}
	sent := url.Values{"id": {v.page.Attr("input[name=id]", "value")}, "username": {name}, "password": {password}}
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, action.String(), strings.NewReader(sent.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	v.take(v.client.Do(request))
}

func TestPeopleSignInByACertifiedProvider(t *testing.T) {
	t.Parallel()
	all := members{}
	all.member("ana", "ana@example.org", true)
	all.member("mallory", "ana@example.org", false)
	all.member("zoe", "zoe@example.org", true)
	issuer, clients := newProvider(t, all)
	p := serve(t, "PORTAL_OIDC_ISSUER", issuer, "PORTAL_OIDC_CLIENT_ID", "portal", "PORTAL_OIDC_CLIENT_SECRET", "hush")
	clients["portal"] = storage.WebClient("portal", "hush", p.URL+"/login/with/openid/callback")
	if code, _, said := p.run("user", "add", "--email", "ana@example.org", "--name", "Ana Quux", "--role", "staff"); code != 0 {
		t.Fatal(said)
	}

	ana := newVisitor(t)
	ana.open(p.URL + "/login/with/openid?next=%2Faccount")
	ana.signInAt("ana", "hush ana")
	if at := ana.last.Request.URL.Path; at != "/account" || ana.last.StatusCode != http.StatusOK || !strings.Contains(ana.page.Text("body"), "Ana Quux") {
		t.Errorf("Ana is at %s with %s: %s", at, ana.last.Status, ana.page.Text("main"))
	}

	for name, why := range map[string]string{"mallory": "an address that the provider has not verified", "zoe": "an address without an account"} {
		other := newVisitor(t)
		other.open(p.URL + "/login/with/openid")
		other.signInAt(name, "hush "+name)
		if other.last.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s answers %s: %s", why, other.last.Status, other.page.Text("main"))
		}
		other.open(p.URL + "/account")
		if strings.Contains(other.page.Text("body"), "Ana Quux") {
			t.Errorf("%s opens her account", why)
		}
	}

	clients["portal"] = storage.WebClient("portal", "another", p.URL+"/login/with/openid/callback")
	late := newVisitor(t)
	late.open(p.URL + "/login/with/openid")
	late.signInAt("ana", "hush ana")
	if late.last.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("with a secret that the provider does not know: %s", late.last.Status)
	}
}
