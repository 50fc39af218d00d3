-- Keys of 060_logs.sql. Logs refer to nothing: they outlive what they tell of.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'alerts', 'fk_alerts_rule', 'FOREIGN KEY (rule) REFERENCES alert_rules (slug)')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;

-- a rule that is broken is broken once
CREATE UNIQUE INDEX IF NOT EXISTS uq_alerts_open ON alerts (rule) WHERE closed_at IS NULL;
CREATE INDEX IF NOT EXISTS ix_alerts_opened_at ON alerts (opened_at DESC, id DESC);
-- I-41: each month's table has its own
CREATE INDEX IF NOT EXISTS ix_audit_trail_group ON audit_trail (school_group_id, at DESC, id DESC);
-- what the office sees (360_audit.sql, audit/queries.py); a group's own rows are not in it
CREATE INDEX IF NOT EXISTS ix_audit_trail_service ON audit_trail (at DESC, id DESC)
    WHERE table_name IN ('school_groups', 'subscriptions', 'subscription_plans', 'plan_prices',
                         'plan_modules', 'plan_categories', 'alert_rules');
CREATE INDEX IF NOT EXISTS ix_automation_log_group
    ON automation_log (school_group_id, at DESC, id DESC);
CREATE INDEX IF NOT EXISTS ix_webhook_attempts_delivery ON webhook_attempts (delivery_id, at);
