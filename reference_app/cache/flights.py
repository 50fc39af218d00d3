"""One load for everybody who wants the same thing at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Loaded = TypeVar("Loaded")


class Flights(Generic[Loaded]):
    """Loads under way, by what they load.

    A load that fails fails for those who waited for it, and the next one begins anew; a load for
    one key never waits for another's.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[Loaded]] = {}

    async def join(self, key: Hashable, load: Callable[[], Awaitable[Loaded]]) -> Loaded:
        """The result of the load under way for ``key``, or of ``load``, begun now.

        Raises:
            Exception: What the load raised.
        """
        flight = self._under_way.get(key)
        if flight is None:
            flight = asyncio.create_task(_run(load))
            self._under_way[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # Shielded: who goes away must not end it for the others.
        return await asyncio.shield(flight)

    async def finish(self) -> None:
        """Wait for what is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    def _land(self, key: Hashable, flight: asyncio.Task[Loaded]) -> None:
        del self._under_way[key]
        if not flight.cancelled():
            flight.exception()  # known to those who waited, if any is still there


async def _run(load: Callable[[], Awaitable[Loaded]]) -> Loaded:
    return await load()
