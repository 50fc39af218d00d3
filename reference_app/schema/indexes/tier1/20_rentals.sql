-- The other four of tier 1.

-- I-13; unique: a token opens one sheet (indexes.md, section 6)
CREATE UNIQUE INDEX IF NOT EXISTS idx_fiches_token
    ON client_access_tokens (token);
-- I-31; the table's name is that of 002 (decision 0031)
CREATE INDEX IF NOT EXISTS idx_activites_gite
    ON activites_gites (gite_id);
-- I-19
CREATE INDEX IF NOT EXISTS idx_cleaning_gite_date
    ON cleaning_schedule (gite_id, date DESC);
-- I-27
CREATE INDEX IF NOT EXISTS idx_notifications_user_read
    ON notifications (user_id, is_read, created_at DESC);
