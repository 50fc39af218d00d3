-- Logs and alerts. The audit trail is written by triggers alone, and partitions are upkeep's.

REVOKE EXECUTE ON FUNCTION ensure_log_partition(regclass, date) FROM PUBLIC;
GRANT SELECT ON audit_trail, health_checks, alert_rules, alerts TO app_user;
GRANT UPDATE (threshold, for_s, is_enabled, updated_at) ON alert_rules TO app_user;
GRANT SELECT ON alert_rules TO app_worker;
GRANT SELECT, INSERT ON health_checks TO app_worker;
GRANT SELECT, INSERT, UPDATE ON alerts TO app_worker;
