-- What people find by searching: one document for each public thing, kept by whoever changes the thing.

-- +goose Up

-- The id begins with the kind and the date, so that reading an index backwards meets the newest documents of a kind first.
-- The text stands last because it is long and rarely read.
CREATE TABLE search_documents (
    id integer PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('post', 'ambassador', 'group', 'event', 'page')),
    object_id integer NOT NULL,
    visible_from datetime,
    visible_until datetime,
    slug text NOT NULL,
    title text NOT NULL,
    note text NOT NULL DEFAULT '',
    day text NOT NULL DEFAULT '',
    language text NOT NULL DEFAULT 'en',
    sample boolean NOT NULL DEFAULT false,
    text text NOT NULL DEFAULT '',
    UNIQUE (kind, object_id)
);

-- Its docid is the document's id. The words are made by the portal and only parted by spaces, so the simple tokenizer,
-- which leaves all but ASCII as it is, reads them as they were meant. Unfinished words are common, so short beginnings
-- have an index of their own, by bytes.
CREATE VIRTUAL TABLE search_index USING fts4 (head, body, tokenize=simple, matchinfo=fts3, prefix="2,3,4", order=desc);
