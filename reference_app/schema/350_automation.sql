-- Renewals (B-40, decisions 0086 and 0087). No function asks what day it is: the day is given.

-- A period of a cycle that begins on a day ends on this one. The anchor is the day of the month the
-- customer began on: 31 January, 28 February, 31 March.
CREATE OR REPLACE FUNCTION subscription_period_end(begins date, of_cycle text, anchor smallint)
RETURNS date LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT least(
        (month.begins + (anchor - 1) * interval '1 day')::date,
        (month.begins + interval '1 month' - interval '1 day')::date)
    FROM (SELECT date_trunc('month', begins::timestamp)
                 + CASE of_cycle WHEN 'monthly' THEN interval '1 month'
                                 WHEN 'quarterly' THEN interval '3 months'
                                 ELSE interval '1 year' END AS begins) AS month
$$;

-- Begin the next period of subscriptions the caller has locked. It follows the last one without a
-- gap; after a suspension it begins today, for the days in between were of no use to the group.
CREATE OR REPLACE FUNCTION renew_subscriptions(renewed uuid[], today date) RETURNS SETOF uuid
LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp
AS $$
    UPDATE subscriptions s
    SET period = s.period + 1, status = 'active', starts_on = next.begins,
        ends_on = subscription_period_end(next.begins, s.cycle, next.anchor),
        anchor_day = next.anchor, grace_until = NULL, suspended_at = NULL, updated_at = now()
    FROM (
        SELECT o.id, begins,
               CASE WHEN o.status <> 'suspended' THEN o.anchor_day END AS kept,
               extract(day FROM begins)::smallint AS own
        FROM subscriptions o,
             LATERAL (SELECT CASE o.status WHEN 'suspended' THEN today ELSE o.ends_on END) AS b (begins)
        WHERE o.id = ANY (renewed)
    ) AS found,
    LATERAL (SELECT found.begins, coalesce(found.kept, found.own) AS anchor) AS next
    WHERE s.id = found.id
    RETURNING s.id
$$;

-- A group renews by hand: in the last 30 days of a period, in grace, or to end its suspension. What
-- costs something is renewed when its payment has succeeded. SECURITY DEFINER: nobody who signs in
-- may change dates and status; of the group named only its own administrator is served.
-- Gives why not, or null.
CREATE OR REPLACE FUNCTION renew_by_hand(of_group uuid, today date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    subscribed subscriptions;
BEGIN
    IF current_setting('app.role', true) IS DISTINCT FROM 'group_admin'
       OR current_setting('app.tenant_id', true) IS DISTINCT FROM of_group::text THEN
        RETURN 'not-subscribed';
    END IF;
    PERFORM FROM subscriptions WHERE school_group_id = of_group FOR NO KEY UPDATE;
    SELECT * INTO subscribed FROM subscriptions WHERE school_group_id = of_group;
    IF NOT FOUND THEN
        RETURN 'not-subscribed';
    END IF;
    IF subscribed.status = 'active' AND subscribed.ends_on - today > 30 THEN
        RETURN 'not-due';
    END IF;
    -- without a means of payment a group pays by invoice
    IF EXISTS (SELECT FROM plan_prices
               WHERE plan_id = subscribed.plan_id AND cycle = subscribed.cycle AND cents > 0)
       AND EXISTS (SELECT FROM payment_methods WHERE school_group_id = of_group)
       AND NOT EXISTS (SELECT FROM payments
                       WHERE school_group_id = of_group AND subscription_id = subscribed.id
                         AND period = subscribed.period + 1 AND status = 'succeeded') THEN
        RETURN 'payment-required';
    END IF;
    PERFORM renew_subscriptions(ARRAY[subscribed.id], today);
    DELETE FROM automation_retries WHERE subscription_id = subscribed.id;
    INSERT INTO automation_log (subscription_id, school_group_id, period, action, outcome)
    VALUES (subscribed.id, of_group, subscribed.period, 'renew', 'done');
    RETURN NULL;
END $$;

-- The office resumes a group, on its own word: the bill was paid another way. It also takes away
-- what the automation has given up, so that it is tried again. SECURITY DEFINER: as above, for super
-- administrators alone. False when there is no such subscription.
CREATE OR REPLACE FUNCTION resume_subscription(of_group uuid, today date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    subscribed subscriptions;
BEGIN
    IF current_setting('app.role', true) IS DISTINCT FROM 'super_admin' THEN
        RETURN false;
    END IF;
    PERFORM FROM subscriptions WHERE school_group_id = of_group FOR NO KEY UPDATE;
    SELECT * INTO subscribed FROM subscriptions WHERE school_group_id = of_group;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM automation_retries WHERE subscription_id = subscribed.id;
    IF subscribed.status <> 'active' THEN
        PERFORM renew_subscriptions(ARRAY[subscribed.id], today);
        INSERT INTO automation_log (subscription_id, school_group_id, period, action, outcome)
        VALUES (subscribed.id, of_group, subscribed.period, 'resume', 'done');
    END IF;
    RETURN true;
END $$;
