-- What a group uses, as numbers. SECURITY DEFINER: a super administrator must see how full a group is
-- and may not see its pupils, so the rows themselves stay out of reach; the view below joins a group
-- that the caller may see.
CREATE OR REPLACE FUNCTION count_usage(of_group uuid)
RETURNS TABLE (schools bigint, students bigint, staff bigint, storage_bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT public.plan_usage(of_group, 'schools'), public.plan_usage(of_group, 'students'),
           public.plan_usage(of_group, 'staff'), public.plan_usage(of_group, 'storage')
$$;

-- B-05. security_invoker: without it the view would read with its owner's rights, past row security.
CREATE OR REPLACE VIEW school_group_usage WITH (security_invoker = true) AS
SELECT g.id AS school_group_id, g.name, p.slug AS plan, s.status,
       used.schools, p.max_schools, used.students, p.max_students, used.staff, p.max_staff,
       used.storage_bytes, p.max_storage AS max_storage_gb
FROM school_groups g
JOIN subscriptions s ON s.school_group_id = g.id
JOIN subscription_plans p ON p.id = s.plan_id,
LATERAL count_usage(g.id) AS used;
