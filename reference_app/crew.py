"""Working off a queue of the database: so many places, woken by news, over any outage.

What the queue is and what is done with one thing of it is the caller's; leases, and what becomes of
the work of a process that was killed, are the queue's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from reference_app.background import RETRY_S, Pool, Stop

POLL_S = 5.0
"""A message of the database may be lost with a connection; nobody must wait for another."""

SOON_S = 0.05
"""When something is due but just being taken by somebody else."""

logger = logging.getLogger("reference_app.crew")


async def _nothing_planned() -> float | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a crew does.

    Attributes:
        name: Of its connections, for whoever looks at the server.
        channel: What the database notifies when there is something new.
        ready: The line that says that it listens.
        turn: Takes one thing and works on it; False when there was nothing to take.
        next_due_s: Seconds until something in the queue may be taken; None without any.
        beside: Done over and over beside the turns, such as keeping leases.
    """

    name: str
    channel: str
    ready: str
    turn: Callable[[], Awaitable[bool]]
    next_due_s: Callable[[], Awaitable[float | None]] = _nothing_planned
    beside: Sequence[Callable[[], Awaitable[None]]] = field(default=())


class Crew:
    """The places of one process.

    Args:
        work: What they do.
        pool: Connections as ``app_worker``, not yet open; opened and closed here.
        database_url: Where the news come from, on a connection of its own.
        places: Things that are worked on at a time.
        stop: Ends it.
    """

    def __init__(
        self, work: Work, pool: Pool, *, database_url: str, places: int, stop: Stop
    ) -> None:
        self._work = work
        self._pool = pool
        self._database_url = database_url
        self._places = places
        self._stop = stop
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Work until the stop is wished; what is being worked on then comes to its end."""
        await self._pool.open()
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [
                    group.create_task(self._insist(helper))
                    for helper in (self._listen, *self._work.beside)
                ]
                places = [
                    group.create_task(self._insist(self._take_turns)) for _ in range(self._places)
                ]
                await self._stop.wait()
                self._tell_news()
                await asyncio.wait(places)
                for each in helpers:
                    each.cancel()
        finally:
            await self._pool.close()

    async def _insist(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it until the stop is wished, over any outage of the database."""
        while not self._stop.is_wished:
            try:
                await work()
            except psycopg.OperationalError as error:
                logger.warning("database unavailable: %s: %s", type(error).__name__, error)
                await self._stop.wait(RETRY_S)

    async def _listen(self) -> None:
        """Hear of what is new."""
        async with await psycopg.AsyncConnection.connect(
            self._database_url,
            autocommit=True,
            connect_timeout=5,
            application_name=self._work.name,
        ) as connection:
            await connection.execute(f"LISTEN {self._work.channel}".encode())
            logger.info(self._work.ready)
            self._tell_news()  # what came before we listened
            async for _ in connection.notifies():
                self._tell_news()
        # the iteration ends only with the connection
        raise psycopg.OperationalError("the listening connection has ended")

    async def _take_turns(self) -> None:
        """One place: one thing after the other."""
        while not self._stop.is_wished:
            news = self._news  # before looking, so that nothing is missed in between
            if not await self._work.turn():
                await self._wait_for(news)

    async def _wait_for(self, news: asyncio.Event) -> None:
        """Until something may be due: a message, the time of what is planned, or a while."""
        due_s = await self._work.next_due_s()
        patience_s = POLL_S if due_s is None else min(max(due_s, SOON_S), POLL_S)
        try:
            await asyncio.wait_for(news.wait(), patience_s)
        except TimeoutError:
            return

    def _tell_news(self) -> None:
        """Wake every place that waits; the next ones wait for the next news."""
        self._news.set()
        self._news = asyncio.Event()


def worker_name() -> str:
    """A name for this process that no other ever has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
