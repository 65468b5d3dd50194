package testkit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"testing"

	"github.com/cdfoundation/portal/models"
)

// Solve does a proof of work as a browser does and returns what the browser sends, after changes to it.
func Solve(tb testing.TB, p models.Puzzle, changes ...func(*models.Solution)) string {
	tb.Helper()
	for n := range p.Max + 1 {
		sum := sha256.Sum256([]byte(p.Salt + strconv.Itoa(n)))
		if hex.EncodeToString(sum[:]) != p.Challenge {
			continue
		}
		solution := models.Solution{Algorithm: p.Algorithm, Challenge: p.Challenge, Number: n, Salt: p.Salt, Signature: p.Signature}
		for _, change := range changes {
			change(&solution)
		}
		sent, err := json.Marshal(solution)
		if err != nil {
			tb.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(sent)
	}
	tb.Fatalf("no number up to %d solves the puzzle", p.Max)
	return ""
}
