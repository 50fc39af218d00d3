-- Bulk operations (B-38, B-20). An operation is worked off in chunks, each a transaction: what was
-- created, how far it got and who was refused commit together, so a worker that is killed loses
-- nothing and doubles nothing.

CREATE OR REPLACE FUNCTION notify_bulk_operation() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    NOTIFY bulk_operations;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER bulk_operation_waits AFTER INSERT ON bulk_operations
    FOR EACH STATEMENT EXECUTE FUNCTION notify_bulk_operation();

-- The next items of an operation that creates rows. Takes the lock that the limits are kept by
-- (310_triggers.sql), so as many as there is room for get in, in their order, and the others are
-- refused one by one instead of all together.
CREATE OR REPLACE FUNCTION create_in_bulk(operation bulk_operations, size integer)
RETURNS TABLE (done integer, refused jsonb)
LANGUAGE plpgsql
AS $$
DECLARE
    subscribed record;
    room bigint := 0;
    full_because text := 'no-running-subscription';
BEGIN
    -- the lock alone first, the plan after it: see enforce_plan_limit()
    SELECT s.status, s.plan_id INTO subscribed FROM subscriptions s
    WHERE s.school_group_id = operation.school_group_id FOR NO KEY UPDATE;
    IF FOUND AND subscribed.status <> 'suspended' THEN
        SELECT plan_limit(p, operation.kind)
               - plan_usage(operation.school_group_id, operation.kind)
        INTO room FROM subscription_plans p WHERE p.id = subscribed.plan_id;
        full_because := 'limit-reached';
    END IF;
    RETURN QUERY
    WITH items AS (
        SELECT place - 1 AS index, item
        FROM jsonb_array_elements(operation.items) WITH ORDINALITY AS all_items (item, place)
        WHERE place > operation.done + operation.failed
          AND place <= operation.done + operation.failed + size
    ), known AS (
        SELECT i.index, i.item, s.id AS school_id,
               operation.kind = 'schools' OR s.id IS NOT NULL AS is_known
        FROM items i
        LEFT JOIN schools s ON s.id = (i.item ->> 'school_id')::uuid
            AND s.school_group_id = operation.school_group_id
    ), judged AS (
        SELECT k.*, CASE
            WHEN NOT k.is_known THEN 'not-found'
            WHEN count(*) FILTER (WHERE k.is_known) OVER (ORDER BY k.index) > room
                THEN full_because
            END AS problem
        FROM known k
    ), new_schools AS (
        INSERT INTO schools (id, school_group_id, name, city)
        SELECT gen_random_uuid(), operation.school_group_id, item ->> 'name', item ->> 'city'
        FROM judged WHERE problem IS NULL AND operation.kind = 'schools' ORDER BY index
    ), new_students AS (
        INSERT INTO students (id, school_group_id, school_id, name)
        SELECT gen_random_uuid(), operation.school_group_id, school_id, item ->> 'name'
        FROM judged WHERE problem IS NULL AND operation.kind = 'students' ORDER BY index
    ), new_staff AS (
        INSERT INTO staff (id, school_group_id, school_id, name, position)
        SELECT gen_random_uuid(), operation.school_group_id, school_id, item ->> 'name',
               item ->> 'position'
        FROM judged WHERE problem IS NULL AND operation.kind = 'staff' ORDER BY index
    )
    SELECT (count(*) FILTER (WHERE problem IS NULL))::integer,
           coalesce(jsonb_agg(jsonb_build_object('index', index, 'problem', problem)
                              ORDER BY index) FILTER (WHERE problem IS NOT NULL), '[]')
    FROM judged;
END $$;

-- The next groups of an operation that gives many of them another plan. They are locked in the order
-- of their ids, as everybody does who changes several subscriptions in one transaction.
CREATE OR REPLACE FUNCTION change_plans_in_bulk(operation bulk_operations, size integer)
RETURNS TABLE (done integer, refused jsonb)
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM subscriptions s
    WHERE s.school_group_id IN (
        SELECT (item ->> 'school_group_id')::uuid
        FROM jsonb_array_elements(operation.items) WITH ORDINALITY AS all_items (item, place)
        WHERE place > operation.done + operation.failed
          AND place <= operation.done + operation.failed + size)
    ORDER BY s.school_group_id FOR NO KEY UPDATE;
    RETURN QUERY
    WITH items AS (
        SELECT place - 1 AS index, (item ->> 'school_group_id')::uuid AS of_group,
               item ->> 'plan' AS slug
        FROM jsonb_array_elements(operation.items) WITH ORDINALITY AS all_items (item, place)
        WHERE place > operation.done + operation.failed
          AND place <= operation.done + operation.failed + size
    ), changed AS (
        UPDATE subscriptions s SET plan_id = p.id, updated_at = now()
        FROM items i JOIN subscription_plans p USING (slug)
        WHERE s.school_group_id = i.of_group
        RETURNING s.school_group_id
    ), judged AS (
        SELECT i.index, i.of_group IN (SELECT school_group_id FROM changed) AS is_done FROM items i
    )
    SELECT (count(*) FILTER (WHERE is_done))::integer,
           coalesce(jsonb_agg(jsonb_build_object('index', index, 'problem', 'not-found')
                              ORDER BY index) FILTER (WHERE NOT is_done), '[]')
    FROM judged;
END $$;

-- Work off the next items of an operation that `by_worker` holds since `since`, and hold it for
-- another lease. Gives how many items are left; null when it is somebody else's by now.
CREATE OR REPLACE FUNCTION run_bulk_chunk(
    of_operation uuid, by_worker text, since timestamptz, size integer, lease_s double precision
) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    operation bulk_operations;
    result record;
    items_left integer;
BEGIN
    SELECT * INTO operation FROM bulk_operations b
    WHERE b.id = of_operation AND b.status = 'processing' AND b.worker = by_worker
      AND b.started_at = since
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- on whose behalf: that is what logs of changes write down
    PERFORM set_config('app.user_id', operation.requested_by::text, true),
            set_config('app.role', CASE WHEN operation.kind = 'plan' THEN 'super_admin'
                                        ELSE 'group_admin' END, true),
            set_config('app.tenant_id', coalesce(operation.school_group_id::text, ''), true);
    IF operation.kind = 'plan' THEN
        SELECT * INTO result FROM change_plans_in_bulk(operation, size);
    ELSE
        SELECT * INTO result FROM create_in_bulk(operation, size);
    END IF;
    UPDATE bulk_operations b SET
        done = b.done + result.done,
        failed = b.failed + jsonb_array_length(result.refused),
        failures = b.failures || result.refused,
        lease_until = clock_timestamp() + make_interval(secs => lease_s)
    WHERE b.id = of_operation
    RETURNING b.total - b.done - b.failed INTO items_left;
    IF items_left = 0 THEN
        UPDATE bulk_operations b SET
            status = 'completed', finished_at = clock_timestamp(), worker = NULL, lease_until = NULL
        WHERE b.id = of_operation;
    END IF;
    RETURN items_left;
END $$;
