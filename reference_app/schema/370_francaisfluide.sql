-- References of learners' rows to reference data (270): the rows may be loaded before it is there.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'learners', 'fk_learners_plan', 'FOREIGN KEY (plan_id) REFERENCES learner_plans (id)'),
    (2, 'exercise_answers', 'fk_exercise_answers_exercise',
        'FOREIGN KEY (exercise_id) REFERENCES exercises (id)')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;
