-- A table whose rows show in a kept answer (reference_app/cache/families.py) has a trigger here.

DROP TRIGGER IF EXISTS renew_version ON gites;
CREATE CONSTRAINT TRIGGER renew_version AFTER INSERT OR UPDATE OR DELETE ON gites
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION renew_owner_version();

DROP TRIGGER IF EXISTS renew_version ON reservations;
CREATE CONSTRAINT TRIGGER renew_version AFTER INSERT OR UPDATE OR DELETE ON reservations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION renew_owner_version();
