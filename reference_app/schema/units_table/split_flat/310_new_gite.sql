-- Every gîte has its information from birth: see the same function of the wide table.
CREATE OR REPLACE FUNCTION begin_information() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.gites_base (id, owner_user_id, nom, ville, code_postal,
                                   capacite_personnes, couleur_calendrier, actif)
    VALUES (NEW.id, NEW.owner_user_id, NEW.nom, NEW.ville, NEW.code_postal,
            NEW.capacite, NEW.couleur, NEW.actif);
    INSERT INTO public.gites_wifi (gite_id) VALUES (NEW.id);
    INSERT INTO public.gites_consignes (gite_id) VALUES (NEW.id);
    INSERT INTO public.gites_contacts (gite_id) VALUES (NEW.id);
    INSERT INTO public.gites_equipements (gite_id) VALUES (NEW.id);
    INSERT INTO public.gites_complements (gite_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION begin_information() FROM PUBLIC;

CREATE OR REPLACE TRIGGER information AFTER INSERT ON gites
    FOR EACH ROW EXECUTE FUNCTION begin_information();
