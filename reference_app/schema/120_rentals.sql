-- Keys of 020_rentals.sql and 030_sync.sql. A stay can move to the archive (B-161), so what a guest
-- left about it keeps its number but is tied to the gîte; only tokens go with the stay.

SELECT pg_temp.ensure_constraint(target::regclass, wanted, definition)
FROM (VALUES
    (1, 'client_access_tokens', 'fk_client_access_tokens_reservation',
        'FOREIGN KEY (reservation_id) REFERENCES reservations (id) ON DELETE CASCADE'),
    (2, 'client_access_tokens', 'fk_client_access_tokens_gite_owner',
        'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id)'),
    (3, 'hour_requests', 'fk_hour_requests_gite_owner',
        'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id)'),
    (4, 'guest_feedback', 'fk_guest_feedback_gite_owner',
        'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id)'),
    -- a guest has one opinion of a stay
    (5, 'guest_feedback', 'uq_guest_feedback_reservation', 'UNIQUE (reservation_id)'),
    (6, 'activites_gites', 'fk_activites_gites_gite_owner',
        'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id)'),
    (7, 'cleaning_schedule', 'fk_cleaning_schedule_gite_owner',
        'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id)'),
    (8, 'linen_stocks', 'fk_linen_stocks_gite_owner',
        'FOREIGN KEY (gite_id, owner_user_id) REFERENCES gites (id, owner_user_id)'),
    (9, 'linen_stocks', 'uq_linen_stocks_gite_article', 'UNIQUE (gite_id, article)'),
    (10, 'simulations_fiscales', 'fk_simulations_fiscales_owner',
        'FOREIGN KEY (owner_user_id) REFERENCES users (id)'),
    (11, 'km_trajets', 'fk_km_trajets_owner', 'FOREIGN KEY (owner_user_id) REFERENCES users (id)'),
    (12, 'cm_subscriptions', 'fk_cm_subscriptions_client',
        'FOREIGN KEY (client_id) REFERENCES cm_clients (id)'),
    (13, 'cm_support_tickets', 'fk_cm_support_tickets_client',
        'FOREIGN KEY (client_id) REFERENCES cm_clients (id)'),
    (14, 'notifications', 'fk_notifications_user', 'FOREIGN KEY (user_id) REFERENCES users (id)'),
    (20, 'sync_queue', 'fk_sync_queue_gite_owner',
        'FOREIGN KEY (gite_id, user_id) REFERENCES gites (id, owner_user_id)'),
    (21, 'sync_logs', 'fk_sync_logs_gite_owner',
        'FOREIGN KEY (gite_id, user_id) REFERENCES gites (id, owner_user_id)')
) AS wanted_constraints (step, target, wanted, definition)
ORDER BY step;

-- B-70: an event of a feed is one booking of its gîte
CREATE UNIQUE INDEX IF NOT EXISTS uq_reservations_gite_event
    ON reservations (gite_id, ical_uid) WHERE ical_uid IS NOT NULL;
-- B-135: a gîte waits or is worked on once
CREATE UNIQUE INDEX IF NOT EXISTS uq_sync_queue_gite_unfinished
    ON sync_queue (gite_id) WHERE status IN ('pending', 'processing');
