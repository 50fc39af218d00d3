"""Stand-stills of the event loop, each with what the loader was doing meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import gevent

from scenarios.vitals.collector import CollectorWatch
from scenarios.vitals.kernel import Kernel, Spent

PROBE_S: Final = 0.02
"""The event loop is asked this often whether it is late; a longer stand-still is seen whole."""

WORTH_SAYING_S: Final = 0.005
"""Shorter ones are the ordinary work of the loop. The limits of the analysis are higher."""


@dataclass(frozen=True, slots=True)
class Stall:
    """One stand-still.

    Attributes:
        late_s: How late the loop was.
        cause: ``collector``, ``own_code``, ``core`` (another process had our core), ``host``
            (the machine below this virtual one had it), ``stopped`` (we neither ran nor waited for
            a core), or ``unknown`` where the system does not tell.
    """

    late_s: float
    cause: str


class StallWatch:
    """Sleeps and sees how late the waking is.

    Args:
        kernel: Says where the time went.
        collector: Says what the collector took.
    """

    def __init__(self, kernel: Kernel, collector: CollectorWatch) -> None:
        self._kernel = kernel
        self._collector = collector
        self._asleep_since: float | None = None
        self._before = kernel.spent()
        self._collected_s = 0.0
        self._stolen_s = kernel.stolen_s()
        self._longest_s = 0.0
        self._stalls: list[Stall] = []

    def watch(self) -> None:
        """Runs until it is killed."""
        while True:
            self._fall_asleep()
            gevent.sleep(PROBE_S)
            self._note()

    def since_last(self) -> tuple[float, list[Stall]]:
        """The longest delay and the stand-stills since the last call."""
        if self._asleep_since is not None:
            # The reporter may run first after a stand-still: it belongs to this line.
            self._note()
            self._fall_asleep(self._asleep_since)
        self._stolen_s = self._kernel.stolen_s()
        told = self._longest_s, self._stalls
        self._longest_s, self._stalls = 0.0, []
        return told

    def _fall_asleep(self, since: float | None = None) -> None:
        self._before = self._kernel.spent()
        self._collected_s = self._collector.total_s
        self._asleep_since = time.monotonic() if since is None else since

    def _note(self) -> None:
        assert self._asleep_since is not None  # whoever notes has slept
        late_s = time.monotonic() - self._asleep_since - PROBE_S
        self._longest_s = max(self._longest_s, late_s)
        if late_s > WORTH_SAYING_S:
            after = self._kernel.spent()
            collected_s = self._collector.total_s - self._collected_s
            cause = cause_of(late_s, self._before, after, collected_s, self._stolen())
            self._stalls.append(Stall(late_s, cause))

    def _stolen(self) -> float:
        """Since the last line or stand-still: asking every time would cost more than it tells."""
        before, self._stolen_s = self._stolen_s, self._kernel.stolen_s()
        return 0.0 if before is None or self._stolen_s is None else self._stolen_s - before


def cause_of(
    late_s: float, before: Spent, after: Spent, collected_s: float, stolen_s: float
) -> str:
    """What took most of a stand-still. To a virtual machine's kernel, a core that its host has
    taken is one that somebody else uses."""
    took_s = {
        "collector": collected_s,
        "own_code": after.running_s - before.running_s - collected_s,
    }
    rest = "unknown"
    if before.waiting_s is not None and after.waiting_s is not None:
        waited_s = after.waiting_s - before.waiting_s
        took_s["host"] = min(stolen_s, waited_s)
        took_s["core"] = waited_s - took_s["host"]
        rest = "stopped"
    took_s[rest] = late_s - sum(took_s.values())
    return max(took_s, key=lambda name: took_s[name])
