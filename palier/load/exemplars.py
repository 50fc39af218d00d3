"""Which single requests are worth keeping: the slowest, and the first of each way to fail."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict

SLOWEST_KEPT = 20
"""Slowest requests kept for each operation."""

FAILURES_KEPT = 5
"""Failures kept for each operation and message."""

MESSAGES_KEPT = 50
"""Different failure messages kept for each operation: a server that puts an id into each of them
must not fill the disk."""


class ExemplarChoice:
    """Decides one request at a time; once for each loader, once more over all of them."""

    def __init__(self) -> None:
        self._slowest: defaultdict[str, list[int]] = defaultdict(list)
        self._failures: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def keeps(self, operation: str, response_us: int, outcome: str, message: str) -> bool:
        """True for a request among the slowest so far, or the first to fail in its way."""
        slowest = self._slowest[operation]
        if len(slowest) < SLOWEST_KEPT:
            heapq.heappush(slowest, response_us)
            among_slowest = True
        elif response_us > slowest[0]:
            heapq.heapreplace(slowest, response_us)
            among_slowest = True
        else:
            among_slowest = False
        if outcome == "succeeded":
            return among_slowest
        return self._fails_anew(operation, message) or among_slowest

    def _fails_anew(self, operation: str, message: str) -> bool:
        seen = self._failures[operation]
        if message not in seen and len(seen) >= MESSAGES_KEPT:
            return False
        seen[message] += 1
        return seen[message] <= FAILURES_KEPT
