"""What the service for learners keeps in this process: by lifetime, and by number of entries."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Shelf:
    """A map whose entries have a lifetime.

    With a limit, the least recently used goes when it is full (B-194). Without one nothing goes
    before its time (B-190).

    Args:
        lifetime_s: How long an entry is kept.
        entries_max: How many there are at most; None for no limit.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        lifetime_s: float,
        entries_max: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lifetime_s = lifetime_s
        self._entries_max = entries_max
        self._clock = clock
        self._kept: OrderedDict[Hashable, tuple[Any, float]] = OrderedDict()

    def get(self, key: Hashable) -> Any | None:
        """The value of a key, or None."""
        found = self._kept.get(key)
        if found is None:
            return None
        value, ends_at = found
        if self._clock() >= ends_at:
            del self._kept[key]
            return None
        if self._entries_max is not None:
            self._kept.move_to_end(key)
        return value

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a value, which is not None, in the place of the one before."""
        now = self._clock()
        self._kept.pop(key, None)
        if self._entries_max is None:
            # All live equally long and none is moved, so the oldest stand first.
            while self._kept and next(iter(self._kept.values()))[1] <= now:
                self._kept.popitem(last=False)
        elif len(self._kept) >= self._entries_max:
            self._kept.popitem(last=False)
        self._kept[key] = value, now + self._lifetime_s

    def __len__(self) -> int:
        return len(self._kept)
