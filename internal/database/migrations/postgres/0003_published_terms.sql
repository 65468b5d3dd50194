-- Tags and categories of a post know when it was published: published_at is its publish_at while its status is published, so that
-- the newest posts of a term are the first of an index. Triggers keep it. The list of public posts is read from its index
-- alone, which needs the end of a post. A mail may carry a note of what its rows do not tell any more.
-- +goose Up
DROP INDEX posts_published;
CREATE INDEX posts_published ON posts (status, publish_at DESC, id DESC, expire_at);
ALTER TABLE mails ADD COLUMN note text NOT NULL DEFAULT '';
ALTER TABLE post_categories ADD COLUMN published_at timestamptz;
UPDATE post_categories SET published_at = (SELECT publish_at FROM posts WHERE id = post_categories.post_id AND status = 'published');
DROP INDEX post_categories_category;
CREATE INDEX post_categories_category ON post_categories (category_id, published_at DESC, post_id DESC);
ALTER TABLE post_tags ADD COLUMN published_at timestamptz;
UPDATE post_tags SET published_at = (SELECT publish_at FROM posts WHERE id = post_tags.post_id AND status = 'published');
DROP INDEX post_tags_tag;
CREATE INDEX post_tags_tag ON post_tags (tag_id, published_at DESC, post_id DESC);
-- What is long stands at the end of a row, as on SQLite, so that the rows of both can be compared.
ALTER TABLE posts ADD COLUMN moved_contents text NOT NULL DEFAULT '[]';
ALTER TABLE posts ADD COLUMN moved_html text NOT NULL DEFAULT '';
ALTER TABLE posts ADD COLUMN moved_markdown text NOT NULL DEFAULT '';
ALTER TABLE posts ADD COLUMN moved_plain_text text NOT NULL DEFAULT '';
UPDATE posts SET moved_contents = contents, moved_html = html, moved_markdown = markdown, moved_plain_text = plain_text;
ALTER TABLE posts DROP COLUMN contents;
ALTER TABLE posts RENAME COLUMN moved_contents TO contents;
ALTER TABLE posts DROP COLUMN html;
ALTER TABLE posts RENAME COLUMN moved_html TO html;
ALTER TABLE posts DROP COLUMN markdown;
ALTER TABLE posts RENAME COLUMN moved_markdown TO markdown;
ALTER TABLE posts DROP COLUMN plain_text;
ALTER TABLE posts RENAME COLUMN moved_plain_text TO plain_text;
-- +goose StatementBegin
CREATE FUNCTION set_term_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.published_at := (SELECT publish_at FROM posts WHERE id = NEW.post_id AND status = 'published');
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER post_categories_published BEFORE INSERT ON post_categories FOR EACH ROW EXECUTE FUNCTION set_term_published();
CREATE TRIGGER post_tags_published BEFORE INSERT ON post_tags FOR EACH ROW EXECUTE FUNCTION set_term_published();
-- +goose StatementBegin
CREATE FUNCTION set_terms_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE post_categories SET published_at = CASE NEW.status WHEN 'published' THEN NEW.publish_at END WHERE post_id = NEW.id;
    UPDATE post_tags SET published_at = CASE NEW.status WHEN 'published' THEN NEW.publish_at END WHERE post_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER posts_published_terms AFTER UPDATE OF status, publish_at ON posts FOR EACH ROW EXECUTE FUNCTION set_terms_published();

-- +goose Down
SELECT 1;
