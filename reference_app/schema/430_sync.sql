-- Synchronisation. An owner's request does it itself with `sync: inline`, so app_user may write
-- what the worker writes, for its own gîtes (row security), and no more.

GRANT SELECT, INSERT, UPDATE, DELETE ON sync_events, sync_feeds TO app_user, app_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_cache TO app_user;
GRANT SELECT, INSERT, UPDATE ON sync_cycles TO app_worker;
GRANT INSERT ON sync_logs TO app_user;
GRANT UPDATE (last_synced_at) ON gites TO app_user;
-- asking again for a gîte whose task waits
GRANT UPDATE (priority, available_at) ON sync_queue TO app_user;

REVOKE EXECUTE ON FUNCTION notify_sync_queue(), merge_feed(uuid, uuid, text, text, text[], date[],
    date[], text[], text[], text, text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION merge_feed(uuid, uuid, text, text, text[], date[], date[], text[],
    text[], text, text, date) TO app_user, app_worker;
