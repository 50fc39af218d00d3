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
    duration_ms integer NOT NULL DEFAULT 0,
    error       text,
    synced_at   timestamptz NOT NULL DEFAULT now()
);
