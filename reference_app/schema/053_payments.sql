-- Payments (B-50). Of a card only what its provider calls it is kept.

CREATE TABLE IF NOT EXISTS payment_methods (
    id              uuid PRIMARY KEY,
    school_group_id uuid NOT NULL,
    provider        text NOT NULL,
    token           text NOT NULL,
    label           text NOT NULL,  -- "Visa 4242"
    is_default      boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS payments (
    id              uuid PRIMARY KEY,
    school_group_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    period          integer NOT NULL,  -- the one that is paid
    provider        text NOT NULL,
    method_id       uuid,
    -- with the provider: the same key charges once, however often it is asked
    idempotency_key text NOT NULL,
    cents           integer NOT NULL CHECK (cents >= 0),
    currency        text NOT NULL DEFAULT 'EUR',
    status          text NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'succeeded', 'declined', 'failed')),
    reference       text,  -- the provider's name of it
    reason          text,  -- why it was declined or failed
    attempts        smallint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    settled_at      timestamptz
);

-- What providers told us; telling it twice changes nothing.
CREATE TABLE IF NOT EXISTS payment_callbacks (
    provider    text NOT NULL,
    callback_id text NOT NULL,
    payment_id  uuid,
    status      text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, callback_id)
);
