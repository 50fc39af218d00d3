-- FrançaisFluide: learners and what is theirs; exercises and explanations are everybody's.

GRANT SELECT ON learner_plans, learners, quota_use, explanations, exercises, learning_sessions,
    corrections, exercise_answers TO app_user;
GRANT INSERT ON quota_use, learning_sessions, corrections, exercise_answers TO app_user;
GRANT UPDATE (used) ON quota_use TO app_user;
GRANT UPDATE (ended_at) ON learning_sessions TO app_user;
GRANT UPDATE (level) ON learners TO app_user;
GRANT DELETE ON corrections TO app_user;
