-- A cancelled stay's sheets end with it: whoever does not come does not keep the door's code.
-- SECURITY DEFINER: the sync worker cancels too, and may do nothing else with tokens.
CREATE OR REPLACE FUNCTION end_sheets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE public.client_access_tokens SET revoked_at = now()
    WHERE reservation_id = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION end_sheets() FROM PUBLIC;

CREATE OR REPLACE TRIGGER end_sheets AFTER UPDATE OF status ON reservations
    FOR EACH ROW WHEN (NEW.status = 'cancelled' AND OLD.status <> 'cancelled')
    EXECUTE FUNCTION end_sheets();
