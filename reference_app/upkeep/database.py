"""A connection for upkeep, and work in bounded bites."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from psycopg.sql import Composed

BATCH = 1_000
"""Rows a statement moves or deletes: a few tens of milliseconds, for which their locks last."""

LOCK_TIMEOUT_S = 30
"""Upkeep gives up where the application is in its way, and starts again another day."""

Connection = psycopg.Connection[tuple[Any, ...]]

_NO_ID = UUID(int=0)
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
    connection: Connection, statement: Composed, parameters: dict[str, Any], size: int = BATCH
) -> int:
    """Walk once through a table in the order of its key, a batch a transaction.

    Going on behind the last key instead of starting again makes the whole walk read the table
    once, however many batches it takes and whatever indexes there are.

    Args:
        statement: Takes at most ``%(batch)s`` rows whose key lies behind ``%(after)s`` in the
            order of the key, and returns the keys of those it dealt with.

    Returns:
        Rows dealt with. A row that was locked was passed over: the next run takes it.

    Raises:
        psycopg.Error: The batch it happened in was undone, those before it stay done.
    """
    total, after = 0, _NO_ID
    while True:
        keys = [
            key
            for (key,) in connection.execute(
                statement, {**parameters, "after": after, "batch": size}
            )
        ]
        total += len(keys)
        # LIMIT counts what was locked, not what was passed over: less than a batch is the end.
        if len(keys) < size:
            return total
        after = max(keys)
