"""Histograms of a whole run while it is going on: a compact sum of everything the loaders say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Name = tuple[str, str, str]
"""Operation, outcome, clock."""

_BUCKET_BITS: Final = 20
_NAME_BITS: Final = 20
"""A second, a name and a bucket in one whole number of 64 bits; 20 bits hold any duration's bucket
(``palier.load.histogram``) and more operations than anybody has."""

_FOLD_AT: Final = 100_000
"""Rows that are kept as Python objects until they are folded: some 20 MB."""


class BucketCounts:
    """Counts by second, operation, outcome, clock and bucket; 16 bytes for each."""

    def __init__(self) -> None:
        self._codes: dict[Name, int] = {}
        self._pending: dict[int, int] = {}
        self._folded: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []

    def add(self, second: int, name: Name, buckets: Mapping[str, int]) -> None:
        """Add the counts of one histogram; JSON has the buckets as text."""
        code = self._codes.setdefault(name, len(self._codes))
        base = (second << _NAME_BITS | code) << _BUCKET_BITS
        pending = self._pending
        for text, count in buckets.items():
            key = base | int(text)
            pending[key] = pending.get(key, 0) + count
        if len(pending) >= _FOLD_AT:
            self._fold()

    def frame(self) -> pd.DataFrame:
        """Columns second, operation, outcome, clock, bucket, count; one row for each bucket that
        holds something, sorted."""
        self._fold()
        keys, counts = _summed(self._folded)
        self._folded = [(keys, counts)]
        names = list(self._codes)
        # Codes in the order of their names, so that sorting by code is sorting by name.
        order = sorted(range(len(names)), key=names.__getitem__)
        rank = np.empty(len(names), dtype=np.int64)
        rank[order] = np.arange(len(names))
        code = rank[(keys >> _BUCKET_BITS) & ((1 << _NAME_BITS) - 1)]
        second = keys >> (_NAME_BITS + _BUCKET_BITS)
        bucket = keys & ((1 << _BUCKET_BITS) - 1)
        rows = np.lexsort((bucket, code, second))
        operation, outcome, clock = (
            np.array([names[one][part] for one in order], dtype=object) for part in range(3)
        )
        at = code[rows]
        return pd.DataFrame(
            {
                "second": second[rows],
                "operation": operation[at],
                "outcome": outcome[at],
                "clock": clock[at],
                "bucket": bucket[rows],
                "count": counts[rows],
            }
        )

    def _fold(self) -> None:
        if not self._pending:
            return
        size = len(self._pending)
        keys = np.fromiter(self._pending.keys(), dtype=np.int64, count=size)
        counts = np.fromiter(self._pending.values(), dtype=np.int64, count=size)
        self._folded.append((keys, counts))
        self._pending.clear()


def _summed(
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each key once, with the sum of its counts."""
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    keys = np.concatenate([part[0] for part in parts])
    counts = np.concatenate([part[1] for part in parts])
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[first], np.add.reduceat(counts, first)
