-- Payments (B-50, decision 0090). What becomes of one is written here and nowhere else: nobody may
-- insert a payment, and nobody may say that it has succeeded but who asked the provider.

-- A new card, which is the one that is charged from now on.
CREATE OR REPLACE FUNCTION add_payment_method(
    new_id uuid, of_group uuid, of_provider text, new_token text, new_label text
) RETURNS SETOF payment_methods
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- two at once take turns, or both would be the default
    PERFORM pg_advisory_xact_lock(hashtext('payment_methods'), hashtext(of_group::text));
    UPDATE payment_methods SET is_default = false WHERE school_group_id = of_group AND is_default;
    RETURN QUERY
    INSERT INTO payment_methods (id, school_group_id, provider, token, label)
    VALUES (new_id, of_group, of_provider, new_token, new_label)
    RETURNING *;
END $$;

-- What is to be paid for a period, and how it stands. `outcome` is 'nothing_due' when the period
-- costs nothing or the group pays by invoice; 'succeeded' or 'declined' when that is known; 'ask'
-- when the provider has to be asked, with this key: the same one until it has an answer, so that
-- nobody is charged twice, whoever asks and however often.
--
-- A card that was declined is asked again on another day, or another card at once.
-- SECURITY DEFINER: neither the automation nor whoever signs in may write a payment.
CREATE OR REPLACE FUNCTION begin_payment(
    of_subscription uuid, of_period integer, on_day date, of_provider text
) RETURNS TABLE (outcome text, key text, token text, cents integer, currency text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    subscribed subscriptions;
    price plan_prices;
    card payment_methods;
    known payments;
    new_key text;
BEGIN
    -- the lock alone first: what it is read for is read as it is after the wait
    PERFORM FROM subscriptions s WHERE s.id = of_subscription FOR NO KEY UPDATE;
    SELECT * INTO subscribed FROM subscriptions s WHERE s.id = of_subscription;
    SELECT * INTO known FROM payments p
    WHERE p.subscription_id = of_subscription AND p.period = of_period
      AND p.school_group_id = subscribed.school_group_id AND p.status IN ('pending', 'succeeded')
    ORDER BY p.status DESC LIMIT 1;
    IF known.status = 'succeeded' THEN
        RETURN QUERY SELECT 'succeeded', known.idempotency_key, '', known.cents, known.currency;
        RETURN;
    END IF;
    IF known.status = 'pending' THEN
        UPDATE payments SET attempts = attempts + 1 WHERE id = known.id;
        SELECT * INTO card FROM payment_methods m WHERE m.id = known.method_id;
        RETURN QUERY SELECT 'ask', known.idempotency_key, coalesce(card.token, ''), known.cents,
                            known.currency;
        RETURN;
    END IF;
    SELECT * INTO price FROM plan_prices f
    WHERE f.plan_id = subscribed.plan_id AND f.cycle = subscribed.cycle AND f.cents > 0;
    SELECT * INTO card FROM payment_methods m
    WHERE m.school_group_id = subscribed.school_group_id AND m.provider = of_provider
    ORDER BY m.is_default DESC, m.created_at DESC LIMIT 1;
    IF price.cents IS NULL OR card.id IS NULL THEN
        RETURN QUERY SELECT 'nothing_due', '', '', 0, '';
        RETURN;
    END IF;
    new_key := format('%s:%s:%s:%s', of_subscription, of_period, card.id, on_day);
    SELECT * INTO known FROM payments p
    WHERE p.provider = of_provider AND p.idempotency_key = new_key;
    IF FOUND THEN
        RETURN QUERY SELECT 'declined', new_key, '', known.cents, known.currency;
        RETURN;
    END IF;
    INSERT INTO payments (id, school_group_id, subscription_id, period, provider, method_id,
                          idempotency_key, cents, currency, attempts)
    VALUES (gen_random_uuid(), subscribed.school_group_id, of_subscription, of_period, of_provider,
            card.id, new_key, price.cents, price.currency, 1);
    RETURN QUERY SELECT 'ask', new_key, card.token, price.cents, price.currency;
END $$;

-- What a provider says of a payment, when it was asked or by itself (`callback`). The first end a
-- payment comes to stays; telling it again changes nothing. Gives the status it has now, or null
-- when there is no such payment.
-- SECURITY DEFINER: who calls back is nobody who signed in. Whether it is the provider, the
-- application has checked by its signature.
CREATE OR REPLACE FUNCTION settle_payment(
    of_provider text, key text, new_status text, new_reference text, new_reason text,
    callback text DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    known payments;
BEGIN
    SELECT * INTO known FROM payments p
    WHERE p.provider = of_provider AND p.idempotency_key = key FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF callback IS NOT NULL THEN
        INSERT INTO payment_callbacks (provider, callback_id, payment_id, status)
        VALUES (of_provider, callback, known.id, new_status) ON CONFLICT DO NOTHING;
    END IF;
    IF known.status = 'pending' THEN
        UPDATE payments p SET
            status = new_status, reference = coalesce(new_reference, p.reference),
            reason = new_reason,
            settled_at = CASE WHEN new_status <> 'pending' THEN clock_timestamp() END
        WHERE p.id = known.id
        RETURNING p.status INTO known.status;
    END IF;
    RETURN known.status;
END $$;

-- The signed-in administrator's own next period. SECURITY DEFINER: see begin_payment(); of the group
-- named only its own administrator pays. As for renewals by hand, in the last 30 days of a period,
-- in grace, or to end a suspension.
CREATE OR REPLACE FUNCTION begin_own_payment(of_group uuid, today date, of_provider text)
RETURNS TABLE (outcome text, key text, token text, cents integer, currency text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    subscribed subscriptions;
BEGIN
    SELECT * INTO subscribed FROM subscriptions WHERE school_group_id = of_group;
    IF NOT FOUND OR current_setting('app.role', true) IS DISTINCT FROM 'group_admin'
       OR current_setting('app.tenant_id', true) IS DISTINCT FROM of_group::text THEN
        RETURN QUERY SELECT 'not-subscribed', '', '', 0, '';
    ELSIF subscribed.status = 'active' AND subscribed.ends_on - today > 30 THEN
        RETURN QUERY SELECT 'not-due', '', '', 0, '';
    ELSE
        RETURN QUERY
        SELECT * FROM begin_payment(subscribed.id, subscribed.period + 1, today, of_provider);
    END IF;
END $$;

-- SECURITY DEFINER: as in 352_webhooks.sql.
CREATE OR REPLACE FUNCTION tell_of_payments() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO webhook_events (id, school_group_id, type, source_key, payload)
    SELECT gen_random_uuid(), n.school_group_id, 'payment.' || n.status,
           format('payment:%s:%s', n.id, n.status),
           jsonb_build_object(
               'payment_id', n.id, 'subscription_id', n.subscription_id, 'period', n.period,
               'cents', n.cents, 'currency', n.currency, 'status', n.status, 'reason', n.reason)
    FROM new_rows n JOIN old_rows o USING (id)
    WHERE n.status <> o.status AND n.status IN ('succeeded', 'declined')
      AND is_event_wanted(n.school_group_id, 'payment.' || n.status)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER webhook_payment AFTER UPDATE ON payments
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_payments();
