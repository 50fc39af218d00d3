-- LiveOwnerUnit beside gîtes and reservations: guests, upkeep of the house, money, notices.
-- owner_user_id stands on every row of an owner, so that row security and lists need no join; the
-- keys of 120_rentals.sql see to it that it is the owner of the gîte.

-- guests -----------------------------------------------------------------------------------

-- B-80. `token` is the SHA-256 of what the guest holds, in hex: whoever reads the table cannot
-- open a sheet.
CREATE TABLE IF NOT EXISTS client_access_tokens (
    id             uuid PRIMARY KEY,
    token          text NOT NULL,
    reservation_id uuid NOT NULL,
    gite_id        uuid NOT NULL,
    owner_user_id  uuid NOT NULL,
    -- sheet: may read the sheet; stay: may also ask for hours and leave feedback
    scope          text NOT NULL CHECK (scope IN ('sheet', 'stay')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz
);

-- B-82
CREATE TABLE IF NOT EXISTS hour_requests (
    id             uuid PRIMARY KEY,
    reservation_id uuid NOT NULL,
    gite_id        uuid NOT NULL,
    owner_user_id  uuid NOT NULL,
    heure_arrivee  time,
    heure_depart   time,
    message        text NOT NULL DEFAULT '',
    status         text NOT NULL CHECK (status IN ('pending', 'accepted', 'declined')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    decided_at     timestamptz,
    CHECK (heure_arrivee IS NOT NULL OR heure_depart IS NOT NULL),
    CHECK ((status = 'pending') = (decided_at IS NULL))
);

-- B-83
CREATE TABLE IF NOT EXISTS guest_feedback (
    id             uuid PRIMARY KEY,
    reservation_id uuid NOT NULL,
    gite_id        uuid NOT NULL,
    owner_user_id  uuid NOT NULL,
    note           integer NOT NULL CHECK (note BETWEEN 1 AND 5),
    commentaire    text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now()
);

-- B-84
CREATE TABLE IF NOT EXISTS activites_gites (
    id            uuid PRIMARY KEY,
    gite_id       uuid NOT NULL,
    owner_user_id uuid NOT NULL,
    nom           text NOT NULL,
    categorie     text NOT NULL CHECK (categorie IN
        ('randonnee', 'visite', 'restaurant', 'baignade', 'marche', 'enfants', 'sport', 'autre')),
    description   text NOT NULL DEFAULT '',
    adresse       text NOT NULL DEFAULT '',
    distance_m    integer NOT NULL CHECK (distance_m >= 0),
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- the house --------------------------------------------------------------------------------

-- B-86
CREATE TABLE IF NOT EXISTS cleaning_schedule (
    id             uuid PRIMARY KEY,
    gite_id        uuid NOT NULL,
    owner_user_id  uuid NOT NULL,
    reservation_id uuid,
    date           date NOT NULL,
    status         text NOT NULL CHECK (status IN ('planned', 'done', 'cancelled')),
    intervenant    text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);

-- B-87
CREATE TABLE IF NOT EXISTS linen_stocks (
    id            uuid PRIMARY KEY,
    gite_id       uuid NOT NULL,
    owner_user_id uuid NOT NULL,
    article       text NOT NULL,
    total         integer NOT NULL CHECK (total >= 0),
    propres       integer NOT NULL CHECK (propres BETWEEN 0 AND total),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

-- money ------------------------------------------------------------------------------------

-- B-88
CREATE TABLE IF NOT EXISTS simulations_fiscales (
    id            uuid PRIMARY KEY,
    owner_user_id uuid NOT NULL,
    annee         integer NOT NULL CHECK (annee BETWEEN 1900 AND 2200),
    regime        text NOT NULL CHECK (regime IN ('micro', 'reel')),
    resultat      jsonb NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- B-89; tenths of a kilometre, so that sums are exact
CREATE TABLE IF NOT EXISTS km_trajets (
    id            uuid PRIMARY KEY,
    owner_user_id uuid NOT NULL,
    gite_id       uuid,
    date          date NOT NULL,
    depart        text NOT NULL,
    arrivee       text NOT NULL,
    hectometres   integer NOT NULL CHECK (hectometres > 0),
    motif         text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- channel manager and support --------------------------------------------------------------

-- B-92
CREATE TABLE IF NOT EXISTS cm_clients (
    id         uuid PRIMARY KEY,
    email      text NOT NULL,
    nom        text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS cm_subscriptions (
    id         uuid PRIMARY KEY,
    client_id  uuid NOT NULL,
    formule    text NOT NULL CHECK (formule IN ('essai', 'standard', 'premium')),
    status     text NOT NULL CHECK (status IN ('active', 'past_due', 'cancelled')),
    starts_on  date NOT NULL,
    ends_on    date,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS cm_support_tickets (
    id         uuid PRIMARY KEY,
    client_id  uuid NOT NULL,
    status     text NOT NULL CHECK (status IN ('open', 'waiting', 'closed')),
    sujet      text NOT NULL,
    message    text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- B-93
CREATE TABLE IF NOT EXISTS error_logs (
    id          uuid PRIMARY KEY,
    "timestamp" timestamptz NOT NULL DEFAULT now(),
    source      text NOT NULL,
    message     text NOT NULL,
    user_id     uuid,
    request_id  text NOT NULL DEFAULT ''
);

-- B-94
CREATE TABLE IF NOT EXISTS notifications (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN
        ('reservation', 'hour_request', 'feedback', 'sync', 'system')),
    title      text NOT NULL,
    body       text NOT NULL DEFAULT '',
    is_read    boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    read_at    timestamptz,
    CHECK (is_read = (read_at IS NOT NULL))
);
