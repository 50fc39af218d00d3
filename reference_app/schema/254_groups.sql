-- The key of school_modules that 154_groups.sql has not: rows that a seed wrote refer to modules that
-- are reference data, so it comes after them.

SELECT pg_temp.ensure_constraint(
    'school_modules'::regclass, 'fk_school_modules_module',
    'FOREIGN KEY (module_id) REFERENCES modules (id)');
