"""The caches of the phases (B-190 to B-195).

What is kept is the same for every learner and follows from its key alone: the correction of a
text, an exercise, an explanation. So nothing has to be thrown away when somebody writes; an
operator who changes an exercise or an explanation waits for its lifetime, or starts the
application again (docs/decisions/0098-caches-of-the-phases.md).

    none      nothing is kept
    simple    phase 1: one map for everything, 5 minutes, no limit
    bounded   phase 2: a map for each kind with a lifetime and a limit
    levels    phase 3: those of phase 2, then Redis; the web cache stands before both
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import msgspec

from reference_app.cache.flights import Flights
from reference_app.fluide.keeping import Shelf
from reference_app.metrics import CacheCounters
from reference_app.remote import Remote, RemoteAwayError

Value = TypeVar("Value")

Mode = Literal["none", "simple", "bounded", "levels"]

Level = Literal["process", "redis", "origin"]

SIMPLE_LIFETIME_S: Final = 5 * 60
"""B-190."""

LAYOUT: Final = "learning:1:"
"""Before every key in Redis; the number changes with the layout of what is kept."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is kept together.

    Attributes:
        name: First part of the keys, and the label of the metrics.
        lifetime_s: How long an entry is kept, in phases 2 and 3.
        entries_max: How many there are in a process, in phases 2 and 3.
        keeps: Type of the values.
    """

    name: str
    lifetime_s: int
    entries_max: int
    keeps: Any


class LearningCache:
    """The way to what is kept, and to where it comes from.

    Args:
        mode: The switch of the deployment.
        kinds: Everything there is to keep.
        counters: Of hits and misses.
        remote: The Redis of ``levels``.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        mode: Mode,
        kinds: tuple[Kind, ...],
        counters: CacheCounters,
        *,
        remote: Remote | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if mode == "levels" and remote is None:
            raise ValueError("variant learning_cache: levels needs the setting redis_url")
        self._counters = counters
        self._remote = remote if mode == "levels" else None
        self._shelves: dict[str, Shelf] = {}
        if mode == "simple":
            self._shelves = dict.fromkeys(
                (kind.name for kind in kinds), Shelf(SIMPLE_LIFETIME_S, clock=clock)
            )
        elif mode != "none":
            self._shelves = {
                kind.name: Shelf(kind.lifetime_s, kind.entries_max, clock) for kind in kinds
            }
        self._decoders = {kind.name: msgspec.msgpack.Decoder(kind.keeps) for kind in kinds}
        self._flights: Flights[tuple[Any, Level]] = Flights()

    async def find(
        self, kind: Kind, key: str, load: Callable[[], Awaitable[Value]]
    ) -> tuple[Value, Level]:
        """The value of a key, and where it was found.

        Args:
            kind: What it is.
            key: Which one.
            load: Makes it. None is not kept: it may be there the next time.
        """
        shelf = self._shelves.get(kind.name)
        if shelf is None:
            return await load(), "origin"
        found = shelf.get((kind.name, key))
        if found is not None:
            self._counters.hit(kind.name)
            return found, "process"
        value, level = await self._flights.join(
            (kind.name, key), lambda: self._fetch(kind, key, load)
        )
        if level == "origin":
            self._counters.miss(kind.name)
        else:
            self._counters.hit(kind.name)
        if value is not None:
            shelf.put((kind.name, key), value)
        return value, level

    async def close(self) -> None:
        """Wait for the loads under way."""
        await self._flights.finish()

    async def _fetch(
        self, kind: Kind, key: str, load: Callable[[], Awaitable[Any]]
    ) -> tuple[Any, Level]:
        if self._remote is None:
            return await load(), "origin"
        name = f"{self._remote.prefix}{LAYOUT}{kind.name}:{key}"
        try:
            kept = await self._remote.ask("GET", name)
            if isinstance(kept, bytes):
                return self._decoders[kind.name].decode(kept), "redis"
        except (RemoteAwayError, msgspec.DecodeError):
            self._counters.error(kind.name)
        value = await load()
        if value is not None:
            try:
                await self._remote.ask(
                    "SET", name, msgspec.msgpack.encode(value), "EX", kind.lifetime_s
                )
            except RemoteAwayError:
                self._counters.error(kind.name)
        return value, "origin"
