package handlers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/cdfoundation/portal/internal/auth"
)

// service is an OpenID Connect issuer, and what GitHub does at the addresses that we use: somebody at it is at once who they
// say.
type service struct {
	*httptest.Server
	email    string
	verified bool
	nonce    string // to say instead of the one asked for
	audience string
	subject  string                // of whom UserInfo tells, instead of the token
	visits   map[string]url.Values // code to what was asked
}

func newService(t *testing.T) *service {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{email: "ana@example.org", verified: true, audience: "portal", visits: map[string]url.Values{}}
	say := func(w http.ResponseWriter, what any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(what); err != nil {
			t.Error(err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		say(w, map[string]any{
			"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys",
			"userinfo_endpoint": s.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		say(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		code := rand.Text()
		s.visits[code] = r.URL.Query()
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {r.URL.Query().Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		asked, known := s.visits[r.FormValue("code")]
		delete(s.visits, r.FormValue("code"))
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		id, secret, _ := r.BasicAuth()
		if id == "" {
			id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
		}
		if !known || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("code_challenge_method") != "S256" || id != "portal" || secret != "hush" {
			w.WriteHeader(http.StatusBadRequest)
			say(w, map[string]string{"error": "invalid_grant"})
			return
		}
		nonce := asked.Get("nonce")
		if s.nonce != "" {
			nonce = s.nonce
		}
		claims := map[string]any{
			"iss": s.URL, "aud": s.audience, "sub": "7", "nonce": nonce, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		}
		if s.subject == "" {
			claims["email"], claims["email_verified"] = s.email, s.verified
		}
		token, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			t.Error(err)
		}
		say(w, map[string]any{"access_token": "open", "token_type": "Bearer", "id_token": token})
	})
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		if s.subject == "" || r.Header.Get("Authorization") != "Bearer open" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		say(w, map[string]any{"sub": s.subject, "email": s.email, "email_verified": s.verified})
	})
	mux.HandleFunc("GET /user/emails", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer open" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		say(w, []map[string]any{
			{"email": "ben@example.org", "primary": false, "verified": true}, {"email": s.email, "primary": true, "verified": s.verified},
		})
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// visit goes to a service as a browser does and gives the address that it sends the browser back to, and the cookie.
func (w *deskWorld) visit(key, next string) (back, cookie string) {
	w.t.Helper()
	answer := w.get("", "/login/with/"+key+"?next="+url.QueryEscape(next))
	address := w.leads(answer, "http://127.0.0.1")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	sent, err := client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = sent.Body.Close()
	return strings.TrimPrefix(sent.Header.Get("Location"), "http://community.example.org"), w.cookie(answer, "visit")
}

func (w *deskWorld) back(path, cookie string) deskAnswer {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	r.AddCookie(&http.Cookie{Name: "visit", Value: cookie})
	return w.do(r, "")
}

func TestAnOutsideServiceSignsInWhoseAddressItHasVerified(t *testing.T) {
	for _, key := range []string{"openid", "github"} {
		t.Run(key, func(t *testing.T) {
			s := newService(t)
			callback := "http://community.example.org/login/with/" + key + "/callback"
			service := auth.NewOpenID(s.URL, "portal", "hush", callback)
			if key == "github" {
				service = auth.NewGitHub("portal", "hush", callback, oauth2.Endpoint{AuthURL: s.URL + "/authorize", TokenURL: s.URL + "/token"}, s.URL+"/user/emails")
			}
			w := newDeskWorld(t, service)
			if page := w.page(w.get("", "/login?next=%2Fevents"), http.StatusOK); !page.Has(`main a[href="/login/with/` + key + `?next=%2Fevents"]`) {
				t.Error("the page to sign in does not offer it")
			}

			back, cookie := w.visit(key, "/events")
			w.page(w.back(back+"x", cookie), http.StatusUnprocessableEntity)
			w.page(w.back(strings.Replace(back, "state=", "state=x", 1), cookie), http.StatusUnprocessableEntity)
			w.page(w.back(back, ""), http.StatusUnprocessableEntity)
			w.page(w.back(back, "x"+cookie), http.StatusUnprocessableEntity)
			back, cookie = w.visit(key, "/events")
			answer := w.back(back, cookie)
			w.leads(answer, "/events")
			w.cookies["outside"] = w.cookie(answer, "session")
			w.page(w.get("outside", "/account"), http.StatusOK)
			w.page(w.back(back, cookie), http.StatusUnprocessableEntity)

			refused := func(what string) {
				t.Helper()
				back, cookie := w.visit(key, "")
				answer := w.back(back, cookie)
				if w.cookie(answer, "session") != "" || answer.StatusCode != http.StatusUnprocessableEntity {
					t.Errorf("%s: %d", what, answer.StatusCode)
				}
			}
			s.email = "who@example.org"
			refused("an address without an account")
			s.email = "ana+other@example.org"
			refused("another spelling of the address")
			s.email, s.verified = "ana@example.org", false
			refused("an address that is not verified")
			s.verified = true
			if key == "openid" {
				s.nonce = "of another visit"
				refused("another visit's token")
				s.nonce, s.audience = "", "another"
				refused("another client's token")
				s.audience, s.subject = "portal", "8"
				refused("what UserInfo tells of another subject")
				s.subject, s.verified = "7", false
				refused("an address at UserInfo that is not verified")
				s.verified = true
				w.leads(w.back(w.visit(key, "/events")), "/events")
				s.subject = ""
			}
			back, cookie = w.visit(key, "")
			w.clock.Advance(11 * time.Minute)
			w.page(w.back(back, cookie), http.StatusUnprocessableEntity)
			w.clock.Advance(-11 * time.Minute)

			w.addApp("ana")
			back, cookie = w.visit(key, "/events")
			w.leads(w.back(back, cookie), "/login/second-factor")

			back, cookie = w.visit(key, "")
			s.Close()
			w.page(w.back(back, cookie), http.StatusServiceUnavailable)
		})
	}
}
