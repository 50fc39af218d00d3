-- Keys of what synchronisation remembers.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'sync_events', 'fk_sync_events_gite_owner',
        'FOREIGN KEY (gite_id, user_id) REFERENCES gites (id, owner_user_id)'),
    (2, 'sync_feeds', 'fk_sync_feeds_gite_owner',
        'FOREIGN KEY (gite_id, user_id) REFERENCES gites (id, owner_user_id)')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;
