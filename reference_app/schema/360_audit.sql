-- The audit trail (B-54): every change of the rows below, whoever makes it and however. Triggers, so
-- that no statement can forget it; in the transaction of the change, so that neither is there
-- without the other, and no round trip is added.
--
-- Who: what the request says of itself (reference_app.database), else the role that acts.
-- SECURITY DEFINER: nobody but the owner of the trail may write it, not even who is written down.
-- A creation pays for its line, so its way is short (benchmarks/audit_cost.py): a function of its own
-- for each table, which reads columns instead of looking them up in JSON; a digest in place of
-- random bits, which cost more than the rest of the line; one statement for all rows of an import.

-- The role of the request, or of the process that nobody asked.
CREATE OR REPLACE FUNCTION acting_role() RETURNS text
LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('app.role', true), ''),
                nullif(current_setting('role'), 'none'), session_user);

-- An update is written a row at a time, with what changed and nothing else. The first argument is the
-- column of the school group, or nothing; the others are the key.
CREATE OR REPLACE FUNCTION write_trail_of_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    was jsonb := to_jsonb(OLD) - ARRAY['password_hash', 'token'];
    now_is jsonb := to_jsonb(NEW) - ARRAY['password_hash', 'token'];
    key_of_row text := concat_ws('/', now_is ->> TG_ARGV[1], now_is ->> TG_ARGV[2]);
BEGIN
    INSERT INTO public.audit_trail (id, at, actor_id, actor_role, request_id, school_group_id,
                                    table_name, row_id, action, before, after)
    SELECT md5(TG_TABLE_NAME || key_of_row || moment)::uuid, moment,
           nullif(current_setting('app.user_id', true), '')::uuid, public.acting_role(),
           coalesce(current_setting('app.request_id', true), ''),
           (now_is ->> TG_ARGV[0])::uuid, TG_TABLE_NAME, key_of_row, 'update',
           -- nothing left: only a column changed that is not written down, which is worth a line, too
           coalesce(jsonb_object_agg(key, value), '{}'),
           coalesce(jsonb_object_agg(key, now_is -> key), '{}')
    FROM jsonb_each(was) WHERE value IS DISTINCT FROM now_is -> key;
    RETURN NULL;
END $$;

-- trail_: after limit_ by name, so what a limit refuses is not written first
DO $do$
DECLARE
    audited record;
    writer text := $writer$
        CREATE OR REPLACE FUNCTION public.%1$I() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, public, pg_temp
        AS $$
        DECLARE
            moment timestamptz := clock_timestamp();
        BEGIN
            INSERT INTO public.audit_trail (id, at, actor_id, actor_role, request_id,
                                            school_group_id, table_name, row_id, action, %2$s)
            SELECT md5(%3$L || %4$s || moment)::uuid, moment,
                   nullif(current_setting('app.user_id', true), '')::uuid, public.acting_role(),
                   coalesce(current_setting('app.request_id', true), ''),
                   %5$s, %3$L, %4$s, %6$L, %7$s
            FROM changed_rows c;
            RETURN NULL;
        END $$;
        REVOKE EXECUTE ON FUNCTION public.%1$I() FROM PUBLIC;
        CREATE OR REPLACE TRIGGER %8$I AFTER %6$s ON public.%3$I
            REFERENCING %9$s TABLE AS changed_rows
            FOR EACH STATEMENT EXECUTE FUNCTION public.%1$I()
    $writer$;
BEGIN
    FOR audited IN
        SELECT *, coalesce('c.' || group_column, 'NULL::uuid') AS group_of,
               'c.' || key_1 || '::text' || coalesce(' || ''/'' || c.' || key_2, '') AS key_of,
               'to_jsonb(c)' || coalesce(' - ' || quote_literal(secret), '') AS content
        FROM (VALUES
            ('school_groups', 'id', 'id', NULL, NULL),
            ('subscriptions', 'school_group_id', 'id', NULL, NULL),
            ('schools', 'school_group_id', 'id', NULL, NULL),
            ('students', 'school_group_id', 'id', NULL, NULL),
            ('staff', 'school_group_id', 'id', NULL, NULL),
            ('stored_files', 'school_group_id', 'id', NULL, NULL),
            ('school_modules', 'school_group_id', 'school_id', 'module_id', NULL),
            ('webhook_endpoints', 'school_group_id', 'id', NULL, NULL),
            ('payment_methods', 'school_group_id', 'id', NULL, 'token'),
            ('payments', 'school_group_id', 'id', NULL, NULL),
            ('users', 'school_group_id', 'id', NULL, 'password_hash'),
            ('subscription_plans', NULL, 'id', NULL, NULL),
            ('plan_prices', NULL, 'plan_id', 'cycle', NULL),
            ('plan_modules', NULL, 'plan_id', 'module_id', NULL),
            ('plan_categories', NULL, 'plan_id', 'category_id', NULL),
            ('alert_rules', NULL, 'slug', NULL, NULL)
        ) AS tables (name, group_column, key_1, key_2, secret)
    LOOP
        EXECUTE format(writer, 'trail_insert_' || audited.name, 'after', audited.name,
            audited.key_of, audited.group_of, 'insert', audited.content, 'trail_insert', 'NEW');
        EXECUTE format(writer, 'trail_delete_' || audited.name, 'before', audited.name,
            audited.key_of, audited.group_of, 'delete', audited.content, 'trail_delete', 'OLD');
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER trail_update AFTER UPDATE ON public.%I'
            ' FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)'
            ' EXECUTE FUNCTION write_trail_of_update(%s)',
            audited.name,
            concat_ws(', ', quote_literal(coalesce(audited.group_column, '')),
                      quote_literal(audited.key_1), quote_literal(audited.key_2)));
    END LOOP;
END $do$;
