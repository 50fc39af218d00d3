"""The process: ``python -m reference_app.monitoring [--every S] [--once]``.

Looks at everything every five minutes (B-59, T-23), writes it down, opens and closes alerts and
tells of them. Any number may run; one at a time is at work.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

import httpx
import psycopg

from reference_app.background import Stop
from reference_app.database import STATEMENT_TIMEOUT_S
from reference_app.log import configure_logging
from reference_app.monitoring.health import SERVICE_HEALTH, Health, InDatabase, read_service_health
from reference_app.monitoring.look import REPLICA_LAG, Parts, look
from reference_app.monitoring.monitor import Monitor
from reference_app.monitoring.settings import MonitoringSettings, read_monitoring_settings
from reference_app.monitoring.store import Connection
from reference_app.monitoring.telling import Teller
from reference_app.remote import Remote
from reference_app.settings import SettingsError

READY = "monitoring ready"

NAME = "reference_app monitoring"

EVERY_S = 300.0

CONNECT_TIMEOUT_S = 5

logger = logging.getLogger("reference_app.monitoring")


async def monitor(settings: MonitoringSettings, every_s: float | None, stop: Stop) -> Health | None:
    """Look until the stop is wished; once when ``every_s`` is None. What was seen last."""
    seen = None
    async with AsyncExitStack() as stack:
        parts = _parts(settings, stack)
        teller = None
        if settings.alert_url is not None:
            teller = Teller(settings.alert_url, settings.secret, settings.pauses_s, stop.wait)
            stack.push_async_callback(teller.close)
        monitoring = Monitor(lambda: _connect(settings.database_url), lambda: look(parts), teller)
        logger.info(READY)
        while not stop.is_wished:
            started = time.monotonic()
            seen = await monitoring.check()
            if every_s is None:
                break
            await stop.wait(max(0.0, started + every_s - time.monotonic()))
    return seen


async def _connect(url: str) -> Connection:
    return await psycopg.AsyncConnection.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name=NAME,
        options=f"-c statement_timeout={STATEMENT_TIMEOUT_S}s",
    )


def _parts(settings: MonitoringSettings, stack: AsyncExitStack) -> Parts:
    async def ask_database() -> InDatabase:
        # Connecting is a part of the look: a pool would hide that nobody else can.
        async with await _connect(settings.database_url) as connection:
            cursor = await connection.execute(SERVICE_HEALTH)
            found = await cursor.fetchone()
            assert found is not None, "a function gives one value"
            return read_service_health(found[0])

    async def ask_replica(url: str) -> float:
        async with await _connect(url) as connection:
            cursor = await connection.execute(REPLICA_LAG)
            found = await cursor.fetchone()
            assert found is not None, "an expression gives one value"
            return float(found[0])

    async def ask_application(url: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=None) as client:
            (await client.get(f"{url.rstrip('/')}/health/ready")).raise_for_status()

    remote = None if settings.redis_url is None else Remote(settings.redis_url)
    if remote is not None:
        stack.push_async_callback(remote.close)
    replica, application = settings.replica_url, settings.application_url
    return Parts(
        database=ask_database,
        replica=None if replica is None else lambda: ask_replica(replica),
        redis=None if remote is None else lambda: remote.ask("PING"),
        application=None if application is None else lambda: ask_application(application),
    )


async def _run(settings: MonitoringSettings, every_s: float | None) -> Health | None:
    stop = Stop()
    stop.listen()
    return await monitor(settings, every_s, stop)


def main(arguments: Sequence[str]) -> int:
    """0 at the end; 2 when the environment is wrong, 5 when a single look found it down."""
    parser = argparse.ArgumentParser(
        prog="python -m reference_app.monitoring", description="Checks and alerts."
    )
    parser.add_argument("--once", action="store_true", help="look once, then end")
    parser.add_argument("--every", type=float, default=EVERY_S, help="seconds between two looks")
    given = parser.parse_args(arguments)
    if given.every <= 0:
        parser.error("--every must be more than 0")
    try:
        settings = read_monitoring_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logging("INFO", access_log=False)
    if not settings.is_enabled:
        logger.info("monitoring is switched off: MONITORING_ENABLED")
        return 0
    seen = asyncio.run(_run(settings, None if given.once else given.every))
    return 5 if given.once and seen is not None and seen.status == "down" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
