-- FrançaisFluide: a learner sees their own rows; plans, exercises and explanations have no owner.
CREATE POLICY own_rows ON learners FOR ALL TO app_user
    USING (user_id = :user_id);
CREATE POLICY own_rows ON quota_use FOR ALL TO app_user
    USING (user_id = :user_id);
CREATE POLICY own_rows ON learning_sessions FOR ALL TO app_user
    USING (user_id = :user_id);
CREATE POLICY own_rows ON corrections FOR ALL TO app_user
    USING (user_id = :user_id);
CREATE POLICY own_rows ON exercise_answers FOR ALL TO app_user
    USING (user_id = :user_id);
