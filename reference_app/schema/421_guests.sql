-- A guest's question or opinion tells the owner in the same statement; reading notices is not
-- granted.
GRANT INSERT (id, user_id, kind, title, body) ON notifications TO app_guest;
