"""Stays: never two on one night, one for each event of a feed, in one place."""

from __future__ import annotations

from typing import Final

from psycopg import sql

from palier.invariants.baseline import feed_stays_beyond_log
from palier.invariants.looking import Check, Connection, Scene, Seen, broken_rows, number


def _overlaps(connection: Connection, _scene: Scene) -> Seen:
    live = sql.SQL("SELECT count(*) FROM reservations WHERE status <> 'cancelled'")
    # Against the latest departure so far and not the stay before alone: a long stay may clash
    # with one that is not its neighbour.
    broken = sql.SQL(
        """
        SELECT 'gîte ' || gite_id || ' is taken until ' || taken_until || ', and from '
               || date_debut || ' on' AS example
        FROM (
            SELECT gite_id, date_debut, max(date_fin) OVER (
                PARTITION BY gite_id ORDER BY date_debut, date_fin
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS taken_until
            FROM reservations WHERE status <> 'cancelled'
        ) AS stays
        WHERE date_debut < taken_until
        """
    )
    return Seen(number(connection, live), *broken_rows(connection, broken))


def _feed_events(connection: Connection, _scene: Scene) -> Seen:
    events = sql.SQL("SELECT count(*) FROM reservations_all WHERE ical_uid IS NOT NULL")
    broken = sql.SQL(
        """
        SELECT 'event ' || ical_uid || ' of gîte ' || gite_id || ' is ' || count(*) || ' stays'
               AS example
        FROM reservations_all WHERE ical_uid IS NOT NULL
        GROUP BY gite_id, ical_uid HAVING count(*) > 1
        """
    )
    return Seen(number(connection, events), *broken_rows(connection, broken))


def _feed_counts(connection: Connection, scene: Scene) -> Seen:
    # Cancelled when they leave a feed, never deleted: so additions alone change their number.
    added = number(connection, sql.SQL("SELECT coalesce(sum(added), 0) FROM sync_logs"))
    wrong = feed_stays_beyond_log(connection) - scene.baseline.from_feeds
    more_or_fewer = "more" if wrong > 0 else "fewer"
    example = f"there are {abs(wrong):,} stays {more_or_fewer} than the log says were added"
    return Seen(added, abs(wrong), (example,) if wrong else ())


def _one_place(connection: Connection, _scene: Scene) -> Seen:
    archived = sql.SQL("SELECT count(*) FROM reservations_archive")
    broken = sql.SQL(
        """
        SELECT 'stay ' || id || ' is live and archived' AS example
        FROM reservations JOIN reservations_archive USING (id)
        """
    )
    return Seen(number(connection, archived), *broken_rows(connection, broken))


BOOKING_CHECKS: Final = (
    Check(
        id="no-overlapping-stays",
        holds_when="No two stays of one gîte share a night, cancelled ones apart",
        how="every live stay against the latest departure before it",
        look=_overlaps,
    ),
    Check(
        id="one-stay-for-each-feed-event",
        holds_when="An event of a calendar feed is one stay of its gîte",
        how="live and archived stays counted by gîte and event",
        look=_feed_events,
    ),
    Check(
        id="feed-stays-as-logged",
        holds_when="Synchronisation added as many stays as its log says",
        how="stays from feeds counted before and after, against the log",
        look=_feed_counts,
    ),
    Check(
        id="live-or-archived",
        holds_when="A stay is live or archived, never both",
        how="ids of both tables joined",
        look=_one_place,
    ),
)
