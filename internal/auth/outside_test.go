package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/oauth2"

	"github.com/cdfoundation/portal/internal/auth"
)

func TestAServiceThatSendsUsElsewhereIsNotFollowed(t *testing.T) {
	followed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer elsewhere.Close()
	asked := 0
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer service.Close()
	const callback = "https://community.example.org/back"
	github := auth.NewGitHub("portal", "hush", callback, oauth2.Endpoint{AuthURL: service.URL + "/authorize", TokenURL: service.URL + "/token"}, service.URL+"/emails")
	_, visit, err := github.Leave(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := github.Return(t.Context(), visit, visit.State, "code"); err == nil {
		t.Error("it is believed")
	}
	if _, _, err := auth.NewOpenID(service.URL, "portal", "hush", callback).Leave(t.Context()); err == nil {
		t.Error("its description of itself is believed")
	}
	if asked < 2 || followed {
		t.Errorf("asked %d times, followed elsewhere: %t", asked, followed)
	}
}
