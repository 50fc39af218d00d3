-- What the application's roles may do at all; row security then says on which rows. app_user is who
-- is signed in, app_guest a guest with a token, app_worker the worker that serves every owner.
-- Not granted on purpose: users' password hashes, moving a row to another tenant, changing the
-- size of a stored file (the limits count on it).

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

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM app_user, app_guest, app_worker;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM app_user, app_guest, app_worker;
GRANT USAGE ON SCHEMA public TO app_user, app_guest, app_worker;

GRANT SELECT (id, email, role, school_group_id, created_at) ON users TO app_user;

GRANT SELECT, INSERT ON gites TO app_user;
GRANT UPDATE (nom, ville, code_postal, capacite, couleur, actif, ical_url) ON gites TO app_user;
GRANT SELECT, INSERT, DELETE ON reservations TO app_user;
GRANT UPDATE (date_debut, date_fin, client_nom, client_email, voyageurs, plateforme, status,
              prix_centimes, updated_at) ON reservations TO app_user;

GRANT SELECT ON school_groups, subscription_plans, categories, modules, plan_categories,
                plan_modules, subscriptions, school_group_usage TO app_user;
GRANT UPDATE (plan_id, updated_at) ON subscriptions TO app_user;
GRANT SELECT, INSERT ON schools, students, staff, stored_files TO app_user;

REVOKE EXECUTE ON FUNCTION find_credentials(text), enforce_plan_limit(), notify_plan_change()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_credentials(text), plan_usage(uuid, text),
    plan_limit(subscription_plans, text), check_plan_restrictions(uuid, text),
    get_all_plan_restrictions(uuid), can_access_module(uuid, uuid),
    can_access_category(uuid, uuid) TO app_user;
