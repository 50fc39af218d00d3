-- Events are written by triggers only. The application hears all of them and reads, with row
-- security, those of who asks (row_security/policies/50_groups.sql).

REVOKE EXECUTE ON FUNCTION tell_plan_event(text, uuid, uuid, uuid, text), notify_content_change(),
    plan_event_bounds() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION plan_event_bounds() TO app_user;
