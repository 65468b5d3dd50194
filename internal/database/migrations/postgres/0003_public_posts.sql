-- The list of public posts is read from the index alone: without the end of a post in it, every row of the table, which is
-- long, was fetched to count them.
-- +goose Up
DROP INDEX posts_published;
CREATE INDEX posts_published ON posts (status, publish_at DESC, id DESC, expire_at);

-- +goose Down
DROP INDEX posts_published;
CREATE INDEX posts_published ON posts (status, publish_at DESC, id DESC);
