-- Webhooks and payments. What a provider says of a payment comes in through a function, for whoever
-- calls back is nobody who signed in.

GRANT SELECT ON webhook_endpoints, webhook_events, webhook_deliveries, webhook_attempts,
    payment_methods, payments TO app_user;
GRANT INSERT ON webhook_endpoints, webhook_deliveries, webhook_attempts, payment_methods TO app_user;
GRANT UPDATE (url, types, is_active, secret_version, verified_at, updated_at) ON webhook_endpoints
    TO app_user;
GRANT UPDATE (is_default) ON payment_methods TO app_user;
GRANT DELETE ON webhook_endpoints, payment_methods TO app_user;

-- Events come from triggers alone. A worker holds an endpoint's row while it takes a delivery, and
-- PostgreSQL asks for a right to change something of it for that.
REVOKE INSERT ON webhook_events FROM app_worker;
-- Nor is a payment written but by the functions of 353_payments.sql: an earlier version granted it.
REVOKE INSERT, UPDATE ON payments FROM app_user, app_worker;
REVOKE INSERT ON payment_callbacks FROM app_worker;
GRANT SELECT ON webhook_endpoints, webhook_events, payment_methods TO app_worker;
GRANT UPDATE (verified_at) ON webhook_endpoints TO app_worker;
GRANT SELECT, UPDATE ON webhook_deliveries TO app_worker;
GRANT SELECT ON payments TO app_worker;
GRANT SELECT, INSERT ON webhook_attempts TO app_worker;

REVOKE EXECUTE ON FUNCTION tell_subscription_changes(), tell_of_expiry(),
    is_event_wanted(uuid, text), deliver_webhook_events(), notify_webhook_deliveries(),
    tell_of_payments(), add_payment_method(uuid, uuid, text, text, text),
    begin_payment(uuid, integer, date, text), begin_own_payment(uuid, date, text),
    settle_payment(text, text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION add_payment_method(uuid, uuid, text, text, text),
    begin_own_payment(uuid, date, text) TO app_user;
GRANT EXECUTE ON FUNCTION begin_payment(uuid, integer, date, text) TO app_worker;
-- app_guest: what a provider says is not said by somebody who signed in, who may not say it.
GRANT EXECUTE ON FUNCTION settle_payment(text, text, text, text, text, text)
    TO app_worker, app_guest;
