-- What visitors see has a version: content is raised by each change of it, seats by each that is taken or given up. Triggers
-- raise them, so that no change goes by, whoever makes it; a test holds that every table either has them or is not public.
-- Other processes look at the row when SQLite tells them that somebody wrote. An event's end decides whether time changes it.
-- +goose Up
CREATE TABLE content_version (
    id integer PRIMARY KEY CHECK (id = 1),
    content integer NOT NULL,
    seats integer NOT NULL
);
INSERT INTO content_version (id, content, seats) VALUES (1, 1, 1);
CREATE INDEX events_moments ON events (ends_at, starts_at, opens_at, closes_at, published_at);
-- +goose StatementBegin
CREATE TRIGGER settings_added AFTER INSERT ON settings BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER settings_changed AFTER UPDATE ON settings BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER settings_removed AFTER DELETE ON settings BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER media_added AFTER INSERT ON media BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER media_changed AFTER UPDATE ON media BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER media_removed AFTER DELETE ON media BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER cohorts_added AFTER INSERT ON cohorts BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER cohorts_changed AFTER UPDATE ON cohorts BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER cohorts_removed AFTER DELETE ON cohorts BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER ambassadors_added AFTER INSERT ON ambassadors BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER ambassadors_changed AFTER UPDATE ON ambassadors BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER ambassadors_removed AFTER DELETE ON ambassadors BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER groups_added AFTER INSERT ON groups BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER groups_changed AFTER UPDATE ON groups BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER groups_removed AFTER DELETE ON groups BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER group_organisers_added AFTER INSERT ON group_organisers BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER group_organisers_changed AFTER UPDATE ON group_organisers BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER group_organisers_removed AFTER DELETE ON group_organisers BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER event_series_added AFTER INSERT ON event_series BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER event_series_changed AFTER UPDATE ON event_series BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER event_series_removed AFTER DELETE ON event_series BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER events_added AFTER INSERT ON events BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER events_changed AFTER UPDATE ON events BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER events_removed AFTER DELETE ON events BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER event_cancellations_added AFTER INSERT ON event_cancellations BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER event_cancellations_changed AFTER UPDATE ON event_cancellations BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER event_cancellations_removed AFTER DELETE ON event_cancellations BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER event_ambassadors_added AFTER INSERT ON event_ambassadors BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER event_ambassadors_changed AFTER UPDATE ON event_ambassadors BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER event_ambassadors_removed AFTER DELETE ON event_ambassadors BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER speakers_added AFTER INSERT ON speakers BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER speakers_changed AFTER UPDATE ON speakers BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER speakers_removed AFTER DELETE ON speakers BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER agenda_sessions_added AFTER INSERT ON agenda_sessions BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER agenda_sessions_changed AFTER UPDATE ON agenda_sessions BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER agenda_sessions_removed AFTER DELETE ON agenda_sessions BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER sponsors_added AFTER INSERT ON sponsors BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER sponsors_changed AFTER UPDATE ON sponsors BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER sponsors_removed AFTER DELETE ON sponsors BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER ticket_types_added AFTER INSERT ON ticket_types BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER ticket_types_changed AFTER UPDATE ON ticket_types BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER ticket_types_removed AFTER DELETE ON ticket_types BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER ticket_type_quotas_added AFTER INSERT ON ticket_type_quotas BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER ticket_type_quotas_changed AFTER UPDATE ON ticket_type_quotas BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER ticket_type_quotas_removed AFTER DELETE ON ticket_type_quotas BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER categories_added AFTER INSERT ON categories BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER categories_changed AFTER UPDATE ON categories BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER categories_removed AFTER DELETE ON categories BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER tags_added AFTER INSERT ON tags BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER tags_changed AFTER UPDATE ON tags BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER tags_removed AFTER DELETE ON tags BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_series_added AFTER INSERT ON post_series BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_series_changed AFTER UPDATE ON post_series BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_series_removed AFTER DELETE ON post_series BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER bylines_added AFTER INSERT ON bylines BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER bylines_changed AFTER UPDATE ON bylines BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER bylines_removed AFTER DELETE ON bylines BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER posts_added AFTER INSERT ON posts BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER posts_changed AFTER UPDATE ON posts BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER posts_removed AFTER DELETE ON posts BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_bylines_added AFTER INSERT ON post_bylines BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_bylines_changed AFTER UPDATE ON post_bylines BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_bylines_removed AFTER DELETE ON post_bylines BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_categories_added AFTER INSERT ON post_categories BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_categories_changed AFTER UPDATE ON post_categories BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_categories_removed AFTER DELETE ON post_categories BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_tags_added AFTER INSERT ON post_tags BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_tags_changed AFTER UPDATE ON post_tags BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER post_tags_removed AFTER DELETE ON post_tags BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER pages_added AFTER INSERT ON pages BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER pages_changed AFTER UPDATE ON pages BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER pages_removed AFTER DELETE ON pages BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER slug_history_added AFTER INSERT ON slug_history BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER slug_history_changed AFTER UPDATE ON slug_history BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER slug_history_removed AFTER DELETE ON slug_history BEGIN UPDATE content_version SET content = content + 1; END;
CREATE TRIGGER quotas_added AFTER INSERT ON quotas BEGIN UPDATE content_version SET seats = seats + 1; END;
CREATE TRIGGER quotas_changed AFTER UPDATE ON quotas BEGIN UPDATE content_version SET seats = seats + 1; END;
CREATE TRIGGER quotas_removed AFTER DELETE ON quotas BEGIN UPDATE content_version SET seats = seats + 1; END;
CREATE TRIGGER registrations_added AFTER INSERT ON registrations BEGIN UPDATE content_version SET seats = seats + 1; END;
CREATE TRIGGER registrations_changed AFTER UPDATE OF status ON registrations BEGIN UPDATE content_version SET seats = seats + 1; END;
CREATE TRIGGER registrations_removed AFTER DELETE ON registrations BEGIN UPDATE content_version SET seats = seats + 1; END;
-- +goose StatementEnd

-- +goose Down
SELECT 1;
