"""What background processes share: connections that outlive any outage, and the wish to end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool

from reference_app.log import configure_logging
from reference_app.settings import SettingsError

Settings = TypeVar("Settings")
Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]

RETRY_S = 1.0
"""Between attempts while the database is away."""

_WAIT_S = 10.0
_STATEMENT_TIMEOUT_S = 30
"""B-196."""


def connect_pool(url: str, *, size: int, name: str) -> Pool:
    """A pool, not yet open; a connection is tried before it is given out."""
    return AsyncConnectionPool(
        url,
        kwargs={
            "autocommit": True,
            "application_name": name,
            "connect_timeout": 5,
            "options": f"-c statement_timeout={_STATEMENT_TIMEOUT_S}s",
        },
        min_size=1,
        max_size=size,
        timeout=_WAIT_S,
        # Then the next attempt is a new one; the pool's own would back off up to minutes.
        reconnect_timeout=2.0,
        check=AsyncConnectionPool.check_connection,
        open=False,
        name=name,
    )


class Stop:
    """The wish of whoever runs us that we end: SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self._wished = asyncio.Event()

    def listen(self) -> None:
        """From now on the signals are this wish."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.wish)

    def wish(self) -> None:
        """End."""
        self._wished.set()

    @property
    def is_wished(self) -> bool:
        return self._wished.is_set()

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for it; False when it has not come in time."""
        try:
            await asyncio.wait_for(self._wished.wait(), timeout_s)
        except TimeoutError:
            return False
        return True


def run_process(
    read: Callable[[Mapping[str, str]], Settings],
    work: Callable[[Settings, Stop], Awaitable[None]],
) -> int:
    """The whole of a process that works until SIGTERM or SIGINT.

    Args:
        read: Reads the settings from the environment, or raises SettingsError.
        work: Runs until the stop is wished.

    Returns:
        0 after the signal; 2 when the environment is wrong, with a line for each problem.
    """
    try:
        settings = read(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logging("INFO", access_log=False)

    async def run() -> None:
        stop = Stop()
        stop.listen()
        await work(settings, stop)

    asyncio.run(run())
    return 0
