-- What state an owner's rows are in, for everything that keeps a copy of them: the page cache, and
-- reads from a replica. Only in variants that need it (migrate.py): it costs each writing
-- transaction a row.
--
-- A version is a random value, not a counter: versions are only compared for being the same, and
-- a value of a database that was restored or made anew can never come up again, while copies made
-- from the one before still lie in Redis.
--
-- No row security: the table says that something changed, not what, and the application reads
-- the versions of several owners at once.
CREATE TABLE IF NOT EXISTS owner_versions (
    owner   uuid PRIMARY KEY,
    version uuid NOT NULL
) WITH (fillfactor = 50);  -- room for the next version on the same page: no index is touched

-- The version of an owner who has written nothing since this table was made.
INSERT INTO owner_versions VALUES
    ('00000000-0000-0000-0000-000000000000', gen_random_uuid())
ON CONFLICT DO NOTHING;

-- Called when the transaction commits (deferred triggers), for two reasons. The row lock is the
-- last one the transaction takes, so it waits for nothing while it holds it, and cannot be part of
-- a deadlock with row or gîte locks. And it is held for no longer than the commit takes.
-- SECURITY DEFINER: who changes a reservation must renew the version, and may do nothing else
-- with it.
CREATE OR REPLACE FUNCTION renew_owner_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM public.renew_version_of(OLD.owner_user_id);
    END IF;
    -- once is enough: no role may give a row to another owner, but the owner of the tables can
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.owner_user_id <> OLD.owner_user_id) THEN
        PERFORM public.renew_version_of(NEW.owner_user_id);
    END IF;
    RETURN NULL;
END $$;

-- Once a transaction: of the thousand rows a statement may change, the first renews the version,
-- and the others find the row as this very transaction wrote it.
CREATE OR REPLACE FUNCTION renew_version_of(changed uuid) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO public.owner_versions AS v VALUES (changed, gen_random_uuid())
    ON CONFLICT (owner) DO UPDATE SET version = excluded.version
        WHERE v.xmin <> pg_current_xact_id()::xid
$$;

REVOKE ALL ON owner_versions FROM app_user, app_guest, app_worker;
REVOKE EXECUTE ON FUNCTION renew_owner_version(), renew_version_of(uuid) FROM PUBLIC;
GRANT SELECT ON owner_versions TO app_user;
