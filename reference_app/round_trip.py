"""Several statements in one round trip, and nothing else.

psycopg's own pipeline mode does the same and much more; its bookkeeping costs more processor time
than the whole rest of a request's way to the database (docs/performance.md). This talks to libpq
through ``psycopg.pq`` and leaves to psycopg what it is best at: connections, the conversion of
values, and errors.

Source: PostgreSQL documentation, "Pipeline Mode" (libpq).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

Row = TypeVar("Row")

STATEMENTS_KNOWN_MAX = 4096
"""Far above what this application has: its statements are put together from fixed texts."""

_PLACEHOLDER = re.compile(r"%(?:\((\w+)\)s|%)")


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as the server wants it.

    Attributes:
        text: With ``$1``, ``$2`` ... in the place of named placeholders.
        names: The parameter of each, in their order.
    """

    text: bytes
    names: tuple[str, ...]


@lru_cache(maxsize=STATEMENTS_KNOWN_MAX)
def numbered(statement: str) -> Query:
    """Number the named placeholders of a statement: ``%(name)s``; ``%%`` stands for ``%``."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    text = _PLACEHOLDER.sub(number, statement)
    return Query(text.encode(), tuple(names))


_Key = tuple[bytes, tuple[int, ...]]
"""Text and types of the parameters; the same text with other types is another plan."""


class Prepared:
    """What one connection has prepared."""

    __slots__ = ("names",)

    def __init__(self) -> None:
        self.names: dict[_Key, bytes] = {}

    def next_name(self, beside: int) -> bytes:
        return b"app_%d" % (len(self.names) + beside)


async def one_round_trip(
    connection: psycopg.AsyncConnection[Any],
    steps: Sequence[tuple[Query, Mapping[str, Any]]],
    row: Callable[..., Row],
    prepared: Prepared | None,
) -> list[Row]:
    """Run statements as one transaction; the server treats all up to the next Sync as one.

    Args:
        connection: Idle, in autocommit. Of no use any more when this was cancelled midway.
        steps: Statements with the values of their parameters.
        row: Called with the columns of each row of the last statement.
        prepared: What the connection has prepared; None prepares nothing, for poolers.

    Returns:
        The rows of the last statement.

    Raises:
        psycopg.Error: As the server says; all of it is undone then.
    """
    pgconn = connection.pgconn
    transformer = Transformer(connection)
    # Before anything is sent: a value that cannot be sent must not leave half a pipeline behind.
    messages = [_message(transformer, query, values) for query, values in steps]

    pgconn.enter_pipeline_mode()
    fresh: list[tuple[int, _Key, bytes]] = []
    expected = 0
    for text, values, types, formats in messages:
        if prepared is None:
            pgconn.send_query_params(text, values, types, formats, Format.BINARY)
        else:
            name = prepared.names.get((text, types))
            if name is None:
                name = prepared.next_name(beside=len(fresh))
                pgconn.send_prepare(name, text, types)
                fresh.append((expected, (text, types), name))
                expected += 1
            pgconn.send_query_prepared(name, values, formats, Format.BINARY)
        expected += 1
    pgconn.pipeline_sync()
    results = await _results(pgconn)
    pgconn.exit_pipeline_mode()

    if prepared is not None:
        for place, key, name in fresh:
            # Preparing is not undone with the transaction, so a refusal later changes nothing.
            if results[place].status == ExecStatus.COMMAND_OK:
                prepared.names[key] = name
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result, encoding="utf-8")
    last = results[-1]
    transformer.set_pgresult(last)
    return transformer.load_rows(0, last.ntuples, lambda columns: row(*columns))


def _message(
    transformer: abc.Transformer, query: Query, values: Mapping[str, Any]
) -> tuple[bytes, list[Any], tuple[int, ...], Any]:
    dumped = transformer.dump_sequence(
        [values[name] for name in query.names], [PyFormat.AUTO] * len(query.names)
    )
    return query.text, list(dumped), transformer.types or (), transformer.formats


async def _results(pgconn: PGconn) -> list[PGresult]:
    """What the server answers up to the sync point: one result for each message."""
    found: list[PGresult] = []
    while pgconn.flush():
        await _ready(pgconn.socket, write=True)
        # The server may wait for us to read before it reads on.
        pgconn.consume_input()
    while True:
        while pgconn.is_busy():
            await _ready(pgconn.socket, write=False)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            continue  # the end of one message's results
        if result.status == ExecStatus.PIPELINE_SYNC:
            return found
        found.append(result)


async def _ready(socket: int, *, write: bool) -> None:
    """Wait until the socket can be read, or written as well as read."""
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not woken.done():
            woken.set_result(None)

    loop.add_reader(socket, wake)
    if write:
        loop.add_writer(socket, wake)
    try:
        await woken
    finally:
        loop.remove_reader(socket)
        if write:
            loop.remove_writer(socket)
