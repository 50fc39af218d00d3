-- Keys of 054_groups.sql.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'school_modules', 'fk_school_modules_school_group',
        'FOREIGN KEY (school_id, school_group_id) REFERENCES schools (id, school_group_id)
         ON DELETE CASCADE'),
    (2, 'bulk_operations', 'fk_bulk_operations_group',
        'FOREIGN KEY (school_group_id) REFERENCES school_groups (id)')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;

-- The queue, without what is finished.
CREATE INDEX IF NOT EXISTS ix_bulk_operations_unfinished
    ON bulk_operations (available_at, created_at) WHERE status IN ('pending', 'processing');
CREATE INDEX IF NOT EXISTS ix_bulk_operations_requested
    ON bulk_operations (requested_by, created_at DESC, id DESC);
-- one operation of a tenant at a time; those of the office count as one tenant
CREATE UNIQUE INDEX IF NOT EXISTS uq_bulk_operations_running
    ON bulk_operations (coalesce(school_group_id, '00000000-0000-0000-0000-000000000000'))
    WHERE status = 'processing';
