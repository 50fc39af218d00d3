"""The clock of a run: whole microseconds from t0, an instant of CLOCK_MONOTONIC."""

from __future__ import annotations

import time

import gevent

from palier.load.chance import MICROSECONDS


class RunClock:
    """Offsets of one run.

    Args:
        t0_ns: Start of the run, an instant of CLOCK_MONOTONIC.
    """

    __slots__ = ("t0_ns",)

    def __init__(self, t0_ns: int) -> None:
        self.t0_ns = t0_ns

    def us_of(self, instant_ns: int) -> int:
        """Offset of an instant of CLOCK_MONOTONIC."""
        return (instant_ns - self.t0_ns) // 1000

    def ns_of(self, at_us: int) -> int:
        """Instant of CLOCK_MONOTONIC of an offset."""
        return self.t0_ns + at_us * 1000

    def now_us(self) -> int:
        """Offset of this moment."""
        return (time.monotonic_ns() - self.t0_ns) // 1000

    def sleep_until(self, at_us: int) -> None:
        """Let others run until then: a timer may fire a little early, and this does not."""
        while (left_us := at_us - self.now_us()) > 0:
            gevent.sleep(left_us / MICROSECONDS)
