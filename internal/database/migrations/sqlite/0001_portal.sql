-- The tables of the portal's first release. Times are UTC; an event keeps its local wall time and zone beside them.

-- +goose Up

-- What every process on this database must share, such as the key that signs links.
CREATE TABLE settings (
    key text PRIMARY KEY,
    value text NOT NULL
);

-- Which file of a content folder was loaded in which state, so that loading it again changes nothing.
CREATE TABLE content_files (
    path text PRIMARY KEY,
    checksum text NOT NULL,
    imported_at datetime NOT NULL
);

-- People

CREATE TABLE users (
    id integer PRIMARY KEY,
    email text NOT NULL,
    email_key text NOT NULL UNIQUE,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('attendee', 'ambassador', 'staff', 'admin')),
    locale text NOT NULL DEFAULT 'en',
    timezone text NOT NULL DEFAULT 'UTC',
    version integer NOT NULL DEFAULT 1,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL
);

-- One-time links. A mailed one gets its token only when its mail is sent, so token_hash starts empty.
CREATE TABLE sign_in_links (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash text UNIQUE,
    next_path text NOT NULL DEFAULT '',
    created_at datetime NOT NULL,
    expires_at datetime NOT NULL,
    used_at datetime
);
CREATE INDEX sign_in_links_user ON sign_in_links (user_id);

CREATE TABLE sessions (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash text NOT NULL UNIQUE,
    user_agent text NOT NULL DEFAULT '',
    created_at datetime NOT NULL,
    seen_at datetime NOT NULL,
    expires_at datetime NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE media (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    content_type text NOT NULL,
    width integer NOT NULL CHECK (width > 0),
    height integer NOT NULL CHECK (height > 0),
    size integer NOT NULL,
    alt text NOT NULL,
    credit text NOT NULL DEFAULT '',
    licence text NOT NULL DEFAULT '',
    user_id integer REFERENCES users (id) ON DELETE SET NULL,
    created_at datetime NOT NULL
);

-- Ambassadors

CREATE TABLE cohorts (
    id integer PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    title text NOT NULL,
    welcomed_on text NOT NULL,
    size integer NOT NULL CHECK (size >= 0),
    markdown text NOT NULL DEFAULT '',
    html text NOT NULL DEFAULT '',
    renderer_version integer NOT NULL DEFAULT 0,
    updated_at datetime NOT NULL
);

CREATE TABLE ambassadors (
    id integer PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    user_id integer UNIQUE REFERENCES users (id) ON DELETE SET NULL,
    cohort_id integer REFERENCES cohorts (id),
    status text NOT NULL CHECK (status IN ('draft', 'published')),
    name text NOT NULL,
    title text NOT NULL DEFAULT '',
    employer text NOT NULL DEFAULT '',
    city text NOT NULL DEFAULT '',
    country text NOT NULL DEFAULT '',
    latitude real,
    longitude real,
    pronouns text NOT NULL DEFAULT '',
    languages text NOT NULL DEFAULT '[]',
    topics text NOT NULL DEFAULT '[]',
    links text NOT NULL DEFAULT '[]',
    handle text NOT NULL DEFAULT '',
    quote text NOT NULL DEFAULT '',
    photo_id integer REFERENCES media (id) ON DELETE SET NULL,
    markdown text NOT NULL DEFAULT '',
    html text NOT NULL DEFAULT '',
    plain_text text NOT NULL DEFAULT '',
    renderer_version integer NOT NULL DEFAULT 0,
    sample boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL,
    CHECK ((latitude IS NULL) = (longitude IS NULL))
);
CREATE INDEX ambassadors_cohort ON ambassadors (cohort_id);

-- Groups

CREATE TABLE groups (
    id integer PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    status text NOT NULL CHECK (status IN ('listed', 'delisted')),
    name text NOT NULL,
    city text NOT NULL,
    country text NOT NULL,
    latitude real NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude real NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    timezone text NOT NULL,
    language text NOT NULL DEFAULT 'en',
    topics text NOT NULL DEFAULT '[]',
    links text NOT NULL DEFAULT '[]',
    markdown text NOT NULL DEFAULT '',
    html text NOT NULL DEFAULT '',
    plain_text text NOT NULL DEFAULT '',
    renderer_version integer NOT NULL DEFAULT 0,
    sample boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL
);

-- Who runs a group: an account, or an ambassador who may not have one yet.
CREATE TABLE group_organisers (
    id integer PRIMARY KEY,
    group_id integer NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id integer REFERENCES users (id) ON DELETE CASCADE,
    ambassador_id integer REFERENCES ambassadors (id) ON DELETE CASCADE,
    created_at datetime NOT NULL,
    CHECK ((user_id IS NULL) <> (ambassador_id IS NULL)),
    UNIQUE (group_id, user_id),
    UNIQUE (group_id, ambassador_id)
);
CREATE INDEX group_organisers_user ON group_organisers (user_id);
CREATE INDEX group_organisers_ambassador ON group_organisers (ambassador_id);

-- Events

CREATE TABLE event_series (
    id integer PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    title text NOT NULL,
    rule text NOT NULL,
    created_at datetime NOT NULL
);

CREATE TABLE events (
    id integer PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    uid text NOT NULL UNIQUE,
    sequence integer NOT NULL DEFAULT 0,
    series_id integer REFERENCES event_series (id),
    group_id integer REFERENCES groups (id),
    status text NOT NULL CHECK (status IN ('draft', 'published', 'cancelled')),
    kind text NOT NULL CHECK (kind IN ('meetup', 'conference', 'hackathon', 'call')),
    mode text NOT NULL CHECK (mode IN ('in_person', 'online', 'hybrid')),
    title text NOT NULL,
    summary text NOT NULL DEFAULT '',
    language text NOT NULL DEFAULT 'en',
    text_language text NOT NULL DEFAULT 'en',
    timezone text NOT NULL,
    starts_local text NOT NULL,
    ends_local text NOT NULL,
    starts_at datetime NOT NULL,
    ends_at datetime NOT NULL,
    date_precision text NOT NULL DEFAULT 'minute' CHECK (date_precision IN ('minute', 'start', 'day', 'month')),
    hosts text NOT NULL DEFAULT '[]',
    venue_name text NOT NULL DEFAULT '',
    venue_address text NOT NULL DEFAULT '',
    venue_city text NOT NULL DEFAULT '',
    venue_country text NOT NULL DEFAULT '',
    online_link text NOT NULL DEFAULT '',
    online_place text NOT NULL DEFAULT '',
    registration text NOT NULL DEFAULT 'portal' CHECK (registration IN ('portal', 'outside', 'none')),
    registration_url text NOT NULL DEFAULT '',
    registration_note text NOT NULL DEFAULT '',
    opens_at datetime,
    closes_at datetime,
    choose text NOT NULL DEFAULT 'one' CHECK (choose IN ('one', 'several')),
    links text NOT NULL DEFAULT '[]',
    markdown text NOT NULL DEFAULT '',
    html text NOT NULL DEFAULT '',
    plain_text text NOT NULL DEFAULT '',
    renderer_version integer NOT NULL DEFAULT 0,
    sample boolean NOT NULL DEFAULT false,
    created_by integer REFERENCES users (id) ON DELETE SET NULL,
    version integer NOT NULL DEFAULT 1,
    published_at datetime,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL,
    CHECK (ends_at > starts_at)
);
CREATE INDEX events_coming ON events (status, starts_at, id);
CREATE INDEX events_group ON events (group_id, starts_at);

-- A cancelled event has the row that says who, when and why.
CREATE TABLE event_cancellations (
    event_id integer PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE,
    user_id integer REFERENCES users (id) ON DELETE SET NULL,
    reason text NOT NULL,
    created_at datetime NOT NULL
);

CREATE TABLE event_ambassadors (
    event_id integer NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    ambassador_id integer NOT NULL REFERENCES ambassadors (id) ON DELETE CASCADE,
    PRIMARY KEY (event_id, ambassador_id)
);
CREATE INDEX event_ambassadors_ambassador ON event_ambassadors (ambassador_id);

CREATE TABLE speakers (
    id integer PRIMARY KEY,
    event_id integer NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    position integer NOT NULL,
    name text NOT NULL,
    title text NOT NULL DEFAULT '',
    employer text NOT NULL DEFAULT '',
    url text NOT NULL DEFAULT '',
    bio text NOT NULL DEFAULT '',
    UNIQUE (event_id, position)
);

-- One line of an agenda. starts is the local wall time HH:MM on the event's day number day, from 1; where it is not known,
-- it is empty and the order counts.
CREATE TABLE agenda_sessions (
    id integer PRIMARY KEY,
    event_id integer NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    position integer NOT NULL,
    day integer NOT NULL DEFAULT 1 CHECK (day >= 1),
    starts text NOT NULL DEFAULT '',
    minutes integer NOT NULL DEFAULT 0 CHECK (minutes >= 0),
    title text NOT NULL,
    track text NOT NULL DEFAULT '',
    summary text NOT NULL DEFAULT '',
    speaker_names text NOT NULL DEFAULT '[]',
    UNIQUE (event_id, position)
);

CREATE TABLE sponsors (
    id integer PRIMARY KEY,
    event_id integer NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    position integer NOT NULL,
    name text NOT NULL,
    url text NOT NULL DEFAULT '',
    contribution text NOT NULL DEFAULT '',
    UNIQUE (event_id, position)
);

-- Registration

-- Seats. The last check is what makes selling one too many impossible.
CREATE TABLE quotas (
    id integer PRIMARY KEY,
    event_id integer NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    slug text NOT NULL,
    name text NOT NULL,
    size integer CHECK (size >= 0),
    held integer NOT NULL DEFAULT 0 CHECK (held >= 0),
    taken integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    UNIQUE (event_id, slug),
    CHECK (size IS NULL OR taken + held <= size)
);

CREATE TABLE ticket_types (
    id integer PRIMARY KEY,
    event_id integer NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    slug text NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    position integer NOT NULL,
    UNIQUE (event_id, slug)
);

CREATE TABLE ticket_type_quotas (
    ticket_type_id integer NOT NULL REFERENCES ticket_types (id) ON DELETE CASCADE,
    quota_id integer NOT NULL REFERENCES quotas (id) ON DELETE CASCADE,
    PRIMARY KEY (ticket_type_id, quota_id)
);
CREATE INDEX ticket_type_quotas_quota ON ticket_type_quotas (quota_id);

CREATE TABLE registrations (
    id integer PRIMARY KEY,
    event_id integer NOT NULL REFERENCES events (id),
    public_id text NOT NULL UNIQUE,
    link_version integer NOT NULL DEFAULT 1,
    nonce text,
    status text NOT NULL CHECK (status IN ('confirmed', 'cancelled')),
    name text NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    link_mailed_at datetime,
    created_at datetime NOT NULL,
    cancelled_at datetime,
    CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    UNIQUE (event_id, nonce)
);
-- One living registration a person and event.
CREATE UNIQUE INDEX registrations_live ON registrations (event_id, email_key) WHERE status <> 'cancelled';
CREATE INDEX registrations_person ON registrations (email_key);

CREATE TABLE registration_tickets (
    registration_id integer NOT NULL REFERENCES registrations (id) ON DELETE CASCADE,
    ticket_type_id integer NOT NULL REFERENCES ticket_types (id),
    PRIMARY KEY (registration_id, ticket_type_id)
);
CREATE INDEX registration_tickets_type ON registration_tickets (ticket_type_id);

CREATE TABLE consents (
    id integer PRIMARY KEY,
    registration_id integer REFERENCES registrations (id) ON DELETE CASCADE,
    user_id integer REFERENCES users (id) ON DELETE CASCADE,
    purpose text NOT NULL,
    version text NOT NULL,
    given_at datetime NOT NULL,
    withdrawn_at datetime,
    CHECK ((registration_id IS NULL) <> (user_id IS NULL))
);

-- Writing

CREATE TABLE categories (
    id integer PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL
);

CREATE TABLE tags (
    id integer PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL
);

CREATE TABLE post_series (
    id integer PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    title text NOT NULL
);

CREATE TABLE bylines (
    id integer PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    title text NOT NULL DEFAULT '',
    employer text NOT NULL DEFAULT '',
    handle text NOT NULL DEFAULT '',
    url text NOT NULL DEFAULT '',
    bio text NOT NULL DEFAULT '',
    user_id integer UNIQUE REFERENCES users (id) ON DELETE SET NULL,
    ambassador_id integer UNIQUE REFERENCES ambassadors (id) ON DELETE SET NULL
);

CREATE TABLE posts (
    id integer PRIMARY KEY,
    uuid text NOT NULL UNIQUE,
    slug text NOT NULL UNIQUE,
    status text NOT NULL CHECK (status IN ('draft', 'submitted', 'changes_asked', 'published', 'declined', 'withdrawn')),
    publish_at datetime,
    expire_at datetime,
    title text NOT NULL,
    excerpt text NOT NULL DEFAULT '',
    summary text NOT NULL DEFAULT '',
    language text NOT NULL DEFAULT 'en',
    licence text NOT NULL DEFAULT 'CC-BY-4.0',
    source_name text NOT NULL DEFAULT '',
    source_author text NOT NULL DEFAULT '',
    source_url text NOT NULL DEFAULT '',
    series_id integer REFERENCES post_series (id),
    group_id integer REFERENCES groups (id),
    introduces_id integer REFERENCES ambassadors (id) ON DELETE SET NULL,
    announces_id integer REFERENCES events (id) ON DELETE SET NULL,
    cover_id integer REFERENCES media (id) ON DELETE SET NULL,
    user_id integer REFERENCES users (id) ON DELETE SET NULL,
    markdown text NOT NULL DEFAULT '',
    html text NOT NULL DEFAULT '',
    plain_text text NOT NULL DEFAULT '',
    contents text NOT NULL DEFAULT '[]',
    words integer NOT NULL DEFAULT 0,
    renderer_version integer NOT NULL DEFAULT 0,
    sample boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    changed_at datetime,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL,
    CHECK (status <> 'published' OR publish_at IS NOT NULL)
);
CREATE INDEX posts_published ON posts (status, publish_at DESC, id DESC);
CREATE INDEX posts_series ON posts (series_id, publish_at);
CREATE INDEX posts_group ON posts (group_id, publish_at);
CREATE INDEX posts_introduces ON posts (introduces_id);
CREATE INDEX posts_announces ON posts (announces_id);
CREATE INDEX posts_user ON posts (user_id);

CREATE TABLE post_bylines (
    post_id integer NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    byline_id integer NOT NULL REFERENCES bylines (id),
    position integer NOT NULL,
    PRIMARY KEY (post_id, byline_id)
);
CREATE INDEX post_bylines_byline ON post_bylines (byline_id, post_id);

CREATE TABLE post_categories (
    post_id integer NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    category_id integer NOT NULL REFERENCES categories (id),
    position integer NOT NULL,
    PRIMARY KEY (post_id, category_id)
);
CREATE INDEX post_categories_category ON post_categories (category_id, post_id);

CREATE TABLE post_tags (
    post_id integer NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    tag_id integer NOT NULL REFERENCES tags (id),
    position integer NOT NULL,
    PRIMARY KEY (post_id, tag_id)
);
CREATE INDEX post_tags_tag ON post_tags (tag_id, post_id);

CREATE TABLE revisions (
    id integer PRIMARY KEY,
    post_id integer NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    user_id integer REFERENCES users (id) ON DELETE SET NULL,
    title text NOT NULL,
    excerpt text NOT NULL,
    markdown text NOT NULL,
    created_at datetime NOT NULL
);
CREATE INDEX revisions_post ON revisions (post_id, id);

-- What happened to a post on its way: who submitted, sent back, published, with which words.
CREATE TABLE reviews (
    id integer PRIMARY KEY,
    post_id integer NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    user_id integer REFERENCES users (id) ON DELETE SET NULL,
    status text NOT NULL,
    comment text NOT NULL DEFAULT '',
    created_at datetime NOT NULL
);
CREATE INDEX reviews_post ON reviews (post_id, id);

CREATE TABLE pages (
    id integer PRIMARY KEY,
    path text NOT NULL UNIQUE,
    title text NOT NULL,
    description text NOT NULL,
    position integer NOT NULL DEFAULT 0,
    project_status text NOT NULL DEFAULT '',
    project_website text NOT NULL DEFAULT '',
    markdown text NOT NULL DEFAULT '',
    html text NOT NULL DEFAULT '',
    plain_text text NOT NULL DEFAULT '',
    contents text NOT NULL DEFAULT '[]',
    renderer_version integer NOT NULL DEFAULT 0,
    updated_at datetime NOT NULL
);

-- Slugs that once led to a thing, so that old addresses lead to its present one.
CREATE TABLE slug_history (
    kind text NOT NULL CHECK (kind IN ('post', 'ambassador', 'group', 'event')),
    slug text NOT NULL,
    object_id integer NOT NULL,
    created_at datetime NOT NULL,
    PRIMARY KEY (kind, slug)
);

-- Delivery

-- The outbox: a mail is written with the change it tells of and sent by a worker that claims it with a lease.
CREATE TABLE mails (
    id integer PRIMARY KEY,
    kind text NOT NULL,
    dedupe_key text NOT NULL UNIQUE,
    recipient text NOT NULL,
    recipient_name text NOT NULL DEFAULT '',
    user_id integer REFERENCES users (id) ON DELETE CASCADE,
    registration_id integer REFERENCES registrations (id) ON DELETE CASCADE,
    event_id integer REFERENCES events (id) ON DELETE CASCADE,
    post_id integer REFERENCES posts (id) ON DELETE CASCADE,
    review_id integer REFERENCES reviews (id) ON DELETE CASCADE,
    sign_in_link_id integer REFERENCES sign_in_links (id) ON DELETE CASCADE,
    attempts integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    next_at datetime NOT NULL,
    leased_until datetime,
    sent_at datetime,
    failed_at datetime,
    created_at datetime NOT NULL
);
CREATE INDEX mails_due ON mails (next_at, id) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX mails_recipient ON mails (recipient, id) WHERE sent_at IS NULL AND failed_at IS NULL;

CREATE TABLE audit_entries (
    id integer PRIMARY KEY,
    user_id integer REFERENCES users (id) ON DELETE SET NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    subject_id integer NOT NULL,
    before_value text NOT NULL DEFAULT '',
    after_value text NOT NULL DEFAULT '',
    created_at datetime NOT NULL
);
CREATE INDEX audit_entries_subject ON audit_entries (subject, subject_id, id);

-- +goose Down
SELECT 1;
