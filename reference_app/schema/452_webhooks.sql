-- Webhooks and payments. What a provider says of a payment comes in through a function, for whoever
-- calls back is nobody who signed in.

GRANT SELECT ON webhook_endpoints, webhook_events, webhook_deliveries, webhook_attempts,
    payment_methods, payments TO app_user;
GRANT INSERT ON webhook_endpoints, webhook_deliveries, webhook_attempts, payment_methods, payments
    TO app_user;
GRANT UPDATE (url, types, is_active, secret_version, verified_at, updated_at) ON webhook_endpoints
    TO app_user;
GRANT UPDATE (label, is_default) ON payment_methods TO app_user;
GRANT DELETE ON webhook_endpoints, payment_methods TO app_user;

-- Events come from triggers alone. A worker holds an endpoint's row while it takes a delivery, and
-- PostgreSQL asks for a right to change something of it for that.
REVOKE INSERT ON webhook_events FROM app_worker;
GRANT SELECT ON webhook_endpoints, webhook_events, payment_methods TO app_worker;
GRANT UPDATE (verified_at) ON webhook_endpoints TO app_worker;
GRANT SELECT, UPDATE ON webhook_deliveries TO app_worker;
GRANT SELECT, INSERT, UPDATE ON payments TO app_worker;
GRANT SELECT, INSERT ON webhook_attempts, payment_callbacks TO app_worker;

REVOKE EXECUTE ON FUNCTION tell_subscription_changes(), tell_of_expiry(),
    is_event_wanted(uuid, text), deliver_webhook_events(), notify_webhook_deliveries() FROM PUBLIC;
