-- The wide table stays, as it was when the split was filled, and is granted to nobody.
GRANT SELECT, UPDATE ON gites_base, gites_wifi, gites_consignes, gites_contacts,
    gites_equipements, gites_complements TO app_user;
GRANT SELECT ON gites_base, gites_wifi, gites_consignes, gites_contacts,
    gites_equipements, gites_complements TO app_guest;
