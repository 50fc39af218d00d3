-- One text for all variants: :user_id, :tenant_id and :role stand for the settings that say who
-- asks, read for each row or once a query (migrate.py). A setting that is missing or empty gives
-- NULL, and NULL matches no row.

CREATE POLICY own_account ON users FOR SELECT TO app_user
    USING (id = :user_id);

-- B-115, B-116
CREATE POLICY own_rows ON gites FOR ALL TO app_user
    USING (owner_user_id = :user_id);
CREATE POLICY own_rows ON reservations FOR ALL TO app_user
    USING (owner_user_id = :user_id);

-- B-51; a super administrator sees every group
CREATE POLICY own_group ON school_groups FOR SELECT TO app_user
    USING (id = :tenant_id OR :role = 'super_admin');
CREATE POLICY own_group ON subscriptions FOR SELECT TO app_user
    USING (school_group_id = :tenant_id OR :role = 'super_admin');
CREATE POLICY change_plan ON subscriptions FOR UPDATE TO app_user
    USING (:role = 'super_admin');
CREATE POLICY own_group ON schools FOR ALL TO app_user
    USING (school_group_id = :tenant_id);
CREATE POLICY own_group ON students FOR ALL TO app_user
    USING (school_group_id = :tenant_id);
CREATE POLICY own_group ON staff FOR ALL TO app_user
    USING (school_group_id = :tenant_id);
CREATE POLICY own_group ON stored_files FOR ALL TO app_user
    USING (school_group_id = :tenant_id);
