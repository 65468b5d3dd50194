-- Whoever asks for a link to sign in waits for its mail, which is claimed before those that tell thousands of something.
-- +goose Up
CREATE INDEX mails_sign_in ON mails (sign_in_link_id) WHERE sent_at IS NULL AND failed_at IS NULL AND sign_in_link_id IS NOT NULL;

-- +goose Down
SELECT 1;
