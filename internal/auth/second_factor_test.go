package auth_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/cdfoundation/portal/internal/auth"
)

func TestACodeOfAnAppWorksOnce(t *testing.T) {
	keys := auth.Keys{[]byte("new key of enough bytes"), []byte("old key of enough bytes")}
	now := time.Date(2020, 6, 18, 16, 40, 10, 0, time.UTC)
	address, secret, err := keys[1:].AuthenticatorURL("CDF Community", "ana@example.org", "7", "nonce")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Query().Get("secret") != secret || u.Query().Get("issuer") != "CDF Community" {
		t.Errorf("address %s, %v", address, err)
	}
	at := func(moment time.Time) string {
		code, err := totp.GenerateCode(secret, moment)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	step, ok := keys.AuthenticatorStep(at(now), "7", "nonce", now, 0)
	if !ok {
		t.Fatal("the code of an app that was set up under an older key is refused")
	}
	for _, tt := range []struct {
		name, typed, owner, nonce string
		after                     int64
		want                      bool
	}{
		{"used already", at(now), "7", "nonce", step, false},
		{"half a minute old", at(now.Add(-30 * time.Second)), "7", "nonce", 0, true},
		{"half a minute ahead", at(now.Add(30 * time.Second)), "7", "nonce", step, true},
		{"older than the last one used", at(now.Add(-30 * time.Second)), "7", "nonce", step, false},
		{"a minute and a half old", at(now.Add(-90 * time.Second)), "7", "nonce", 0, false},
		{"another's", at(now), "8", "nonce", 0, false},
		{"of an app before", at(now), "7", "other", 0, false},
		{"nothing", "", "7", "nonce", 0, false},
	} {
		if _, got := keys.AuthenticatorStep(tt.typed, tt.owner, tt.nonce, now, tt.after); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

func TestCodesAreReadAsTheyAreTyped(t *testing.T) {
	if got := auth.PlainCode(" 123 456 "); got != "123456" {
		t.Errorf("%q", got)
	}
	if got := auth.PlainRecoveryCode("abcd0-fg812"); got != "ABCDOFGBI2" {
		t.Errorf("%q", got)
	}
	if code := auth.NewRecoveryCode(); len(code) != 11 || code == auth.NewRecoveryCode() {
		t.Errorf("%q", code)
	}
}
