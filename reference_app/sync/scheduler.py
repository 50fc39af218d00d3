"""The scheduler: ``python -m reference_app.sync.scheduler [--once] [--at INSTANT]``.

Every two hours, on the even hour, it queues the gîtes whose calendar is due (B-132): at once with
``sync: queue``, each owner in a minute of their own with ``sync: staggered`` (B-137, B-138).
Any number may run: a cycle is a row of ``sync_cycles``, and whoever writes it schedules the cycle
in the same transaction. The others find it written, so does one that was started again, and a
cycle that was missed is made up for.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import args_row

from reference_app.background import RETRY_S, Pool, Stop, connect_pool
from reference_app.log import configure_logging
from reference_app.settings import SettingsError
from reference_app.sync.settings import SyncSettings, read_sync_settings
from reference_app.sync.slots import CYCLE, cycle_start, is_due, next_run, slot_of

READY = "sync scheduler ready"

BATCH = 1_000
"""Gîtes that are looked at in one go; of 100 000 only so many are in memory."""

_LOOK_AT_CLOCK_S = 30.0
"""The clock of a machine may be set; no longer than this is slept without looking at it."""

_BEGIN_CYCLE: LiteralString = """/* begin_sync_cycle */
INSERT INTO sync_cycles (starts_at, scheduled_at) VALUES (%(starts_at)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING starts_at"""

_END_CYCLE: LiteralString = """/* end_sync_cycle */
UPDATE sync_cycles SET queued = %(queued)s WHERE starts_at = %(starts_at)s"""

_CALENDARS: LiteralString = """/* list_calendars */
SELECT id, owner_user_id, last_synced_at
FROM gites WHERE ical_url IS NOT NULL AND (%(after)s::uuid IS NULL OR id > %(after)s)
ORDER BY id LIMIT %(limit)s"""

_QUEUE: LiteralString = """/* queue_sync_tasks */
INSERT INTO sync_queue (task_id, user_id, gite_id, created_at, available_at)
SELECT t.task_id, t.user_id, t.gite_id, %(now)s, t.available_at
FROM unnest(%(task_ids)s::uuid[], %(user_ids)s::uuid[], %(gite_ids)s::uuid[],
            %(available)s::timestamptz[]) AS t (task_id, user_id, gite_id, available_at)
ON CONFLICT (gite_id) WHERE status IN ('pending', 'processing') DO NOTHING"""

logger = logging.getLogger("reference_app.sync")


@dataclass(frozen=True, slots=True)
class DueCalendar:
    """A gîte with a calendar."""

    gite_id: UUID
    owner_id: UUID
    last_synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Turn:
    """When a gîte is to be synchronised."""

    gite_id: UUID
    owner_id: UUID
    at: datetime


def turns(calendars: Iterable[DueCalendar], now: datetime, *, staggered: bool) -> list[Turn]:
    """The turns of this cycle, of the gîtes that take one."""
    found = []
    for calendar in calendars:
        at = next_run(now, slot_of(calendar.owner_id)) if staggered else now
        if is_due(calendar.last_synced_at, at):
            found.append(Turn(calendar.gite_id, calendar.owner_id, at))
    return found


class Scheduler:
    """Queues the gîtes of a cycle.

    Args:
        pool: Connections as ``app_worker``.
        staggered: Each owner in a minute of their own.
    """

    def __init__(self, pool: Pool, *, staggered: bool) -> None:
        self._pool = pool
        self._staggered = staggered

    async def schedule(self, now: datetime) -> int | None:
        """Schedule the cycle of ``now``, all of it or nothing.

        A gîte that still waits or is being worked on is not queued again (B-135).

        Returns:
            How many tasks were queued; None when this cycle has been scheduled.

        Raises:
            psycopg.OperationalError: The database cannot be reached.
        """
        starts_at = cycle_start(now)
        async with self._pool.connection() as connection, connection.transaction():
            begun = await connection.execute(_BEGIN_CYCLE, {"starts_at": starts_at, "now": now})
            if await begun.fetchone() is None:
                return None
            queued = 0
            after: UUID | None = None
            while batch := await _calendars(connection, after):
                after = batch[-1].gite_id
                wanted = turns(batch, now, staggered=self._staggered)
                queued += await _queue(connection, wanted, now)
            await connection.execute(_END_CYCLE, {"starts_at": starts_at, "queued": queued})
        return queued


async def _calendars(
    connection: psycopg.AsyncConnection[Any], after: UUID | None
) -> list[DueCalendar]:
    cursor = connection.cursor(row_factory=args_row(DueCalendar))
    await cursor.execute(_CALENDARS, {"after": after, "limit": BATCH})
    return await cursor.fetchall()


async def _queue(
    connection: psycopg.AsyncConnection[Any], wanted: Sequence[Turn], now: datetime
) -> int:
    if not wanted:
        return 0
    done = await connection.execute(
        _QUEUE,
        {
            "now": now,
            "task_ids": [uuid4() for _ in wanted],
            "user_ids": [turn.owner_id for turn in wanted],
            "gite_ids": [turn.gite_id for turn in wanted],
            "available": [turn.at for turn in wanted],
        },
    )
    return done.rowcount


async def run(
    settings: SyncSettings, stop: Stop, clock: Callable[[], datetime], *, once: bool
) -> int | None:
    """Schedule every cycle until the stop is wished.

    Args:
        clock: Aware, in UTC.
        once: Ends after the present cycle.

    Returns:
        What :meth:`Scheduler.schedule` gave last.
    """
    pool = connect_pool(settings.database_url, size=1, name="reference_app sync scheduler")
    scheduler = Scheduler(pool, staggered=settings.variant.sync == "staggered")
    is_ready = False
    queued: int | None = None
    await pool.open()
    try:
        while not stop.is_wished:
            now = clock()
            try:
                queued = await scheduler.schedule(now)
            except psycopg.OperationalError as error:
                logger.warning("database unavailable: %s: %s", type(error).__name__, error)
                await stop.wait(RETRY_S)
                continue
            if queued is not None:
                logger.info("cycle %s: %d tasks queued", cycle_start(now).isoformat(), queued)
            if not is_ready:
                logger.info(READY)
                is_ready = True
            if once:
                break
            following = cycle_start(now) + CYCLE
            while not stop.is_wished and (left_s := (following - clock()).total_seconds()) > 0:
                await stop.wait(min(left_s, _LOOK_AT_CLOCK_S))
    finally:
        await pool.close()
    return queued


async def _main(settings: SyncSettings, at: datetime | None, *, once: bool) -> int | None:
    stop = Stop()
    stop.listen()
    return await run(settings, stop, lambda: at or datetime.now(UTC), once=once)


def main(arguments: list[str] | None = None) -> int:
    """0 when done or told to stop; 2 for bad arguments or a wrong environment."""
    parser = argparse.ArgumentParser(prog="reference_app.sync.scheduler", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="schedule the present cycle, write how many, and end"
    )
    parser.add_argument("--at", help="the instant to call now, with --once: 2026-02-14T12:00:00Z")
    options = parser.parse_args(arguments)
    at = None
    if options.at is not None:
        if not options.once:
            parser.error("--at needs --once: a clock that stands still schedules nothing more")
        try:
            at = datetime.fromisoformat(options.at)
        except ValueError as error:
            parser.error(f"--at: {error}")
        if at.tzinfo is None:
            parser.error("--at needs a time zone, for example a Z at its end")
        at = at.astimezone(UTC)
    try:
        settings = read_sync_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logging("INFO", access_log=False)
    queued = asyncio.run(_main(settings, at, once=options.once))
    if options.once:
        sys.stdout.write(f"{queued or 0}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
