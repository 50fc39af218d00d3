-- B-121: a guest acts as app_guest and has shown a token; :token is its SHA-256. The token's own
-- row decides, and the other tables ask for it in a sub-select, so a token that has ended or was
-- withdrawn shows nothing at all.
CREATE POLICY own_token ON client_access_tokens FOR SELECT TO app_guest
    USING (token = :token AND expires_at > now() AND revoked_at IS NULL);
CREATE POLICY own_stay ON reservations FOR SELECT TO app_guest
    USING (id IN (SELECT t.reservation_id FROM client_access_tokens t));
CREATE POLICY own_stay ON gites FOR SELECT TO app_guest
    USING (id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON activites_gites FOR SELECT TO app_guest
    USING (gite_id IN (SELECT t.gite_id FROM client_access_tokens t));
CREATE POLICY own_stay ON hour_requests FOR SELECT TO app_guest
    USING (reservation_id IN (SELECT t.reservation_id FROM client_access_tokens t));
CREATE POLICY own_stay ON guest_feedback FOR SELECT TO app_guest
    USING (reservation_id IN (SELECT t.reservation_id FROM client_access_tokens t));

-- Written only about the own stay, in its gîte and to its owner, with a token that allows it.
CREATE POLICY ask ON hour_requests FOR INSERT TO app_guest
    WITH CHECK (status = 'pending' AND (reservation_id, gite_id, owner_user_id) IN (
        SELECT t.reservation_id, t.gite_id, t.owner_user_id FROM client_access_tokens t
        WHERE t.scope = 'stay'));
CREATE POLICY tell ON guest_feedback FOR INSERT TO app_guest
    WITH CHECK ((reservation_id, gite_id, owner_user_id) IN (
        SELECT t.reservation_id, t.gite_id, t.owner_user_id FROM client_access_tokens t
        WHERE t.scope = 'stay'));
CREATE POLICY notify_owner ON notifications FOR INSERT TO app_guest
    WITH CHECK (kind IN ('hour_request', 'feedback') AND user_id IN (
        SELECT t.owner_user_id FROM client_access_tokens t WHERE t.scope = 'stay'));
