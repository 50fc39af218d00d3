"""How the loader itself is doing: its event loop, its processor time."""

from __future__ import annotations

import time
from typing import Final

import gevent

PROBE_S: Final = 0.02
"""The event loop is asked this often whether it is late; a longer stand-still is seen whole."""


class Vitals:
    """Measures between two lines."""

    def __init__(self) -> None:
        self._loop_delay_max_s = 0.0
        self._cpu_s = time.process_time()
        self._asleep_since: float | None = None

    def watch_loop(self) -> None:
        """Sleep and see how late the waking is; runs until it is killed."""
        while True:
            self._asleep_since = time.monotonic()
            gevent.sleep(PROBE_S)
            late_s = time.monotonic() - self._asleep_since - PROBE_S
            self._loop_delay_max_s = max(self._loop_delay_max_s, late_s)

    def since_last(self, *, sessions: int) -> dict[str, float]:
        """The ``health`` of a line; starts afresh.

        Args:
            sessions: Sessions in progress.
        """
        cpu_s = time.process_time()
        if self._asleep_since is not None:
            # The reporter may run first after a stand-still: it belongs to this line.
            late_s = time.monotonic() - self._asleep_since - PROBE_S
            self._loop_delay_max_s = max(self._loop_delay_max_s, late_s)
        health = {
            "loop_delay_max_ms": round(self._loop_delay_max_s * 1000, 3),
            "cpu_s": round(cpu_s - self._cpu_s, 6),
            "sessions": sessions,
        }
        self._loop_delay_max_s = 0.0
        self._cpu_s = cpu_s
        return health
