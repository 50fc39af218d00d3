"""Stays that ended more than three years ago move to ``reservations_archive`` (B-161).

The source copies with CREATE TABLE IF NOT EXISTS AS SELECT and deletes afterwards: on the second
run nothing is copied and everything is deleted (B-163). Here one statement deletes rows and
inserts what it deleted, so a stay is in exactly one of the two tables at every instant, whoever
runs this a second time, at the same time, or is killed in the middle.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec
from psycopg.sql import SQL, Composed, Identifier

from reference_app.upkeep.ages import months_before
from reference_app.upkeep.database import BATCH, Connection, in_batches, turn
from reference_app.upkeep.errors import UpkeepError

AGE_MONTHS = 36
"""T-162: more than three years after the day of departure."""

AGAIN_SHOWN = 20
"""Ids that are named when stays were archived and came again; the first ones lead to the cause."""


class Archived(msgspec.Struct, frozen=True):
    """What a run did.

    Attributes:
        moved: Stays that went to the archive.
        left: Stays that are due but were locked by somebody; the next run takes them.
        again: Ids that are in both tables: archived, and then written anew. They are left alone,
            because which of the two is right only a person can say.
    """

    moved: int
    left: int
    again: tuple[UUID, ...]


def archive(connection: Connection, now: datetime, batch: int = BATCH) -> Archived:
    """Move the stays that are old enough on the day of ``now``.

    Args:
        connection: Of the owner of the tables.
        now: Its date is today.
        batch: Stays a transaction moves.

    Raises:
        UpkeepError: The archive lacks a column of ``reservations``, or another archive or clean-up
            is at work; nothing was moved.
        psycopg.Error: The server refused; batches that were moved stay moved.
    """
    before = months_before(now.date(), AGE_MONTHS)
    move = _move(_columns(connection))
    with turn(connection):
        moved = in_batches(connection, move, {"before": before, "now": now}, size=batch)
        return Archived(moved, _left(connection, before), _again(connection))


def _move(columns: list[str]) -> Composed:
    # SKIP LOCKED: the application never waits for a batch, and a batch never for the application.
    # Rows are locked in their newest version and deleted in that version, so what was changed a
    # moment ago is archived as changed.
    return SQL(
        """/* archive_reservations */
        WITH due AS MATERIALIZED (
            SELECT r.id FROM reservations r
            WHERE r.date_fin < %(before)s AND r.id > %(after)s
              AND NOT EXISTS (SELECT FROM reservations_archive a WHERE a.id = r.id)
            ORDER BY r.id LIMIT %(batch)s
            FOR UPDATE OF r SKIP LOCKED
        ), gone AS (
            DELETE FROM reservations r USING due WHERE r.id = due.id RETURNING r.*
        ), kept AS (
            INSERT INTO reservations_archive ({columns}, archived_at)
            SELECT {columns}, %(now)s FROM gone
            RETURNING id
        )
        SELECT id FROM kept ORDER BY id"""
    ).format(columns=SQL(", ").join(map(Identifier, columns)))


def _columns(connection: Connection) -> list[str]:
    """Columns of ``reservations``, as they are now: one that a later schema adds moves too."""
    rows = connection.execute(
        """/* archive_columns */
        SELECT live.attname, kept.attname IS NOT NULL
        FROM pg_attribute live LEFT JOIN pg_attribute kept
             ON kept.attrelid = 'reservations_archive'::regclass AND kept.attname = live.attname
             AND NOT kept.attisdropped
        WHERE live.attrelid = 'reservations'::regclass AND live.attnum > 0
          AND NOT live.attisdropped
        ORDER BY live.attnum"""
    ).fetchall()
    missing = [name for name, is_kept in rows if not is_kept]
    if missing:
        raise UpkeepError(
            f"reservations_archive has no column {', '.join(missing)}; archiving would lose it",
            fix="add the column to the archive in the migration that adds it to reservations",
        )
    return [name for name, _ in rows]


def _left(connection: Connection, before: date) -> int:
    [(left,)] = connection.execute(
        """/* archive_left */
        SELECT count(*) FROM reservations r
        WHERE r.date_fin < %(before)s
          AND NOT EXISTS (SELECT FROM reservations_archive a WHERE a.id = r.id)""",
        {"before": before},
    ).fetchall()
    return int(left)


def _again(connection: Connection) -> tuple[UUID, ...]:
    rows = connection.execute(
        """/* archive_again */
        SELECT r.id FROM reservations r JOIN reservations_archive a ON a.id = r.id
        ORDER BY r.id LIMIT %(shown)s""",
        {"shown": AGAIN_SHOWN},
    )
    return tuple(id_ for (id_,) in rows)
