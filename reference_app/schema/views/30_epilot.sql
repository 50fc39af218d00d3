-- E-Pilot's two views (B-56, S-05): what each plan grants, and the whole service in one row. For
-- reports of the office alone: what a group may use is read from the tables themselves (X-15).

CREATE MATERIALIZED VIEW IF NOT EXISTS plan_modules_view AS
SELECT p.id AS plan_id, p.slug AS plan, p.name AS plan_name, c.id AS category_id,
       c.name AS category, m.id AS module_id, m.slug AS module_slug, m.name AS module
FROM plan_modules pm
JOIN subscription_plans p ON p.id = pm.plan_id
JOIN modules m ON m.id = pm.module_id
JOIN categories c ON c.id = m.category_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS global_stats_view AS
SELECT true AS one, now() AS as_of,
       (SELECT count(*) FROM school_groups) AS groups,
       (SELECT coalesce(jsonb_object_agg(status, number), '{}') FROM (
           SELECT status, count(*) AS number FROM subscriptions GROUP BY status) AS by_status
       ) AS by_status,
       (SELECT coalesce(jsonb_object_agg(slug, number), '{}') FROM (
           SELECT p.slug, count(*) AS number FROM subscriptions s
           JOIN subscription_plans p ON p.id = s.plan_id GROUP BY p.slug) AS by_plan
       ) AS by_plan,
       (SELECT count(*) FROM schools) AS schools,
       (SELECT count(*) FROM students) AS students,
       (SELECT count(*) FROM staff) AS staff,
       (SELECT coalesce(sum(size_bytes), 0)::bigint FROM stored_files) AS storage_bytes;

-- I-42
CREATE UNIQUE INDEX IF NOT EXISTS plan_modules_view_key ON plan_modules_view (plan_id, module_id);
CREATE UNIQUE INDEX IF NOT EXISTS global_stats_view_key ON global_stats_view (one);

-- SECURITY DEFINER: as count_figures().
CREATE OR REPLACE FUNCTION refresh_service_views() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    REFRESH MATERIALIZED VIEW CONCURRENTLY public.plan_modules_view;
    REFRESH MATERIALIZED VIEW CONCURRENTLY public.global_stats_view;
END $$;

-- Row security does not know materialised views, so the application reads these through views that
-- let through what a policy would (see 20_own_figures.sql).
CREATE OR REPLACE VIEW service_plan_modules WITH (security_barrier = true) AS
SELECT * FROM plan_modules_view WHERE :role = 'super_admin';
CREATE OR REPLACE VIEW service_stats WITH (security_barrier = true) AS
SELECT * FROM global_stats_view WHERE :role = 'super_admin';

REVOKE ALL ON plan_modules_view, global_stats_view FROM app_user, app_guest, app_worker;
REVOKE EXECUTE ON FUNCTION refresh_service_views() FROM PUBLIC;
GRANT SELECT ON service_plan_modules, service_stats TO app_user;
GRANT EXECUTE ON FUNCTION refresh_service_views() TO app_worker;
