package database

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// openPostgres opens one pool that reads and writes. Times come back in UTC, as they do from SQLite.
func openPostgres(url string) (*DB, error) {
	source, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL address: %w", err)
	}
	pool := stdlib.OpenDB(*source, stdlib.OptionAfterConnect(func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}))
	settings := config()
	// The driver prepares statements itself, on each connection. GORM's cache is one for all of them: a transaction that
	// holds a connection would wait there for a statement whose preparing waits for a connection.
	settings.PrepareStmt = false
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), settings)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open PostgreSQL: %w", err), pool.Close())
	}
	pool.SetMaxOpenConns(max(16, runtime.GOMAXPROCS(0)*4))
	pool.SetMaxIdleConns(16)
	pool.SetConnMaxLifetime(time.Hour)
	return &DB{Reader: db, Writer: db}, nil
}

// postgresLock lets only one of several processes that start together apply migrations.
func postgresLock() ([]goose.ProviderOption, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
}
