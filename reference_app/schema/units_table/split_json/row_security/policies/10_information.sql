-- Only the core table names the owner; the others ask it for the owner's gîtes.
CREATE POLICY own_rows ON infos_gites_core FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_gite ON infos_gites_wifi FOR ALL TO app_user
    USING (gite_id IN (SELECT b.gite_id FROM infos_gites_core b WHERE b.owner_user_id = :user_id));
CREATE POLICY own_gite ON infos_gites_consignes FOR ALL TO app_user
    USING (gite_id IN (SELECT b.gite_id FROM infos_gites_core b WHERE b.owner_user_id = :user_id));
CREATE POLICY own_gite ON infos_gites_equipements FOR ALL TO app_user
    USING (gite_id IN (SELECT b.gite_id FROM infos_gites_core b WHERE b.owner_user_id = :user_id));
CREATE POLICY own_gite ON infos_gites_contacts FOR ALL TO app_user
    USING (gite_id IN (SELECT b.gite_id FROM infos_gites_core b WHERE b.owner_user_id = :user_id));
CREATE POLICY own_gite ON infos_gites_complements FOR ALL TO app_user
    USING (gite_id IN (SELECT b.gite_id FROM infos_gites_core b WHERE b.owner_user_id = :user_id));

-- B-121
CREATE POLICY own_stay ON infos_gites_core FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON infos_gites_wifi FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON infos_gites_consignes FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON infos_gites_equipements FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON infos_gites_contacts FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON infos_gites_complements FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
