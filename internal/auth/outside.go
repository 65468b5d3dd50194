package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"
)

// Outside is a service that tells who somebody is: one that speaks OpenID Connect, or GitHub, which speaks OAuth 2 only.
type Outside struct {
	Key  string // in addresses
	Name string // on the button

	Transport http.RoundTripper // of what is asked of the service; nil: the usual one

	issuer string // of OpenID Connect
	emails string // the address of GitHub's list of somebody's mail addresses
	config oauth2.Config
}

// ErrOutside is an answer of a service that proves no mail address.
var ErrOutside = errors.New("no proof of a mail address")

// outsideTimeout is how long a service may take to answer.
const outsideTimeout = 8 * time.Second

// NewOpenID returns the service of an OpenID Connect issuer, which is asked for its addresses when somebody signs in.
func NewOpenID(issuer, clientID, secret, callback string) *Outside {
	_, host, _ := strings.Cut(issuer, "://")
	host, _, _ = strings.Cut(host, "/")
	return &Outside{Key: "openid", Name: host, issuer: issuer, config: oauth2.Config{
		ClientID: clientID, ClientSecret: secret, RedirectURL: callback, Scopes: []string{oidc.ScopeOpenID, "email"},
	}}
}

// NewGitHub returns GitHub, or what stands in for it at other addresses.
func NewGitHub(clientID, secret, callback string, at oauth2.Endpoint, emails string) *Outside {
	return &Outside{Key: "github", Name: "GitHub", emails: emails, config: oauth2.Config{
		ClientID: clientID, ClientSecret: secret, RedirectURL: callback, Scopes: []string{"user:email"}, Endpoint: at,
	}}
}

// GitHub's addresses.
var (
	GitHub       = endpoints.GitHub
	GitHubEmails = "https://api.github.com/user/emails"
)

// OutsideVisit is what a browser keeps while its user is at a service.
type OutsideVisit struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // RFC 7636
}

// Leave gives the address of the service that asks somebody who they are, and what their browser keeps until they are back.
func (o *Outside) Leave(ctx context.Context) (address string, visit OutsideVisit, err error) {
	ctx, done := o.calls(ctx)
	defer done()
	config, _, err := o.discover(ctx)
	if err != nil {
		return "", visit, err
	}
	visit = OutsideVisit{State: NewToken(), Nonce: NewToken(), Verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(visit.Verifier)}
	if o.issuer != "" {
		options = append(options, oidc.Nonce(visit.Nonce))
	}
	return config.AuthCodeURL(visit.State, options...), visit, nil
}

// Return takes what the service sent the browser back with and gives the mail address that it has verified. It refuses with
// ErrOutside.
func (o *Outside) Return(ctx context.Context, visit OutsideVisit, state, code string) (email string, err error) {
	if state == "" || !Same(state, visit.State) || code == "" {
		return "", fmt.Errorf("%w: not the visit that was begun", ErrOutside)
	}
	ctx, done := o.calls(ctx)
	defer done()
	config, provider, err := o.discover(ctx)
	if err != nil {
		return "", err
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(visit.Verifier))
	if err != nil {
		if _, refused := errors.AsType[*oauth2.RetrieveError](err); refused {
			return "", fmt.Errorf("%w: %w", ErrOutside, err)
		}
		return "", fmt.Errorf("%s: %w", o.Key, err)
	}
	if o.issuer == "" {
		return o.primaryEmail(ctx, config.Client(ctx, token))
	}
	raw, _ := token.Extra("id_token").(string)
	proof, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrOutside, err)
	}
	if !Same(proof.Nonce, visit.Nonce) {
		return "", fmt.Errorf("%w: a token of another visit", ErrOutside)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := proof.Claims(&claims); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOutside, err)
	}
	if claims.Email == "" && provider.UserInfoEndpoint() != "" {
		// Who answers with a code may tell the address there alone (OpenID Connect Core 5.4).
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		switch {
		case err != nil:
			return "", fmt.Errorf("%s: %w", o.Key, err)
		case info.Subject != proof.Subject:
			return "", fmt.Errorf("%w: the address of another subject", ErrOutside)
		}
		claims.Email, claims.Verified = info.Email, info.EmailVerified
	}
	if !claims.Verified || claims.Email == "" {
		return "", fmt.Errorf("%w: no verified address", ErrOutside)
	}
	return claims.Email, nil
}

// calls bounds what is asked of a service. It is not followed elsewhere: the client's secret would come along.
func (o *Outside) calls(ctx context.Context) (bounded context.Context, done context.CancelFunc) {
	return context.WithTimeout(oidc.ClientContext(ctx, &http.Client{
		Transport: o.Transport, Timeout: outsideTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}), outsideTimeout)
}

func (o *Outside) discover(ctx context.Context) (oauth2.Config, *oidc.Provider, error) {
	config := o.config
	if o.issuer == "" {
		return config, nil, nil
	}
	provider, err := oidc.NewProvider(ctx, o.issuer)
	if err != nil {
		return config, nil, fmt.Errorf("%s: %w", o.Key, err)
	}
	config.Endpoint = provider.Endpoint()
	return config, provider, nil
}

func (o *Outside) primaryEmail(ctx context.Context, client *http.Client) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.emails, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("Accept", "application/vnd.github+json")
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.Key, err)
	}
	defer response.Body.Close() //nolint:errcheck // only read
	var emails []struct {
		Email             string
		Primary, Verified bool
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%w: the list of addresses answers %d", ErrOutside, response.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&emails); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOutside, err)
	}
	for _, e := range emails {
		if e.Primary && e.Verified {
			return e.Email, nil
		}
	}
	return "", fmt.Errorf("%w: no verified address", ErrOutside)
}
