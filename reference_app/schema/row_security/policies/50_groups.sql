-- E-Pilot beside 10_core.sql. A group sees its own rows; a super administrator sees what belongs
-- to the running of the service, and nobody's pupils.

CREATE POLICY found ON school_groups FOR INSERT TO app_user
    WITH CHECK (:role = 'super_admin');
CREATE POLICY rename ON school_groups FOR UPDATE TO app_user
    USING (:role = 'super_admin');
CREATE POLICY subscribe ON subscriptions FOR INSERT TO app_user
    WITH CHECK (:role = 'super_admin');

CREATE POLICY own_group ON school_modules FOR ALL TO app_user
    USING (school_group_id = :tenant_id);
CREATE POLICY everybody ON plan_modules FOR SELECT TO app_user USING (true);
CREATE POLICY everybody ON plan_categories FOR SELECT TO app_user USING (true);
CREATE POLICY change_plan ON plan_modules FOR ALL TO app_user
    USING (:role = 'super_admin');
CREATE POLICY change_plan ON plan_categories FOR ALL TO app_user
    USING (:role = 'super_admin');
CREATE POLICY own_group ON bulk_operations FOR ALL TO app_user
    USING (school_group_id = :tenant_id OR (school_group_id IS NULL AND :role = 'super_admin'));

-- Live changes: the group's own, and those of the plan it has.
CREATE POLICY own_group ON plan_events FOR SELECT TO app_user
    USING (school_group_id = :tenant_id OR :role = 'super_admin'
        OR (school_group_id IS NULL AND plan_id IN (
            SELECT s.plan_id FROM subscriptions s WHERE s.school_group_id = :tenant_id)));
-- What each process of the application listens with, for all its sockets (reference_app/live).
CREATE POLICY live_feed ON plan_events FOR SELECT TO app_user
    USING (:role = 'live_feed');

CREATE POLICY own_group ON subscription_notices FOR SELECT TO app_user
    USING (school_group_id = :tenant_id OR :role = 'super_admin');
CREATE POLICY own_group ON automation_log FOR SELECT TO app_user
    USING (school_group_id = :tenant_id OR :role = 'super_admin');
CREATE POLICY operators ON automation_runs FOR SELECT TO app_user
    USING (:role = 'super_admin');

CREATE POLICY own_group ON webhook_endpoints FOR ALL TO app_user
    USING (school_group_id = :tenant_id);
CREATE POLICY own_group ON webhook_events FOR SELECT TO app_user
    USING (school_group_id = :tenant_id);
CREATE POLICY own_group ON webhook_deliveries FOR ALL TO app_user
    USING (school_group_id = :tenant_id);
CREATE POLICY own_group ON webhook_attempts FOR ALL TO app_user
    USING (school_group_id = :tenant_id);
CREATE POLICY own_group ON payment_methods FOR ALL TO app_user
    USING (school_group_id = :tenant_id);
CREATE POLICY own_group ON payments FOR SELECT TO app_user
    USING (school_group_id = :tenant_id);

-- What a group's own rows held is the group's alone, in the trail as in the tables themselves.
CREATE POLICY own_group ON audit_trail FOR SELECT TO app_user
    USING (school_group_id = :tenant_id
        OR (:role IN ('super_admin', 'support')
            AND table_name IN ('school_groups', 'subscriptions', 'subscription_plans', 'plan_prices',
                               'plan_modules', 'plan_categories', 'alert_rules')));
CREATE POLICY operators ON health_checks FOR SELECT TO app_user
    USING (:role IN ('super_admin', 'support'));
CREATE POLICY operators ON alert_rules FOR SELECT TO app_user
    USING (:role IN ('super_admin', 'support'));
CREATE POLICY change ON alert_rules FOR UPDATE TO app_user
    USING (:role = 'super_admin');
CREATE POLICY operators ON alerts FOR SELECT TO app_user
    USING (:role IN ('super_admin', 'support'));

-- The workers serve every group.
CREATE POLICY every_row ON users FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON school_groups FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON subscriptions FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON schools FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON students FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON staff FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON stored_files FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON plan_modules FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON plan_categories FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON plan_events FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON bulk_operations FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON subscription_notices FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON automation_runs FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON automation_retries FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON automation_log FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON webhook_endpoints FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON webhook_events FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON webhook_deliveries FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON webhook_attempts FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON payment_methods FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON payments FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON payment_callbacks FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON health_checks FOR ALL TO app_worker USING (true);
CREATE POLICY every_row ON alert_rules FOR SELECT TO app_worker USING (true);
CREATE POLICY every_row ON alerts FOR ALL TO app_worker USING (true);
