-- What groups do beside creating rows one by one.

-- D-01, X-18: modules are assigned to schools. A module the plan does not grant any more stays
-- assigned and cannot be used (B-28).
CREATE TABLE IF NOT EXISTS school_modules (
    school_id       uuid NOT NULL,
    school_group_id uuid NOT NULL,
    module_id       uuid NOT NULL,
    assigned_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (school_id, module_id)
);

-- Bulk operations (B-38): a queue. `items` is what was asked for, `failures` what was refused.
CREATE TABLE IF NOT EXISTS bulk_operations (
    id              uuid PRIMARY KEY,
    -- whose; null: of a super administrator, over several groups
    school_group_id uuid,
    requested_by    uuid NOT NULL,
    kind            text NOT NULL
                    CHECK (kind IN ('schools', 'students', 'staff', 'plan')),
    items           jsonb NOT NULL,
    total           integer NOT NULL CHECK (total > 0),
    done            integer NOT NULL DEFAULT 0 CHECK (done >= 0),
    failed          integer NOT NULL DEFAULT 0 CHECK (failed >= 0),
    failures        jsonb NOT NULL DEFAULT '[]',
    status          text NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    error           text,
    attempts        smallint NOT NULL DEFAULT 0,
    available_at    timestamptz NOT NULL DEFAULT now(),
    worker          text,
    started_at      timestamptz,
    lease_until     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    CHECK (done + failed <= total),
    CHECK ((kind = 'plan') = (school_group_id IS NULL))
);
