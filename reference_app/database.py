"""The database of one process: a pool, and one way to run a statement as somebody.

Every statement runs in a transaction that begins by saying who asks, so that row security can
answer. The two are sent together: PostgreSQL treats what comes before the next Sync as one
transaction, so identity, statement and commit cost a single round trip (``round_trip.py``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, LiteralString, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import args_row
from psycopg_pool import AsyncConnectionPool, AsyncNullConnectionPool, PoolTimeout

from reference_app.identity.principal import Guest, Principal
from reference_app.request_context import Origin, origin
from reference_app.round_trip import Prepared, numbered, one_round_trip
from reference_app.settings import Settings

Row = TypeVar("Row")
Statement = LiteralString
Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]

RECONNECT_S = 2.0
"""How long the pool itself retries a lost connection. Short: after that the next request makes a
new attempt at once, where the pool's own retries would back off up to minutes."""

STATEMENT_TIMEOUT_S = 30
"""B-196: no query may hold one of the few connections longer."""

APPLICATION_NAME = "reference_app"
"""Of every connection; while a request's statement runs, its id stands behind it."""

SET_IDENTITY: LiteralString = """/* set_identity */
SELECT set_config('app.user_id', %(user_id)s, true),
       set_config('app.role', %(role)s, true),
       set_config('app.tenant_id', %(tenant_id)s, true),
       set_config('app.request_id', %(request_id)s, true),
       set_config('application_name', %(tag)s, true)"""
"""The last one tags what the server itself shows and logs (decision 0094). It is set back at the
end of the transaction, before anybody is told of it, so it adds no message."""

# Whatever row security says: a guest may not do what the signed-in may, and the role is the limit.
SET_GUEST: LiteralString = """/* set_guest */
SELECT set_config('role', 'app_guest', true), set_config('app.token', %(token)s, true),
       set_config('application_name', %(tag)s, true)"""

STREAM_BATCH = 500
"""Rows that a stream holds in memory; enough that round trips do not count."""

STALLED_S = 60
"""How long the receiver of a stream may pause between two batches; then the server ends the
transaction, because a client that stops reading must not keep a connection for good."""

_BOUND_STALLS: LiteralString = """/* bound_stalls */
SELECT set_config('idle_in_transaction_session_timeout', %(limit)s, true)"""


class Database:
    """Statements in, typed rows out.

    Args:
        settings: Connection, pool and variant.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # With row security off only the audit trail reads the identity: what changes nothing goes
        # without, for the variant is to show that price too.
        self._reads_with_identity = settings.variant.row_security != "off"
        # A pooler hands each transaction to another server connection (decision 0021).
        self._prepares = settings.variant.pooling != "pgbouncer"
        self._prepared: WeakKeyDictionary[psycopg.AsyncConnection[Any], Prepared] = (
            WeakKeyDictionary()
        )
        self._pool: Pool | None = None
        self._checking: asyncio.Task[None] | None = None
        self._given_up: set[asyncio.Task[None]] = set()
        # Short requests keep most of the connections, however many exports run.
        self._streams = asyncio.Semaphore(max(settings.pool_size // 4, 1))

    async def open(self) -> None:
        """Start connecting in the background; a database that is down now may come later."""
        kwargs: dict[str, Any] = {
            "autocommit": True,
            "application_name": APPLICATION_NAME,
            "connect_timeout": 5,
        }
        if self._prepares:
            # In the start-up message, so it costs no round trip; poolers refuse it there.
            kwargs["options"] = f"-c statement_timeout={STATEMENT_TIMEOUT_S}s"
        # What is worth preparing is prepared in round_trip.py.
        kwargs["prepare_threshold"] = None
        one_connection_a_request = self._settings.variant.pooling == "none"
        kind: type[Pool] = (
            AsyncNullConnectionPool if one_connection_a_request else AsyncConnectionPool
        )
        self._pool = kind(
            self._settings.database_url,
            kwargs=kwargs,
            min_size=0 if one_connection_a_request else self._pool_min(),
            max_size=self._settings.pool_size,
            timeout=self._settings.pool_timeout_s,
            reconnect_timeout=RECONNECT_S,
            open=False,
            name="reference_app",
        )
        await self._pool.open()

    def _pool_min(self) -> int:
        wanted = self._settings.pool_min
        return self._settings.pool_size if wanted is None else wanted

    async def close(self) -> None:
        """Close every connection."""
        unfinished = {*self._given_up, *([] if self._checking is None else [self._checking])}
        if unfinished:
            await asyncio.wait(unfinished)
        if self._pool is not None:
            await self._pool.close()

    def statistics(self) -> Mapping[str, int]:
        """Counters of the pool; waiting for it is a queue like any other."""
        return self._open_pool().get_stats()

    async def rows(
        self,
        principal: Principal | Guest | None,
        statement: Statement,
        parameters: Mapping[str, Any],
        row: Callable[..., Row],
        *,
        before: Statement | None = None,
        repeatable: bool = False,
    ) -> list[Row]:
        """Run one statement in its own transaction.

        Args:
            principal: Who asks; None before sign-in, and then no tenant's row is visible.
            statement: Fixed text with named placeholders.
            parameters: Values by name.
            row: Called with the columns of each row.
            before: A statement that waits for a turn: it runs first in the same transaction and
                with the same parameters, so ``statement`` sees what it waited for.
            repeatable: It changes nothing, so it may be sent again when a connection broke under
                it; how often is a setting of the deployment (B-196).

        Returns:
            One value a row, in the order of the statement.

        Raises:
            psycopg.Error: As the server says; OperationalError when it cannot be reached or no
                connection came free in time.
        """
        steps = [*self._identity(principal)]
        if before is not None:
            steps.append((before, parameters))
        steps.append((statement, parameters))
        queries = [(numbered(text), values) for text, values in steps]
        left = self._settings.statement_retries
        while True:
            try:
                async with self._connection() as connection:
                    return await one_round_trip(
                        connection, queries, row, self._prepared_on(connection)
                    )
            except psycopg.OperationalError as error:
                if left == 0 or not _may_be_repeated(error, changes_nothing=repeatable):
                    raise
            left -= 1

    async def stream(
        self,
        principal: Principal,
        statement: Statement,
        parameters: Mapping[str, Any],
        row: Callable[..., Row],
    ) -> AsyncGenerator[list[Row]]:
        """Run one statement and give its rows in batches, as they are asked for.

        A cursor of the server holds the rest: memory stays that of one batch, whatever the number
        of rows, and all of them are of one snapshot. It keeps a connection and its transaction for
        as long as the receiver takes, so only a part of the pool may be used like that at a time,
        and a receiver that stops taking loses it after ``STALLED_S``.

        Close the generator (``aclose``) when it is not run to its end.

        Args:
            principal: Who asks; row security sees them in every batch.
            statement: Fixed text with named placeholders.
            parameters: Values by name.
            row: Called with the columns of each row.

        Raises:
            psycopg.Error: As the server says; OperationalError also when the receiver stalled, or
                when too many others stream.
        """
        async with self._turn_to_stream(), self._connection() as connection:
            try:
                async with connection.transaction():
                    await connection.execute(_BOUND_STALLS, {"limit": f"{STALLED_S}s"})
                    for text, values in self._identity(principal):
                        await connection.execute(text, values)
                    async with connection.cursor(name="stream", row_factory=args_row(row)) as rest:
                        await rest.execute(statement, parameters, binary=True)
                        while batch := await rest.fetchmany(STREAM_BATCH):
                            yield batch
            except psycopg.errors.IdleInTransactionSessionTimeout as error:
                raise psycopg.OperationalError("the receiver stopped taking rows") from error

    @asynccontextmanager
    async def _turn_to_stream(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._settings.pool_timeout_s):
                await self._streams.acquire()
        except TimeoutError as error:
            raise psycopg.OperationalError("too many long answers at a time") from error
        try:
            yield
        finally:
            self._streams.release()

    async def first(
        self,
        principal: Principal | Guest | None,
        statement: Statement,
        parameters: Mapping[str, Any],
        row: Callable[..., Row],
        *,
        before: Statement | None = None,
        repeatable: bool = False,
    ) -> Row | None:
        """Like :meth:`rows`, for a statement that gives one row or none."""
        found = await self.rows(
            principal, statement, parameters, row, before=before, repeatable=repeatable
        )
        return found[0] if found else None

    async def ping(self, timeout_s: float) -> None:
        """Ask the server for a sign of life.

        Raises:
            psycopg.OperationalError: There was none in ``timeout_s``.
        """
        asking = asyncio.create_task(self._ask())
        try:
            answered, _ = await asyncio.wait([asking], timeout=timeout_s)
        finally:
            # Not awaited: psycopg takes another ten seconds to give up on a server that hangs.
            if asking.cancel():
                self._given_up.add(asking)
                asking.add_done_callback(self._forget)
        if not answered:
            raise psycopg.OperationalError(f"no answer within {timeout_s:g} s")
        asking.result()

    async def _ask(self) -> None:
        async with self._connection() as connection:
            await connection.execute("SELECT 1")

    def _prepared_on(self, connection: psycopg.AsyncConnection[Any]) -> Prepared | None:
        if not self._prepares:
            return None
        known = self._prepared.get(connection)
        if known is None:
            known = self._prepared[connection] = Prepared()
        return known

    def _forget(self, asked: asyncio.Task[None]) -> None:
        self._given_up.discard(asked)
        if not asked.cancelled():
            asked.exception()  # known already: it did not answer in time

    def _identity(
        self, principal: Principal | Guest | None
    ) -> list[tuple[Statement, Mapping[str, Any]]]:
        """What says who asks, to run before the statement and in its transaction."""
        asked = origin.get()
        if isinstance(principal, Guest):
            return [(SET_GUEST, {"token": principal.token_sha256, "tag": _tag(asked)})]
        if principal is None or not (self._reads_with_identity or asked.may_write):
            return []
        who = {
            "user_id": str(principal.user_id),
            "role": principal.role,
            "tenant_id": "" if principal.tenant_id is None else str(principal.tenant_id),
            "request_id": asked.request_id,
            "tag": _tag(asked),
        }
        return [(SET_IDENTITY, who)]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        pool = self._open_pool()
        connection = await pool.getconn()
        try:
            yield connection
        except (psycopg.OperationalError, asyncio.CancelledError):
            if connection.broken:
                self._check_the_others(pool)
            # Broken off midway: the answers of this request would be read by the next one.
            await connection.close()
            raise
        finally:
            await pool.putconn(connection)

    def _check_the_others(self, pool: Pool) -> None:
        """One connection was lost, so the others probably are: find out before requests do."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(pool.check())

    def _open_pool(self) -> Pool:
        if self._pool is None:
            raise RuntimeError("the database is used before it was opened")
        return self._pool


def _may_be_repeated(error: psycopg.OperationalError, *, changes_nothing: bool) -> bool:
    """Whether the same statement may be sent again, at once, on another connection.

    What the server undid is not there, whatever it was: a deadlock, a serialization failure. When
    the connection broke nobody knows; then only what changes nothing may be repeated. Who waited
    for a connection or hit the time limit has waited long enough.
    """
    if isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
        return True
    if isinstance(error, PoolTimeout | psycopg.errors.QueryCanceled):
        return False
    return changes_nothing


def _tag(asked: Origin) -> str:
    """What the server calls the connection meanwhile; it shows 63 characters of it."""
    return f"{APPLICATION_NAME}:{asked.request_id}" if asked.request_id else APPLICATION_NAME
