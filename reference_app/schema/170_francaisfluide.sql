-- Keys of 070_francaisfluide.sql; those to reference data are in 370.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'learner_plans', 'uq_learner_plans_slug', 'UNIQUE (slug)'),
    (2, 'learners', 'fk_learners_user', 'FOREIGN KEY (user_id) REFERENCES users (id)'),
    (4, 'quota_use', 'fk_quota_use_user', 'FOREIGN KEY (user_id) REFERENCES users (id)'),
    (5, 'explanations', 'uq_explanations_slug', 'UNIQUE (slug)'),
    (6, 'exercises', 'uq_exercises_slug', 'UNIQUE (slug)'),
    (7, 'exercises', 'fk_exercises_explanation',
        'FOREIGN KEY (explanation_id) REFERENCES explanations (id)'),
    (8, 'learning_sessions', 'fk_learning_sessions_user',
        'FOREIGN KEY (user_id) REFERENCES users (id)'),
    (9, 'corrections', 'fk_corrections_user', 'FOREIGN KEY (user_id) REFERENCES users (id)'),
    (10, 'exercise_answers', 'fk_exercise_answers_user',
        'FOREIGN KEY (user_id) REFERENCES users (id)'),
    (11, 'corrections', 'fk_corrections_session',
        'FOREIGN KEY (session_id) REFERENCES learning_sessions (id)'),
    (12, 'exercise_answers', 'fk_exercise_answers_session',
        'FOREIGN KEY (session_id) REFERENCES learning_sessions (id)')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;

CREATE INDEX IF NOT EXISTS ix_corrections_user ON corrections (user_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS ix_exercise_answers_user
    ON exercise_answers (user_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS ix_learning_sessions_user
    ON learning_sessions (user_id, started_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS ix_exercises_level ON exercises (level, rule);
