-- Lists of events are read from an index in their own order, of a country, a group or a series from one that begins with it, and
-- stop after the page that they show. Drafts are few, so no index is parted by status. When something opens or closes next is the
-- first of an index too. Groups are offered by name. Posts that were first published elsewhere are few, and counted apart.
-- +goose Up
DROP INDEX events_coming;
CREATE INDEX events_starts ON events (starts_at, id, ends_at, status, published_at, kind, mode);
CREATE INDEX events_ends ON events (ends_at, starts_at, id, status, published_at, kind, mode);
CREATE INDEX events_published ON events (published_at, id, status);
CREATE INDEX events_country ON events (venue_country, ends_at, starts_at, id, status, published_at, kind, mode, group_id);
DROP INDEX events_group;
CREATE INDEX events_group ON events (group_id, ends_at, starts_at, id, status, published_at, kind, mode, venue_country);
CREATE INDEX events_series ON events (series_id, starts_at) WHERE series_id IS NOT NULL;
CREATE INDEX events_opens ON events (opens_at) WHERE opens_at IS NOT NULL;
CREATE INDEX events_closes ON events (closes_at) WHERE closes_at IS NOT NULL;
CREATE INDEX groups_name ON groups (status, name, id);
CREATE INDEX posts_sourced ON posts (status, publish_at, expire_at) WHERE source_url <> '';

-- +goose Down
SELECT 1;
