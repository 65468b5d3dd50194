package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

// stepLength is how long a code of an authenticator app holds (RFC 6238, 4.1).
const stepLength = 30 * time.Second

const totpPurpose = "authenticator app"

// AuthenticatorURL is what an authenticator app of the owner scans, and the secret in it, for typing. The secret is derived
// from the first key and the nonce, so that it need not be stored.
func (k Keys) AuthenticatorURL(issuer, account, owner, nonce string) (address, secret string, err error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: account, Secret: code(k[0], totpPurpose, []string{owner, nonce})})
	if err != nil {
		return "", "", fmt.Errorf("authenticator app: %w", err)
	}
	return key.URL(), key.Secret(), nil
}

// AuthenticatorStep is the step (RFC 6238) whose code an authenticator app of the owner shows, and whether there is one: of
// now, or next to it for clocks that differ, and after the given one. Every key counts.
func (k Keys) AuthenticatorStep(typed, owner, nonce string, now time.Time, after int64) (step int64, ok bool) {
	present := now.Unix() / int64(stepLength/time.Second)
	for _, key := range k {
		secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(code(key, totpPurpose, []string{owner, nonce}))
		for candidate := present - 1; candidate <= present+1; candidate++ {
			want, err := hotp.GenerateCode(secret, uint64(candidate)) //nolint:gosec // a count of half minutes since 1970
			if err == nil && candidate > after && subtle.ConstantTimeCompare([]byte(want), []byte(typed)) == 1 {
				step, ok = candidate, true
			}
		}
	}
	return step, ok
}

// RecoveryCodes is how many an account gets at a time.
const RecoveryCodes = 10

// NewRecoveryCode is a random code of 50 bits: ABCDE-FGH23.
func NewRecoveryCode() string {
	text := rand.Text()
	return text[:5] + "-" + text[5:10]
}

// PlainCode is a typed code without its spaces and dashes, in capitals.
func PlainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' || r == '–' {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
}

// PlainRecoveryCode is a typed recovery code as it is hashed: the digits 0, 1 and 8, which no code has, are the letters that
// they are read as.
func PlainRecoveryCode(typed string) string {
	return strings.NewReplacer("0", "O", "1", "I", "8", "B").Replace(PlainCode(typed))
}
