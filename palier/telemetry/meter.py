"""What every meter of a component can do, and counters as rates."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping

import psycopg
import redis

NO_ANSWER = (psycopg.Error, redis.RedisError, http.client.HTTPException, OSError)
"""What reading a component raises when it is gone, stopped, or in trouble."""


class Meter:
    """Reads the statistics that one component keeps of itself; everything but ``cut`` belongs to
    one thread. What it raises when the component does not answer is in ``NO_ANSWER``; the next
    reading tries again."""

    def start(self) -> None:
        """Called once, before the first reading."""

    def read(self, now_s: float) -> Iterator[tuple[str, float]]:
        """Yield (name, value); rates from the second reading on."""
        raise NotImplementedError

    def finish(self) -> None:
        """Called once, after the last reading."""

    def cut(self) -> None:
        """End a reading that hangs, from another thread. Not needed where readings time out."""

    def close(self) -> None:
        """Give back what is open."""


class Rates:
    """Turns counters into what they grow by per second."""

    def __init__(self) -> None:
        self._last: tuple[float, dict[str, float]] | None = None

    def of(self, now_s: float, counters: Mapping[str, float]) -> Iterator[tuple[str, float]]:
        """Yield a rate for each counter, from the second call on; a restart is no growth."""
        last, self._last = self._last, (now_s, dict(counters))
        if last is None or now_s <= last[0]:
            return
        for name, value in counters.items():
            yield name, max(0.0, value - last[1].get(name, value)) / (now_s - last[0])

    def forget(self) -> None:
        """Begin again: what comes next may be another counter's."""
        self._last = None
