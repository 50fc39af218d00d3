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

GRANT SELECT ON webhook_endpoints, webhook_events, payment_methods TO app_worker;
GRANT INSERT ON webhook_events TO app_worker;
GRANT SELECT, INSERT, UPDATE ON webhook_deliveries, payments TO app_worker;
GRANT SELECT, INSERT ON webhook_attempts, payment_callbacks TO app_worker;
