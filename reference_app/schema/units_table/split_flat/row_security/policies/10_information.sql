-- B-116 on gites_base; B-117, B-118: the others by a sub-select on it.
CREATE POLICY own_rows ON gites_base FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_gite ON gites_wifi FOR ALL TO app_user
    USING (gite_id IN (SELECT b.id FROM gites_base b WHERE b.owner_user_id = :user_id));
CREATE POLICY own_gite ON gites_consignes FOR ALL TO app_user
    USING (gite_id IN (SELECT b.id FROM gites_base b WHERE b.owner_user_id = :user_id));
CREATE POLICY own_gite ON gites_contacts FOR ALL TO app_user
    USING (gite_id IN (SELECT b.id FROM gites_base b WHERE b.owner_user_id = :user_id));
CREATE POLICY own_gite ON gites_equipements FOR ALL TO app_user
    USING (gite_id IN (SELECT b.id FROM gites_base b WHERE b.owner_user_id = :user_id));
CREATE POLICY own_gite ON gites_complements FOR ALL TO app_user
    USING (gite_id IN (SELECT b.id FROM gites_base b WHERE b.owner_user_id = :user_id));

-- B-121
CREATE POLICY own_stay ON gites_base FOR SELECT TO app_guest
    USING (id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON gites_wifi FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON gites_consignes FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON gites_contacts FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON gites_equipements FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON gites_complements FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
