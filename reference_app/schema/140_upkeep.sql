-- Keys of 040_upkeep.sql, and how often dead rows are swept up.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    -- an archived stay keeps the gîte it was in, as a live one does
    (1, 'reservations_archive', 'fk_reservations_archive_gite_owner',
        'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id)'),
    -- B-167: a copy is logged once; its rehearsal is written into the same row
    (2, 'backup_log', 'uq_backup_log_storage_date', 'UNIQUE (storage, date)')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;

-- B-164. The server sweeps up by itself once a fifth of a table is dead, which suits tables that
-- grow and change evenly. These do not: the queue turns over completely every two hours while it
-- stays small, and a monthly clean-up takes less than a fifth of a log but a great many rows.
ALTER TABLE sync_queue SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE reservations SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE notifications SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE sync_logs SET (autovacuum_vacuum_scale_factor = 0.05);
