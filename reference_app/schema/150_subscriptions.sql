-- Keys of 050_subscriptions.sql and 051_live.sql.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'subscription_notices', 'uq_subscription_notices_mark',
        'UNIQUE (subscription_id, period, days_before)'),
    (2, 'subscription_notices', 'fk_subscription_notices_subscription',
        'FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)'),
    (3, 'automation_retries', 'fk_automation_retries_subscription',
        'FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)'),
    (4, 'plan_prices', 'fk_plan_prices_plan',
        'FOREIGN KEY (plan_id) REFERENCES subscription_plans (id)'),
    (5, 'plan_events', 'fk_plan_events_plan',
        'FOREIGN KEY (plan_id) REFERENCES subscription_plans (id)'),
    -- a group in grace has a last day of it, and no other has
    (6, 'subscriptions', 'ck_subscriptions_grace',
        'CHECK (grace_until IS NULL OR status = ''grace'')')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;

-- Replays ask for one group's events, or for those of a plan.
CREATE INDEX IF NOT EXISTS ix_plan_events_group ON plan_events (school_group_id, number);
CREATE INDEX IF NOT EXISTS ix_plan_events_plan ON plan_events (plan_id, number)
    WHERE school_group_id IS NULL;
