-- Variant wrapped: each setting is read once a query, as an init plan (X-60 b).
-- A setting that is missing or empty gives NULL, and NULL matches no row.

CREATE POLICY own_account ON users FOR SELECT TO app_user
    USING (id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));

-- B-115, B-116
CREATE POLICY own_rows ON gites FOR ALL TO app_user
    USING (owner_user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));
CREATE POLICY own_rows ON reservations FOR ALL TO app_user
    USING (owner_user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));

-- B-51; a super administrator sees every group
CREATE POLICY own_group ON school_groups FOR SELECT TO app_user
    USING (id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)
           OR (SELECT current_setting('app.role', true) = 'super_admin'));
CREATE POLICY own_group ON subscriptions FOR SELECT TO app_user
    USING (school_group_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)
           OR (SELECT current_setting('app.role', true) = 'super_admin'));
CREATE POLICY change_plan ON subscriptions FOR UPDATE TO app_user
    USING ((SELECT current_setting('app.role', true) = 'super_admin'));
CREATE POLICY own_group ON schools FOR ALL TO app_user
    USING (school_group_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
CREATE POLICY own_group ON students FOR ALL TO app_user
    USING (school_group_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
CREATE POLICY own_group ON staff FOR ALL TO app_user
    USING (school_group_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
CREATE POLICY own_group ON stored_files FOR ALL TO app_user
    USING (school_group_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
