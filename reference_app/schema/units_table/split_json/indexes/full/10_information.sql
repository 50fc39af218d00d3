-- I-01
CREATE INDEX IF NOT EXISTS idx_infos_core_gite
    ON infos_gites_core (gite_id);
-- I-02
CREATE INDEX IF NOT EXISTS idx_infos_core_owner
    ON infos_gites_core (owner_user_id);
-- I-03
CREATE INDEX IF NOT EXISTS idx_infos_wifi_gite
    ON infos_gites_wifi (gite_id);
-- I-04
CREATE INDEX IF NOT EXISTS idx_infos_consignes_gite
    ON infos_gites_consignes (gite_id);
-- I-05
CREATE INDEX IF NOT EXISTS idx_infos_equipements_gite
    ON infos_gites_equipements (gite_id);
-- I-06
CREATE INDEX IF NOT EXISTS idx_infos_contacts_gite
    ON infos_gites_contacts (gite_id);
