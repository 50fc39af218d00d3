-- Owners: their own rows.
CREATE POLICY own_rows ON client_access_tokens FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON hour_requests FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON guest_feedback FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON activites_gites FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON cleaning_schedule FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON linen_stocks FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON simulations_fiscales FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON km_trajets FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON reservations_archive FOR SELECT TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON notifications FOR ALL TO app_user
    USING (user_id = :user_id);
CREATE POLICY own_rows ON sync_queue FOR ALL TO app_user
    USING (user_id = :user_id);
CREATE POLICY own_rows ON sync_logs FOR SELECT TO app_user
    USING (user_id = :user_id);

-- Support staff (J-13): the customers of the channel manager and what went wrong.
CREATE POLICY support ON cm_clients FOR ALL TO app_user
    USING (:role = 'support');
CREATE POLICY support ON cm_subscriptions FOR ALL TO app_user
    USING (:role = 'support');
CREATE POLICY support ON cm_support_tickets FOR ALL TO app_user
    USING (:role = 'support');
CREATE POLICY support ON error_logs FOR SELECT TO app_user
    USING (:role = 'support');
-- whoever meets an error may write it down (B-95), and read nothing
CREATE POLICY report ON error_logs FOR INSERT TO app_user
    WITH CHECK (user_id IS NOT DISTINCT FROM :user_id);

-- The sync worker works for every owner (B-132: "runs with the service role").
CREATE POLICY every_row ON gites FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON reservations FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON sync_queue FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON sync_logs FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON notifications FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON error_logs FOR ALL TO app_worker USING (true);
