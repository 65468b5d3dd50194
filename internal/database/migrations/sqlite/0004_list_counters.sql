-- A registration that the sample data came with is told from those that people made. What hangs on a registration is found by an
-- index when it goes.
-- +goose Up
ALTER TABLE registrations ADD COLUMN sample boolean NOT NULL DEFAULT false;
CREATE INDEX consents_registration ON consents (registration_id);
CREATE INDEX mails_registration ON mails (registration_id);

-- +goose Down
SELECT 1;
