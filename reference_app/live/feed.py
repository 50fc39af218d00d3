"""The listening connection of a process, and how it outlives its own death.

Notifications are a signal that may get lost with the connection; the table of events does not. So a
new connection listens first, then reads what the table has beyond the last number it handed on, and
only then what it hears: by its number an event is told once, whichever way it came.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, LiteralString

import msgspec
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

_NEWEST: LiteralString = "SELECT newest FROM plan_event_bounds()"

_REST: LiteralString = """/* rest_of_plan_events */
SELECT payload::text FROM plan_events WHERE number > %s ORDER BY number"""

logger = logging.getLogger("reference_app.live")


class Feed:
    """Hears every event, in order and once.

    Args:
        url: Where to listen: the server itself, for a pooler hands connections round.
        tell: Told each event.
        registry: Of the process's metrics.
    """

    def __init__(
        self, url: str, tell: Callable[[PlanEvent], None], registry: CollectorRegistry
    ) -> None:
        self._url = url
        self._tell = tell
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
            except (psycopg.Error, TimeoutError) as error:
                logger.warning("plan events: %s: %s", type(error).__name__, error)
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
                await self._catch_up(connection)
            self._connections.inc()
            self._begun.set()
            while True:
                async for notice in connection.notifies(timeout=LOOK_EVERY_S):
                    self._hear_said(notice.payload)
                    await asyncio.sleep(0)  # a burst must not keep the sockets from sending
                async with asyncio.timeout(ANSWER_S):
                    await self._catch_up(connection)
        finally:
            await connection.close()

    async def _catch_up(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Tell what was not heard: all since the last connection, else (it is hoped) nothing."""
        if self._last is None:
            cursor = await connection.execute(_NEWEST)
            self._last = (await cursor.fetchone() or (0,))[0]
            return
        cursor = await connection.execute(_REST, [self._last])
        async for (payload,) in cursor:
            self._hear(read_event(payload))
            await asyncio.sleep(0)

    def _hear_said(self, payload: str) -> None:
        try:
            event = read_event(payload)
        except msgspec.DecodeError as error:
            # Anybody may notify; what the triggers said is in the table, too.
            logger.warning("a notification that is no plan event: %s", error)
        else:
            self._hear(event)

    def _hear(self, event: PlanEvent) -> None:
        if self._last is not None and event.number > self._last:
            self._last = event.number
            self._events.inc()
            self._tell(event)
