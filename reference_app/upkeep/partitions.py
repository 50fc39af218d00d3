"""Logs in monthly tables: months to come are made, those that were kept long enough are dropped.

Dropping a table costs nothing, however many rows it has; deleting them one by one is what the logs
are partitioned for to avoid (B-55, T-25, I-41).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from reference_app.upkeep.ages import months_before
from reference_app.upkeep.database import Connection, turn

KEPT_MONTHS = 12
"""B-55, T-25: logs a year. A month leaves when its last instant is older: nothing leaves early."""

AHEAD = 2
"""Months that are made in advance: upkeep may be late by that much."""

PATIENCE_S = 1
"""How long a change waits for the lock on its log. Whoever uses the log waits behind it, so it
gives way after a second and tries again."""

TRIES = 60

_LOGS = """/* partitioned_logs */
SELECT c.relname::text, a.attname::text FROM pg_class c
JOIN pg_partitioned_table p ON p.partrelid = c.oid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
WHERE c.relnamespace = 'public'::regnamespace
ORDER BY c.relname"""

_PARTITIONS = """/* partitions */
SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass ORDER BY c.relname"""

_MONTH = re.compile(r"_(\d{4})_(\d{2})$")


@dataclass(frozen=True, slots=True)
class Turned:
    """What was done.

    Attributes:
        made: Names of new tables.
        dropped: Names of tables that are gone, with their rows.
        deleted: Old rows of no month's table, by log.
    """

    made: tuple[str, ...]
    dropped: tuple[str, ...]
    deleted: dict[str, int]


def turn_months(connection: Connection, now: datetime) -> Turned:
    """Make the months to come and drop those that were kept long enough.

    Raises:
        UpkeepError: Another upkeep is at work; nothing was changed.
        psycopg.Error: The server refused; what was done before stays done.
    """
    until = months_before(now, KEPT_MONTHS)
    made, dropped, deleted = [], [], {}
    with turn(connection):
        for log, key in connection.execute(_LOGS).fetchall():
            made += [
                partition_name(log, month)
                for month in months_from(now.date(), AHEAD)
                if _make(connection, log, month)
            ]
            for (name,) in connection.execute(_PARTITIONS, [log]).fetchall():
                if is_past(name, until):
                    _drop(connection, name)
                    dropped.append(name)
            gone = connection.execute(
                SQL("DELETE FROM {} WHERE {} < {}").format(
                    Identifier(f"{log}_default"), Identifier(key), Literal(until)
                )
            )
            if gone.rowcount:
                deleted[log] = gone.rowcount
    return Turned(tuple(made), tuple(dropped), deleted)


def partition_name(log: str, month: date) -> str:
    """The name that ``ensure_log_partition`` gives a month's table."""
    return f"{log}_{month:%Y_%m}"


def months_from(day: date, ahead: int) -> list[date]:
    """The first days of the month of ``day`` and of the following ones."""
    first = day.year * 12 + day.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(first, first + ahead + 1)]


def is_past(name: str, until: datetime) -> bool:
    """Whether a table is a month's that ended before ``until``; never the default one."""
    found = _MONTH.search(name)
    if found is None:
        return False
    _, following = months_from(date(int(found[1]), int(found[2]), 1), 1)
    return datetime(following.year, following.month, 1, tzinfo=UTC) <= until


def _make(connection: Connection, log: str, month: date) -> bool:
    statement = SQL("/* ensure_log_partition */ SELECT ensure_log_partition({}::regclass, {})")
    return bool(_gently(connection, statement.format(Literal(log), Literal(month))))


def _drop(connection: Connection, name: str) -> None:
    _gently(connection, SQL("/* drop_partition */ DROP TABLE {}").format(Identifier(name)))


def _gently(connection: Connection, statement: Composed) -> Any:
    """Run a statement that needs a log's lock, and give way again and again until it is had.

    Returns:
        The first column of its row, if it gives one.
    """
    for left in reversed(range(TRIES)):
        try:
            with connection.transaction():
                connection.execute(SQL("SET LOCAL lock_timeout = {}").format(PATIENCE_S * 1000))
                done = connection.execute(statement)
                found = done.fetchone() if done.description else None
                return None if found is None else found[0]
        except psycopg.errors.LockNotAvailable:
            if left == 0:
                raise
    raise AssertionError("it runs once at least")
