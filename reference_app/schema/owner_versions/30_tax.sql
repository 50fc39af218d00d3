-- Kilometres and simulations are part of what the tax answers are made from (B-88, B-89, B-150).

DROP TRIGGER IF EXISTS renew_version ON km_trajets;
CREATE CONSTRAINT TRIGGER renew_version AFTER INSERT OR UPDATE OR DELETE ON km_trajets
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION renew_owner_version();

DROP TRIGGER IF EXISTS renew_version ON simulations_fiscales;
CREATE CONSTRAINT TRIGGER renew_version AFTER INSERT OR UPDATE OR DELETE ON simulations_fiscales
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION renew_owner_version();
