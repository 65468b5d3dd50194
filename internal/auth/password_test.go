package auth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/auth"
)

func TestAStoredSecretIsToldFromOthers(t *testing.T) {
	ctx := t.Context()
	salt := auth.Salt()
	hash, err := auth.HashSecret(ctx, "slow green trains at noon", salt)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("hash %q, %v", hash, err)
	}
	again, err := auth.HashSecret(ctx, "slow green trains at noon", auth.Salt())
	if err != nil || again == hash {
		t.Errorf("two hashes of one secret are equal, %v", err)
	}
	for _, tt := range []struct {
		name, stored, secret string
		want                 bool
	}{
		{"the same", hash, "slow green trains at noon", true},
		{"another", hash, "slow green trains at Noon", false},
		{"with a space behind it", hash, "slow green trains at noon ", false},
		{"nothing", hash, "", false},
		{"of an account without one", "", "slow green trains at noon", false},
		{"nothing, of an account without one", "", "", false},
	} {
		if got, err := auth.CheckSecret(ctx, tt.stored, tt.secret); got != tt.want || err != nil {
			t.Errorf("%s: %t, %v", tt.name, got, err)
		}
	}
	if _, err := auth.CheckSecret(ctx, "5f4dcc3b5aa765d61d8327deb882cf99", "password"); err == nil {
		t.Error("a hash of another kind is no error")
	}
	ended, end := context.WithCancel(ctx)
	end()
	// Either it had a place at once, or it tells that nobody waits any more.
	if _, err := auth.HashSecret(ended, "x", salt); err != nil && ended.Err() == nil {
		t.Error(err)
	}
}

func TestPasswordsThatOthersWouldTryFirst(t *testing.T) {
	names := []string{"Ana Ünal", "ana.unal@example.org", "CDF Community"}
	for _, weak := range []string{
		"123456789987654321", "qwerty123456", "1qaz2wsx3edc", // of the list
		"Password2020", "password123456", "!!Iloveyou2020!", "P@ssw0rd2020", "monkey123!!!", "2020dragon!!", // dressed up
		"passwordpassword", "dragondragon", "abababababab", "aaaaaaaaaaaaa", "xyzxyzxyzxyz", // again and again
		"abcdefghijklm", "123456789012", "987654321098", // counted
		"ana.unal@example.org", "AnaÜnal2020!", "cdf-community", "Ana Unal Password", "communitycdf1", // names
	} {
		if !auth.Guessable(weak, names...) {
			t.Errorf("%q passes", weak)
		}
	}
	for _, strong := range []string{
		"correct horse battery staple", "slow green trains at noon", "tqk4-WfvX-92mz", "Freitagsgedanken im Regen", "雨の日のパイプラインは静か",
		"ana likes her tea without milk", "dragon837294!?x", "the community garden",
	} {
		if auth.Guessable(strong, names...) {
			t.Errorf("%q is refused", strong)
		}
	}
}
