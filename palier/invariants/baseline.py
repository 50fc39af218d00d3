"""What was there before the load: without it nobody can say that nothing else was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from palier.errors import StackError
from palier.invariants.kinds import KINDS, Kind
from palier.invariants.patience import connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The database before the load.

    Attributes:
        before: The oldest transaction that was open then, an ``xid``: whatever a later one wrote is
            of this run. Times would not tell, as the data has a day of its own.
        counts: Rows by kind, of those that only scenarios create.
        from_feeds: Stays from calendar feeds, beyond those that the log of synchronisation says it
            added; it never changes.
    """

    before: str
    counts: Mapping[str, int]
    from_feeds: int


def take_baseline(admin_url: str) -> Baseline:
    """Count what is there.

    Raises:
        StackError: The database did not answer.
    """
    try:
        with connect(admin_url) as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            (before,) = _one(
                connection, sql.SQL("SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text")
            )
            counts = {name: count_of(connection, kind) for name, kind in KINDS.items()}
            from_feeds = feed_stays_beyond_log(connection)
    except psycopg.Error as error:
        raise StackError(
            what=f"the rows there before the load cannot be counted: {str(error).strip()}",
            where="the stack's database",
            fix="see stack/postgres.log in the run directory, and run again",
        ) from error
    return Baseline(before=before, counts=counts, from_feeds=from_feeds)


def count_of(connection: psycopg.Connection[Any], kind: Kind) -> int:
    """Rows of a kind."""
    (count,) = _one(
        connection,
        sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
            sql.Identifier(kind.source), sql.SQL(kind.counted)
        ),
    )
    return int(count)


def feed_stays_beyond_log(connection: psycopg.Connection[Any]) -> int:
    """Stays from feeds that no line of the log accounts for: those that were always there."""
    (count,) = _one(
        connection,
        sql.SQL(
            "SELECT (SELECT count(*) FROM reservations_all WHERE ical_uid IS NOT NULL)"
            " - (SELECT coalesce(sum(added), 0) FROM sync_logs)"
        ),
    )
    return int(count)


def _one(connection: psycopg.Connection[Any], query: sql.SQL | sql.Composed) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query).fetchone()
    assert row is not None  # an aggregate always gives a row
    return row
