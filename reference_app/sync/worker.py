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
import os
import socket
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime

import psycopg

from reference_app.background import RETRY_S, Stop, connect_pool
from reference_app.log import configure_logging
from reference_app.settings import SettingsError
from reference_app.sync.errors import SyncError
from reference_app.sync.fetch import Fetcher
from reference_app.sync.merge import Reading
from reference_app.sync.policy import policy_of
from reference_app.sync.queue import CHANNEL, LostTaskError, Queue, Task
from reference_app.sync.reader import read_calendar
from reference_app.sync.settings import SyncSettings, read_sync_settings

POLL_S = 5.0
"""A message of the database may be lost with a connection; a task must not wait for another."""

SOON_S = 0.05
"""When a task is due but just being taken by somebody else."""

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
        self._pool = connect_pool(
            settings.database_url, size=settings.parallel + 1, name="reference_app sync worker"
        )
        self._queue = Queue(
            self._pool,
            worker=f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}",
            policy=self._policy,
            lease_s=settings.lease_s,
        )
        self._fetcher = Fetcher(settings.calendars, settings.timeout_s)
        self._held: set[uuid.UUID] = set()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Work until the stop is wished."""
        await self._pool.open()
        try:
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._insist(self._listen))
                keeping = group.create_task(self._insist(self._keep_leases))
                places = [
                    group.create_task(self._insist(self._take_tasks))
                    for _ in range(self._settings.parallel)
                ]
                await self._stop.wait()
                self._tell_news()
                await asyncio.wait(places)
                for helper in (listening, keeping):
                    helper.cancel()
        finally:
            await self._fetcher.close()
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
        """Hear of tasks that become pending."""
        async with await psycopg.AsyncConnection.connect(
            self._settings.database_url,
            autocommit=True,
            connect_timeout=5,
            application_name="reference_app sync worker",
        ) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            logger.info(READY)
            self._tell_news()  # what came before we listened
            async for _ in connection.notifies():
                self._tell_news()
        # the iteration ends only with the connection
        raise psycopg.OperationalError("the listening connection has ended")

    async def _keep_leases(self) -> None:
        """Renew our own leases, and end the runs of workers that no longer renew theirs."""
        while not await self._stop.wait(self._settings.lease_s / 3):
            if self._held:
                await self._queue.renew(self._held)
            lost = await self._queue.end_lost()
            if lost:
                logger.warning("%d tasks of lost workers are free again", lost)

    async def _take_tasks(self) -> None:
        """One place: a task after the other."""
        while not self._stop.is_wished:
            news = self._news  # before looking, so that nothing is missed in between
            task = await self._queue.claim()
            if task is None:
                await self._wait_for(news)
                continue
            self._held.add(task.task_id)
            try:
                await self._work(task)
            finally:
                self._held.discard(task.task_id)
            if self._policy.pause_s:
                await self._stop.wait(self._policy.pause_s)

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

    async def _wait_for(self, news: asyncio.Event) -> None:
        """Until something may be due: a message, the time of a task, or a while."""
        due_s = await self._queue.next_due_s()
        patience_s = POLL_S if due_s is None else min(max(due_s, SOON_S), POLL_S)
        try:
            await asyncio.wait_for(news.wait(), patience_s)
        except TimeoutError:
            return

    def _tell_news(self) -> None:
        """Wake every place that waits; the next ones wait for the next news."""
        self._news.set()
        self._news = asyncio.Event()


async def work(settings: SyncSettings) -> None:
    """Run a worker until SIGTERM or SIGINT."""
    stop = Stop()
    stop.listen()
    await Worker(settings, stop).run()


def main() -> int:
    """0 after SIGTERM; 2 when the environment is wrong."""
    try:
        settings = read_sync_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logging("INFO", access_log=False)
    asyncio.run(work(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
