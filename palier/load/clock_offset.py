"""How far another machine's clock is ahead of ours, from messages there and back.

The other's answer was given at some instant between our sending and our receiving. Taking the
middle is wrong by half the round trip at most, so of several the shortest tells the most.

Source: D. L. Mills (1991), Internet Time Synchronization, IEEE Trans. Commun. 39(10), 1482-1493.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A message there and back; instants of CLOCK_MONOTONIC in nanoseconds.

    Attributes:
        sent_ns: On our clock.
        answered_ns: On the other's.
        received_ns: On our clock.
    """

    sent_ns: int
    answered_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """What round trips tell of another clock.

    Attributes:
        offset_ns: The other's clock minus ours.
        bound_ns: How wrong that can be.
    """

    offset_ns: int
    bound_ns: int

    @property
    def ahead_ns(self) -> int:
        """What to add to our instants for the other: nothing while the two may be one clock, as
        those of processes of one machine are. Clocks of two machines count from when each was
        started, so they are further apart than any message takes."""
        return 0 if abs(self.offset_ns) <= self.bound_ns else self.offset_ns


def offset_of(trips: Iterable[RoundTrip]) -> ClockOffset:
    """The offset that the shortest round trip gives.

    Raises:
        ValueError: There is none.
    """
    best = min(trips, key=lambda trip: trip.received_ns - trip.sent_ns)
    length_ns = best.received_ns - best.sent_ns
    middle_ns = best.sent_ns + length_ns // 2
    return ClockOffset(best.answered_ns - middle_ns, length_ns - length_ns // 2)
