-- Lists know how long they are and where they begin, however many rows there are: post_counts holds how many posts are published
-- in all, by category, by tag and by byline, also those whose time has not come or is over, which are few and told apart when
-- asking. Triggers keep it. Bylines know when their posts were published, as tags do. Conditions on an equal value stand first in
-- each index, so that no database prefers another. A registration that the sample data came with is told from those that
-- people made; what hangs on one is found by an index when it goes.
-- +goose Up
ALTER TABLE registrations ADD COLUMN sample boolean NOT NULL DEFAULT false;
CREATE INDEX registrations_cancelled ON registrations (id) WHERE status = 'cancelled';
CREATE INDEX consents_registration ON consents (registration_id);
CREATE INDEX mails_registration ON mails (registration_id);

DROP INDEX posts_series;
CREATE INDEX posts_series ON posts (series_id, status, publish_at, id, expire_at);
DROP INDEX posts_group;
CREATE INDEX posts_group ON posts (group_id, status, publish_at DESC, id DESC, expire_at);
DROP INDEX posts_introduces;
CREATE INDEX posts_introduces ON posts (introduces_id, status, publish_at DESC, id DESC, expire_at);
DROP INDEX posts_announces;
CREATE INDEX posts_announces ON posts (announces_id, status, publish_at);
CREATE INDEX posts_updated ON posts (updated_at DESC, id DESC);
CREATE INDEX posts_status_updated ON posts (status, updated_at DESC, id DESC);
CREATE INDEX posts_changed ON posts (status, changed_at) WHERE changed_at IS NOT NULL;
CREATE INDEX posts_expire ON posts (status, expire_at) WHERE expire_at IS NOT NULL;

DROP INDEX events_coming;
CREATE INDEX events_coming ON events (status, ends_at, starts_at, id, published_at, kind, mode, venue_country, group_id);
DROP INDEX events_group;
CREATE INDEX events_group ON events (group_id, status, ends_at, starts_at, id, published_at);

ALTER TABLE post_bylines ADD COLUMN published_at datetime;
UPDATE post_bylines SET published_at = (SELECT publish_at FROM posts WHERE id = post_bylines.post_id AND status = 'published');
DROP INDEX post_bylines_byline;
CREATE INDEX post_bylines_byline ON post_bylines (byline_id, published_at DESC, post_id DESC);
-- +goose StatementBegin
CREATE TRIGGER post_bylines_published AFTER INSERT ON post_bylines BEGIN
    UPDATE post_bylines SET published_at = (SELECT publish_at FROM posts WHERE id = NEW.post_id AND status = 'published')
    WHERE post_id = NEW.post_id AND byline_id = NEW.byline_id;
END;
-- +goose StatementEnd
DROP TRIGGER posts_published_terms;
-- +goose StatementBegin
CREATE TRIGGER posts_published_terms AFTER UPDATE OF status, publish_at ON posts BEGIN
    UPDATE post_categories SET published_at = CASE NEW.status WHEN 'published' THEN NEW.publish_at END WHERE post_id = NEW.id;
    UPDATE post_tags SET published_at = CASE NEW.status WHEN 'published' THEN NEW.publish_at END WHERE post_id = NEW.id;
    UPDATE post_bylines SET published_at = CASE NEW.status WHEN 'published' THEN NEW.publish_at END WHERE post_id = NEW.id;
END;
-- +goose StatementEnd

CREATE TABLE post_counts (
    list text NOT NULL CHECK (list IN ('all', 'category', 'tag', 'byline')),
    object_id integer NOT NULL,
    posts integer NOT NULL,
    PRIMARY KEY (list, object_id)
);
INSERT INTO post_counts SELECT 'all', 0, count(*) FROM posts WHERE status = 'published';
INSERT INTO post_counts SELECT 'category', category_id, count(*) FROM post_categories WHERE published_at IS NOT NULL GROUP BY category_id;
INSERT INTO post_counts SELECT 'tag', tag_id, count(*) FROM post_tags WHERE published_at IS NOT NULL GROUP BY tag_id;
INSERT INTO post_counts SELECT 'byline', byline_id, count(*) FROM post_bylines WHERE published_at IS NOT NULL GROUP BY byline_id;
-- +goose StatementBegin
CREATE TRIGGER posts_count_insert AFTER INSERT ON posts WHEN NEW.status = 'published' BEGIN
    INSERT INTO post_counts VALUES ('all', 0, 1) ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER posts_count_delete AFTER DELETE ON posts WHEN OLD.status = 'published' BEGIN
    INSERT INTO post_counts VALUES ('all', 0, -1) ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + -1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER posts_count_update AFTER UPDATE OF status ON posts WHEN (OLD.status = 'published') <> (NEW.status = 'published') BEGIN
    INSERT INTO post_counts VALUES ('all', 0, CASE NEW.status WHEN 'published' THEN 1 ELSE -1 END)
    ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + excluded.posts;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_categories_count_insert AFTER INSERT ON post_categories WHEN NEW.published_at IS NOT NULL BEGIN
    INSERT INTO post_counts VALUES ('category', NEW.category_id, 1) ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_categories_count_delete AFTER DELETE ON post_categories WHEN OLD.published_at IS NOT NULL BEGIN
    INSERT INTO post_counts VALUES ('category', OLD.category_id, -1) ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + -1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_categories_count_update AFTER UPDATE OF published_at ON post_categories WHEN (OLD.published_at IS NULL) <> (NEW.published_at IS NULL) BEGIN
    INSERT INTO post_counts VALUES ('category', NEW.category_id, CASE WHEN NEW.published_at IS NULL THEN -1 ELSE 1 END)
    ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + excluded.posts;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_tags_count_insert AFTER INSERT ON post_tags WHEN NEW.published_at IS NOT NULL BEGIN
    INSERT INTO post_counts VALUES ('tag', NEW.tag_id, 1) ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_tags_count_delete AFTER DELETE ON post_tags WHEN OLD.published_at IS NOT NULL BEGIN
    INSERT INTO post_counts VALUES ('tag', OLD.tag_id, -1) ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + -1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_tags_count_update AFTER UPDATE OF published_at ON post_tags WHEN (OLD.published_at IS NULL) <> (NEW.published_at IS NULL) BEGIN
    INSERT INTO post_counts VALUES ('tag', NEW.tag_id, CASE WHEN NEW.published_at IS NULL THEN -1 ELSE 1 END)
    ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + excluded.posts;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_bylines_count_insert AFTER INSERT ON post_bylines WHEN NEW.published_at IS NOT NULL BEGIN
    INSERT INTO post_counts VALUES ('byline', NEW.byline_id, 1) ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_bylines_count_delete AFTER DELETE ON post_bylines WHEN OLD.published_at IS NOT NULL BEGIN
    INSERT INTO post_counts VALUES ('byline', OLD.byline_id, -1) ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + -1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_bylines_count_update AFTER UPDATE OF published_at ON post_bylines WHEN (OLD.published_at IS NULL) <> (NEW.published_at IS NULL) BEGIN
    INSERT INTO post_counts VALUES ('byline', NEW.byline_id, CASE WHEN NEW.published_at IS NULL THEN -1 ELSE 1 END)
    ON CONFLICT (list, object_id) DO UPDATE SET posts = posts + excluded.posts;
END;
-- +goose StatementEnd

-- +goose Down
SELECT 1;
