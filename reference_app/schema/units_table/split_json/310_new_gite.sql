-- Every gîte has its information from birth: see the same function of the wide table.
CREATE OR REPLACE FUNCTION begin_information() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.infos_gites_core (gite_id, owner_user_id, nom)
    VALUES (NEW.id, NEW.owner_user_id, NEW.nom);
    INSERT INTO public.infos_gites_wifi (gite_id) VALUES (NEW.id);
    INSERT INTO public.infos_gites_consignes (gite_id, langue) VALUES (NEW.id, 'fr'), (NEW.id, 'en');
    INSERT INTO public.infos_gites_equipements (gite_id) VALUES (NEW.id);
    INSERT INTO public.infos_gites_contacts (gite_id, type, telephone)
    VALUES (NEW.id, 'samu', '15'), (NEW.id, 'pompiers', '18'), (NEW.id, 'police', '17');
    INSERT INTO public.infos_gites_complements (gite_id, donnees)
    VALUES (NEW.id, jsonb_build_object(
        'ville', NEW.ville, 'code_postal', NEW.code_postal, 'capacite_personnes', NEW.capacite,
        'couleur_calendrier', NEW.couleur, 'actif', NEW.actif));
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION begin_information() FROM PUBLIC;

CREATE OR REPLACE TRIGGER information AFTER INSERT ON gites
    FOR EACH ROW EXECUTE FUNCTION begin_information();
