package auth_test

import (
	"testing"

	"github.com/cdfoundation/portal/internal/auth"
)

func TestSignature(t *testing.T) {
	old, fresh := auth.Keys{[]byte("old key of enough bytes")}, auth.Keys{[]byte("new key of enough bytes"), []byte("old key of enough bytes")}
	signed := old.Sign("registration", "ABC", "1")
	if len(signed) != 27 {
		t.Errorf("signature has %d characters, want 27", len(signed))
	}
	for _, tt := range []struct {
		name, signature, purpose string
		keys                     auth.Keys
		parts                    []string
		want                     bool
	}{
		{"the key that signed verifies", signed, "registration", old, []string{"ABC", "1"}, true},
		{"a list that still holds the old key verifies", signed, "registration", fresh, []string{"ABC", "1"}, true},
		{"another key does not", signed, "registration", fresh[:1], []string{"ABC", "1"}, false},
		{"another purpose does not", signed, "ticket", old, []string{"ABC", "1"}, false},
		{"a raised version does not", signed, "registration", old, []string{"ABC", "2"}, false},
		{"parts cannot be shifted into each other", signed, "registration", old, []string{"ABC1", ""}, false},
		{"no signature does not", "", "registration", old, []string{"ABC", "1"}, false},
		{"rubbish does not", "!!!", "registration", old, []string{"ABC", "1"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.keys.Verify(tt.signature, tt.purpose, tt.parts...); got != tt.want {
				t.Errorf("Verify = %t, want %t", got, tt.want)
			}
		})
	}
}

func TestTokensDiffer(t *testing.T) {
	a, b := auth.NewToken(), auth.NewToken()
	if a == b || auth.Hash(a) == auth.Hash(b) {
		t.Errorf("two tokens or their hashes are equal: %q %q", a, b)
	}
}
