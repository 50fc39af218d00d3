-- Keys of 021_information.sql. One row a gîte: its id is the gîte's, so the primary key sees to it.

SELECT pg_temp.ensure_constraint('infos_gites', 'fk_infos_gites_gite_owner',
    'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id) ON DELETE CASCADE');
