package testkit_test

import (
	"context"
	"crypto/rand"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdfoundation/portal/internal/testkit"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func tables(t *testing.T, url string) (n int) {
	t.Helper()
	row := connect(t, url).QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEachTestGetsAnEmptyDatabase(t *testing.T) {
	one, two := testkit.Postgres(t), testkit.Postgres(t)
	if one == two {
		t.Fatalf("both are %s", one)
	}
	if _, err := connect(t, one).Exec(t.Context(), "CREATE TABLE posts (id int)"); err != nil {
		t.Fatal(err)
	}
	if n := tables(t, two); n != 0 {
		t.Errorf("the other database has %d tables, want none", n)
	}
}

func TestADatabaseIsGoneAfterItsTest(t *testing.T) {
	var url string
	t.Run("inner", func(t *testing.T) {
		url = testkit.Postgres(t)
		connect(t, url)
	})
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		t.Errorf("still there: %v", conn.Close(t.Context()))
	}
}

func TestATemplateIsMigratedOnceAndCopied(t *testing.T) {
	name, runs := rand.Text(), 0 // of this run alone, also under -count
	migrate := func(url string) error {
		runs++
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		// Left open: the kit must be able to copy all the same.
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		_, err = conn.Exec(ctx, "CREATE TABLE posts (id int)")
		return err
	}
	t.Run("many", func(t *testing.T) {
		for i := range 4 {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				url := testkit.PostgresTemplate(t, name, migrate)
				if n := tables(t, url); n != 1 {
					t.Errorf("the copy has %d tables, want 1", n)
				}
				if _, err := connect(t, url).Exec(t.Context(), "CREATE TABLE events (id int)"); err != nil {
					t.Error(err)
				}
			})
		}
	})
	if runs != 1 {
		t.Errorf("migrated %d times, want once", runs)
	}
}
