-- Life of subscriptions, live changes. Status and dates are changed by the worker and by functions
-- that say who may call them, never by app_user itself.

GRANT SELECT ON subscription_notices, automation_runs, automation_log, plan_prices, plan_events
    TO app_user;
GRANT SELECT ON school_groups, subscriptions, subscription_plans, categories, modules,
    plan_categories, plan_modules, plan_prices, plan_events TO app_worker;
GRANT UPDATE (plan_id, status, starts_on, ends_on, period, anchor_day, grace_until, suspended_at,
              updated_at) ON subscriptions TO app_worker;
GRANT SELECT, INSERT ON subscription_notices, automation_log TO app_worker;
GRANT SELECT, INSERT, UPDATE ON automation_runs TO app_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON automation_retries TO app_worker;
-- whom a notice is for
GRANT SELECT (id, role, school_group_id) ON users TO app_worker;

REVOKE EXECUTE ON FUNCTION subscription_period_end(date, text, smallint),
    renew_subscriptions(uuid[], date), renew_by_hand(uuid, date), resume_subscription(uuid, date)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION subscription_period_end(date, text, smallint),
    renew_subscriptions(uuid[], date) TO app_worker;
GRANT EXECUTE ON FUNCTION renew_by_hand(uuid, date), resume_subscription(uuid, date) TO app_user;
