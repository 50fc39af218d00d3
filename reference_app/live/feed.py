"""The listening connection of a process, and how it outlives its own death.

A notification only says that there is something new: it may get lost with the connection, and
anybody may send one. What is new stands in the table of events, in the order of its numbers. So
whatever wakes us, a notification, a new connection or some seconds of silence, the answer is the
same: read what comes after the last number, and hand it on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, LiteralString

import psycopg
from prometheus_client import CollectorRegistry, Counter
from psycopg import sql

from reference_app.live.events import CHANNEL, PlanEvent, read_event

LOOK_EVERY_S = 10.0
"""How often a silent connection is asked whether it is still there and has told everything."""

ANSWER_S = 5.0
"""Longest wait for that; the connection is given up then."""

RETRY_S = 0.5
"""Between attempts to connect: propagation should take two seconds, so an outage ends soon."""

_LISTEN_AS: LiteralString = "SELECT set_config('app.role', 'live_feed', false)"
"""Sees all events (``row_security/policies/50_groups.sql``); no account has this role."""

_NEWEST: LiteralString = "/* newest_plan_event */ SELECT newest FROM plan_event_bounds()"

_REST: LiteralString = """/* rest_of_plan_events */
SELECT payload::text FROM plan_events WHERE number > %s ORDER BY number LIMIT %s"""

_BATCH = 500

logger = logging.getLogger("reference_app.live")


class Feed:
    """Hears every event, in order and once.

    Args:
        url: Where to listen: the server itself, for a pooler hands connections round.
        tell: Told each event.
        end_all: Called when the numbers that were told are worth nothing any more.
        registry: Of the process's metrics.
    """

    def __init__(
        self,
        url: str,
        *,
        tell: Callable[[PlanEvent], None],
        end_all: Callable[[], None],
        registry: CollectorRegistry,
    ) -> None:
        self._url = url
        self._tell = tell
        self._end_all = end_all
        self._last: int | None = None
        self._begun = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._events = Counter("app_live_events", "Plan events heard", registry=registry)
        self._connections = Counter(
            "app_live_connections", "Times the feed of plan events was connected", registry=registry
        )

    async def begin(self, timeout_s: float) -> None:
        """Listen from now on, if not yet; a process without sockets needs no connection.

        Raises:
            psycopg.OperationalError: The server could not be reached in time.
        """
        if self._following is None:
            self._following = asyncio.create_task(self._follow(), name="plan events")
        try:
            async with asyncio.timeout(timeout_s):
                await self._begun.wait()
        except TimeoutError as error:
            raise psycopg.OperationalError("plan events cannot be heard yet") from error

    async def close(self) -> None:
        """Hang up."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])

    async def _follow(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.OperationalError, TimeoutError) as error:
                logger.warning("plan events: %s: %s", type(error).__name__, error)
            except Exception:
                # A bug of ours. Sockets that hear nothing more and do not know would be worse.
                logger.exception("plan events")
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        """Hear and tell until the connection is lost."""
        connection = await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            application_name="reference_app live",
            connect_timeout=5,
            prepare_threshold=None,
        )
        try:
            async with asyncio.timeout(ANSWER_S):
                await connection.execute(_LISTEN_AS)
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                await self._find_place(connection)
            self._connections.inc()
            self._begun.set()
            while True:
                async with asyncio.timeout(ANSWER_S):
                    await self._tell_rest(connection)
                async for _ in connection.notifies(timeout=LOOK_EVERY_S, stop_after=1):
                    pass  # that there was one is all it says
        finally:
            await connection.close()

    async def _find_place(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Where to go on: at the end when we begin, else where we were."""
        cursor = await connection.execute(_NEWEST)
        ((newest,),) = await cursor.fetchall()
        if self._last is not None and newest < self._last:
            logger.warning("plan events: the database is older than what it told before")
            self._last = None
            self._end_all()
        if self._last is None:
            self._last = newest

    async def _tell_rest(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Tell all that comes after the last number."""
        while True:
            cursor = await connection.execute(_REST, [self._last, _BATCH])
            payloads = await cursor.fetchall()
            for (payload,) in payloads:
                event = read_event(payload)
                self._tell(event)
                self._last = event.number
                self._events.inc()
                await asyncio.sleep(0)  # many at once must not keep the sockets from sending
            if len(payloads) < _BATCH:
                return
