package database

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// ErrNotEmpty is a database that holds rows already, where a dump wants an empty one.
var ErrNotEmpty = errors.New("the database holds data already")

// A dump is a text of JSON lines (https://jsonlines.org): first a dumpHeader, then for each table a dumpTable and, under
// it, an array of values for each row, and at the end how many rows there are. Times are RFC 3339. It knows nothing of the database that it comes from, so it
// can be loaded into the other kind.
type (
	dumpHeader struct {
		Schema int64     `json:"schema"` // the last migration that was applied
		Taken  time.Time `json:"taken"`
	}
	dumpTable struct {
		Table   string   `json:"table"`
		Columns []string `json:"columns"`
		Rows    *int     `json:"rows,omitempty"` // of all tables: in the last line, which names no table
	}
)

// tablesQuery lists the tables of a database in the order in which they were made, so that what a row refers to comes
// before it. What the search finds is made of the other tables, how many posts there are is counted while they are loaded, the
// content's version is a database's own, requests are counted for a minute, and which migrations are applied is in the header.
func (db *DB) tablesQuery() string {
	if db.SQLite() {
		return `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'search%' AND name NOT LIKE 'goose%'
			AND name NOT IN ('post_counts', 'content_version') ORDER BY rowid`
	}
	return `SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
		AND relname NOT LIKE 'search%' AND relname NOT LIKE 'goose%' AND relname NOT IN ('post_counts', 'request_counts') ORDER BY oid`
}

// Dump writes every row to w, as all were at one moment, however long it takes and whatever is written meanwhile. The dump
// says that it was taken at now. It returns how many rows it holds.
func (db *DB) Dump(ctx context.Context, w io.Writer, now time.Time) (rows int, err error) {
	pool, err := db.Reader.DB()
	if err != nil {
		return 0, err
	}
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: db.snapshot()})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, ignoreDone(tx.Rollback())) }()
	tables, err := texts(ctx, tx, db.tablesQuery())
	if err != nil {
		return 0, err
	}
	header := dumpHeader{Taken: now.UTC().Truncate(time.Second)}
	if err := tx.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&header.Schema); err != nil {
		return 0, err
	}
	buffer := bufio.NewWriter(w)
	lines := json.NewEncoder(buffer)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(header); err != nil {
		return 0, err
	}
	for _, table := range tables {
		n, err := dumpRows(ctx, tx, table, lines)
		if err != nil {
			return 0, fmt.Errorf("table %s: %w", table, err)
		}
		rows += n
	}
	if err := lines.Encode(dumpTable{Rows: &rows}); err != nil {
		return 0, err
	}
	return rows, buffer.Flush()
}

// snapshot is the isolation under which a transaction sees one state throughout; SQLite knows no other.
func (db *DB) snapshot() sql.IsolationLevel {
	if db.SQLite() {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}

func dumpRows(ctx context.Context, tx *sql.Tx, table string, lines *json.Encoder) (n int, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+table+" ORDER BY 1, 2") //nolint:gosec // the database's own name
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	if err := lines.Encode(dumpTable{Table: table, Columns: columns}); err != nil {
		return 0, err
	}
	values := make([]any, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return n, err
		}
		for i, value := range values {
			if t, ok := value.(time.Time); ok {
				values[i] = t.UTC()
			}
		}
		if err := lines.Encode(values); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// Load reads a dump into a database whose schema is at the dump's; all of it or nothing. It returns how many rows that
// were, and ErrNotEmpty when some table has rows already.
func (db *DB) Load(ctx context.Context, dump io.Reader) (rows int, err error) {
	pool, err := db.Writer.DB()
	if err != nil {
		return 0, err
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, ignoreDone(tx.Rollback())) }()
	if err := db.empty(ctx, tx); err != nil {
		return 0, err
	}
	if rows, err = loadRows(ctx, tx, dump); err != nil {
		return 0, err
	}
	if !db.SQLite() {
		if err := continueNumbers(ctx, tx); err != nil {
			return 0, err
		}
	}
	return rows, tx.Commit()
}

// Empty returns ErrNotEmpty when some table has rows.
func (db *DB) Empty(ctx context.Context) (err error) {
	pool, err := db.Reader.DB()
	if err != nil {
		return err
	}
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ignoreDone(tx.Rollback())) }()
	return db.empty(ctx, tx)
}

func (db *DB) empty(ctx context.Context, tx *sql.Tx) error {
	tables, err := texts(ctx, tx, db.tablesQuery())
	if err != nil {
		return err
	}
	for _, table := range tables {
		var holds bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+table+")").Scan(&holds); err != nil {
			return err
		}
		if holds {
			return ErrNotEmpty
		}
	}
	return nil
}

// continueNumbers lets PostgreSQL number new rows behind those that were loaded.
func continueNumbers(ctx context.Context, tx *sql.Tx) error {
	numbered, err := texts(ctx, tx, "SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'id' AND is_identity = 'YES'")
	if err != nil {
		return err
	}
	for _, table := range numbered {
		last := "SELECT setval(pg_get_serial_sequence($1, 'id'), coalesce(max(id), 1), max(id) IS NOT NULL) FROM " + table //nolint:gosec // the database's own name
		if _, err := tx.ExecContext(ctx, last, table); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	return nil
}

func loadRows(ctx context.Context, tx *sql.Tx, dump io.Reader) (n int, err error) {
	lines := json.NewDecoder(dump)
	lines.UseNumber()
	var header dumpHeader
	if err := lines.Decode(&header); err != nil {
		return 0, fmt.Errorf("dump: %w", err)
	}
	var table dumpTable
	var kinds []string
	var insert *sql.Stmt
	defer func() {
		if insert != nil {
			err = errors.Join(err, insert.Close())
		}
	}()
	for {
		var line json.RawMessage
		switch err := lines.Decode(&line); {
		case errors.Is(err, io.EOF):
			return n, errors.New("the dump lacks its end")
		case err != nil:
			return n, fmt.Errorf("dump: %w", err)
		}
		if line[0] == '{' {
			if insert != nil {
				if err := insert.Close(); err != nil {
					return n, err
				}
				insert = nil
			}
			table = dumpTable{}
			if err := json.Unmarshal(line, &table); err != nil {
				return n, fmt.Errorf("dump: %w", err)
			}
			if table.Rows != nil {
				if *table.Rows != n {
					return n, fmt.Errorf("the dump has %d rows, and says that there are %d", n, *table.Rows)
				}
				return n, nil
			}
			if kinds, insert, err = prepareInsert(ctx, tx, table); err != nil {
				return n, fmt.Errorf("table %q: %w", table.Table, err)
			}
			continue
		}
		values, err := decodeRow(line, kinds)
		if err != nil {
			return n, fmt.Errorf("dump, row of table %q: %w", table.Table, err)
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return n, fmt.Errorf("table %q: %w", table.Table, err)
		}
		n++
	}
}

// prepareInsert returns the statement that inserts rows of a table, and the types of its columns.
func prepareInsert(ctx context.Context, tx *sql.Tx, table dumpTable) (kinds []string, insert *sql.Stmt, err error) {
	names := make([]string, len(table.Columns))
	places := make([]string, len(table.Columns))
	for i, name := range table.Columns {
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return nil, nil, fmt.Errorf("column %q", name)
		}
		names[i], places[i] = name, fmt.Sprint("$", i+1)
	}
	if table.Table == "" || strings.Trim(table.Table, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return nil, nil, errors.New("no name of a table")
	}
	list := strings.Join(names, ", ")
	if kinds, err = columnTypes(ctx, tx, "SELECT "+list+" FROM "+table.Table+" WHERE 1 = 0"); err != nil {
		return nil, nil, err
	}
	insert, err = tx.PrepareContext(ctx, "INSERT INTO "+table.Table+" ("+list+") VALUES ("+strings.Join(places, ", ")+")") //nolint:gosec // the names were checked
	return kinds, insert, err
}

func columnTypes(ctx context.Context, tx *sql.Tx, query string) (kinds []string, err error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	for _, t := range types {
		kinds = append(kinds, t.DatabaseTypeName())
	}
	return kinds, errors.Join(err, rows.Err())
}

// decodeRow gives the values of a row the types of their columns.
func decodeRow(line json.RawMessage, kinds []string) ([]any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(line)))
	decoder.UseNumber()
	var values []any
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	if len(values) != len(kinds) {
		return nil, fmt.Errorf("%d values for %d columns", len(values), len(kinds))
	}
	for i, value := range values {
		var err error
		switch v := value.(type) {
		case json.Number:
			switch strings.ToUpper(kinds[i]) {
			case "REAL", "FLOAT8":
				values[i], err = v.Float64()
			default:
				values[i], err = v.Int64()
			}
		case string:
			switch strings.ToUpper(kinds[i]) {
			case "DATETIME", "TIMESTAMPTZ":
				values[i], err = time.Parse(time.RFC3339Nano, v)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// DumpSchema reads the header of a dump: the migration that its schema was at, and when it was taken.
func DumpSchema(dump io.Reader) (schema int64, taken time.Time, err error) {
	var header dumpHeader
	if err := json.NewDecoder(dump).Decode(&header); err != nil {
		return 0, time.Time{}, fmt.Errorf("dump: %w", err)
	}
	return header.Schema, header.Taken, nil
}

// MigrateTo applies what is missing up to a migration, and refuses a schema that this program does not know.
func MigrateTo(ctx context.Context, url string, version int64) error {
	return withProvider(url, func(p *goose.Provider) error {
		current, target, err := p.GetVersions(ctx)
		switch {
		case err != nil:
			return err
		case version > target:
			return fmt.Errorf("the copy's schema is at %d, this program knows only %d: use the newer program", version, target)
		case current > version:
			return fmt.Errorf("the database's schema is at %d already, the copy's at %d: name a database that is not there yet", current, version)
		}
		_, err = p.UpTo(ctx, version)
		return err
	})
}

func texts(ctx context.Context, tx *sql.Tx, query string) (all []string, err error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// ignoreDone leaves out that a transaction has ended, which is what its rollback finds after a commit.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
