-- Calendar synchronisation: a feed into reservations, and workers told of tasks.

-- B-70 --------------------------------------------------------------------------------------
--
-- Applies a feed to the bookings of its gîte; what it does and why is decision 0040. In the
-- database because the worker and a request (variant `sync: inline`) do the same in one round
-- trip, and because each statement of a function sees what was committed before it began: the
-- ones after the lock see the work of whoever had it before. Runs with the caller's rights.
--
-- States of the events: taken; overlap = wants a night of an earlier event of its own feed;
-- cancelled.
CREATE OR REPLACE FUNCTION merge_feed(
    of_gite uuid, of_owner uuid, of_url text, of_platform text,
    uids text[], first_days date[], last_days date[], names text[], states text[],
    new_etag text, new_last_modified text, today date,
    OUT added integer, OUT updated integer, OUT removed integer,
    -- nights that were taken, by event
    OUT skipped_first date[], OUT skipped_last date[]
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    changed_uids text[];
    changed_first date[];
    changed_last date[];
    changed_names text[];
    moving uuid[];
    status_before text[];
    is_placed boolean := false;
BEGIN
    -- The lock of change_reservation: whoever moves stays of a gîte waits for the others.
    PERFORM pg_advisory_xact_lock(hashtextextended(of_gite::text, 0));
    PERFORM FROM gites WHERE id = of_gite AND owner_user_id = of_owner AND ical_url = of_url;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the address of the calendar was changed meanwhile' USING ERRCODE = 'PL003';
    END IF;

    -- Another feed than the last time: what it does not list was never in it.
    DELETE FROM sync_events e USING sync_feeds f
    WHERE e.gite_id = of_gite AND f.gite_id = of_gite AND f.ical_url <> of_url;

    -- Gone or cancelled. A stay that has begun is not undone by leaving the feed: platforms stop
    -- listing what is over.
    WITH listed AS (
        SELECT l.uid, l.state FROM unnest(uids, states) AS l (uid, state)
    ), gone AS (
        DELETE FROM sync_events e
        WHERE e.gite_id = of_gite AND e.ical_uid <> ALL (uids)
        RETURNING e.ical_uid
    ), called_off AS (
        SELECT l.uid FROM listed l
        LEFT JOIN sync_events e ON e.gite_id = of_gite AND e.ical_uid = l.uid
        WHERE l.state = 'cancelled' AND e.is_cancelled IS NOT TRUE
    )
    UPDATE reservations r SET status = 'cancelled', updated_at = now()
    WHERE r.gite_id = of_gite AND r.owner_user_id = of_owner AND r.status <> 'cancelled'
      AND (r.ical_uid IN (SELECT uid FROM called_off)
           OR (r.date_debut >= today AND r.ical_uid IN (SELECT ical_uid FROM gone)));
    GET DIAGNOSTICS removed = ROW_COUNT;

    -- New or changed. What is over is left alone, also because it may be in the archive by now.
    SELECT array_agg(l.uid), array_agg(l.first_day), array_agg(l.last_day), array_agg(l.name)
    INTO changed_uids, changed_first, changed_last, changed_names
    FROM unnest(uids, first_days, last_days, names, states)
         AS l (uid, first_day, last_day, name, state)
    LEFT JOIN sync_events e ON e.gite_id = of_gite AND e.ical_uid = l.uid
    WHERE l.state = 'taken' AND l.last_day > today
      AND (e.ical_uid IS NULL OR e.is_cancelled
           OR (e.date_debut, e.date_fin) <> (l.first_day, l.last_day));

    -- Stays that move leave the calendar first, so that two that change places can.
    WITH leaving AS (
        UPDATE reservations r SET status = 'cancelled', updated_at = now()
        FROM reservations before, unnest(changed_uids, changed_first, changed_last)
             AS c (uid, first_day, last_day)
        WHERE before.id = r.id AND r.gite_id = of_gite AND r.owner_user_id = of_owner
          AND r.ical_uid = c.uid AND r.status <> 'cancelled'
          AND (r.date_debut, r.date_fin) <> (c.first_day, c.last_day)
        RETURNING r.id, before.status
    )
    SELECT array_agg(id), array_agg(status) INTO moving, status_before FROM leaving;

    FOR attempt IN 1..100 LOOP
        BEGIN
            UPDATE reservations r
            SET date_debut = c.first_day, date_fin = c.last_day, updated_at = now(),
                status = coalesce(
                    (SELECT m.status FROM unnest(moving, status_before) AS m (id, status)
                     WHERE m.id = r.id),
                    'confirmed')
            FROM unnest(changed_uids, changed_first, changed_last)
                 AS c (uid, first_day, last_day)
            WHERE r.gite_id = of_gite AND r.owner_user_id = of_owner AND r.ical_uid = c.uid
              AND (r.status = 'cancelled'
                   OR (r.date_debut, r.date_fin) <> (c.first_day, c.last_day))
              AND NOT EXISTS (
                  SELECT FROM reservations o
                  WHERE o.gite_id = of_gite AND o.id <> r.id AND o.status <> 'cancelled'
                    AND daterange(o.date_debut, o.date_fin, '[)')
                        && daterange(c.first_day, c.last_day, '[)'));
            GET DIAGNOSTICS updated = ROW_COUNT;
            is_placed := true;
            EXIT;
        EXCEPTION WHEN exclusion_violation THEN
            -- A booking was committed between the look and the change, and the next look sees it.
            -- Among themselves the events of a feed are apart.
            NULL;
        END;
    END LOOP;
    IF NOT is_placed THEN
        RAISE EXCEPTION 'the gîte is booked faster than its calendar can be applied'
            USING ERRCODE = 'PL003';
    END IF;

    INSERT INTO reservations
           (id, gite_id, owner_user_id, date_debut, date_fin, client_nom, voyageurs, plateforme,
            status, prix_centimes, ical_uid)
    SELECT gen_random_uuid(), of_gite, of_owner, c.first_day, c.last_day, c.name, 2, of_platform,
           'confirmed', 0, c.uid
    FROM unnest(changed_uids, changed_first, changed_last, changed_names)
         AS c (uid, first_day, last_day, name)
    WHERE NOT EXISTS (SELECT FROM reservations r WHERE r.gite_id = of_gite AND r.ical_uid = c.uid)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;

    -- Remember what now stands; what was skipped is not remembered, so that it is tried again.
    INSERT INTO sync_events AS e (gite_id, ical_uid, user_id, date_debut, date_fin, is_cancelled)
    SELECT of_gite, c.uid, of_owner, c.first_day, c.last_day, false
    FROM unnest(changed_uids, changed_first, changed_last) AS c (uid, first_day, last_day)
    WHERE EXISTS (
        SELECT FROM reservations r
        WHERE r.gite_id = of_gite AND r.ical_uid = c.uid AND r.status <> 'cancelled'
          AND (r.date_debut, r.date_fin) = (c.first_day, c.last_day))
    UNION ALL
    SELECT of_gite, l.uid, of_owner, l.first_day, l.last_day, true
    FROM unnest(uids, first_days, last_days, states) AS l (uid, first_day, last_day, state)
    WHERE l.state = 'cancelled'
    ON CONFLICT (gite_id, ical_uid) DO UPDATE
    SET date_debut = excluded.date_debut, date_fin = excluded.date_fin,
        is_cancelled = excluded.is_cancelled
    WHERE (e.date_debut, e.date_fin, e.is_cancelled)
          <> (excluded.date_debut, excluded.date_fin, excluded.is_cancelled);

    SELECT coalesce(array_agg(s.first_day ORDER BY s.first_day), '{}'),
           coalesce(array_agg(s.last_day ORDER BY s.first_day), '{}')
    INTO skipped_first, skipped_last
    FROM (
        SELECT c.first_day, c.last_day
        FROM unnest(changed_uids, changed_first, changed_last) AS c (uid, first_day, last_day)
        WHERE NOT EXISTS (
            SELECT FROM sync_events e
            WHERE e.gite_id = of_gite AND e.ical_uid = c.uid AND NOT e.is_cancelled
              AND (e.date_debut, e.date_fin) = (c.first_day, c.last_day))
        UNION ALL
        SELECT l.first_day, l.last_day
        FROM unnest(first_days, last_days, states) AS l (first_day, last_day, state)
        WHERE l.state = 'overlap' AND l.last_day > today
    ) AS s;

    -- With something left to try, the next run must read the feed again.
    IF cardinality(skipped_first) > 0 THEN
        new_etag := NULL;
        new_last_modified := NULL;
    END IF;
    INSERT INTO sync_feeds AS f (gite_id, user_id, ical_url, etag, last_modified)
    VALUES (of_gite, of_owner, of_url, new_etag, new_last_modified)
    ON CONFLICT (gite_id) DO UPDATE
    SET ical_url = excluded.ical_url, etag = excluded.etag, last_modified = excluded.last_modified
    WHERE (f.ical_url, f.etag, f.last_modified)
          IS DISTINCT FROM (excluded.ical_url, excluded.etag, excluded.last_modified);
END $$;

-- B-135 -------------------------------------------------------------------------------------
--
-- Whoever makes a task pending wakes the workers at commit; a transaction that makes thousands
-- sends one message, because they are all the same.
CREATE OR REPLACE FUNCTION notify_sync_queue() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('sync_queue', '');
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER task_added AFTER INSERT ON sync_queue
    FOR EACH ROW WHEN (NEW.status = 'pending')
    EXECUTE FUNCTION notify_sync_queue();
CREATE OR REPLACE TRIGGER task_pending AFTER UPDATE ON sync_queue
    FOR EACH ROW WHEN (NEW.status = 'pending')
    EXECUTE FUNCTION notify_sync_queue();
