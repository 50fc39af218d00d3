"""Was the machine's clock set while we measured?

Our own times are of the monotonic clock, which nobody can set. The stamps of logs, and what a
system does by the clock (tokens, leases, caches), are of the other one.
"""

from __future__ import annotations

import time
from typing import Final

_PATIENCE_NS: Final = 200_000
"""Two readings further apart were interrupted; reading again is cheap."""

_TRIES: Final = 5


class WallClock:
    """Compares the two clocks."""

    def __init__(self) -> None:
        self._ahead_ns = _ahead_ns()

    def moved_s(self) -> float:
        """How far the wall clock moved against the monotonic one since the last call."""
        ahead_ns = _ahead_ns()
        moved_ns = ahead_ns - self._ahead_ns
        self._ahead_ns = ahead_ns
        return moved_ns / 1e9


def _ahead_ns() -> int:
    """Wall clock minus monotonic clock, from the two readings that were closest together."""
    best_ns, ahead_ns = 1 << 62, 0
    for _ in range(_TRIES):
        before = time.monotonic_ns()
        wall = time.time_ns()
        apart_ns = time.monotonic_ns() - before
        if apart_ns < best_ns:
            best_ns, ahead_ns = apart_ns, wall - before - apart_ns // 2
        if apart_ns < _PATIENCE_NS:
            break
    return ahead_ns
