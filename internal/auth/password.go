package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// What a hash of a password costs: 19 MiB of memory, two passes, one lane (OWASP Password Storage Cheat Sheet, Argon2id).
const (
	hashMemory = 19 << 10 // KiB
	hashPasses = 2
	hashLanes  = 1
	hashLength = 32
	saltLength = 16
)

// hashing holds a place for each hash that is computed, so that a crowd at the door takes 76 MiB and no more.
var hashing = make(chan struct{}, 4)

// errHash is a stored hash that HashSecret has not made.
var errHash = errors.New("not a hash of ours")

// Salt is random, for HashSecret.
func Salt() []byte {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails
	return salt
}

// HashSecret is how a secret that people choose or type is stored: argon2id (RFC 9106) in the PHC string format, which
// names its own cost. It waits while others are being computed, until ctx ends.
func HashSecret(ctx context.Context, secret string, salt []byte) (string, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	sum := argon2.IDKey([]byte(secret), salt, hashPasses, hashMemory, hashLanes, hashLength)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashLanes, encode(salt), encode(sum)), nil
}

// CheckSecret reports whether a stored hash is that of the secret. An empty hash is that of nothing, and takes as long to
// say so.
func CheckSecret(ctx context.Context, stored, secret string) (bool, error) {
	if stored == "" {
		_, err := HashSecret(ctx, secret, make([]byte, saltLength))
		return false, err
	}
	hash, err := HashLike(ctx, stored, secret)
	return err == nil && Same(hash, stored), err
}

// HashLike hashes a secret with the salt of a stored hash.
func HashLike(ctx context.Context, stored, secret string) (string, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 {
		return "", errHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return "", errHash
	}
	return HashSecret(ctx, secret, salt)
}

// Same compares two hashes without telling by its time how much of them is equal.
func Same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
