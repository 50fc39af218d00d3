"""Answers kept in this process: bounded, the least recently used go first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from reference_app.cache.store import Entry

OVERHEAD_BYTES = 500
"""What an entry takes beside its key and body: objects, the dictionary's slot."""


class MemoryStore:
    """A store of one process.

    Args:
        limit_bytes: What bodies, keys and overhead may take together.
        clock: Seconds that only go forward.
    """

    def __init__(self, limit_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._kept: OrderedDict[str, tuple[Entry, float]] = OrderedDict()
        self.used_bytes = 0

    async def get(self, key: str) -> Entry | None:
        """See :class:`reference_app.cache.store.Store`."""
        found = self._kept.get(key)
        if found is None:
            return None
        entry, ends_at = found
        if self._clock() >= ends_at:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return entry

    async def put(self, key: str, entry: Entry, lifetime_s: int) -> None:
        """See :class:`reference_app.cache.store.Store`; what is larger than all is not kept."""
        if key in self._kept:
            self._drop(key)
        size = _size(key, entry)
        if size > self._limit_bytes:
            return
        while self.used_bytes + size > self._limit_bytes:
            self._drop(next(iter(self._kept)))
        self._kept[key] = entry, self._clock() + lifetime_s
        self.used_bytes += size

    def __len__(self) -> int:
        return len(self._kept)

    def _drop(self, key: str) -> None:
        entry, _ = self._kept.pop(key)
        self.used_bytes -= _size(key, entry)


def _size(key: str, entry: Entry) -> int:
    return len(key) + len(entry.body) + OVERHEAD_BYTES
