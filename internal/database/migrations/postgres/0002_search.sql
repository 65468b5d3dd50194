-- What people find by searching: one document for each public thing, kept by whoever changes the thing.

-- +goose Up

-- The id begins with the kind and the date, so that reading an index backwards meets the newest documents of a kind first.
-- The words are made by the portal. Those of title and names stand in the head and again in words, because asking an index
-- for a weight would read every document that has the word at all.
CREATE TABLE search_documents (
    id bigint PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('post', 'ambassador', 'group', 'event', 'page')),
    object_id bigint NOT NULL,
    visible_from timestamptz,
    visible_until timestamptz,
    slug text NOT NULL,
    title text NOT NULL,
    note text NOT NULL DEFAULT '',
    day text NOT NULL DEFAULT '',
    language text NOT NULL DEFAULT 'en',
    sample boolean NOT NULL DEFAULT false,
    text text NOT NULL DEFAULT '',
    head tsvector NOT NULL DEFAULT '',
    words tsvector NOT NULL DEFAULT '',
    UNIQUE (kind, object_id)
);
CREATE INDEX search_documents_head ON search_documents USING gin (head);
CREATE INDEX search_documents_words ON search_documents USING gin (words);
