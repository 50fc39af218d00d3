CREATE INDEX IF NOT EXISTS rls_reservations_archive_owner ON reservations_archive (owner_user_id);
