"""Count the materialised figures again: ``python -m reference_app.statistics.refresh``.

At once, and then every ``--every`` seconds until SIGTERM; with ``--once`` a single time. Readers
are never kept out (REFRESH ... CONCURRENTLY), and of two refreshers one waits for the other. While
the database is away it tries again each second, and then goes on as if it had been on time.

Environment: ``APP_DATABASE_URL``, a login of ``app_worker``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable

import psycopg

from reference_app.log import configure_logging

EVERY_S = 3600
"""B-56: "refreshed automatically every hour"."""

RETRY_S = 1.0

READY = "view refresh ready"

logger = logging.getLogger("reference_app.statistics")

Wait = Callable[[float], Awaitable[bool]]
"""Wait so many seconds; True when the end is wished meanwhile."""


async def count(url: str) -> None:
    """Count once.

    Raises:
        psycopg.Error: The server refused, or cannot be reached.
    """
    async with await psycopg.AsyncConnection.connect(
        url, autocommit=True, connect_timeout=5, application_name="reference_app view refresh"
    ) as connection:
        await connection.execute("/* count_figures */ SELECT count_figures()")
        await connection.execute("/* refresh_service_views */ SELECT refresh_service_views()")


async def keep_counting(
    counting: Callable[[], Awaitable[None]],
    every_s: float,
    wait: Wait,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Count at once and then every ``every_s`` seconds, measured from start to start.

    A count that takes longer than that is followed by the next at once; none is made up for.

    Args:
        counting: Counts once.
        every_s: Seconds between two starts.
        wait: Waits, or tells of the end.
        clock: Seconds that only go forward.
    """
    ready = False
    while True:
        started = clock()
        try:
            await counting()
        except psycopg.OperationalError as error:
            logger.warning("database unavailable: %s: %s", type(error).__name__, error)
            pause_s = RETRY_S
        else:
            logger.info("counted in %.3f s", clock() - started)
            if not ready:
                logger.info(READY)
                ready = True
            pause_s = max(0.0, started + every_s - clock())
        if await wait(pause_s):
            return


async def run(url: str, every_s: float) -> None:
    """Keep counting until SIGTERM or SIGINT."""
    wished = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, wished.set)

    async def wait(pause_s: float) -> bool:
        try:
            await asyncio.wait_for(wished.wait(), pause_s)
        except TimeoutError:
            return False
        return True

    await keep_counting(lambda: count(url), every_s, wait)


def main(arguments: list[str] | None = None) -> int:
    """0 when done; 2 when it was called wrongly, 5 when the database refused a single count."""
    parser = argparse.ArgumentParser(
        prog="reference_app.statistics.refresh", description=__doc__.partition("\n")[0]
    )
    how_often = parser.add_mutually_exclusive_group()
    how_often.add_argument("--once", action="store_true", help="count once and end")
    how_often.add_argument(
        "--every", type=_seconds, default=EVERY_S, metavar="S", help="seconds between two counts"
    )
    options = parser.parse_args(arguments)
    url = os.environ.get("APP_DATABASE_URL")
    if not url:
        parser.error("APP_DATABASE_URL is not set; it should be a login of app_worker")
    configure_logging("INFO", access_log=False)
    if not options.once:
        asyncio.run(run(url, options.every))
        return 0
    try:
        asyncio.run(count(url))
    except psycopg.Error as error:
        sys.stderr.write(f"error: the figures cannot be counted: {error}\n")
        return 5
    return 0


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 31 * 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not 0.1 to {31 * 86_400} seconds")
    return value


if __name__ == "__main__":
    sys.exit(main())
