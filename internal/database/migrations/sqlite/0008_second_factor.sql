-- Accounts may have more than a mailed link to sign in with: a password, an authenticator app with recovery codes, and passkeys.
-- A session knows when the person at it last proved who they are.
-- +goose Up
ALTER TABLE sessions ADD COLUMN proved_at datetime NOT NULL DEFAULT '1970-01-01 00:00:00+00:00';
UPDATE sessions SET proved_at = created_at;

CREATE TABLE passwords (
    user_id integer PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash text NOT NULL,
    created_at datetime NOT NULL
);

-- The secret that an app shares is derived from the portal's key and the nonce. last_step is the step (RFC 6238) of the last
-- code that was used: an earlier one, and that one, work no more.
CREATE TABLE authenticators (
    user_id integer PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    nonce text NOT NULL,
    last_step integer NOT NULL,
    created_at datetime NOT NULL
);

CREATE TABLE recovery_codes (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash text NOT NULL,
    created_at datetime NOT NULL,
    used_at datetime
);
CREATE INDEX recovery_codes_user ON recovery_codes (user_id);

-- credential is what the browser's authenticator said of itself, with its public key, as JSON. handle is the account's random
-- name to authenticators, the same in all of its rows.
CREATE TABLE passkeys (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    credential_id text NOT NULL UNIQUE,
    handle text NOT NULL,
    credential text NOT NULL,
    created_at datetime NOT NULL,
    used_at datetime
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- A sign-in whose first factor was right and whose second is asked for.
CREATE TABLE half_sign_ins (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash text NOT NULL UNIQUE,
    first_factor text NOT NULL,
    next_path text NOT NULL DEFAULT '',
    created_at datetime NOT NULL,
    expires_at datetime NOT NULL
);
CREATE INDEX half_sign_ins_user ON half_sign_ins (user_id);

-- Challenges that a passkey has answered, so that no answer works twice.
CREATE TABLE used_challenges (
    hash text PRIMARY KEY,
    expires_at datetime NOT NULL
);

-- How often somebody guessed wrong, by a keyed hash of what they guess at or of where they are.
CREATE TABLE guesses (
    subject text PRIMARY KEY,
    count integer NOT NULL,
    last_at datetime NOT NULL
);

-- +goose Down
SELECT 1;
