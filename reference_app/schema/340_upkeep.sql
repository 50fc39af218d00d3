-- What an owner's history is made of: stays of the last three years and archived ones (B-161).
-- Whatever counts the past reads this, so that archiving changes no figure. security_invoker: without
-- it the view would read with its owner's rights, past row security.
CREATE OR REPLACE VIEW reservations_all WITH (security_invoker = true) AS
SELECT id, gite_id, owner_user_id, date_debut, date_fin, client_nom, client_email, voyageurs,
       plateforme, status, prix_centimes, ical_uid, created_at, updated_at
FROM reservations
UNION ALL
SELECT id, gite_id, owner_user_id, date_debut, date_fin, client_nom, client_email, voyageurs,
       plateforme, status, prix_centimes, ical_uid, created_at, updated_at
FROM reservations_archive;
