-- Roles of the application: app_user is who is signed in, app_guest a guest with a token, app_worker
-- the worker that serves every owner. A file of its own, and the first: a backup names them in its
-- grants and policies, so restoring one on another server needs them before anything else.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['app_user', 'app_guest', 'app_worker'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB'
                               ' NOCREATEROLE', wanted);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- roles belong to the whole server: another database's migration was faster
        END;
    END LOOP;
END $$;
