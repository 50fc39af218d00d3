-- Logs, partitioned by month (B-55, I-41). What has no partition of its own, such as seeded rows of
-- long ago, goes into the default one and moves when its month gets a table.

CREATE TABLE IF NOT EXISTS audit_trail (
    id              uuid NOT NULL DEFAULT gen_random_uuid(),
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- who; a process that nobody asked has no id and the name of its database role
    actor_id        uuid,
    actor_role      text NOT NULL,
    request_id      text NOT NULL DEFAULT '',
    school_group_id uuid,
    table_name      text NOT NULL,
    row_id          text NOT NULL,
    action          text NOT NULL CHECK (action IN ('insert', 'update', 'delete')),
    before          jsonb,  -- of an update only what changed
    after           jsonb
    -- no key: nothing refers to a line, and every creation would pay for it
) PARTITION BY RANGE (at);

CREATE TABLE IF NOT EXISTS automation_log (
    id              uuid NOT NULL DEFAULT gen_random_uuid(),
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    run_id          uuid,
    subscription_id uuid NOT NULL,
    school_group_id uuid NOT NULL,
    period          integer NOT NULL,
    action          text NOT NULL CHECK (action IN (
        'notice', 'renew', 'grace', 'suspend', 'resume')),
    outcome         text NOT NULL CHECK (outcome IN ('done', 'retry', 'given_up')),
    attempt         smallint NOT NULL DEFAULT 1,
    days_before     smallint,
    error           text,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

-- B-48: every attempt, the connectivity test's included (then without a delivery).
CREATE TABLE IF NOT EXISTS webhook_attempts (
    id              uuid NOT NULL DEFAULT gen_random_uuid(),
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    school_group_id uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    delivery_id     uuid,
    event_id        uuid,
    attempt         smallint NOT NULL,
    status          smallint,  -- of the answer; null without one
    duration_ms     integer NOT NULL CHECK (duration_ms >= 0),
    error           text,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);

-- B-59
CREATE TABLE IF NOT EXISTS health_checks (
    id         uuid NOT NULL DEFAULT gen_random_uuid(),
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    status     text NOT NULL CHECK (status IN ('ok', 'degraded', 'down')),
    components jsonb NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);

CREATE TABLE IF NOT EXISTS audit_trail_default PARTITION OF audit_trail DEFAULT;
CREATE TABLE IF NOT EXISTS automation_log_default PARTITION OF automation_log DEFAULT;
CREATE TABLE IF NOT EXISTS webhook_attempts_default PARTITION OF webhook_attempts DEFAULT;
CREATE TABLE IF NOT EXISTS health_checks_default PARTITION OF health_checks DEFAULT;

-- Give a month of a log its own table, with the rows of it that the default partition holds.
CREATE OR REPLACE FUNCTION ensure_log_partition(log regclass, of_month date) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    parent text;
    key text;
    starts timestamptz := date_trunc('month', of_month::timestamp);
    ends timestamptz := date_trunc('month', of_month::timestamp) + interval '1 month';
    part text;
BEGIN
    SELECT c.relname, a.attname INTO STRICT parent, key
    FROM pg_class c JOIN pg_partitioned_table p ON p.partrelid = c.oid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
    WHERE c.oid = log;
    part := parent || to_char(starts, '_YYYY_MM');
    PERFORM pg_advisory_xact_lock(hashtext('log_partition'), hashtext(part));
    IF to_regclass(format('public.%I', part)) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- nobody may put a row of this month there while they move; readers go on
    EXECUTE format('LOCK TABLE public.%I IN SHARE ROW EXCLUSIVE MODE', parent || '_default');
    EXECUTE format('CREATE TABLE public.%I (LIKE %s INCLUDING ALL)', part, log);
    EXECUTE format(
        'WITH moved AS (DELETE FROM public.%I WHERE %I >= %L AND %I < %L RETURNING *)'
        ' INSERT INTO public.%I SELECT * FROM moved',
        parent || '_default', key, starts, key, ends, part);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        log, part, starts, ends);
    RETURN true;
END $$;

-- This month and the next two; upkeep goes on from here.
SELECT ensure_log_partition(log::regclass, (date_trunc('month', now()) + ahead * interval '1 month')::date)
FROM unnest(ARRAY['audit_trail', 'automation_log', 'webhook_attempts', 'health_checks']) AS log,
     generate_series(0, 2) AS ahead;

-- B-60, B-61: what is looked at, and from when on somebody is told.
CREATE TABLE IF NOT EXISTS alert_rules (
    slug       text PRIMARY KEY,
    title      text NOT NULL,
    metric     text NOT NULL,
    comparator text NOT NULL CHECK (comparator IN ('>', '>=', '<', '<=')),
    threshold  double precision NOT NULL,
    for_s      integer NOT NULL DEFAULT 0 CHECK (for_s >= 0),
    severity   text NOT NULL CHECK (severity IN ('warning', 'critical', 'emergency')),
    is_enabled boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS alerts (
    id          uuid PRIMARY KEY,
    rule        text NOT NULL,
    value       double precision NOT NULL,
    threshold   double precision NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,
    -- told by webhook: when of the opening, when of the closing, and how often it was tried
    told_at     timestamptz,
    end_told_at timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    last_error  text
);
