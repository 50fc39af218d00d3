"""A run's result into the database: bookings, log and time of the gîte, in one statement.

One statement, so that a request (variant ``sync: inline``) does it in one round trip and a worker
in the transaction that also completes its task. The function ``merge_feed`` has the rules
(schema/330_sync.sql, decision 0040).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString
from uuid import UUID

import msgspec

from reference_app.reservations.values import Platform
from reference_app.sync.feed import Event
from reference_app.sync.fetch import Validators

APPLY_FEED: LiteralString = """/* apply_feed */
WITH merged AS MATERIALIZED (
    SELECT * FROM merge_feed(
        %(gite_id)s::uuid, %(owner)s::uuid, %(url)s::text, %(platform)s::text,
        %(uids)s::text[], %(first_days)s::date[], %(last_days)s::date[], %(names)s::text[],
        %(states)s::text[], %(etag)s::text, %(last_modified)s::text, %(today)s::date)
), logged AS (
    INSERT INTO sync_logs (id, task_id, user_id, gite_id, status, added, updated, removed, skipped,
                           duration_ms)
    SELECT %(log_id)s::uuid, %(task_id)s::uuid, %(owner)s::uuid, %(gite_id)s::uuid, 'success',
           m.added, m.updated, m.removed, cardinality(m.skipped_first), %(duration_ms)s::integer
    FROM merged m
), stamped AS (
    UPDATE gites SET last_synced_at = now() FROM merged
    WHERE gites.id = %(gite_id)s::uuid AND gites.owner_user_id = %(owner)s::uuid
), told AS (
    -- once for the same nights, however often they are tried, until it has been read
    INSERT INTO notifications (id, user_id, kind, title, body)
    SELECT %(notice_id)s::uuid, %(owner)s::uuid, 'sync', 'Double booking: ' || g.nom, clash.body
    FROM merged m JOIN gites g ON g.id = %(gite_id)s::uuid AND g.owner_user_id = %(owner)s::uuid,
         LATERAL (
             SELECT 'The calendar of ' || %(platform)s::text
                    || ' has stays on nights that are taken: '
                    || string_agg(n.first_day || ' to ' || n.last_day, ', ' ORDER BY n.first_day)
                    || CASE WHEN cardinality(m.skipped_first) > 5 THEN ' ...' ELSE '' END AS body
             FROM unnest(m.skipped_first[:5], m.skipped_last[:5]) AS n (first_day, last_day)
         ) AS clash
    WHERE cardinality(m.skipped_first) > 0
      AND NOT EXISTS (
          SELECT FROM notifications seen
          WHERE seen.user_id = %(owner)s::uuid AND seen.kind = 'sync' AND NOT seen.is_read
            AND seen.body = clash.body AND seen.title = 'Double booking: ' || g.nom)
)
SELECT added, updated, removed, cardinality(skipped_first) FROM merged"""

NOTHING_NEW: LiteralString = """/* feed_unchanged */
WITH logged AS (
    INSERT INTO sync_logs (id, task_id, user_id, gite_id, status, duration_ms)
    VALUES (%(log_id)s, %(task_id)s, %(owner)s, %(gite_id)s, 'success', %(duration_ms)s)
)
UPDATE gites SET last_synced_at = now()
WHERE id = %(gite_id)s AND owner_user_id = %(owner)s
RETURNING 0, 0, 0, 0"""

LOG_FAILURE: LiteralString = """/* log_sync_failure */
INSERT INTO sync_logs (id, task_id, user_id, gite_id, status, duration_ms, error)
VALUES (%(log_id)s, NULL, %(owner)s, %(gite_id)s, 'failed', %(duration_ms)s, %(error)s)
RETURNING id"""


class SyncCounts(msgspec.Struct, frozen=True):
    """What a run changed (B-70); ``skipped`` are events whose nights were taken."""

    added: int
    updated: int
    removed: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The calendar of one gîte, as the database knows it.

    Attributes:
        gite_id: Whose it is.
        owner_id: Whose gîte that is.
        url: Where it is.
        validators: Of the feed that was applied last.
    """

    gite_id: UUID
    owner_id: UUID
    url: str
    validators: Validators


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a platform said.

    Attributes:
        platform: Which one.
        events: What is in the feed; None when it is as before.
        validators: To ask with the next time.
    """

    platform: Platform
    events: Sequence[Event] | None
    validators: Validators


def applying(
    calendar: Calendar, reading: Reading, *, today: date, duration_ms: int, task_id: UUID | None
) -> tuple[LiteralString, dict[str, Any]]:
    """The statement that applies a reading, and its parameters; its row is a ``SyncCounts``."""
    common = {
        "log_id": uuid.uuid4(),
        "task_id": task_id,
        "owner": calendar.owner_id,
        "gite_id": calendar.gite_id,
        "duration_ms": duration_ms,
    }
    if reading.events is None:
        return NOTHING_NEW, common
    return APPLY_FEED, {
        **common,
        "notice_id": uuid.uuid4(),
        "url": calendar.url,
        "platform": reading.platform,
        "uids": [event.uid for event in reading.events],
        "first_days": [event.first_day for event in reading.events],
        "last_days": [event.last_day for event in reading.events],
        "names": [event.name for event in reading.events],
        "states": [event.state for event in reading.events],
        "etag": reading.validators.etag,
        "last_modified": reading.validators.last_modified,
        "today": today,
    }
