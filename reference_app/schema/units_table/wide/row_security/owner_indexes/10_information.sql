CREATE INDEX IF NOT EXISTS rls_infos_gites_owner ON infos_gites (owner_user_id);
