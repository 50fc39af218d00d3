"""Look at every part of the service, all at once, and never longer than a limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, LiteralString, TypeVar

import httpx
import psycopg

from reference_app.monitoring.health import Component, Health, InDatabase, verdict
from reference_app.remote import RemoteAwayError

LOOK_TIMEOUT_S = 15.0
"""For one part. Longer than what counts as slow (T-151: 10 s), so that slow is told from down."""

REPLICA_LAG: LiteralString = """/* replica_lag */
SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 ELSE
    coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
END::float8"""
"""A primary that writes nothing leaves no replica behind."""

Found = TypeVar("Found")

TROUBLE = (psycopg.Error, RemoteAwayError, httpx.HTTPError, OSError, TimeoutError)
"""What asking a part that is not well ends with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """How each part is asked; None for one that this deployment does not have.

    Attributes:
        database: Gives what the database knows of the service.
        replica: Gives how many seconds the replica is behind.
        redis: Asks for a sign of life.
        application: Asks whether it is ready.
    """

    database: Callable[[], Awaitable[InDatabase]]
    replica: Callable[[], Awaitable[float]] | None = None
    redis: Callable[[], Awaitable[object]] | None = None
    application: Callable[[], Awaitable[object]] | None = None


async def look(parts: Parts, timeout_s: float = LOOK_TIMEOUT_S) -> Health:
    """The state of everything, now; a part that is silent for so long is down."""
    database, replica, redis, application = await asyncio.gather(
        _ask(parts.database, timeout_s),
        _ask(parts.replica, timeout_s),
        _ask(parts.redis, timeout_s),
        _ask(parts.application, timeout_s),
    )
    assert database is not None, "there is always a database"
    components = [_component("database", database)]
    inside = database.found
    if inside is not None:
        components[0] = _component("database", database, **inside.database)
        components.append(Component("queues", "ok", figures=inside.queues))
        components.append(Component("business", "ok", figures=inside.business))
    if replica is not None:
        lag = {} if replica.found is None else {"replica_lag_s": replica.found}
        components.append(_component("replica", replica, **lag))
    components += [
        _component(name, answer)
        for name, answer in (("redis", redis), ("application", application))
        if answer is not None
    ]
    return Health(
        status=verdict(components),
        at=datetime.now(UTC),
        components=components,
        workers=() if inside is None else inside.workers,
    )


@dataclass(frozen=True, slots=True)
class _Answer(Generic[Found]):
    """What asking came to: something found, or why not."""

    found: Found | None
    trouble: str
    took_s: float


async def _ask(
    ask: Callable[[], Awaitable[Found]] | None, timeout_s: float
) -> _Answer[Found] | None:
    if ask is None:
        return None
    started = time.perf_counter()
    found, trouble = None, ""
    try:
        async with asyncio.timeout(timeout_s):
            found = await ask()
    except TROUBLE as error:
        # Not the text alone: a time-out has none. Not the address: it may hold a password.
        trouble = f"{type(error).__name__}: {error}".partition("\n")[0]
    return _Answer(found, trouble, time.perf_counter() - started)


def _component(name: str, answer: _Answer[Found], **figures: float) -> Component:
    if answer.trouble:
        return Component(name, "down", answer.trouble, {f"{name}_up": 0.0})
    measured = {f"{name}_up": 1.0, f"{name}_latency_ms": round(answer.took_s * 1e3, 3), **figures}
    return Component(name, "ok", figures=measured)
