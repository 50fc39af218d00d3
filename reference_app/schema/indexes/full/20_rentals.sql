-- I-13; unique: a token opens one sheet
CREATE UNIQUE INDEX IF NOT EXISTS idx_fiches_token
    ON client_access_tokens (token);
-- I-14
CREATE INDEX IF NOT EXISTS idx_fiches_reservation
    ON client_access_tokens (reservation_id);
-- I-15, I-31: one definition, since both names mean one table here (decision 0031)
CREATE INDEX IF NOT EXISTS idx_activites_gite
    ON activites_gites (gite_id);
-- I-16
CREATE INDEX IF NOT EXISTS idx_activites_categorie
    ON activites_gites (categorie);
-- I-17
CREATE INDEX IF NOT EXISTS idx_simulations_owner_annee
    ON simulations_fiscales (owner_user_id, annee);
-- I-18
CREATE INDEX IF NOT EXISTS idx_km_trajets_owner_date
    ON km_trajets (owner_user_id, date DESC);
-- I-19
CREATE INDEX IF NOT EXISTS idx_cleaning_gite_date
    ON cleaning_schedule (gite_id, date DESC);
-- I-20
CREATE INDEX IF NOT EXISTS idx_cleaning_status
    ON cleaning_schedule (status);
-- I-21
CREATE INDEX IF NOT EXISTS idx_linen_stocks_gite
    ON linen_stocks (gite_id);
-- I-22; unique: an address is one client (indexes.md, section 6)
CREATE UNIQUE INDEX IF NOT EXISTS idx_cm_clients_email
    ON cm_clients (email);
-- I-23
CREATE INDEX IF NOT EXISTS idx_cm_subscriptions_client
    ON cm_subscriptions (client_id);
-- I-24
CREATE INDEX IF NOT EXISTS idx_cm_subscriptions_status
    ON cm_subscriptions (status);
-- I-25
CREATE INDEX IF NOT EXISTS idx_cm_tickets_client_status
    ON cm_support_tickets (client_id, status);
-- I-26
CREATE INDEX IF NOT EXISTS idx_error_logs_timestamp
    ON error_logs ("timestamp" DESC);
-- I-27
CREATE INDEX IF NOT EXISTS idx_notifications_user_read
    ON notifications (user_id, is_read, created_at DESC);
