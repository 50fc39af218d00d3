-- Tier 1 of source 004: eight indexes (docs/requirements/indexes.md, section 3), four of them here.

-- I-30 (not I-09, which has the same name and one column less: X-35)
CREATE INDEX IF NOT EXISTS idx_reservations_owner_dates
    ON reservations (owner_user_id, date_debut DESC, date_fin);
-- I-08
CREATE INDEX IF NOT EXISTS idx_reservations_gite_dates
    ON reservations (gite_id, date_debut, date_fin);
-- I-12
CREATE INDEX IF NOT EXISTS idx_reservations_client_nom
    ON reservations USING gin (to_tsvector('french', client_nom));
-- I-10
CREATE INDEX IF NOT EXISTS idx_reservations_plateforme
    ON reservations (plateforme);
