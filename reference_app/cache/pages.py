"""Ready answers, kept until their owner's rows change or their lifetime ends."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import psycopg

from reference_app.cache.families import Family
from reference_app.cache.flights import Flights
from reference_app.cache.store import Entry, Store, StoreError
from reference_app.cache.versions import VersionReader
from reference_app.conditional import Representation, represent
from reference_app.metrics import CacheCounters

EAGERNESS = 1.0
"""How early answers are renewed; 1 is best for exponentially distributed load times.
Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention",
PVLDB 8(8), 2015, section 3."""

logger = logging.getLogger("reference_app")


class PageCache:
    """The way to an answer: from the store if it is still true, else from the loader.

    Args:
        store: Where answers are kept.
        versions: Says which of them are still true.
        counters: Of hits, misses and errors.
        clock: Seconds since the epoch, the same for all processes.
        chance: Uniform on [0, 1).
    """

    def __init__(
        self,
        store: Store,
        versions: VersionReader,
        counters: CacheCounters,
        *,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._versions = versions
        self._counters = counters
        self._clock = clock
        self._chance = chance
        self._flights: Flights[Entry] = Flights()
        self._said_unversioned = False

    async def find(
        self, family: Family, owner: UUID, key: str, load: Callable[[], Awaitable[Any]]
    ) -> tuple[Representation, bool]:
        """The answer, and whether it was kept.

        Args:
            family: Gives the lifetime.
            owner: Whose rows it is made from.
            key: From :meth:`Family.key`.
            load: Makes the answer from the database, in statements that begin after the call.

        Raises:
            Exception: What ``load`` raises; nothing is kept then.
            psycopg.Error: The version could not be read.
        """
        try:
            version = await self._versions.version_of(owner)
        except psycopg.errors.UndefinedTable:
            return await self._without(family, load), False
        entry = await self._kept(family, key)
        if entry is not None and entry.version == version and not self._renews(entry, family):
            self._counters.hit(family.name)
            return Representation(entry.body, entry.etag), True
        self._counters.miss(family.name)
        # The version is part of what is wanted: who comes after a write must not get a ride with
        # a load that began before it.
        entry = await self._flights.join(
            (key, version), lambda: self._load(family, key, version, load)
        )
        return Representation(entry.body, entry.etag), False

    async def close(self) -> None:
        """Wait for the loads under way."""
        await self._flights.finish()

    async def _load(
        self, family: Family, key: str, version: UUID, load: Callable[[], Awaitable[Any]]
    ) -> Entry:
        started = time.perf_counter()
        made = represent(await load())
        load_s = time.perf_counter() - started
        entry = Entry(version, self._clock(), load_s, made.etag, made.body)
        try:
            await self._store.put(key, entry, family.lifetime_s)
        except StoreError:
            self._counters.error(family.name)
        return entry

    async def _kept(self, family: Family, key: str) -> Entry | None:
        try:
            return await self._store.get(key)
        except StoreError:
            self._counters.error(family.name)
            return None

    def _renews(self, entry: Entry, family: Family) -> bool:
        """Whether this request renews an answer that is about to end, so that not all do later.

        The nearer the end and the longer the load, the likelier; see ``EAGERNESS``.
        """
        left_s = entry.made_at_s + family.lifetime_s - self._clock()
        # 1 - chance lies in (0, 1], where the logarithm is defined
        return left_s <= -entry.load_s * EAGERNESS * math.log(1.0 - self._chance())

    async def _without(self, family: Family, load: Callable[[], Awaitable[Any]]) -> Representation:
        if not self._said_unversioned:
            self._said_unversioned = True
            logger.error(
                "nothing is cached: the database was migrated for a variant without a cache; "
                "run reference_app.migrate with the variant of this application"
            )
        self._counters.error(family.name)
        return represent(await load())
