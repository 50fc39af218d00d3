"""The worker: ``python -m reference_app.bulk.worker``, any number of them.

It is woken by the database when an operation is asked for, and looks once in a while in any case.
On SIGTERM it finishes the chunk it is at and gives the rest back. Killed, it loses nothing: the
next worker goes on behind the last chunk when the lease has run out.
"""

from __future__ import annotations

import logging
import sys
import time

import psycopg

from reference_app.background import RETRY_S, Stop, connect_pool, run_process
from reference_app.bulk.pace import Pace
from reference_app.bulk.queue import CHANNEL, Held, Queue
from reference_app.bulk.settings import BulkSettings, read_bulk_settings
from reference_app.crew import Crew, Work, worker_name

CHUNK = 50
"""B-43's size, at most: no chunk is more than a second of the pace, or a slow worker would outwait
its lease. One transaction: short enough that a group's other creations, which wait for the same
lock, hardly notice."""

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
        pool = connect_pool(settings.database_url, size=settings.parallel, name=NAME)
        self._queue = Queue(pool, worker=worker_name(), lease_s=settings.lease_s)
        self._pace = Pace(settings.items_per_s)
        self._crew = Crew(
            Work(name=NAME, channel=CHANNEL, ready=READY, turn=self._take_operation),
            pool,
            database_url=settings.database_url,
            places=settings.parallel,
            stop=stop,
        )

    async def run(self) -> None:
        """Work until the stop is wished."""
        await self._crew.run()

    async def _take_operation(self) -> bool:
        """The next operation, to its end; False when none is waiting."""
        await self._queue.end_lost()
        held = await self._queue.claim()
        if held is None:
            return False
        try:
            await self._work(held)
        except psycopg.OperationalError:
            raise  # the lease decides who goes on
        except psycopg.Error as error:
            why = error.diag.message_primary or type(error).__name__
            logger.error("bulk operation %s cannot be gone on with: %s", held.id, why)
            await self._queue.fail(held, why)
        return True

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


async def work(settings: BulkSettings, stop: Stop) -> None:
    """Run a worker until the stop is wished."""
    await Worker(settings, stop).run()


if __name__ == "__main__":
    sys.exit(run_process(read_bulk_settings, work))
