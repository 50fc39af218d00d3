"""The process: ``python -m reference_app.automation [--once] [--every S] [--today DAY]``.

With ``--day-every S`` time goes fast: from ``--today`` on a day is as short as that. Any number may
run. On SIGTERM it finishes the chunk it is at.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time as stopwatch
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import psycopg

from reference_app.automation.charging import Charge, by_invoice
from reference_app.automation.passes import Passes
from reference_app.automation.settings import AutomationSettings, read_automation_settings
from reference_app.background import RETRY_S, Pool, Stop, connect_pool
from reference_app.crew import worker_name
from reference_app.log import configure_logging
from reference_app.payments.charging import Charging
from reference_app.payments.local import LocalProvider
from reference_app.settings import SettingsError

READY = "subscription automation ready"

NAME = "reference_app automation"

EVERY_S = 3600
"""A day begins, for the groups, at most this long after midnight UTC."""

logger = logging.getLogger("reference_app.automation")

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What passes a process makes.

    Attributes:
        clocks: One for each series of passes; the last one is gone on with unless ``is_once``.
        is_once: One pass by each clock, then the end.
        every_s: Between two passes.
    """

    clocks: Sequence[Clock]
    is_once: bool
    every_s: float


async def automate(settings: AutomationSettings, plan: Plan, stop: Stop) -> None:
    """Make passes until the stop is wished, or all are made."""
    passes = Passes(
        charge=by_invoice,
        worker=worker_name(),
        grace_days=settings.grace_days,
        chunk=settings.chunk,
        is_over=lambda: stop.is_wished,
    )
    provider = None if settings.payments is None else LocalProvider(settings.payments)

    def passes_by(clock: Clock) -> Passes:
        charge: Charge = by_invoice if provider is None else Charging(provider).by(clock)
        return replace(passes, charge=charge)

    pool = connect_pool(settings.database_url, size=1, name=NAME)
    await pool.open()
    try:
        logger.info(READY)
        retry_at = None
        for clock in plan.clocks:
            retry_at = await _make_one(pool, passes_by(clock), clock, stop)
        clock = plan.clocks[-1]
        while not plan.is_once and not await stop.wait(_pause_s(plan.every_s, clock(), retry_at)):
            retry_at = await _make_one(pool, passes_by(clock), clock, stop)
    finally:
        await pool.close()
        if provider is not None:
            await provider.close()


async def _make_one(pool: Pool, passes: Passes, clock: Clock, stop: Stop) -> datetime | None:
    """One pass, over any outage of the database."""
    while not stop.is_wished:
        try:
            async with pool.connection() as connection:
                return await passes.make(connection, clock())
        except psycopg.OperationalError as error:
            logger.warning("database unavailable: %s: %s", type(error).__name__, error)
            await stop.wait(RETRY_S)
    return None


def _pause_s(every_s: float, now: datetime, retry_at: datetime | None) -> float:
    """Until the next pass; what is to be tried again may come before."""
    if retry_at is None:
        return every_s
    return min(every_s, max(RETRY_S, (retry_at - now).total_seconds()))


def _now() -> datetime:
    return datetime.now(UTC)


def _noon_of(day: date) -> Clock:
    noon = datetime.combine(day, time(12), UTC)
    return lambda: noon


def _hurrying(first: date, day_s: float) -> Clock:
    """Noon of a day that lasts ``day_s`` seconds; the first begins now."""
    began = stopwatch.monotonic()
    return lambda: _noon_of(first + timedelta((stopwatch.monotonic() - began) // day_s))()


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=passed) for passed in range((last - first).days + 1))


def _arguments(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(
        prog="python -m reference_app.automation", description="Notices, renewals, suspensions."
    )
    parser.add_argument("--once", action="store_true", help="one pass, then end")
    parser.add_argument("--every", type=float, default=EVERY_S, help="seconds between passes")
    parser.add_argument("--today", type=date.fromisoformat, help="the day it is taken to be")
    parser.add_argument(
        "--through", type=date.fromisoformat, help="a pass for each day from --today on, then end"
    )
    parser.add_argument(
        "--day-every", type=float, help="seconds that a day lasts, from --today on; one pass a day"
    )
    given = parser.parse_args(arguments)
    if given.through is not None and (given.today is None or given.through < given.today):
        parser.error("--through needs an earlier --today")
    if given.day_every is not None:
        if given.today is None or given.through is not None or given.day_every <= 0:
            parser.error("--day-every needs --today, no --through, and more than 0 seconds")
        clock = _hurrying(given.today, given.day_every)
        return Plan(clocks=[clock], is_once=given.once, every_s=given.day_every)
    if given.every <= 0:
        parser.error("--every must be more than 0")
    last = given.through or given.today
    clocks = [_now] if given.today is None else [*map(_noon_of, _days(given.today, last))]
    return Plan(clocks=clocks, is_once=given.once or given.through is not None, every_s=given.every)


async def _run(settings: AutomationSettings, plan: Plan) -> None:
    stop = Stop()
    stop.listen()
    await automate(settings, plan, stop)


def main(arguments: Sequence[str]) -> int:
    """0 after the last pass or SIGTERM; 2 when the environment is wrong."""
    plan = _arguments(arguments)
    try:
        settings = read_automation_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logging("INFO", access_log=False)
    asyncio.run(_run(settings, plan))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
