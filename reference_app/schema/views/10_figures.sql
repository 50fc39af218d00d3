-- Variant views: materialised. Every owner's figures, counted in advance: all that statistics,
-- history and the monthly table show are sums of this grain. Cancelled stays do not count,
-- archived ones do.
CREATE MATERIALIZED VIEW IF NOT EXISTS monthly_figures AS
SELECT r.owner_user_id, date_trunc('month', r.date_debut::timestamp)::date AS mois, r.gite_id,
       r.plateforme, count(*)::int AS bookings, sum(r.date_fin - r.date_debut)::int AS nights,
       sum(r.prix_centimes)::bigint AS revenue_centimes
FROM reservations_all r
WHERE r.status <> 'cancelled'
GROUP BY 1, 2, 3, 4;

-- I-42: what REFRESH ... CONCURRENTLY tells rows apart by; without it a refresh keeps readers out.
CREATE UNIQUE INDEX IF NOT EXISTS monthly_figures_key
    ON monthly_figures (owner_user_id, mois, gite_id, plateforme);

-- When the figures were counted. One row.
CREATE TABLE IF NOT EXISTS figures_counted (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    as_of timestamptz NOT NULL
);
INSERT INTO figures_counted (as_of) VALUES (now()) ON CONFLICT DO NOTHING;

-- Count again. One transaction, so whoever sees the new figures sees when they were counted, and
-- the other way round. now() is when the transaction began: no figure is older than that.
-- SECURITY DEFINER: only the owner of a view may refresh it, and no role of the application is.
CREATE OR REPLACE FUNCTION count_figures() RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    REFRESH MATERIALIZED VIEW CONCURRENTLY public.monthly_figures;
    UPDATE public.figures_counted SET as_of = now();
    RETURN now();
END $$;

REVOKE ALL ON monthly_figures, figures_counted FROM app_user, app_guest, app_worker;
REVOKE EXECUTE ON FUNCTION count_figures() FROM PUBLIC;
GRANT SELECT ON figures_counted TO app_user;
GRANT EXECUTE ON FUNCTION count_figures() TO app_worker;
