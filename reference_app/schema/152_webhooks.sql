-- Keys of 052_webhooks.sql and 053_payments.sql.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'webhook_endpoints', 'fk_webhook_endpoints_group',
        'FOREIGN KEY (school_group_id) REFERENCES school_groups (id)'),
    (2, 'webhook_endpoints', 'uq_webhook_endpoints_id_group', 'UNIQUE (id, school_group_id)'),
    (3, 'webhook_events', 'fk_webhook_events_group',
        'FOREIGN KEY (school_group_id) REFERENCES school_groups (id)'),
    (4, 'webhook_events', 'uq_webhook_events_source', 'UNIQUE (school_group_id, source_key)'),
    (5, 'webhook_events', 'uq_webhook_events_id_group', 'UNIQUE (id, school_group_id)'),
    (6, 'webhook_deliveries', 'fk_webhook_deliveries_event_group',
        'FOREIGN KEY (event_id, school_group_id) REFERENCES webhook_events (id, school_group_id)
         ON DELETE CASCADE'),
    (7, 'webhook_deliveries', 'fk_webhook_deliveries_endpoint_group',
        'FOREIGN KEY (endpoint_id, school_group_id)
         REFERENCES webhook_endpoints (id, school_group_id) ON DELETE CASCADE'),
    (10, 'payment_methods', 'fk_payment_methods_group',
        'FOREIGN KEY (school_group_id) REFERENCES school_groups (id)'),
    (11, 'payments', 'uq_payments_key', 'UNIQUE (provider, idempotency_key)'),
    (12, 'payments', 'fk_payments_group',
        'FOREIGN KEY (school_group_id) REFERENCES school_groups (id)'),
    (13, 'payments', 'fk_payments_subscription',
        'FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;

-- An event goes to an endpoint once; what is sent again by hand says so.
CREATE UNIQUE INDEX IF NOT EXISTS uq_webhook_deliveries_event_endpoint
    ON webhook_deliveries (event_id, endpoint_id) WHERE redelivery_of IS NULL;
-- The queue, without what is finished.
CREATE INDEX IF NOT EXISTS ix_webhook_deliveries_unfinished ON webhook_deliveries (available_at, id)
    WHERE status IN ('pending', 'processing');
-- An endpoint is told one thing at a time.
CREATE UNIQUE INDEX IF NOT EXISTS uq_webhook_deliveries_endpoint_busy
    ON webhook_deliveries (endpoint_id) WHERE status = 'processing';
CREATE INDEX IF NOT EXISTS ix_webhook_deliveries_endpoint
    ON webhook_deliveries (endpoint_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS ix_webhook_deliveries_event ON webhook_deliveries (event_id);
CREATE INDEX IF NOT EXISTS ix_webhook_deliveries_group
    ON webhook_deliveries (school_group_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS ix_webhook_endpoints_group ON webhook_endpoints (school_group_id);
-- a group pays with one card unless it says otherwise
CREATE UNIQUE INDEX IF NOT EXISTS uq_payment_methods_default
    ON payment_methods (school_group_id) WHERE is_default;
CREATE INDEX IF NOT EXISTS ix_payments_group
    ON payments (school_group_id, created_at DESC, id DESC);
