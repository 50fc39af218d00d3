-- Logs and alerts. The audit trail is written by triggers alone, and partitions are upkeep's.

REVOKE EXECUTE ON FUNCTION ensure_log_partition(regclass, date), acting_role(),
    write_trail_of_update(), service_health() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION service_health() TO app_user, app_worker;
GRANT SELECT ON audit_trail, health_checks, alert_rules, alerts TO app_user;
GRANT UPDATE (threshold, for_s, is_enabled, updated_at) ON alert_rules TO app_user;
GRANT SELECT ON alert_rules TO app_worker;
GRANT SELECT, INSERT ON health_checks TO app_worker;
GRANT SELECT, INSERT, UPDATE ON alerts TO app_worker;
