"""Reads that may go to a replica, and come from it only when that shows the asker's own writes.

A replica is late by nature (B-173). Whether it is late for *this owner* can be seen: the version
of an owner's rows (``schema/owner_versions``) is a row like any other and reaches the replica
together with what it stands for. So the owner's version is read on both servers at once; when they
are the same, the replica has every write that was acknowledged before the request, whichever
process, worker or person wrote it. When they are not, or the replica does not answer, the primary
is read instead (decision 0046).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Protocol, TypeVar
from uuid import UUID

import psycopg

from reference_app.cache.versions import VersionReader
from reference_app.database import STATEMENT_TIMEOUT_S, Database, Statement
from reference_app.identity.principal import Guest, Principal
from reference_app.metrics import ReplicaMetrics

WATCH_EVERY_S = 1.0

ANSWER_TIMEOUT_S = 2.0
"""For small questions. Who does not answer them in this time is taken for away."""

REST_S = 1.0
"""After a failure, so long nobody asks: the watch finds out when it is back."""

LOG_EVERY_S = 10.0

logger = logging.getLogger("reference_app")

Row = TypeVar("Row")


class Source(Protocol):
    """Where a session's statements run."""

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
        """See :meth:`Database.rows`."""

    def stream(
        self,
        principal: Principal,
        statement: Statement,
        parameters: Mapping[str, Any],
        row: Callable[..., Row],
    ) -> AsyncGenerator[list[Row]]:
        """See :meth:`Database.stream`."""


class Reports:
    """Chooses the server for an owner's reports.

    Args:
        primary: Where everything is written.
        replica: A copy of it, somewhat later.
        versions: Reads versions on the primary.
        copied_versions: Reads versions on the replica.
        metrics: Told of every choice and of the lag.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        primary: Database,
        replica: Database,
        *,
        versions: VersionReader,
        copied_versions: VersionReader,
        metrics: ReplicaMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = primary
        self._replica = replica
        self._versions = versions
        self._copied_versions = copied_versions
        self._metrics = metrics
        self._clock = clock
        self._rests_until: float | None = None
        self._next_log: float | None = None
        self._watching: asyncio.Task[None] | None = None

    async def source_for(self, owner: UUID) -> Source:
        """The replica if it has everything ``owner`` was told is written, else the primary.

        Raises:
            psycopg.Error: The primary cannot be asked.
        """
        if self._rests_until is not None and self._clock() < self._rests_until:
            self._metrics.read("primary", "away")
            return self._primary
        asking = asyncio.create_task(self._copied_version(owner))
        try:
            version = await self._versions.version_of(owner)
            copied = await asking
        finally:
            asking.cancel()
        if copied is None:
            self._metrics.read("primary", "away")
            return self._primary
        if copied != version:
            self._metrics.read("primary", "behind")
            return self._primary
        self._metrics.read("replica", "current")
        return _ReplicaFirst(self, self._primary, self._replica)

    async def _copied_version(self, owner: UUID) -> UUID | None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await self._copied_versions.version_of(owner)
        # UndefinedTable: it has not even copied the migration
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable, TimeoutError) as error:
            self.tell_away(error)
            return None

    def tell_away(self, error: Exception) -> None:
        """The replica has failed: leave it alone for a moment, and say so once in a while."""
        now = self._clock()
        self._rests_until = now + REST_S
        self._metrics.is_up = False
        if self._next_log is None or now >= self._next_log:
            self._next_log = now + LOG_EVERY_S
            text = str(error) or f"no answer within {ANSWER_TIMEOUT_S:g} s"
            logger.warning("replica unavailable: %s: %s", type(error).__name__, text)

    def open(self) -> None:
        """Begin to watch the replica."""
        self._watching = asyncio.create_task(self._keep_watching())

    async def close(self) -> None:
        """Stop watching."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _keep_watching(self) -> None:
        while True:
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self.measure_lag()
            except (psycopg.Error, TimeoutError) as error:
                self.tell_away(error)
            await asyncio.sleep(WATCH_EVERY_S)

    async def measure_lag(self) -> None:
        """How far the replica is behind the primary, in bytes of its log and in time.

        In time: how long ago what it replayed last was committed, or nothing when it has all; a
        primary that writes nothing leaves no replica behind.

        Raises:
            psycopg.Error: One of them cannot be asked.
        """
        ((written,),) = await self._primary.rows(
            None,
            """/* primary_position */
            SELECT pg_current_wal_lsn()::text""",
            {},
            lambda *columns: columns,
        )
        ((behind_bytes, replayed_s),) = await self._replica.rows(
            None,
            """/* replica_position */
            SELECT greatest(0, pg_wal_lsn_diff(%(written)s::text::pg_lsn,
                                               pg_last_wal_replay_lsn()))::bigint,
                   extract(epoch FROM clock_timestamp()
                                      - pg_last_xact_replay_timestamp())::float8""",
            {"written": written},
            lambda *columns: columns,
        )
        self._metrics.is_up = True
        self._metrics.lag_bytes = behind_bytes
        self._metrics.lag_s = 0.0 if behind_bytes == 0 else replayed_s


class _ReplicaFirst:
    """One request's reads: from the replica, and from the primary once that has failed."""

    def __init__(self, reports: Reports, primary: Database, replica: Database) -> None:
        self._reports = reports
        self._primary = primary
        self._source = replica

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
        try:
            # A server that hangs says nothing, and its own time limit hangs with it.
            async with asyncio.timeout(STATEMENT_TIMEOUT_S + ANSWER_TIMEOUT_S):
                return await self._source.rows(
                    principal, statement, parameters, row, before=before, repeatable=repeatable
                )
        except (psycopg.OperationalError, TimeoutError) as error:
            self._turn_to_primary(error)
        return await self._source.rows(principal, statement, parameters, row, before=before)

    async def stream(
        self,
        principal: Principal,
        statement: Statement,
        parameters: Mapping[str, Any],
        row: Callable[..., Row],
    ) -> AsyncGenerator[list[Row]]:
        """Turns to the primary only before the first batch: half of each would be neither."""
        begun = False
        try:
            async with aclosing(
                self._source.stream(principal, statement, parameters, row)
            ) as batches:
                async for batch in batches:
                    begun = True
                    yield batch
            return
        except psycopg.OperationalError as error:
            if begun:
                raise
            self._turn_to_primary(error)
        async with aclosing(self._source.stream(principal, statement, parameters, row)) as batches:
            async for batch in batches:
                yield batch

    def _turn_to_primary(self, error: Exception) -> None:
        """Unless it was the primary that failed, or a statement that takes too long anywhere."""
        if self._source is self._primary or isinstance(error, psycopg.errors.QueryCanceled):
            raise error
        self._reports.tell_away(error)
        self._source = self._primary
