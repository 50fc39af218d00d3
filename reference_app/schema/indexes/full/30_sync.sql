-- I-28; priority is a number (B-133), so the index serves "high before low, then oldest"
CREATE INDEX IF NOT EXISTS idx_sync_queue_status
    ON sync_queue (status, priority DESC, created_at);
-- I-29
CREATE INDEX IF NOT EXISTS idx_sync_queue_user
    ON sync_queue (user_id);
