"""Measuring the clocks of workers: the master asks, each worker says what time it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent.event import AsyncResult

from palier.load.clock_offset import ClockOffset, RoundTrip, offset_of

TRIPS: Final = 25
"""Some meet a busy processor; one in this many does not."""

PATIENCE_S: Final = 1.0
"""For one round trip: a worker that is slower than this cannot be measured with."""


class Clocks:
    """Asks workers for their clocks.

    Args:
        ask: Sends a ping to a client of Locust: (client id, number of the ping).
    """

    def __init__(self, ask: Callable[[str, int], None]) -> None:
        self._ask = ask
        self._number = 0
        self._waiting: dict[int, AsyncResult] = {}

    def answer(self, data: dict[str, Any]) -> None:
        """A worker has said what time it is."""
        received_ns = time.monotonic_ns()
        waiting = self._waiting.pop(data["number"], None)
        if waiting is not None:
            waiting.set((data["clock_ns"], received_ns))

    def measure(self, client: str, trips: int = TRIPS) -> ClockOffset | None:
        """The offset of a worker's clock; None when it does not answer."""
        made = []
        for _ in range(trips):
            self._number += 1
            number, answer = self._number, AsyncResult()
            self._waiting[number] = answer
            sent_ns = time.monotonic_ns()
            self._ask(client, number)
            try:
                answered_ns, received_ns = answer.get(timeout=PATIENCE_S)
            except gevent.Timeout:
                self._waiting.pop(number, None)
                break
            made.append(RoundTrip(sent_ns, answered_ns, received_ns))
        return offset_of(made) if made else None
