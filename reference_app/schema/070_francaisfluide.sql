-- FrançaisFluide (docs/requirements/domain.md, part G): learners, what they write and practise.

-- Quotas are data; a plan is given by its slug.
CREATE TABLE IF NOT EXISTS learner_plans (
    id                   uuid PRIMARY KEY,
    slug                 text NOT NULL,
    name                 text NOT NULL,
    corrections_per_day  integer NOT NULL CHECK (corrections_per_day >= 0),
    exercises_per_day    integer NOT NULL CHECK (exercises_per_day >= 0),
    explanations_per_day integer NOT NULL CHECK (explanations_per_day >= 0),
    text_chars_max       integer NOT NULL CHECK (text_chars_max > 0)
);

CREATE TABLE IF NOT EXISTS learners (
    user_id    uuid PRIMARY KEY,
    plan_id    uuid NOT NULL,
    level      text NOT NULL CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Days are those of UTC.
CREATE TABLE IF NOT EXISTS quota_use (
    user_id uuid NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('corrections', 'exercises', 'explanations')),
    day     date NOT NULL,
    used    integer NOT NULL CHECK (used >= 0),
    PRIMARY KEY (user_id, kind, day)
);

CREATE TABLE IF NOT EXISTS explanations (
    id    uuid PRIMARY KEY,
    slug  text NOT NULL,
    rule  text NOT NULL,  -- of the checker
    title text NOT NULL,
    body  text NOT NULL
);

CREATE TABLE IF NOT EXISTS exercises (
    id             uuid PRIMARY KEY,
    slug           text NOT NULL,
    rule           text NOT NULL,
    level          text NOT NULL CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
    prompt         text NOT NULL,
    choices        text[] NOT NULL,
    answer         text NOT NULL,
    explanation_id uuid NOT NULL
);

CREATE TABLE IF NOT EXISTS learning_sessions (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);

CREATE TABLE IF NOT EXISTS corrections (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    session_id uuid,
    text       text NOT NULL,
    corrected  text NOT NULL,
    issues     jsonb NOT NULL,
    issue_count integer NOT NULL CHECK (issue_count >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS exercise_answers (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL,
    session_id  uuid,
    exercise_id uuid NOT NULL,
    answer      text NOT NULL,
    is_right    boolean NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- A database of an earlier version does not know the role yet.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint
                   WHERE conrelid = 'users'::regclass AND conname = 'users_role_check'
                     AND pg_get_constraintdef(oid) LIKE '%learner%') THEN
        ALTER TABLE users DROP CONSTRAINT IF EXISTS users_role_check,
            ADD CONSTRAINT users_role_check CHECK (role IN
                ('owner', 'group_admin', 'super_admin', 'support', 'learner'));
    END IF;
END $$;
