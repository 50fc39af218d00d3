-- Tables, without anything that slows COPY down: no indexes but primary keys, no foreign keys,
-- no triggers, no policies. Those follow in after-data. French names are the sources' own
-- (docs/requirements/systems.md, glossary).

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;

-- identity ---------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS users (
    id            uuid PRIMARY KEY,
    email         text NOT NULL,
    password_hash text NOT NULL,
    role          text NOT NULL CHECK (role IN
        ('owner', 'group_admin', 'super_admin', 'support', 'learner')),
    -- tenant of a group_admin; owners are their own tenant
    school_group_id uuid,
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- LiveOwnerUnit ----------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS gites (
    id             uuid PRIMARY KEY,
    owner_user_id  uuid NOT NULL,
    nom            text NOT NULL,
    ville          text NOT NULL,
    code_postal    text NOT NULL,
    capacite       integer NOT NULL CHECK (capacite > 0),
    couleur        text NOT NULL DEFAULT '#3b82f6',
    actif          boolean NOT NULL DEFAULT true,
    ical_url       text,
    last_synced_at timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS reservations (
    id            uuid PRIMARY KEY,
    gite_id       uuid NOT NULL,
    owner_user_id uuid NOT NULL,
    date_debut    date NOT NULL,
    date_fin      date NOT NULL,
    client_nom    text NOT NULL,
    client_email  text,
    voyageurs     integer NOT NULL CHECK (voyageurs > 0),
    plateforme    text NOT NULL CHECK (plateforme IN ('airbnb', 'booking', 'abritel', 'direct')),
    status        text NOT NULL CHECK (status IN ('pending', 'confirmed', 'cancelled')),
    prix_centimes bigint NOT NULL CHECK (prix_centimes >= 0),
    ical_uid      text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (date_fin > date_debut)
);

-- E-Pilot ----------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS school_groups (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS subscription_plans (
    id           uuid PRIMARY KEY,
    slug         text NOT NULL,
    name         text NOT NULL,
    max_schools  integer NOT NULL,
    max_students integer NOT NULL,
    max_staff    integer NOT NULL,
    max_storage  integer NOT NULL  -- GB
);

CREATE TABLE IF NOT EXISTS categories (
    id   uuid PRIMARY KEY,
    slug text NOT NULL,
    name text NOT NULL
);

CREATE TABLE IF NOT EXISTS modules (
    id          uuid PRIMARY KEY,
    category_id uuid NOT NULL,
    slug        text NOT NULL,
    name        text NOT NULL
);

CREATE TABLE IF NOT EXISTS plan_categories (
    plan_id     uuid NOT NULL,
    category_id uuid NOT NULL,
    PRIMARY KEY (plan_id, category_id)
);

CREATE TABLE IF NOT EXISTS plan_modules (
    plan_id   uuid NOT NULL,
    module_id uuid NOT NULL,
    PRIMARY KEY (plan_id, module_id)
);

CREATE TABLE IF NOT EXISTS subscriptions (
    id              uuid PRIMARY KEY,
    school_group_id uuid NOT NULL,
    plan_id         uuid NOT NULL,
    status          text NOT NULL CHECK (status IN ('active', 'grace', 'suspended')),
    cycle           text NOT NULL CHECK (cycle IN ('monthly', 'quarterly', 'yearly')),
    starts_on       date NOT NULL,
    ends_on         date NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (ends_on > starts_on)
);

CREATE TABLE IF NOT EXISTS schools (
    id              uuid PRIMARY KEY,
    school_group_id uuid NOT NULL,
    name            text NOT NULL,
    city            text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS students (
    id              uuid PRIMARY KEY,
    school_group_id uuid NOT NULL,
    school_id       uuid NOT NULL,
    name            text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS staff (
    id              uuid PRIMARY KEY,
    school_group_id uuid NOT NULL,
    school_id       uuid NOT NULL,
    name            text NOT NULL,
    position        text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS stored_files (
    id              uuid PRIMARY KEY,
    school_group_id uuid NOT NULL,
    name            text NOT NULL,
    size_bytes      bigint NOT NULL CHECK (size_bytes >= 0),
    created_at      timestamptz NOT NULL DEFAULT now()
);
