-- The wide table stays, as it was when the split was filled, and is granted to nobody.
GRANT SELECT, UPDATE ON infos_gites_core, infos_gites_wifi, infos_gites_consignes,
    infos_gites_equipements, infos_gites_contacts, infos_gites_complements TO app_user;
GRANT INSERT, DELETE ON infos_gites_contacts TO app_user;
GRANT SELECT ON infos_gites_core, infos_gites_wifi, infos_gites_consignes,
    infos_gites_equipements, infos_gites_contacts, infos_gites_complements TO app_guest;
