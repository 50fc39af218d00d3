-- Row security does not know materialised views. So nobody but their owner may read this one, and
-- the application reads a view of it that lets through what a policy would: the second lock.
-- security_barrier: no condition of a query is tried on rows that this one keeps back.
CREATE OR REPLACE VIEW own_figures WITH (security_barrier = true) AS
SELECT owner_user_id, mois, gite_id, plateforme, bookings, nights, revenue_centimes
FROM monthly_figures
WHERE owner_user_id = :user_id;

GRANT SELECT ON own_figures TO app_user;
