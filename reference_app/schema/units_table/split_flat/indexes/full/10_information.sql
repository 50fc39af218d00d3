-- I-33
CREATE INDEX IF NOT EXISTS idx_gites_base_owner
    ON gites_base (owner_user_id);
-- I-34
CREATE INDEX IF NOT EXISTS idx_gites_wifi_gite
    ON gites_wifi (gite_id);
-- I-35
CREATE INDEX IF NOT EXISTS idx_gites_consignes_gite
    ON gites_consignes (gite_id);
-- I-36
CREATE INDEX IF NOT EXISTS idx_gites_contacts_gite
    ON gites_contacts (gite_id);
-- I-37
CREATE INDEX IF NOT EXISTS idx_gites_equipements_gite
    ON gites_equipements (gite_id);
