-- What visitors see has a version: content is raised by each change of it, seats by each that is taken or given up. Triggers
-- raise them, so that no change goes by, whoever makes it; a test holds that every table either has them or is not public.
-- There is no row that all would wait for: a transaction tells the others when it commits, and itself by a setting that ends with
-- it. An event's end decides whether time changes it.
-- +goose Up
CREATE INDEX events_moments ON events (ends_at, starts_at, opens_at, closes_at, published_at);
-- +goose StatementBegin
CREATE FUNCTION raise_content_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('portal.' || TG_ARGV[0], 'changed', true);
    PERFORM pg_notify('portal_content_version', TG_ARGV[0]);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE ON settings FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER media_changed AFTER INSERT OR UPDATE OR DELETE ON media FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER cohorts_changed AFTER INSERT OR UPDATE OR DELETE ON cohorts FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER ambassadors_changed AFTER INSERT OR UPDATE OR DELETE ON ambassadors FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER groups_changed AFTER INSERT OR UPDATE OR DELETE ON groups FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER group_organisers_changed AFTER INSERT OR UPDATE OR DELETE ON group_organisers FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER event_series_changed AFTER INSERT OR UPDATE OR DELETE ON event_series FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER events_changed AFTER INSERT OR UPDATE OR DELETE ON events FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER event_cancellations_changed AFTER INSERT OR UPDATE OR DELETE ON event_cancellations FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER event_ambassadors_changed AFTER INSERT OR UPDATE OR DELETE ON event_ambassadors FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER speakers_changed AFTER INSERT OR UPDATE OR DELETE ON speakers FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER agenda_sessions_changed AFTER INSERT OR UPDATE OR DELETE ON agenda_sessions FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER sponsors_changed AFTER INSERT OR UPDATE OR DELETE ON sponsors FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER ticket_types_changed AFTER INSERT OR UPDATE OR DELETE ON ticket_types FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER ticket_type_quotas_changed AFTER INSERT OR UPDATE OR DELETE ON ticket_type_quotas FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER categories_changed AFTER INSERT OR UPDATE OR DELETE ON categories FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER tags_changed AFTER INSERT OR UPDATE OR DELETE ON tags FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER post_series_changed AFTER INSERT OR UPDATE OR DELETE ON post_series FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER bylines_changed AFTER INSERT OR UPDATE OR DELETE ON bylines FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER posts_changed AFTER INSERT OR UPDATE OR DELETE ON posts FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER post_bylines_changed AFTER INSERT OR UPDATE OR DELETE ON post_bylines FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER post_categories_changed AFTER INSERT OR UPDATE OR DELETE ON post_categories FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER post_tags_changed AFTER INSERT OR UPDATE OR DELETE ON post_tags FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER pages_changed AFTER INSERT OR UPDATE OR DELETE ON pages FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER slug_history_changed AFTER INSERT OR UPDATE OR DELETE ON slug_history FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('content');
CREATE TRIGGER quotas_changed AFTER INSERT OR UPDATE OR DELETE ON quotas FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('seats');
CREATE TRIGGER registrations_changed AFTER INSERT OR UPDATE OF status OR DELETE ON registrations FOR EACH STATEMENT EXECUTE FUNCTION raise_content_version('seats');

-- +goose Down
SELECT 1;
