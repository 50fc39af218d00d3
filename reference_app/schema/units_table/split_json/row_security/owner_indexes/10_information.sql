CREATE INDEX IF NOT EXISTS rls_infos_gites_core_owner ON infos_gites_core (owner_user_id);
