"""The worker: ``python -m reference_app.sync.worker``, any number of them.

Three tasks at a time (B-125). It is woken by the database when a task becomes pending, looks
again when the next one is due, and once in a while in any case. On SIGTERM it gives back what it
is still fetching and finishes what it is writing. Killed, it loses nothing: what it wrote is
committed with the end of its task or not at all, and what it held is another's when the lease has
run out.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime

from reference_app.background import Stop, connect_pool, run_process
from reference_app.crew import Crew, Work, worker_name
from reference_app.sync.errors import SyncError
from reference_app.sync.fetch import Fetcher
from reference_app.sync.merge import Reading
from reference_app.sync.policy import policy_of
from reference_app.sync.queue import CHANNEL, LostTaskError, Queue, Task
from reference_app.sync.reader import read_calendar
from reference_app.sync.settings import SyncSettings, read_sync_settings

NAME = "reference_app sync worker"

READY = "sync worker ready"

logger = logging.getLogger("reference_app.sync")


class Worker:
    """One worker process.

    Args:
        settings: What it runs with.
        stop: Ends it.
        today: The day it calls today.
    """

    def __init__(
        self,
        settings: SyncSettings,
        stop: Stop,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._today = today
        self._policy = policy_of(settings.variant.sync, pause_s=settings.pause_s)
        pool = connect_pool(settings.database_url, size=settings.parallel + 1, name=NAME)
        self._queue = Queue(
            pool, worker=worker_name(), policy=self._policy, lease_s=settings.lease_s
        )
        self._fetcher = Fetcher(settings.calendars, settings.timeout_s)
        self._held: set[uuid.UUID] = set()
        self._crew = Crew(
            Work(
                name=NAME,
                channel=CHANNEL,
                ready=READY,
                turn=self._take_task,
                next_due_s=self._queue.next_due_s,
                beside=(self._keep_leases,),
            ),
            pool,
            database_url=settings.database_url,
            places=settings.parallel,
            stop=stop,
        )

    async def run(self) -> None:
        """Work until the stop is wished."""
        try:
            await self._crew.run()
        finally:
            await self._fetcher.close()

    async def _keep_leases(self) -> None:
        """Renew our own leases, and end the runs of workers that no longer renew theirs."""
        while not await self._stop.wait(self._settings.lease_s / 3):
            if self._held:
                await self._queue.renew(self._held)
            lost = await self._queue.end_lost()
            if lost:
                logger.warning("%d tasks of lost workers are free again", lost)

    async def _take_task(self) -> bool:
        """The next task, to the end of its run; False when none is due."""
        task = await self._queue.claim()
        if task is None:
            return False
        self._held.add(task.task_id)
        try:
            await self._work(task)
        finally:
            self._held.discard(task.task_id)
        if self._policy.pause_s:
            await self._stop.wait(self._policy.pause_s)
        return True

    async def _work(self, task: Task) -> None:
        began = time.monotonic()
        try:
            reading = await self._read(task)
            if reading is None and task.calendar is not None:
                await self._queue.give_back(task)
                return
            await self._queue.complete(
                task,
                reading,
                today=self._today(),
                duration_ms=round(1000 * (time.monotonic() - began)),
            )
        except SyncError as error:
            await self._end_badly(task, str(error))
        except LostTaskError:
            logger.warning("task %s was taken from us", task.task_id)

    async def _read(self, task: Task) -> Reading | None:
        """What the platform says; None when there is no calendar, or the stop came first."""
        if task.calendar is None:
            return None
        reading = asyncio.create_task(
            read_calendar(self._fetcher, self._settings.calendars, task.calendar)
        )
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((reading, stopping), return_when=asyncio.FIRST_COMPLETED)
            return await reading if reading.done() else None
        finally:
            for unfinished in (reading, stopping):
                unfinished.cancel()
            await asyncio.gather(reading, stopping, return_exceptions=True)

    async def _end_badly(self, task: Task, reason: str) -> None:
        try:
            status = await self._queue.fail(task, reason)
        except LostTaskError:
            logger.warning("task %s was taken from us", task.task_id)
            return
        if status == "failed":
            logger.warning("task %s has failed for good: %s", task.task_id, reason)


async def work(settings: SyncSettings, stop: Stop) -> None:
    """Run a worker until the stop is wished."""
    await Worker(settings, stop).run()


if __name__ == "__main__":
    sys.exit(run_process(read_sync_settings, work))
