"""From the lines of all loaders to the files of a run. Merging is adding: nothing is averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from palier.load.archive import HISTOGRAM_COLUMNS
from palier.load.bucket_counts import BucketCounts
from palier.load.chance import MICROSECONDS
from palier.load.exemplars import ExemplarChoice
from palier.load.handover import LOST_MESSAGE, Handover
from palier.load.histogram import bucket_of
from palier.load.ledger import Key, LedgerBook
from palier.load.recorder import Sent
from palier.load.schedule import Schedule
from palier.load.tail import Line


class Merger:
    """Adds up lines.

    Args:
        planned: Planned requests, from ``Schedule.planned_counts``.
    """

    def __init__(self, planned: Mapping[Key, int]) -> None:
        self._book = LedgerBook(planned)
        self._buckets = BucketCounts()
        self._exemplars: list[dict[str, Any]] = []
        self.observations: dict[str, float] = {}
        self.tallies: dict[str, tuple[int, int]] = {}

    def add(self, line: Line) -> None:
        """Add one line of one loader."""
        for second, operation, counts in line["ledger"]:
            self._book.add(second, operation, counts)
        for second, operation, outcome, clock, buckets in line["histograms"]:
            self._buckets.add(second, (operation, outcome, clock), buckets)
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

    def add_lost(self, handover: Handover, schedule: Schedule, *, seen_us: int) -> None:
        """Account for what a lost loader had planned and not reported.

        Args:
            handover: What that is.
            schedule: The schedule of the run.
            seen_us: When it was last heard: its requests in flight had lasted so long by then.
        """
        for (second, operation), count in handover.lost.items():
            self._book.add(second, operation, {"skipped_worker_lost": count})
        for flight in handover.in_flight:
            session = schedule.sessions[flight.session]
            nominal_us = tuple(session.nominal_us())[flight.step]
            operation = schedule.operations(session)[flight.step]
            sent = Sent(
                operation=operation,
                planned_second=nominal_us // MICROSECONDS,
                intended_us=flight.intended_us,
                started_us=flight.started_us,
                ended_us=max(seen_us, flight.started_us),
                outcome="abandoned",
                session_wait_us=flight.session_wait_us,
                session=flight.session,
                message=LOST_MESSAGE,
            )
            self._book.add(sent.planned_second, operation, {"abandoned": 1})
            for clock, duration_us in sent.durations_us().items():
                name = (operation, sent.outcome, clock)
                buckets = {str(bucket_of(duration_us)): 1}
                self._buckets.add(sent.intended_us // MICROSECONDS, name, buckets)
            self._exemplars.append(
                {**sent.exemplar(status=None, request_id=None), "worker": handover.loss.worker}
            )

    def histograms(self) -> pd.DataFrame:
        """Columns of ``HISTOGRAM_COLUMNS``; one row for each bucket that holds something."""
        return self._buckets.frame()[list(HISTOGRAM_COLUMNS)]

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
