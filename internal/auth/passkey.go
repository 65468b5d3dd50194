package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Passkeys asks browsers for passkeys of a site and judges what they answer (Web Authentication, level 3). A passkey is
// found by its site alone and always asks for a fingerprint, a face or a PIN, so that it counts as two factors.
type Passkeys struct {
	web *webauthn.WebAuthn
}

// ErrPasskey is an answer that no passkey of the site gave to the challenge.
var ErrPasskey = errors.New("not a passkey's answer to this challenge")

// NewPasskeys returns the passkeys of the site at that address. They need a name: at an IP address browsers have none, and
// nil is returned.
func NewPasskeys(site, name string) (*Passkeys, error) {
	u, err := url.Parse(site)
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil, nil //nolint:nilnil // said above
	}
	required := true
	web, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: name, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore, // some password managers answer more than was asked
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return &Passkeys{web: web}, nil
}

// PasskeyOwner is an account to authenticators.
type PasskeyOwner struct {
	Handle      string // random, the same for all of its passkeys
	Email, Name string
	Credentials []string // stored, as JSON
}

// owner is a PasskeyOwner as the library wants it.
type owner struct {
	PasskeyOwner
	credentials []webauthn.Credential
}

func (o PasskeyOwner) parse() (owner, error) {
	parsed := owner{PasskeyOwner: o}
	for _, stored := range o.Credentials {
		var credential webauthn.Credential
		if err := json.Unmarshal([]byte(stored), &credential); err != nil {
			return parsed, fmt.Errorf("stored passkey: %w", err)
		}
		parsed.credentials = append(parsed.credentials, credential)
	}
	return parsed, nil
}

// WebAuthnID is the owner's random name.
func (o owner) WebAuthnID() []byte { return []byte(o.Handle) }

// WebAuthnName is what a device shows of the account.
func (o owner) WebAuthnName() string { return o.Email }

// WebAuthnDisplayName is the same in words.
func (o owner) WebAuthnDisplayName() string { return o.Name }

// WebAuthnCredentials are the passkeys that the owner has.
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.credentials }

// Invite asks a browser to make a passkey for the owner. options are for the browser; asked is for Accept.
func (p *Passkeys) Invite(o PasskeyOwner) (options, asked []byte, err error) {
	parsed, err := o.parse()
	if err != nil {
		return nil, nil, err
	}
	creation, session, err := p.web.BeginRegistration(parsed, webauthn.WithExclusions(webauthn.Credentials(parsed.credentials).CredentialDescriptors()))
	if err != nil {
		return nil, nil, fmt.Errorf("passkeys: %w", err)
	}
	return both(creation.Response, session)
}

// Accept judges the passkey that a browser made, and returns its id and what to store of it. It refuses with ErrPasskey.
func (p *Passkeys) Accept(o PasskeyOwner, asked, answer []byte) (id, stored string, err error) {
	parsed, err := o.parse()
	if err != nil {
		return "", "", err
	}
	var session webauthn.SessionData
	if err := json.Unmarshal(asked, &session); err != nil {
		return "", "", refused(err)
	}
	response, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return "", "", refused(err)
	}
	credential, err := p.web.CreateCredential(parsed, session, response)
	if err != nil {
		return "", "", refused(err)
	}
	return store(credential)
}

// Ask asks a browser for any passkey of the site. options are for the browser; asked is for Check.
func (p *Passkeys) Ask() (options, asked []byte, err error) {
	assertion, session, err := p.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, nil, fmt.Errorf("passkeys: %w", err)
	}
	return both(assertion.Response, session)
}

// Check judges a passkey's answer. find gives the owner of the passkey with that id. It returns the id and what to store of
// the passkey from now on, and refuses with ErrPasskey.
func (p *Passkeys) Check(asked, answer []byte, find func(id string) (PasskeyOwner, error)) (id, stored string, err error) {
	var session webauthn.SessionData
	if err := json.Unmarshal(asked, &session); err != nil {
		return "", "", refused(err)
	}
	response, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return "", "", refused(err)
	}
	var failed error
	_, credential, err := p.web.ValidatePasskeyLogin(func(rawID, _ []byte) (webauthn.User, error) {
		found, err := find(base64.RawURLEncoding.EncodeToString(rawID))
		if err != nil {
			failed = err
			return nil, err
		}
		return found.parse()
	}, session, response)
	switch {
	case failed != nil:
		return "", "", failed
	case err != nil:
		return "", "", refused(err)
	case credential.Authenticator.CloneWarning:
		return "", "", fmt.Errorf("%w: its counter went back, as a copy's does", ErrPasskey)
	}
	return store(credential)
}

func refused(err error) error { return fmt.Errorf("%w: %w", ErrPasskey, err) }

func both(options, asked any) (a, b []byte, err error) {
	if a, err = json.Marshal(options); err == nil {
		b, err = json.Marshal(asked)
	}
	return a, b, err
}

func store(credential *webauthn.Credential) (id, stored string, err error) {
	b, err := json.Marshal(credential)
	return base64.RawURLEncoding.EncodeToString(credential.ID), string(b), err
}
