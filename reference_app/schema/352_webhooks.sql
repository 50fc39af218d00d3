-- Webhook events and their deliveries (B-45). They are written here and nowhere else, in the
-- transaction of what they tell of: there is no event without its change and no change without its
-- event. Written only for groups that have an endpoint for them.
--
-- SECURITY DEFINER: whoever changes a subscription, the office, the automation or a function, may
-- write no event by hand.

CREATE OR REPLACE FUNCTION tell_subscription_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO webhook_events (id, school_group_id, type, source_key, payload)
    SELECT gen_random_uuid(), n.school_group_id, told.type, told.source_key,
           jsonb_build_object(
               'subscription_id', n.id, 'period', n.period,
               'plan', p.slug, 'plan_name', p.name, 'old_plan', was.slug,
               'status', n.status, 'old_status', o.status,
               'starts_on', n.starts_on, 'ends_on', n.ends_on, 'grace_until', n.grace_until)
    FROM new_rows n
    JOIN old_rows o USING (id)
    JOIN subscription_plans p ON p.id = n.plan_id
    JOIN subscription_plans was ON was.id = o.plan_id
    CROSS JOIN LATERAL (VALUES
        -- a plan may change to and fro, so each change is one of its own
        ('plan.changed', n.plan_id <> o.plan_id, 'plan:' || gen_random_uuid()),
        ('subscription.renewed', n.period > o.period, format('renewed:%s:%s', n.id, n.period)),
        ('subscription.grace', n.status = 'grace' AND o.status <> 'grace',
            format('grace:%s:%s', n.id, n.period)),
        ('subscription.suspended', n.status = 'suspended' AND o.status <> 'suspended',
            format('suspended:%s:%s', n.id, n.period)),
        ('subscription.resumed', n.status = 'active' AND o.status = 'suspended',
            format('resumed:%s:%s', n.id, n.period))
    ) AS told (type, is_so, source_key)
    WHERE told.is_so AND is_event_wanted(n.school_group_id, told.type)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_of_expiry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO webhook_events (id, school_group_id, type, source_key, payload)
    SELECT gen_random_uuid(), n.school_group_id, 'subscription.expiring',
           format('expiring:%s:%s:%s', n.subscription_id, n.period, n.days_before),
           jsonb_build_object('subscription_id', n.subscription_id, 'period', n.period,
                              'days_before', n.days_before, 'ends_on', n.ends_on)
    FROM new_rows n
    WHERE is_event_wanted(n.school_group_id, 'subscription.expiring')
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION is_event_wanted(of_group uuid, of_type text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM webhook_endpoints
                   WHERE school_group_id = of_group AND is_active
                     AND (types = '{}' OR of_type = ANY (types)))
$$;

-- An event goes to every endpoint that wants it.
CREATE OR REPLACE FUNCTION deliver_webhook_events() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO webhook_deliveries (id, event_id, endpoint_id, school_group_id)
    SELECT gen_random_uuid(), n.id, e.id, n.school_group_id
    FROM new_rows n JOIN webhook_endpoints e USING (school_group_id)
    WHERE e.is_active AND (e.types = '{}' OR n.type = ANY (e.types));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION notify_webhook_deliveries() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- A NOTIFY is queued at commit under a lock that all databases share: none for nothing.
    IF EXISTS (SELECT FROM new_rows) THEN
        NOTIFY webhook_deliveries;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER webhook_subscription AFTER UPDATE ON subscriptions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_subscription_changes();
CREATE OR REPLACE TRIGGER webhook_expiry AFTER INSERT ON subscription_notices
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_expiry();
CREATE OR REPLACE TRIGGER webhook_event AFTER INSERT ON webhook_events
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION deliver_webhook_events();
CREATE OR REPLACE TRIGGER webhook_delivery_waits AFTER INSERT ON webhook_deliveries
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION notify_webhook_deliveries();
