-- Every index of the sources on the tables that exist, redundant ones included: what they cost
-- on writes is part of the measurement (X-35).

-- I-30; I-09 shares its name, its definition is kept as I-32
CREATE INDEX IF NOT EXISTS idx_reservations_owner_dates
    ON reservations (owner_user_id, date_debut DESC, date_fin);
-- I-32
CREATE INDEX IF NOT EXISTS idx_reservations_owner_date_debut
    ON reservations (owner_user_id, date_debut DESC);
-- I-07
CREATE INDEX IF NOT EXISTS idx_reservations_dates
    ON reservations (date_debut, date_fin);
-- I-08
CREATE INDEX IF NOT EXISTS idx_reservations_gite_dates
    ON reservations (gite_id, date_debut, date_fin);
-- I-10
CREATE INDEX IF NOT EXISTS idx_reservations_plateforme
    ON reservations (plateforme);
-- I-11
CREATE INDEX IF NOT EXISTS idx_reservations_status
    ON reservations (status);
-- I-12
CREATE INDEX IF NOT EXISTS idx_reservations_client_nom
    ON reservations USING gin (to_tsvector('french', client_nom));
