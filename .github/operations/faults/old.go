//go:build ignore

// Command old makes databases of an earlier schema with rows, as somebody has who upgrades, and tells what a database holds.
//
//	old fill URL VERSION ROWS
//	old rows URL
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/cdfoundation/portal/internal/database"
)

// many adds to the rows of a file so many more that a migration of them can be killed on its way.
const many = `
WITH RECURSIVE n(i) AS (SELECT 1001 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
INSERT INTO posts (id, uuid, slug, status, publish_at, title, user_id, markdown, html, plain_text, contents, created_at, updated_at)
	SELECT i, 'u' || i, 'post-' || i, 'published', '2026-10-10 08:00:00+00:00', 'Post ' || i, 2, 'Words of ' || i, '<p>Words</p>', 'Words of pipelines and people ' || i, '[]',
		'2026-10-09 08:00:00+00:00', '2026-10-10 08:00:00+00:00' FROM n;
INSERT INTO post_bylines (post_id, byline_id, position) SELECT id, 1, 1 FROM posts WHERE id > 1000;
INSERT INTO post_tags (post_id, tag_id, position) SELECT id, 2, 1 FROM posts WHERE id > 1000;
WITH RECURSIVE n(i) AS (SELECT 1001 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
INSERT INTO registrations (id, event_id, public_id, status, name, email, email_key, created_at, cancelled_at)
	SELECT i, 1, 'r' || i, 'cancelled', 'Fay', 'fay' || i || '@example.org', 'fay' || i || '@example.org', '2026-11-01 08:00:00+00:00', '2026-11-02 08:00:00+00:00' FROM n;
INSERT INTO registration_tickets (registration_id, ticket_type_id) SELECT id, 2 FROM registrations WHERE id > 1000;
INSERT INTO mails (id, kind, dedupe_key, recipient, registration_id, event_id, next_at, sent_at, created_at)
	SELECT id, 'registered', 'registered-' || id, email, id, 1, '2026-11-01 08:00:00+00:00', '2026-11-01 08:00:01+00:00', '2026-11-01 08:00:00+00:00'
	FROM registrations WHERE id > 1000;
INSERT INTO audit_entries (id, user_id, actor, action, subject, subject_id, before_value, after_value, created_at)
	SELECT id, 2, 'Ben', 'user.name', 'users', 2, 'Benjamin', 'Ben', '2026-10-11 08:00:00+00:00' FROM registrations WHERE id > 1000;
`

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "old:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	url := args[1]
	if args[0] == "fill" {
		version, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return err
		}
		if err := database.MigrateTo(ctx, url, version); err != nil {
			return err
		}
	}
	db, err := database.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	if args[0] == "fill" {
		rows, err := os.ReadFile(args[3])
		if err != nil {
			return err
		}
		return db.Writer.Exec(string(rows) + many).Error
	}
	var dump bytes.Buffer
	if _, err := db.Dump(ctx, &dump, time.Time{}); err != nil {
		return err
	}
	var counted []string
	if err := db.Reader.Raw("SELECT list || ' ' || object_id || ' ' || posts FROM post_counts ORDER BY 1").Scan(&counted).Error; err != nil {
		return err
	}
	_, err = fmt.Printf("%s%q\n", dump.Bytes(), counted)
	return err
}
