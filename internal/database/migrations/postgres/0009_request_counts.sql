-- How many requests each client sent in a minute, for the limits that several processes share. Clients are keyed hashes. What is
-- counted is worth nothing a minute later, so it is not logged: a server that crashed begins anew.
-- +goose Up
CREATE UNLOGGED TABLE request_counts (
    client text NOT NULL,
    minute timestamptz NOT NULL,
    requests integer NOT NULL,
    PRIMARY KEY (client, minute)
);

-- +goose Down
SELECT 1;
