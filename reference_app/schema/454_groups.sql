-- Groups, their modules, bulk operations. Not granted: moving a row to another group, and the
-- limits of plans, which are the operator's.

GRANT SELECT ON school_group_usage TO app_user;
REVOKE EXECUTE ON FUNCTION count_usage(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_usage(uuid) TO app_user;
GRANT INSERT ON school_groups, subscriptions TO app_user;
GRANT UPDATE (name) ON school_groups TO app_user;
GRANT UPDATE (name, city) ON schools TO app_user;
GRANT UPDATE (school_id, name) ON students TO app_user;
GRANT UPDATE (school_id, name, position) ON staff TO app_user;
GRANT UPDATE (name) ON stored_files TO app_user;
GRANT DELETE ON schools, students, staff, stored_files TO app_user;
GRANT SELECT, INSERT, DELETE ON school_modules TO app_user;
GRANT INSERT, DELETE ON plan_modules, plan_categories TO app_user;
GRANT SELECT, INSERT ON bulk_operations TO app_user;

GRANT SELECT, UPDATE ON bulk_operations TO app_worker;
GRANT SELECT, INSERT ON schools, students, staff TO app_worker;
-- never written; but a plan of plan_usage() that serves every kind reads all of its tables
GRANT SELECT ON stored_files TO app_worker;
REVOKE EXECUTE ON FUNCTION notify_bulk_operation(),
    create_in_bulk(bulk_operations, integer), change_plans_in_bulk(bulk_operations, integer),
    run_bulk_chunk(uuid, text, timestamptz, integer, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_in_bulk(bulk_operations, integer),
    change_plans_in_bulk(bulk_operations, integer),
    run_bulk_chunk(uuid, text, timestamptz, integer, double precision),
    plan_usage(uuid, text), plan_limit(subscription_plans, text) TO app_worker;
