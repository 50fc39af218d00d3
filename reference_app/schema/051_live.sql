-- Live plan changes (A4): what was told to the groups, so that who was away can ask for it.
-- Rows are written at the end of the transaction that changed something, one transaction after the
-- other, so a reader that has seen number n will never see a smaller one appear.

CREATE SEQUENCE IF NOT EXISTS plan_event_numbers;

CREATE TABLE IF NOT EXISTS plan_events (
    number          bigint PRIMARY KEY DEFAULT nextval('plan_event_numbers'),
    kind            text NOT NULL CHECK (kind IN ('plan', 'status', 'content')),
    -- whose; null: of every group that has this plan
    school_group_id uuid,
    plan_id         uuid NOT NULL,
    payload         jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((school_group_id IS NULL) = (kind = 'content'))
);
