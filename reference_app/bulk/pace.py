"""No more than so many items a second, over everything one worker does at a time. Pure."""

from __future__ import annotations


class Pace:
    """When the next items may be worked on.

    Args:
        per_s: Items a second.
    """

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._free_at = float("-inf")

    def wait_s(self, items: int, now: float) -> float:
        """Take the next place for ``items`` and say how long to wait for it.

        Args:
            items: How many will be worked on at once.
            now: Seconds of a clock that only goes forward.

        Returns:
            Seconds until they may be; 0 when nothing was done for a while. Idle time is not saved
            up: after it comes one chunk, and then the pace again.
        """
        begins = max(now, self._free_at)
        self._free_at = begins + items / self._per_s
        return begins - now
