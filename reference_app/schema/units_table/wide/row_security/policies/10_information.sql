CREATE POLICY own_rows ON infos_gites FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_stay ON infos_gites FOR SELECT TO app_guest
    USING (id IN (SELECT t.gite_id FROM client_access_tokens t));
