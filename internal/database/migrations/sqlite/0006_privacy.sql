-- What is erased leaves a row for the counts, and files to be removed are rows, so that a crash forgets none. The audit log
-- is written once: a row is changed by nobody, but that an erased account leaves it, and goes only when it is long past.
-- +goose Up
ALTER TABLE registrations ADD COLUMN erased_at datetime;

CREATE TABLE file_removals (
    id integer PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('upload', 'mail', 'mailbox')),
    name text NOT NULL,
    before_at datetime,
    due_at datetime NOT NULL,
    created_at datetime NOT NULL
);
CREATE INDEX file_removals_due ON file_removals (due_at, id);

-- These named people: addresses of organisers, names, and profiles, whose slugs are names.
UPDATE audit_entries SET before_value = '', after_value = ''
WHERE action IN ('user.name', 'user.link_profile', 'group.organiser_add', 'group.organiser_remove', 'ambassador.remove_sample');

CREATE INDEX audit_entries_created ON audit_entries (created_at, id);
CREATE INDEX audit_entries_user ON audit_entries (user_id, id) WHERE user_id IS NOT NULL;
-- +goose StatementBegin
CREATE TRIGGER audit_entries_replaced BEFORE INSERT ON audit_entries WHEN EXISTS (SELECT 1 FROM audit_entries WHERE id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'the audit log cannot be changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_changed BEFORE UPDATE ON audit_entries
WHEN NOT (OLD.user_id IS NOT NULL AND NEW.user_id IS NULL AND NOT EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id)
    AND OLD.id = NEW.id AND OLD.actor = NEW.actor AND OLD.action = NEW.action AND OLD.subject = NEW.subject AND OLD.subject_id = NEW.subject_id
    AND OLD.before_value = NEW.before_value AND OLD.after_value = NEW.after_value AND OLD.created_at = NEW.created_at) BEGIN
    SELECT RAISE(ABORT, 'the audit log cannot be changed');
END;
-- +goose StatementEnd
-- The age counts from the newest entry: whoever moves the clock to delete more leaves an entry that shows it.
-- +goose StatementBegin
CREATE TRIGGER audit_entries_deleted BEFORE DELETE ON audit_entries
WHEN julianday(OLD.created_at) > julianday((SELECT created_at FROM audit_entries ORDER BY id DESC LIMIT 1)) - 60 BEGIN
    SELECT RAISE(ABORT, 'the audit log cannot be changed');
END;
-- +goose StatementEnd

-- +goose Down
SELECT 1;
