-- I-38
CREATE INDEX IF NOT EXISTS idx_subscriptions_group_status_end
    ON subscriptions (school_group_id, status, ends_on);
-- I-39
CREATE INDEX IF NOT EXISTS idx_school_groups_name
    ON school_groups USING gin (to_tsvector('french', name));
CREATE INDEX IF NOT EXISTS idx_schools_name
    ON schools USING gin (to_tsvector('french', name));
-- I-40: what the plan checks count (the unique keys already cover subscriptions and plan slugs)
CREATE INDEX IF NOT EXISTS idx_schools_group
    ON schools (school_group_id);
CREATE INDEX IF NOT EXISTS idx_students_group
    ON students (school_group_id);
CREATE INDEX IF NOT EXISTS idx_staff_group
    ON staff (school_group_id);
CREATE INDEX IF NOT EXISTS idx_stored_files_group
    ON stored_files (school_group_id);
