-- Every gîte has its information from birth, with what is known of it then, so no reader needs to
-- ask whether it is there. SECURITY DEFINER: nobody else may add such rows.
CREATE OR REPLACE FUNCTION begin_information() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.infos_gites (id, gite_id, owner_user_id, nom, ville, code_postal,
                                    capacite_personnes, couleur_calendrier, actif)
    VALUES (NEW.id, NEW.id, NEW.owner_user_id, NEW.nom, NEW.ville, NEW.code_postal,
            NEW.capacite, NEW.couleur, NEW.actif);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION begin_information() FROM PUBLIC;

CREATE OR REPLACE TRIGGER information AFTER INSERT ON gites
    FOR EACH ROW EXECUTE FUNCTION begin_information();
