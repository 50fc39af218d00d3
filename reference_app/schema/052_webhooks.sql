-- Webhooks (A8). No secret is kept: an endpoint's is derived from WEBHOOK_SECRET, its id and
-- secret_version.

CREATE TABLE IF NOT EXISTS webhook_endpoints (
    id              uuid PRIMARY KEY,
    school_group_id uuid NOT NULL,
    url             text NOT NULL,
    types           text[] NOT NULL,  -- event types it wants; empty: all
    is_active       boolean NOT NULL DEFAULT true,
    secret_version  integer NOT NULL DEFAULT 1 CHECK (secret_version > 0),
    -- when a connectivity test last succeeded (B-49)
    verified_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

-- The outbox: an event commits with what it tells of.
CREATE TABLE IF NOT EXISTS webhook_events (
    id              uuid PRIMARY KEY,
    school_group_id uuid NOT NULL,
    type            text NOT NULL CHECK (type IN (
        'plan.changed', 'subscription.renewed', 'subscription.grace', 'subscription.suspended',
        'subscription.resumed', 'subscription.expiring', 'payment.succeeded', 'payment.declined')),
    -- what happened, in a word that only it has: telling it twice is refused
    source_key      text NOT NULL,
    payload         jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

-- An event on its way to one endpoint (B-47); a redelivery by hand is a row of its own.
CREATE TABLE IF NOT EXISTS webhook_deliveries (
    id              uuid PRIMARY KEY,
    event_id        uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    school_group_id uuid NOT NULL,
    redelivery_of   uuid,
    status          text NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'processing', 'delivered', 'failed')),
    attempts        smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    available_at    timestamptz NOT NULL DEFAULT now(),
    worker          text,
    started_at      timestamptz,
    lease_until     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    last_status     smallint,
    last_error      text
);
