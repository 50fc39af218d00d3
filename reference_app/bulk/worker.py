"""The worker: ``python -m reference_app.bulk.worker``, any number of them.

It is woken by the database when an operation is asked for, and looks once in a while in any case.
On SIGTERM it finishes the chunk it is at and gives the rest back. Killed, it loses nothing: the
next worker goes on behind the last chunk when the lease has run out.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
import uuid
from collections.abc import Awaitable, Callable

import psycopg

from reference_app.background import RETRY_S, Stop, connect_pool
from reference_app.bulk.pace import Pace
from reference_app.bulk.queue import CHANNEL, Held, Queue
from reference_app.bulk.settings import BulkSettings, read_bulk_settings
from reference_app.log import configure_logging
from reference_app.settings import SettingsError

CHUNK = 50
"""B-43's size, at most: no chunk is more than a second of the pace, or a slow worker would outwait
its lease. One transaction: short enough that a group's other creations, which wait for the same
lock, hardly notice."""

POLL_S = 5.0
"""A message of the database may be lost with a connection; nobody must wait for another."""

READY = "bulk worker ready"

NAME = "reference_app bulk worker"

logger = logging.getLogger("reference_app.bulk")


class Worker:
    """One worker process.

    Args:
        settings: What it runs with.
        stop: Ends it.
    """

    def __init__(self, settings: BulkSettings, stop: Stop) -> None:
        self._settings = settings
        self._stop = stop
        self._pool = connect_pool(settings.database_url, size=settings.parallel, name=NAME)
        self._queue = Queue(
            self._pool,
            worker=f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}",
            lease_s=settings.lease_s,
        )
        self._pace = Pace(settings.items_per_s)
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Work until the stop is wished."""
        await self._pool.open()
        try:
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._insist(self._listen))
                places = [
                    group.create_task(self._insist(self._take_operations))
                    for _ in range(self._settings.parallel)
                ]
                await self._stop.wait()
                self._tell_news()
                await asyncio.wait(places)
                listening.cancel()
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
        """Hear of operations that are asked for."""
        async with await psycopg.AsyncConnection.connect(
            self._settings.database_url, autocommit=True, connect_timeout=5, application_name=NAME
        ) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            logger.info(READY)
            self._tell_news()  # what came before we listened
            async for _ in connection.notifies():
                self._tell_news()
        # the iteration ends only with the connection
        raise psycopg.OperationalError("the listening connection has ended")

    async def _take_operations(self) -> None:
        """One place: an operation after the other."""
        while not self._stop.is_wished:
            news = self._news  # before looking, so that nothing is missed in between
            await self._queue.end_lost()
            held = await self._queue.claim()
            if held is None:
                await self._wait_for(news)
                continue
            try:
                await self._work(held)
            except psycopg.OperationalError:
                raise  # the lease decides who goes on
            except psycopg.Error as error:
                why = error.diag.message_primary or type(error).__name__
                logger.error("bulk operation %s cannot be gone on with: %s", held.id, why)
                await self._queue.fail(held, why)

    async def _work(self, held: Held) -> None:
        left: int | None = held.left
        while left:
            size = min(CHUNK, left, self._settings.items_per_s)
            if await self._stop.wait(self._pace.wait_s(size, time.monotonic())):
                await self._queue.give_back(held)
                return
            left = await self._run_chunk(held, size)
        if left is None:
            logger.warning("bulk operation %s was taken from us", held.id)

    async def _run_chunk(self, held: Held, size: int) -> int | None:
        """A chunk, over any outage; where it begins the database knows, so none is done twice."""
        while True:
            try:
                return await self._queue.run_chunk(held, size)
            except psycopg.OperationalError as error:
                logger.warning("a chunk has to be tried again: %s: %s", type(error).__name__, error)
                if await self._stop.wait(RETRY_S):
                    raise

    async def _wait_for(self, news: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(news.wait(), POLL_S)
        except TimeoutError:
            return

    def _tell_news(self) -> None:
        """Wake every place that waits; the next ones wait for the next news."""
        self._news.set()
        self._news = asyncio.Event()


async def work(settings: BulkSettings) -> None:
    """Run a worker until SIGTERM or SIGINT."""
    stop = Stop()
    stop.listen()
    await Worker(settings, stop).run()


def main() -> int:
    """0 after SIGTERM; 2 when the environment is wrong."""
    try:
        settings = read_bulk_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logging("INFO", access_log=False)
    asyncio.run(work(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
