-- Keys and constraints, added once the data is there. Nothing here starts with idx_: those are
-- the index sets a tier is measured with. uq_ = unique, fk_ = foreign key, ex_ = exclusion.
-- No index supports a foreign key from the referencing side: the variant `indexes: none` would
-- otherwise not be what it says.

CREATE FUNCTION pg_temp.ensure_constraint(target regclass, wanted text, definition text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = target AND conname = wanted) THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', target, wanted, definition);
    END IF;
END $$;

-- identity: one account an address, whatever its case
CREATE UNIQUE INDEX IF NOT EXISTS uq_users_email ON users (lower(email));

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'users', 'fk_users_group',
        'FOREIGN KEY (school_group_id) REFERENCES school_groups (id)'),
    (2, 'users', 'ck_users_tenant',
        'CHECK ((role = ''group_admin'') = (school_group_id IS NOT NULL))'),

    -- LiveOwnerUnit: a booking belongs to the owner of its gîte, by key and not by trust
    (10, 'gites', 'fk_gites_owner', 'FOREIGN KEY (owner_user_id) REFERENCES users (id)'),
    (11, 'gites', 'uq_gites_id_owner', 'UNIQUE (id, owner_user_id)'),
    (12, 'reservations', 'fk_reservations_gite_owner',
        'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id)'),
    -- B-71: no two stays of one gîte on one night; the day of departure is free again
    (13, 'reservations', 'ex_reservations_no_overlap',
        'EXCLUDE USING gist (gite_id WITH =, daterange(date_debut, date_fin, ''[)'') WITH &&)
         WHERE (status <> ''cancelled'')'),

    -- E-Pilot
    (20, 'subscription_plans', 'uq_subscription_plans_slug', 'UNIQUE (slug)'),
    (21, 'categories', 'uq_categories_slug', 'UNIQUE (slug)'),
    (22, 'modules', 'uq_modules_slug', 'UNIQUE (slug)'),
    (23, 'modules', 'fk_modules_category', 'FOREIGN KEY (category_id) REFERENCES categories (id)'),
    (24, 'plan_categories', 'fk_plan_categories_plan',
        'FOREIGN KEY (plan_id) REFERENCES subscription_plans (id)'),
    (25, 'plan_categories', 'fk_plan_categories_category',
        'FOREIGN KEY (category_id) REFERENCES categories (id)'),
    (26, 'plan_modules', 'fk_plan_modules_plan',
        'FOREIGN KEY (plan_id) REFERENCES subscription_plans (id)'),
    (27, 'plan_modules', 'fk_plan_modules_module',
        'FOREIGN KEY (module_id) REFERENCES modules (id)'),
    -- B-02: a subscription ties a group to one plan; its row is also the lock of the limits
    (28, 'subscriptions', 'uq_subscriptions_group', 'UNIQUE (school_group_id)'),
    (29, 'subscriptions', 'fk_subscriptions_group',
        'FOREIGN KEY (school_group_id) REFERENCES school_groups (id)'),
    (30, 'subscriptions', 'fk_subscriptions_plan',
        'FOREIGN KEY (plan_id) REFERENCES subscription_plans (id)'),
    (31, 'schools', 'fk_schools_group',
        'FOREIGN KEY (school_group_id) REFERENCES school_groups (id)'),
    (32, 'schools', 'uq_schools_id_group', 'UNIQUE (id, school_group_id)'),
    (33, 'students', 'fk_students_school_group',
        'FOREIGN KEY (school_id, school_group_id) REFERENCES schools (id, school_group_id)'),
    (34, 'staff', 'fk_staff_school_group',
        'FOREIGN KEY (school_id, school_group_id) REFERENCES schools (id, school_group_id)'),
    (35, 'stored_files', 'fk_stored_files_group',
        'FOREIGN KEY (school_group_id) REFERENCES school_groups (id)')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;
