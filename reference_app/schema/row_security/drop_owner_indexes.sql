DROP INDEX IF EXISTS rls_gites_owner;
DROP INDEX IF EXISTS rls_reservations_owner;
DROP INDEX IF EXISTS rls_schools_group;
DROP INDEX IF EXISTS rls_students_group;
DROP INDEX IF EXISTS rls_staff_group;
DROP INDEX IF EXISTS rls_stored_files_group;
