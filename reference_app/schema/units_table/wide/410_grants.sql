-- Rows are begun by the gîte's own (310_new_gite.sql); a guest's policy says which one a guest sees.
GRANT SELECT, UPDATE ON infos_gites TO app_user;
GRANT SELECT ON infos_gites TO app_guest;
