-- Keys. One row a gîte in each table, whatever the index set.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'gites_base', 'fk_gites_base_gite_owner',
        'FOREIGN KEY (id, owner_user_id) REFERENCES gites (id, owner_user_id) ON DELETE CASCADE'),
    (2, 'gites_wifi', 'uq_gites_wifi_gite', 'UNIQUE (gite_id)'),
    (3, 'gites_wifi', 'fk_gites_wifi_base',
        'FOREIGN KEY (gite_id) REFERENCES gites_base (id) ON DELETE CASCADE'),
    (4, 'gites_consignes', 'uq_gites_consignes_gite', 'UNIQUE (gite_id)'),
    (5, 'gites_consignes', 'fk_gites_consignes_base',
        'FOREIGN KEY (gite_id) REFERENCES gites_base (id) ON DELETE CASCADE'),
    (6, 'gites_contacts', 'uq_gites_contacts_gite', 'UNIQUE (gite_id)'),
    (7, 'gites_contacts', 'fk_gites_contacts_base',
        'FOREIGN KEY (gite_id) REFERENCES gites_base (id) ON DELETE CASCADE'),
    (8, 'gites_equipements', 'uq_gites_equipements_gite', 'UNIQUE (gite_id)'),
    (9, 'gites_equipements', 'fk_gites_equipements_base',
        'FOREIGN KEY (gite_id) REFERENCES gites_base (id) ON DELETE CASCADE'),
    (10, 'gites_complements', 'fk_gites_complements_base',
        'FOREIGN KEY (gite_id) REFERENCES gites_base (id) ON DELETE CASCADE')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;
