"""One timer for the time limits of all requests.

All requests of a client have the same limit, so they fall due in the order in which they began: a
dictionary, which keeps that order, is the whole queue. To begin and to end costs two dictionary
operations; a timer of the event loop for each request costs as much as sending it (measured in
docs/decisions/0062-a-lean-client.md).
"""

from __future__ import annotations

import time
from typing import Any, Final

import gevent

from scenarios.client.errors import TimeIsUp

_AT_LEAST_S: Final = 0.001
"""The event loop counts in milliseconds; a shorter wait could fire early, again and again."""


class Deadlines:
    """Throws ``TimeIsUp`` into greenlets whose request takes longer than the limit.

    A greenlet that waits has put itself into ``waiting``, with the instant (``time.monotonic_ns``)
    at which its time is up, has called ``watch``, and takes itself out when it is done. Instants
    never get earlier.

    Args:
        limit_s: The limit.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_ns: Final = round(limit_s * 1e9)
        self.waiting: dict[Any, int] = {}
        self.armed = False
        self._timer: Any = None

    def watch(self) -> None:
        """See to it that the first of those who wait is not forgotten; when ``armed``, it is so."""
        if not self.armed:
            self._arm(next(iter(self.waiting.values())) - time.monotonic_ns())

    def close(self) -> None:
        """Let go of the event loop."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _arm(self, left_ns: int) -> None:
        self.close()
        self._timer = gevent.get_hub().loop.timer(max(left_ns / 1e9, _AT_LEAST_S), ref=False)
        self._timer.start(self._expire)
        self.armed = True

    def _expire(self) -> None:
        # A loop that was held up finds this timer due together with answers that have long come.
        # Those first: callbacks run after what the loop has found ready.
        gevent.get_hub().loop.run_callback(self._throw)

    def _throw(self) -> None:
        # In the hub: each throw runs its greenlet until it waits again, or ends.
        self.armed = False
        while self.waiting:
            greenlet, due_ns = next(iter(self.waiting.items()))
            left_ns = due_ns - time.monotonic_ns()
            if left_ns > 0:
                self._arm(left_ns)
                return
            del self.waiting[greenlet]
            greenlet.throw(TimeIsUp)
