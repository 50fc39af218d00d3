-- Data maintenance (docs/requirements/domain.md, part E).

-- B-161: the columns of reservations, and when the row came here
CREATE TABLE IF NOT EXISTS reservations_archive (
    LIKE reservations INCLUDING DEFAULTS,
    archived_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);

-- B-167
CREATE TABLE IF NOT EXISTS backup_log (
    id         uuid PRIMARY KEY,
    date       timestamptz NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    storage    text NOT NULL,
    tested     boolean NOT NULL DEFAULT false,
    ok         boolean,
    -- when it was last restored and verified: once a month (T-155)
    tested_at  timestamptz,
    CHECK (tested = (ok IS NOT NULL)),
    CHECK (tested = (tested_at IS NOT NULL))
);
