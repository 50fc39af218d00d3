CREATE INDEX IF NOT EXISTS rls_gites_base_owner ON gites_base (owner_user_id);
