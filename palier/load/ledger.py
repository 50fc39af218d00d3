"""The ledger while it is written: what became of every planned request.

Kept by the second in which a request was *planned*, not by when it was sent: a stall must not
move requests out of the second that was promised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from palier.load.archive import LEDGER_COLUMNS, LEDGER_COUNTS
from palier.load.outcome import OUTCOMES, SKIP_REASONS

Key = tuple[int, str]
"""Planned second and operation."""

REPORTED = ("started", *OUTCOMES, *(f"skipped_{reason}" for reason in SKIP_REASONS))
"""What a loader counts. It never says ``planned``: that comes from the schedule, so a loader
that forgets a request cannot hide it. ``skipped`` is the sum of its reasons."""


class LedgerBook:
    """Counts by planned second and operation; books of several loaders add up.

    Args:
        planned: Planned requests, from ``Schedule.planned_counts``.
    """

    def __init__(self, planned: Mapping[Key, int]) -> None:
        self._planned = dict(planned)
        self._counts: dict[Key, Counter[str]] = {}

    def add(self, second: int, operation: str, counts: Mapping[str, int]) -> None:
        """Add a loader's counts.

        Raises:
            ValueError: A count is not one of ``REPORTED``, or negative.
        """
        for name, count in counts.items():
            if name not in REPORTED or count < 0:
                raise ValueError(f"ledger of {operation} at {second} s: {name} = {count}")
        self._counts.setdefault((second, operation), Counter()).update(counts)

    def merge(self, other: LedgerBook) -> None:
        """Add another book: what was planned, and what was counted."""
        for key, planned in other._planned.items():
            self._planned[key] = self._planned.get(key, 0) + planned
        for (second, operation), counts in other._counts.items():
            self.add(second, operation, counts)

    def frame(self) -> pd.DataFrame:
        """The table: one row for each second and operation that was planned or counted."""
        rows = []
        for key in sorted(self._planned.keys() | self._counts.keys()):
            counts = self._counts.get(key, Counter())
            skipped = sum(counts[f"skipped_{reason}"] for reason in SKIP_REASONS)
            row = {**dict.fromkeys(LEDGER_COUNTS, 0), **counts, "skipped": skipped}
            row["planned"] = self._planned.get(key, 0)
            rows.append({"second": key[0], "operation": key[1], **row})
        return pd.DataFrame(rows, columns=list(LEDGER_COLUMNS))


def closes(ledger: pd.DataFrame) -> bool:
    """True when both identities hold in every row: nothing planned is unaccounted for.

    Args:
        ledger: Columns of ``LEDGER_COLUMNS``.
    """
    ended = ledger[list(OUTCOMES)].sum(axis=1)
    reasons = ledger[[f"skipped_{reason}" for reason in SKIP_REASONS]].sum(axis=1)
    return bool(
        (ledger["planned"] == ledger["started"] + ledger["skipped"]).all()
        and (ledger["started"] == ended).all()
        and (ledger["skipped"] == reasons).all()
    )
