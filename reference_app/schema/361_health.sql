-- What the state of the service looks like from inside its database (B-59, B-60), as one value:
-- figures by name, and the background processes with their last sign of life.
--
-- SECURITY DEFINER: whoever looks must see how many rows wait for everybody, and none of them. Only
-- numbers come out.

CREATE OR REPLACE FUNCTION seconds_since(moment timestamptz) RETURNS double precision
LANGUAGE sql STABLE
RETURN extract(epoch FROM clock_timestamp() - moment);

CREATE OR REPLACE FUNCTION service_health() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT jsonb_build_object(
        'database', jsonb_build_object(
            'database_size_mb', pg_database_size(current_database()) / 1e6,
            'database_connections_share', (
                SELECT 100.0 * count(*) / current_setting('max_connections')::integer
                FROM pg_stat_activity WHERE backend_type = 'client backend'),
            'database_longest_transaction_s', (
                SELECT coalesce(max(seconds_since(xact_start)), 0)
                FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND datname = current_database())),
        'queues', jsonb_build_object(
            'sync_waiting', (
                SELECT count(*) FROM sync_queue
                WHERE status = 'pending' AND available_at <= clock_timestamp()),
            'sync_waiting_s', (
                SELECT coalesce(seconds_since(min(available_at)), 0) FROM sync_queue
                WHERE status = 'pending' AND available_at <= clock_timestamp()),
            'bulk_waiting', (SELECT count(*) FROM bulk_operations WHERE status = 'pending'),
            'bulk_waiting_s', (
                SELECT coalesce(seconds_since(min(created_at)), 0) FROM bulk_operations
                WHERE status = 'pending'),
            'webhooks_waiting', (
                SELECT count(*) FROM webhook_deliveries
                WHERE status = 'pending' AND available_at <= clock_timestamp()),
            'webhooks_waiting_s', (
                SELECT coalesce(seconds_since(min(available_at)), 0) FROM webhook_deliveries
                WHERE status = 'pending' AND available_at <= clock_timestamp()),
            'automation_given_up', (
                SELECT count(*) FROM automation_retries WHERE retry_at IS NULL)),
        'business', (
            SELECT jsonb_build_object(
                'subscriptions', count(*),
                'subscriptions_in_grace', count(*) FILTER (WHERE status = 'grace'),
                'subscriptions_suspended', count(*) FILTER (WHERE status = 'suspended'),
                'subscriptions_suspended_share', coalesce(
                    100.0 * count(*) FILTER (WHERE status = 'suspended') / nullif(count(*), 0), 0))
            FROM subscriptions),
        'workers', (
            SELECT jsonb_agg(jsonb_build_object(
                'name', name,
                'connections', (
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database()
                      AND application_name = 'reference_app ' || name),
                'last_seen', last_seen) ORDER BY name)
            FROM (VALUES
                ('automation', (SELECT max(coalesce(finished_at, started_at)) FROM automation_runs)),
                ('bulk worker', (SELECT max(coalesce(finished_at, started_at)) FROM bulk_operations)),
                ('monitoring', (SELECT max(at) FROM health_checks)),
                ('sync scheduler', (SELECT max(scheduled_at) FROM sync_cycles)),
                ('sync worker', (SELECT max(started_at) FROM sync_queue)),
                ('view refresh', NULL),
                ('webhook worker', (SELECT max(at) FROM webhook_attempts))
            ) AS processes (name, last_seen)))
$$;
