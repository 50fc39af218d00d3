-- What synchronisation remembers belongs to the owner of the gîte; the worker works for everyone.
CREATE POLICY own_rows ON sync_events FOR ALL TO app_user
    USING (user_id = :user_id);
CREATE POLICY own_rows ON sync_feeds FOR ALL TO app_user
    USING (user_id = :user_id);
CREATE POLICY write_own ON sync_logs FOR INSERT TO app_user
    WITH CHECK (user_id = :user_id);
CREATE POLICY every_row ON sync_events FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON sync_feeds FOR ALL TO app_worker USING (true);
