-- On SQLite one process serves, which counts requests in its memory.
-- +goose Up
SELECT 1;

-- +goose Down
SELECT 1;
