-- B-60, B-61: from when on somebody is told. Thresholds are data: ON CONFLICT DO NOTHING leaves what an
-- operator changed as it is. Figures are those of reference_app.monitoring; one that a deployment
-- does not have is not judged. The sources' own thresholds are named, the others are ours (0092).

INSERT INTO alert_rules (slug, title, metric, comparator, threshold, for_s, severity, is_enabled)
VALUES
    ('database-down', 'The database does not answer',
        'database_up', '<', 1, 0, 'emergency', true),
    -- T-126
    ('database-slow', 'The database takes long to say how it is',
        'database_latency_ms', '>', 1000, 0, 'warning', true),
    -- T-125
    ('database-connections', 'Connections of the database run out',
        'database_connections_share', '>', 80, 0, 'warning', true),
    -- T-122
    ('database-size', 'The database outgrows its plan',
        'database_size_mb', '>', 6000, 0, 'warning', true),
    ('long-transaction', 'A transaction stays open',
        'database_longest_transaction_s', '>', 300, 0, 'warning', true),
    -- T-99, T-150: an outage of more than 5 minutes
    ('application-down', 'The application does not answer',
        'application_up', '<', 1, 300, 'critical', true),
    -- T-151
    ('application-slow', 'The application takes long to answer',
        'application_latency_ms', '>', 10000, 0, 'warning', true),
    ('replica-down', 'The replica does not answer', 'replica_up', '<', 1, 300, 'critical', true),
    ('replica-behind', 'The replica is late', 'replica_lag_s', '>', 60, 0, 'warning', true),
    ('redis-down', 'Redis does not answer', 'redis_up', '<', 1, 300, 'critical', true),
    ('bulk-waits', 'Bulk operations wait', 'bulk_waiting_s', '>', 60, 0, 'warning', true),
    ('webhooks-wait', 'Webhooks wait', 'webhooks_waiting_s', '>', 600, 0, 'critical', true),
    ('sync-waits', 'Calendars wait', 'sync_waiting_s', '>', 7200, 0, 'warning', true),
    ('automation-gave-up', 'A subscription needs a person',
        'automation_given_up', '>', 0, 0, 'critical', true),
    ('suspensions', 'Many groups are suspended',
        'subscriptions_suspended_share', '>', 20, 0, 'warning', true),
    -- Off: not every deployment runs these processes.
    ('automation-gone', 'The subscription automation does not run',
        'automation_connections', '<', 1, 600, 'critical', false),
    ('webhook-worker-gone', 'The webhook worker does not run',
        'webhook_worker_connections', '<', 1, 600, 'critical', false)
ON CONFLICT DO NOTHING;
