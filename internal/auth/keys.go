// Package auth makes and checks secrets: random tokens, their hashes, and links derived from the portal's key.
// It knows no tables.
package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Keys are the secret keys that sign links: the first signs, all of them verify, so that a new key does not end links
// already mailed.
type Keys [][]byte

// Sign is the HMAC-SHA256 (RFC 2104) of purpose and parts under the first key, cut to 160 bits, as 27 characters of
// base64url.
func (k Keys) Sign(purpose string, parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(code(k[0], purpose, parts))
}

// Verify reports whether signature was made by Sign of the same purpose and parts under any of the keys.
func (k Keys) Verify(signature, purpose string, parts ...string) bool {
	got, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	match := 0
	for _, key := range k {
		match |= subtle.ConstantTimeCompare(got, code(key, purpose, parts))
	}
	return match == 1
}

func code(key []byte, purpose string, parts []string) []byte {
	mac := hmac.New(sha256.New, key)
	// A separator that cannot stand in a part keeps ("ab", "c") apart from ("a", "bc").
	mac.Write([]byte(purpose + "\x00" + strings.Join(parts, "\x00")))
	return mac.Sum(nil)[:20]
}

// NewToken is a random token of 130 bits in 26 characters of base32.
func NewToken() string { return rand.Text() }

// Hash is how a random token is stored: SHA-256 in hexadecimal. A token of 130 random bits needs no salt and no
// slow hash.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
