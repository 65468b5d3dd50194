package testkit

import "testing"

// postgresURL is where the PostgreSQL of the tests is connected.
func postgresURL(tb testing.TB, _ string, _ func(url string) error) string {
	tb.Helper()
	tb.Skip("NOT TESTED: PostgreSQL")
	return ""
}
