-- Calendar synchronisation (docs/requirements/domain.md, part C).

-- B-123, with its defects mended: priority is a number (B-133), a task says who works on it and
-- until when (B-135), and when it may run (B-138, B-140).
CREATE TABLE IF NOT EXISTS sync_queue (
    task_id       uuid PRIMARY KEY,
    user_id       uuid NOT NULL,
    gite_id       uuid NOT NULL,
    priority      smallint NOT NULL DEFAULT 2 CHECK (priority BETWEEN 1 AND 3), -- 3 is high
    status        text NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    retries       integer NOT NULL DEFAULT 0 CHECK (retries >= 0),
    created_at    timestamptz NOT NULL DEFAULT now(),
    available_at  timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    lease_until   timestamptz,
    worker        text,
    completed_at  timestamptz,
    failed_at     timestamptz,
    last_error    text,
    error_message text
);

-- B-131; failures are written too, which the source leaves out
CREATE TABLE IF NOT EXISTS sync_logs (
    id          uuid PRIMARY KEY,
    task_id     uuid,
    user_id     uuid NOT NULL,
    gite_id     uuid NOT NULL,
    status      text NOT NULL CHECK (status IN ('success', 'failed')),
    added       integer NOT NULL DEFAULT 0,
    updated     integer NOT NULL DEFAULT 0,
    removed     integer NOT NULL DEFAULT 0,
    -- events whose nights were taken
    skipped     integer NOT NULL DEFAULT 0,
    duration_ms integer NOT NULL DEFAULT 0,
    error       text,
    synced_at   timestamptz NOT NULL DEFAULT now()
);

-- What a feed said last, event by event. A sync applies only what has changed since (a three-way
-- merge), so what an owner changed here stands until the platform changes the same stay.
CREATE TABLE IF NOT EXISTS sync_events (
    gite_id      uuid NOT NULL,
    ical_uid     text NOT NULL,
    user_id      uuid NOT NULL,
    date_debut   date NOT NULL,
    date_fin     date NOT NULL,
    is_cancelled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (gite_id, ical_uid),
    CHECK (date_fin > date_debut)
);

-- Which feed that was, and how to ask whether it has changed.
CREATE TABLE IF NOT EXISTS sync_feeds (
    gite_id       uuid PRIMARY KEY,
    user_id       uuid NOT NULL,
    ical_url      text NOT NULL,
    etag          text,
    last_modified text
);

-- B-132: a cycle of two hours is scheduled once, by whichever scheduler comes first.
CREATE TABLE IF NOT EXISTS sync_cycles (
    starts_at    timestamptz PRIMARY KEY,
    scheduled_at timestamptz NOT NULL DEFAULT now(),
    queued       integer NOT NULL DEFAULT 0
);

-- B-143. `address` is the SHA-256 of the feed's address, in hex: the address is often all that
-- protects a feed. Not logged: lost in a crash, it is fetched again.
CREATE UNLOGGED TABLE IF NOT EXISTS calendar_cache (
    address    text PRIMARY KEY,
    body       bytea NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now()
);
