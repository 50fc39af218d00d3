"""A connection for upkeep, and work in bounded bites."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.sql import Composed

from reference_app.upkeep.errors import UpkeepError

BATCH = 1_000
"""Rows a statement moves or deletes: a few tens of milliseconds, for which their locks last."""

LOCK_TIMEOUT_S = 30
"""Upkeep gives up where the application is in its way, and starts again another day."""

ONE_AT_A_TIME = 0x7570_6B70
"""Advisory lock key of :func:`turn`."""

Connection = psycopg.Connection[tuple[Any, ...]]

NO_ID = UUID(int=0)
"""Before every id: RFC 9562 keeps this value for "no identifier"."""


def connect(url: str) -> Connection:
    """Connect as the owner of the tables; every statement is a transaction of its own.

    Raises:
        psycopg.OperationalError: The server cannot be reached.
    """
    return psycopg.connect(
        url,
        autocommit=True,
        application_name="reference_app.upkeep",
        connect_timeout=10,
        options=f"-c lock_timeout={LOCK_TIMEOUT_S}s -c client_min_messages=warning",
    )


def in_batches(
    connection: Connection,
    statement: Composed,
    parameters: dict[str, Any],
    *,
    first: Any = NO_ID,
    size: int = BATCH,
) -> int:
    """Walk once through a table in the order of its key, a batch a transaction.

    Going on behind the last key instead of starting again makes the whole walk read the table
    once, however many batches it takes and whatever indexes there are.

    Args:
        statement: Takes at most ``%(batch)s`` rows whose key lies behind ``%(after)s`` in the
            order of the key, and returns the keys of those it dealt with in that order.
        first: A value before every key.

    Returns:
        Rows dealt with. A row that was locked was passed over: the next run takes it.

    Raises:
        psycopg.Error: The batch it happened in was undone, those before it stay done.
    """
    total, after = 0, first
    while True:
        keys = connection.execute(
            statement, {**parameters, "after": after, "batch": size}
        ).fetchall()
        total += len(keys)
        # LIMIT counts what was locked, not what was passed over: less than a batch is the end.
        if len(keys) < size:
            return total
        [after] = keys[-1]


@contextmanager
def turn(connection: Connection) -> Iterator[None]:
    """Be the only one that moves or deletes rows of many owners; others wait a little.

    Two such walks at once would gain nothing, and could hold up each other for good: triggers
    renew a row of each owner (schema/owner_versions) in the order in which his rows are met.

    Raises:
        UpkeepError: Another one is still at work.
    """
    try:
        connection.execute("/* take_turn */ SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
    except psycopg.errors.LockNotAvailable as error:
        raise UpkeepError(
            f"another archive or clean-up has been at work for {LOCK_TIMEOUT_S} s",
            fix="start this one again when it has ended",
        ) from error
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("/* end_turn */ SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])
