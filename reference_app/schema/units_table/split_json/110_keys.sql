-- Keys. One row a gîte, a language or a contact, whatever the index set.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'infos_gites_core', 'uq_infos_gites_core_gite', 'UNIQUE (gite_id)'),
    (2, 'infos_gites_core', 'fk_infos_gites_core_gite_owner',
        'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id)
         ON DELETE CASCADE'),
    (3, 'infos_gites_wifi', 'uq_infos_gites_wifi_gite', 'UNIQUE (gite_id)'),
    (4, 'infos_gites_wifi', 'fk_infos_gites_wifi_gite',
        'FOREIGN KEY (gite_id) REFERENCES gites (id) ON DELETE CASCADE'),
    (5, 'infos_gites_consignes', 'uq_infos_gites_consignes_gite_langue',
        'UNIQUE (gite_id, langue)'),
    (6, 'infos_gites_consignes', 'fk_infos_gites_consignes_gite',
        'FOREIGN KEY (gite_id) REFERENCES gites (id) ON DELETE CASCADE'),
    (7, 'infos_gites_equipements', 'uq_infos_gites_equipements_gite', 'UNIQUE (gite_id)'),
    (8, 'infos_gites_equipements', 'fk_infos_gites_equipements_gite',
        'FOREIGN KEY (gite_id) REFERENCES gites (id) ON DELETE CASCADE'),
    (9, 'infos_gites_contacts', 'uq_infos_gites_contacts_gite_type', 'UNIQUE (gite_id, type)'),
    (10, 'infos_gites_contacts', 'fk_infos_gites_contacts_gite',
        'FOREIGN KEY (gite_id) REFERENCES gites (id) ON DELETE CASCADE'),
    (11, 'infos_gites_complements', 'fk_infos_gites_complements_gite',
        'FOREIGN KEY (gite_id) REFERENCES gites (id) ON DELETE CASCADE')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;
