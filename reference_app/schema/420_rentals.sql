-- Rentals, guests, synchronisation: what each role may do at all.

GRANT SELECT ON client_access_tokens, hour_requests, guest_feedback, activites_gites,
    cleaning_schedule, linen_stocks, simulations_fiscales, km_trajets, cm_clients,
    cm_subscriptions, cm_support_tickets, error_logs, notifications, sync_queue, sync_logs,
    reservations_archive TO app_user;
GRANT INSERT ON client_access_tokens, activites_gites, cleaning_schedule, linen_stocks,
    simulations_fiscales, km_trajets, cm_support_tickets, error_logs, notifications, sync_queue
    TO app_user;
GRANT DELETE ON activites_gites, cleaning_schedule, linen_stocks, km_trajets, simulations_fiscales
    TO app_user;
GRANT UPDATE (revoked_at) ON client_access_tokens TO app_user;
GRANT UPDATE (status, decided_at) ON hour_requests TO app_user;
GRANT UPDATE (nom, categorie, description, adresse, distance_m) ON activites_gites TO app_user;
GRANT UPDATE (date, status, intervenant, updated_at) ON cleaning_schedule TO app_user;
GRANT UPDATE (total, propres, updated_at) ON linen_stocks TO app_user;
GRANT UPDATE (gite_id, date, depart, arrivee, hectometres, motif) ON km_trajets TO app_user;
GRANT UPDATE (status, updated_at) ON cm_support_tickets TO app_user;
GRANT UPDATE (is_read, read_at) ON notifications TO app_user;

-- Guests (B-80 ... B-84). Not granted: the owner's columns of a booking.
GRANT SELECT ON client_access_tokens, activites_gites, hour_requests, guest_feedback TO app_guest;
GRANT SELECT (id, nom, ville, code_postal, capacite) ON gites TO app_guest;
GRANT SELECT (id, gite_id, date_debut, date_fin, client_nom, voyageurs, status) ON reservations
    TO app_guest;
GRANT INSERT ON hour_requests, guest_feedback TO app_guest;

-- The sync worker.
GRANT SELECT ON gites TO app_worker;
GRANT UPDATE (last_synced_at) ON gites TO app_worker;
GRANT SELECT, INSERT, UPDATE ON reservations, sync_queue TO app_worker;
GRANT SELECT, INSERT ON sync_logs, notifications, error_logs TO app_worker;
