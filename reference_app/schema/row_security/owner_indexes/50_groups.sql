CREATE INDEX IF NOT EXISTS rls_school_modules_group ON school_modules (school_group_id);
CREATE INDEX IF NOT EXISTS rls_bulk_operations_group ON bulk_operations (school_group_id);
CREATE INDEX IF NOT EXISTS rls_subscription_notices_group ON subscription_notices (school_group_id);
CREATE INDEX IF NOT EXISTS rls_webhook_events_group ON webhook_events (school_group_id);
