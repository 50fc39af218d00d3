-- Live plan changes (A4; B-17, B-22, B-27): every change of a group's subscription and of what a
-- plan grants is written down under a number, and said on channel plan_changed.
--
-- The triggers are deferred to the end of the transaction. There they take one lock, draw a number
-- and keep the lock until the transaction is visible to all: numbers are in the order of commits,
-- and who has seen number n will never see a smaller one appear. All rows are locked by then, so
-- the lock cannot be part of a deadlock. Nor does it cost much: from NOTIFY to commit, PostgreSQL
-- lets one transaction through at a time anyway.
--
-- SECURITY DEFINER: whoever may change a plan makes an event, and nobody else can write one.

CREATE OR REPLACE FUNCTION tell_plan_event(
    kind text, group_id uuid, new_plan uuid, old_plan uuid, status text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    numbered bigint;
    said jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('plan_events'));
    numbered := nextval('plan_event_numbers');
    -- Cut, so that no name makes the notification as long as 1 KB (T-32). clock_timestamp(): the
    -- last moment before the commit, from which listeners measure; now() would be the beginning.
    said := jsonb_build_object(
        'number', numbered,
        'type', kind,
        'school_group_id', group_id,
        'plan_id', new_plan,
        'plan', (SELECT left(slug, 30) FROM subscription_plans WHERE id = new_plan),
        'plan_name', (SELECT left(name, 40) FROM subscription_plans WHERE id = new_plan),
        'old_plan', (SELECT left(slug, 30) FROM subscription_plans WHERE id = old_plan),
        'status', status,
        'at', clock_timestamp());
    INSERT INTO plan_events (number, kind, school_group_id, plan_id, payload)
    VALUES (numbered, kind, group_id, new_plan, said);
    PERFORM pg_notify('plan_changed', said::text);
END $$;

CREATE OR REPLACE FUNCTION notify_plan_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM tell_plan_event('plan', NEW.school_group_id, NEW.plan_id, NULL, NEW.status);
    ELSIF OLD.plan_id IS DISTINCT FROM NEW.plan_id THEN
        PERFORM tell_plan_event(
            'plan', NEW.school_group_id, NEW.plan_id, OLD.plan_id, NEW.status);
    ELSE
        PERFORM tell_plan_event(
            'status', NEW.school_group_id, NEW.plan_id, OLD.plan_id, NEW.status);
    END IF;
    RETURN NULL;
END $$;

-- A transaction tells of a plan's content once, however many rows it changed (decision 0081).
CREATE OR REPLACE FUNCTION notify_content_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.plan_id ELSE NEW.plan_id END;
BEGIN
    -- If the newest one is ours it was told: with the lock in our hands nobody writes another.
    IF NOT coalesce((
        SELECT e.xmin = pg_current_xact_id()::xid FROM plan_events e
        WHERE e.school_group_id IS NULL AND e.plan_id = changed
        ORDER BY e.number DESC LIMIT 1), false)
    THEN
        PERFORM tell_plan_event('content', NULL, changed, NULL, NULL);
    END IF;
    RETURN NULL;
END $$;

-- Constraint triggers cannot be replaced.
DROP TRIGGER IF EXISTS plan_change ON subscriptions;
CREATE CONSTRAINT TRIGGER plan_change AFTER UPDATE ON subscriptions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.plan_id IS DISTINCT FROM NEW.plan_id OR OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION notify_plan_change();

DROP TRIGGER IF EXISTS plan_begin ON subscriptions;
CREATE CONSTRAINT TRIGGER plan_begin AFTER INSERT ON subscriptions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION notify_plan_change();

DROP TRIGGER IF EXISTS content_change ON plan_modules;
CREATE CONSTRAINT TRIGGER content_change AFTER INSERT OR DELETE ON plan_modules
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION notify_content_change();

DROP TRIGGER IF EXISTS content_change ON plan_categories;
CREATE CONSTRAINT TRIGGER content_change AFTER INSERT OR DELETE ON plan_categories
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION notify_content_change();

-- Which numbers are kept, of all groups: who asks for what came after a number needs to know
-- whether any of that was thrown away. Two numbers tell nobody's business.
CREATE OR REPLACE FUNCTION plan_event_bounds(OUT oldest bigint, OUT newest bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT coalesce(min(number), 0), coalesce(max(number), 0) FROM plan_events
$$;
