"""From the lines of all loaders to the files of a run. Merging is adding: nothing is averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from palier.load.archive import HISTOGRAM_COLUMNS
from palier.load.chance import MICROSECONDS
from palier.load.exemplars import ExemplarChoice
from palier.load.ledger import Key, LedgerBook
from palier.load.tail import Line

_KEYS = ["second", "operation", "outcome", "clock", "bucket"]


class Merger:
    """Adds up lines.

    Args:
        planned: Planned requests, from ``Schedule.planned_counts``.
    """

    def __init__(self, planned: Mapping[Key, int]) -> None:
        self._book = LedgerBook(planned)
        self._names: list[tuple[int, str, str, str]] = []
        self._buckets: list[Mapping[str, int]] = []
        self._exemplars: list[dict[str, Any]] = []
        self.observations: dict[str, float] = {}
        self.tallies: dict[str, tuple[int, int]] = {}

    def add(self, line: Line) -> None:
        """Add one line of one loader."""
        for second, operation, counts in line["ledger"]:
            self._book.add(second, operation, counts)
        for second, operation, outcome, clock, buckets in line["histograms"]:
            self._names.append((second, operation, outcome, clock))
            self._buckets.append(buckets)
        for exemplar in line["exemplars"]:
            self._exemplars.append({**exemplar, "worker": line["worker"]})
        for name, value in line.get("observations", {}).items():
            self.observations[name] = max(value, self.observations.get(name, value))
        for name, (yes, asked) in line.get("tallies", {}).items():
            before = self.tallies.get(name, (0, 0))
            self.tallies[name] = (before[0] + yes, before[1] + asked)

    def ledger(self) -> pd.DataFrame:
        """Columns of ``LEDGER_COLUMNS``."""
        return self._book.frame()

    def histograms(self) -> pd.DataFrame:
        """Columns of ``HISTOGRAM_COLUMNS``; one row for each bucket that holds something."""
        lengths = [len(buckets) for buckets in self._buckets]
        names = pd.DataFrame(self._names, columns=_KEYS[:4])
        rows = names.loc[names.index.repeat(lengths)].reset_index(drop=True)
        rows["bucket"] = np.array([int(b) for one in self._buckets for b in one], dtype=np.int64)
        rows["count"] = np.array([n for one in self._buckets for n in one.values()], dtype=np.int64)
        counts = rows.groupby(_KEYS, sort=True)["count"].sum()
        return counts.reset_index()[list(HISTOGRAM_COLUMNS)]

    def exemplars(self) -> list[dict[str, Any]]:
        """The slowest and the failed of all loaders, in the order of their start."""
        choice = ExemplarChoice()
        kept = [
            exemplar
            for exemplar in sorted(self._exemplars, key=lambda e: -e["response_s"])
            if choice.keeps(
                exemplar["operation"],
                round(exemplar["response_s"] * MICROSECONDS),
                exemplar["outcome"],
                exemplar["message"],
            )
        ]
        return sorted(kept, key=lambda e: (e["started_s"], e["operation"]))
