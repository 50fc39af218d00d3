-- What the application's roles (001_roles.sql) may do at all; row security then says on which rows.
-- Not granted on purpose: users' password hashes, moving a row to another tenant, changing the
-- size of a stored file (the limits count on it).

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
                plan_modules, subscriptions TO app_user;
GRANT UPDATE (plan_id, updated_at) ON subscriptions TO app_user;
GRANT SELECT, INSERT ON schools, students, staff, stored_files TO app_user;

REVOKE EXECUTE ON FUNCTION find_credentials(text), enforce_plan_limit(), notify_plan_change()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_credentials(text), plan_usage(uuid, text),
    plan_limit(subscription_plans, text), check_plan_restrictions(uuid, text),
    get_all_plan_restrictions(uuid), can_access_module(uuid, uuid),
    can_access_category(uuid, uuid) TO app_user;
