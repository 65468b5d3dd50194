-- What the background work did last, so that the desk can tell, and the backups that it made. A backup that was due has its
-- moment in slot: of several processes the first to write it makes it. One that somebody asked for has none.
-- +goose Up
CREATE TABLE job_runs (
    name text PRIMARY KEY,
    began_at datetime NOT NULL,
    ended_at datetime NOT NULL,
    next_at datetime NOT NULL,
    error text NOT NULL DEFAULT ''
);
CREATE TABLE backups (
    id integer PRIMARY KEY,
    slot datetime UNIQUE,
    user_id integer REFERENCES users (id) ON DELETE SET NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'running', 'good', 'failed')),
    file text NOT NULL DEFAULT '',
    size integer NOT NULL DEFAULT 0,
    row_count integer NOT NULL DEFAULT 0,
    upload_count integer NOT NULL DEFAULT 0,
    note text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    leased_until datetime,
    created_at datetime NOT NULL,
    taken_at datetime,
    tested_at datetime
);
CREATE INDEX backups_open ON backups (id) WHERE state IN ('waiting', 'running');

-- +goose Down
SELECT 1;
