package testkit

import "testing"

// postgresURL is a database of the test's own on the PostgreSQL server of this process.
func postgresURL(tb testing.TB, name string, migrate func(url string) error) string {
	tb.Helper()
	return PostgresTemplate(tb, name, migrate)
}
