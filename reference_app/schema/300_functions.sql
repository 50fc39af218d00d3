-- Functions of the sources (B-13 ... B-17), called by the application in one
-- round trip each (B-18). They run with the caller's rights, so row security holds inside them,
-- except where SECURITY DEFINER says otherwise and why.

-- sign-in ----------------------------------------------------------------------------------

-- SECURITY DEFINER: before sign-in nobody is anybody, and app_user may never read hashes in bulk.
CREATE OR REPLACE FUNCTION find_credentials(wanted_email text)
RETURNS TABLE (id uuid, email text, password_hash text, role text, school_group_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT u.id, u.email, u.password_hash, u.role, u.school_group_id
    FROM public.users u
    WHERE lower(u.email) = lower(wanted_email)
$$;

-- plan limits ------------------------------------------------------------------------------

-- What a group uses of one kind; storage in bytes. 1 GB = 10^9 bytes (decision 0024).
CREATE OR REPLACE FUNCTION plan_usage(of_group uuid, of_kind text)
RETURNS bigint LANGUAGE sql STABLE
AS $$
    SELECT CASE of_kind
        WHEN 'schools'  THEN (SELECT count(*) FROM schools  WHERE school_group_id = of_group)
        WHEN 'students' THEN (SELECT count(*) FROM students WHERE school_group_id = of_group)
        WHEN 'staff'    THEN (SELECT count(*) FROM staff    WHERE school_group_id = of_group)
        WHEN 'storage'  THEN (SELECT coalesce(sum(size_bytes), 0)::bigint
                              FROM stored_files WHERE school_group_id = of_group)
    END
$$;

CREATE OR REPLACE FUNCTION plan_limit(plan subscription_plans, of_kind text)
RETURNS bigint LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE of_kind
        WHEN 'schools'  THEN plan.max_schools::bigint
        WHEN 'students' THEN plan.max_students::bigint
        WHEN 'staff'    THEN plan.max_staff::bigint
        WHEN 'storage'  THEN plan.max_storage::bigint * 1000000000
    END
$$;

-- B-13: one limit of a group. No row when the group has no subscription or cannot be seen.
CREATE OR REPLACE FUNCTION check_plan_restrictions(of_group uuid, of_kind text)
RETURNS TABLE (kind text, used bigint, max bigint, allowed boolean)
LANGUAGE sql STABLE ROWS 1
AS $$
    SELECT of_kind, use.used, use.max, use.used < use.max AND use.status <> 'suspended'
    FROM (
        SELECT plan_usage(of_group, of_kind) AS used, plan_limit(p, of_kind) AS max, s.status
        FROM subscriptions s JOIN subscription_plans p ON p.id = s.plan_id
        WHERE s.school_group_id = of_group
        OFFSET 0  -- keeps the count from being inlined, and so run, twice
    ) AS use
$$;

-- B-14: the four of them, in the order of the limits card (B-34).
CREATE OR REPLACE FUNCTION get_all_plan_restrictions(of_group uuid)
RETURNS TABLE (kind text, used bigint, max bigint, allowed boolean)
LANGUAGE sql STABLE ROWS 4
AS $$
    SELECT one.kind, one.used, one.max, one.allowed
    FROM unnest(ARRAY['schools', 'students', 'staff', 'storage'])
         WITH ORDINALITY AS wanted (kind, place),
         LATERAL check_plan_restrictions(of_group, wanted.kind) AS one
    ORDER BY wanted.place
$$;

-- B-15, B-16: a suspended group has access to nothing (decision 0024).
CREATE OR REPLACE FUNCTION can_access_module(of_group uuid, wanted_module uuid)
RETURNS boolean LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        SELECT FROM subscriptions s JOIN plan_modules granted USING (plan_id)
        WHERE s.school_group_id = of_group AND s.status <> 'suspended'
          AND granted.module_id = wanted_module
    )
$$;

CREATE OR REPLACE FUNCTION can_access_category(of_group uuid, wanted_category uuid)
RETURNS boolean LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        SELECT FROM subscriptions s JOIN plan_categories granted USING (plan_id)
        WHERE s.school_group_id = of_group AND s.status <> 'suspended'
          AND granted.category_id = wanted_category
    )
$$;
