-- Rows of a portal that is in use, in the columns that the first schema has, for either database.
INSERT INTO settings (key, value) VALUES ('secret_key', 'hush');
INSERT INTO users (id, email, email_key, name, role, created_at, updated_at) VALUES
    (1, 'Ada@example.org', 'ada@example.org', 'Ada', 'admin', '2026-10-01 08:00:00+00:00', '2026-10-01 08:00:00+00:00'),
    (2, 'ben@example.org', 'ben@example.org', 'Ben', 'ambassador', '2026-10-02 08:00:00+00:00', '2026-10-02 08:00:00+00:00');
INSERT INTO sessions (id, user_id, token_hash, created_at, seen_at, expires_at) VALUES
    (1, 1, 'one', '2026-11-01 08:00:00+00:00', '2026-11-20 08:00:00+00:00', '2026-12-20 08:00:00+00:00');
INSERT INTO media (id, name, content_type, width, height, size, alt, user_id, created_at) VALUES
    (1, 'a.webp', 'image/webp', 40, 30, 900, 'A cover', 2, '2026-10-03 08:00:00+00:00');
INSERT INTO cohorts (id, slug, title, welcomed_on, size, updated_at) VALUES (1, '2026', 'Welcomed in 2026', '2026-03-01', 1, '2026-10-01 08:00:00+00:00');
INSERT INTO ambassadors (id, slug, user_id, cohort_id, status, name, latitude, longitude, photo_id, created_at, updated_at) VALUES
    (1, 'ben', 2, 1, 'published', 'Ben', 52.5, 13.4, 1, '2026-10-02 08:00:00+00:00', '2026-10-02 08:00:00+00:00');
INSERT INTO groups (id, slug, status, name, city, country, latitude, longitude, timezone, created_at, updated_at) VALUES
    (1, 'berlin', 'listed', 'Berlin', 'Berlin', 'DE', 52.5, 13.4, 'Europe/Berlin', '2026-10-02 08:00:00+00:00', '2026-10-02 08:00:00+00:00');
INSERT INTO group_organisers (id, group_id, user_id, created_at) VALUES (1, 1, 2, '2026-10-02 08:00:00+00:00');
INSERT INTO events (id, slug, uid, group_id, status, kind, mode, title, timezone, starts_local, ends_local, starts_at, ends_at, published_at, created_at, updated_at) VALUES
    (1, 'evening', 'evening@example.org', 1, 'published', 'meetup', 'in_person', 'An evening', 'Europe/Berlin', '2026-12-01T18:00', '2026-12-01T20:00',
     '2026-12-01 17:00:00+00:00', '2026-12-01 19:00:00+00:00', '2026-10-05 08:00:00+00:00', '2026-10-04 08:00:00+00:00', '2026-10-05 08:00:00+00:00'),
    (2, 'called-off', 'off@example.org', 1, 'cancelled', 'meetup', 'online', 'Called off', 'UTC', '2026-12-02T18:00', '2026-12-02T20:00',
     '2026-12-02 18:00:00+00:00', '2026-12-02 20:00:00+00:00', '2026-10-05 08:00:00+00:00', '2026-10-04 08:00:00+00:00', '2026-10-06 08:00:00+00:00');
INSERT INTO event_cancellations (event_id, user_id, reason, created_at) VALUES (2, 2, 'No room.', '2026-10-06 08:00:00+00:00');
INSERT INTO event_ambassadors (event_id, ambassador_id) VALUES (1, 1);
INSERT INTO quotas (id, event_id, slug, name, size, taken) VALUES (1, 1, 'room', 'Room', 3, 2), (2, 1, 'table', 'Table', NULL, 1);
INSERT INTO ticket_types (id, event_id, slug, name, position) VALUES (1, 1, 'sit', 'Sit', 1), (2, 1, 'stand', 'Stand', 2);
INSERT INTO ticket_type_quotas (ticket_type_id, quota_id) VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO registrations (id, event_id, public_id, status, name, email, email_key, created_at, cancelled_at) VALUES
    (1, 1, 'r1', 'confirmed', 'Cyd', 'cyd@example.org', 'cyd@example.org', '2026-11-01 08:00:00.123456+00:00', NULL),
    (2, 1, 'r2', 'confirmed', 'Dee', 'dee@example.org', 'dee@example.org', '2026-11-01 09:00:00+00:00', NULL),
    (3, 1, 'r3', 'cancelled', 'Eve', 'eve@example.org', 'eve@example.org', '2026-11-01 10:00:00+00:00', '2026-11-02 10:00:00+00:00');
INSERT INTO registration_tickets (registration_id, ticket_type_id) VALUES (1, 1), (2, 2), (3, 2);
INSERT INTO consents (id, registration_id, purpose, version, given_at, withdrawn_at) VALUES
    (1, 1, 'event', '1', '2026-11-01 08:00:00+00:00', NULL), (2, 3, 'event', '1', '2026-11-01 10:00:00+00:00', '2026-11-02 10:00:00+00:00');
INSERT INTO categories (id, slug, name) VALUES (1, 'how-to', 'How to'), (2, 'empty', 'Empty');
INSERT INTO tags (id, slug, name) VALUES (1, 'tekton', 'Tekton'), (2, 'jenkins', 'Jenkins');
INSERT INTO post_series (id, slug, title) VALUES (1, 'triggers', 'Triggers');
INSERT INTO bylines (id, slug, name, ambassador_id) VALUES (1, 'ben', 'Ben', 1), (2, 'cyd', 'Cyd', NULL);
INSERT INTO posts (id, uuid, slug, status, publish_at, expire_at, title, series_id, cover_id, user_id, markdown, html, plain_text, contents, created_at, updated_at) VALUES
    (1, 'u1', 'first', 'published', '2026-10-10 08:00:00+00:00', NULL, 'First', 1, 1, 2, '# One *é*', '<h1>One</h1>', 'One é', '[{"id":"one"}]', '2026-10-09 08:00:00+00:00', '2026-10-10 08:00:00+00:00'),
    (2, 'u2', 'second', 'published', '2026-11-10 08:00:00+00:00', '2026-11-30 08:00:00+00:00', 'Second', 1, NULL, 2, 'Two', '<p>Two</p>', 'Two', '[]', '2026-11-09 08:00:00+00:00', '2026-11-10 08:00:00+00:00'),
    (3, 'u3', 'later', 'published', '2027-01-10 08:00:00+00:00', NULL, 'Later', NULL, NULL, 1, 'Three', '<p>Three</p>', 'Three', '[]', '2026-11-09 08:00:00+00:00', '2026-11-10 08:00:00+00:00'),
    (4, 'u4', 'draft', 'draft', '2026-10-10 08:00:00+00:00', NULL, 'Draft', NULL, NULL, 2, 'Four', '<p>Four</p>', 'Four', '[]', '2026-11-09 08:00:00+00:00', '2026-11-10 08:00:00+00:00'),
    (5, 'u5', 'gone', 'withdrawn', '2026-10-11 08:00:00+00:00', NULL, 'Gone', NULL, NULL, NULL, 'Five', '<p>Five</p>', 'Five', '[]', '2026-11-09 08:00:00+00:00', '2026-11-10 08:00:00+00:00');
INSERT INTO post_bylines (post_id, byline_id, position) VALUES (1, 1, 1), (1, 2, 2), (2, 1, 1), (3, 1, 1), (4, 1, 1), (5, 2, 1);
INSERT INTO post_categories (post_id, category_id, position) VALUES (1, 1, 1), (2, 1, 1), (4, 1, 1), (5, 2, 1);
INSERT INTO post_tags (post_id, tag_id, position) VALUES (1, 1, 1), (2, 1, 1), (2, 2, 2), (3, 2, 1), (4, 2, 1);
INSERT INTO revisions (id, post_id, user_id, title, excerpt, markdown, created_at) VALUES (1, 1, 2, 'First', '', '# One', '2026-10-09 08:00:00+00:00');
INSERT INTO reviews (id, post_id, user_id, status, comment, created_at) VALUES (1, 1, 1, 'published', 'Good.', '2026-10-10 08:00:00+00:00');
INSERT INTO pages (id, path, title, description, updated_at) VALUES (1, '/about', 'About', 'Who we are', '2026-10-01 08:00:00+00:00');
INSERT INTO slug_history (kind, slug, object_id, created_at) VALUES ('post', 'erste', 1, '2026-10-11 08:00:00+00:00');
INSERT INTO mails (id, kind, dedupe_key, recipient, registration_id, event_id, next_at, sent_at, created_at) VALUES
    (1, 'registered', 'registered-1', 'cyd@example.org', 1, 1, '2026-11-01 08:00:00+00:00', '2026-11-01 08:00:01+00:00', '2026-11-01 08:00:00+00:00'),
    (2, 'registered', 'registered-2', 'dee@example.org', 2, 1, '2026-11-01 09:00:00+00:00', NULL, '2026-11-01 09:00:00+00:00');
INSERT INTO audit_entries (id, user_id, actor, action, subject, subject_id, before_value, after_value, created_at) VALUES
    (1, 1, 'Ada', 'post.publish', 'posts', 1, 'submitted', 'published', '2026-10-10 08:00:00+00:00'),
    (2, 2, 'Ben', 'user.name', 'users', 2, 'Benjamin', 'Ben', '2026-10-11 08:00:00+00:00');
