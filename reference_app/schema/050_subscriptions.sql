-- The life of a subscription (docs/requirements/domain.md, A7). The columns come here and not into
-- 010_tables.sql, so that a database of an earlier version gets them, too.

ALTER TABLE subscriptions
    -- counts from 1; a renewal begins the next one, and each notice is for one of them (B-44)
    ADD COLUMN IF NOT EXISTS period integer NOT NULL DEFAULT 1 CHECK (period > 0),
    -- day of the month a period ends on where the month has it; null: that of ends_on
    ADD COLUMN IF NOT EXISTS anchor_day smallint CHECK (anchor_day BETWEEN 1 AND 31),
    ADD COLUMN IF NOT EXISTS auto_renew boolean NOT NULL DEFAULT true,
    -- last day of grace; after it the group is suspended (B-41)
    ADD COLUMN IF NOT EXISTS grace_until date,
    ADD COLUMN IF NOT EXISTS suspended_at timestamptz;

-- B-42, B-44: a mark of days before the end is told once in a period.
CREATE TABLE IF NOT EXISTS subscription_notices (
    id              uuid PRIMARY KEY,
    subscription_id uuid NOT NULL,
    school_group_id uuid NOT NULL,
    period          integer NOT NULL,
    days_before     smallint NOT NULL CHECK (days_before IN (30, 15, 7, 3, 1)),
    ends_on         date NOT NULL,
    sent_at         timestamptz NOT NULL DEFAULT now()
);

-- One pass over all groups, in chunks (B-43).
CREATE TABLE IF NOT EXISTS automation_runs (
    id          uuid PRIMARY KEY,
    day         date NOT NULL,  -- the day it called today
    worker      text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    chunks      integer NOT NULL DEFAULT 0,
    groups      integer NOT NULL DEFAULT 0,
    noticed     integer NOT NULL DEFAULT 0,
    renewed     integer NOT NULL DEFAULT 0,
    graced      integer NOT NULL DEFAULT 0,
    suspended   integer NOT NULL DEFAULT 0,
    failed      integer NOT NULL DEFAULT 0
);

-- What did not work and is to be tried again (B-44); gone when it worked.
CREATE TABLE IF NOT EXISTS automation_retries (
    subscription_id uuid NOT NULL,
    period          integer NOT NULL,
    action          text NOT NULL CHECK (action IN ('notice', 'renew', 'grace', 'suspend')),
    attempts        smallint NOT NULL CHECK (attempts > 0),
    retry_at        timestamptz,  -- null: given up, a person has to look
    error           text NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subscription_id, period, action)
);

-- What a group pays for a period of its plan, in cents; a plan without a row is free of charge.
CREATE TABLE IF NOT EXISTS plan_prices (
    plan_id  uuid NOT NULL,
    cycle    text NOT NULL CHECK (cycle IN ('monthly', 'quarterly', 'yearly')),
    cents    integer NOT NULL CHECK (cents >= 0),
    currency text NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$'),
    PRIMARY KEY (plan_id, cycle)
);
