-- Rules the database keeps whoever writes.

-- Limits (B-30, B-36) ----------------------------------------------------------------------
--
-- After an INSERT, once a statement: lock the group's subscription, then count. Of two creations
-- at the edge the second waits for the lock; its count is a new statement of a READ COMMITTED
-- transaction, so it sees what the first one committed. A plan change takes the same row lock.
-- Nothing but INSERT can raise a count: app_user may not change school_group_id or size_bytes.
-- SECURITY DEFINER: the lock needs UPDATE on subscriptions, which a group administrator must not
-- have, and the count must be the true one whatever the row security of the caller.
CREATE OR REPLACE FUNCTION enforce_plan_limit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    of_kind text := TG_ARGV[0];
    touched uuid;
    subscribed record;
    max_allowed bigint;
    used bigint;
BEGIN
    -- ordered, so that two statements over several groups cannot lock each other out
    FOR touched IN SELECT DISTINCT school_group_id FROM new_rows ORDER BY 1 LOOP
        -- The lock alone first, the plan after it: joined into one statement, a row that changed
        -- its plan while we waited would be held against the plan from before, and not be found.
        SELECT s.status, s.plan_id INTO subscribed
        FROM public.subscriptions s WHERE s.school_group_id = touched
        FOR NO KEY UPDATE;
        IF NOT FOUND OR subscribed.status = 'suspended' THEN
            RAISE EXCEPTION 'no running subscription' USING
                ERRCODE = 'PL002',
                DETAIL = json_build_object('kind', of_kind)::text;
        END IF;
        SELECT public.plan_limit(p, of_kind) INTO STRICT max_allowed
        FROM public.subscription_plans p WHERE p.id = subscribed.plan_id;
        used := public.plan_usage(touched, of_kind);
        IF used > max_allowed THEN
            RAISE EXCEPTION 'limit reached' USING
                ERRCODE = 'PL001',
                DETAIL = json_build_object(
                    'kind', of_kind,
                    'max', max_allowed,
                    'used', used - (
                        -- as it stood before this statement
                        SELECT CASE of_kind WHEN 'storage'
                            THEN coalesce(sum((to_jsonb(n) ->> 'size_bytes')::bigint), 0)
                            ELSE count(*) END
                        FROM new_rows n WHERE n.school_group_id = touched
                    )
                )::text;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER limit_schools AFTER INSERT ON schools
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION enforce_plan_limit('schools');
CREATE OR REPLACE TRIGGER limit_students AFTER INSERT ON students
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION enforce_plan_limit('students');
CREATE OR REPLACE TRIGGER limit_staff AFTER INSERT ON staff
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION enforce_plan_limit('staff');
CREATE OR REPLACE TRIGGER limit_storage AFTER INSERT ON stored_files
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION enforce_plan_limit('storage');
