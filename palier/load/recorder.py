"""What a loader notes of every request, and hands over once a second as one line.

The recorder knows no clock and no network: it is told offsets in whole microseconds from the
start of the run. The hot path does integer arithmetic and dictionary updates only.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from palier.load.histogram import bucket_of
from palier.load.outcome import Clock, Outcome, SkipReason
from palier.load.schedule import MICROSECONDS

LINE_SCHEMA = 1

SLOWEST_KEPT = 20
"""Slowest requests kept for each operation, over the whole run."""

FAILURES_KEPT = 5
"""Failures kept for each operation and message, over the whole run."""

MESSAGES_KEPT = 50
"""Different failure messages kept for each operation: a server that puts an id into each of them
must not fill the disk."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that was sent, and how it ended. Offsets in microseconds.

    Attributes:
        planned_second: Second of the ledger it was planned in.
        waited_for_session: True when it was late because all sessions were busy.
        status: HTTP status; None when no answer came.
        message: What went wrong; empty when nothing did.
    """

    operation: str
    planned_second: int
    intended_us: int
    started_us: int
    ended_us: int
    outcome: Outcome
    waited_for_session: bool
    session: int
    status: int | None = None
    request_id: str | None = None
    message: str = ""

    def exemplar(self) -> dict[str, Any]:
        """As a line of ``exemplars.jsonl``."""
        return {
            "operation": self.operation,
            "outcome": self.outcome,
            "intended_s": self.intended_us / MICROSECONDS,
            "started_s": self.started_us / MICROSECONDS,
            "ended_s": self.ended_us / MICROSECONDS,
            "response_s": (self.ended_us - self.intended_us) / MICROSECONDS,
            "service_s": (self.ended_us - self.started_us) / MICROSECONDS,
            "session": self.session,
            "status": self.status,
            "request_id": self.request_id,
            "message": self.message,
        }


class Recorder:
    """Collects counts and histograms of one loader between two lines."""

    def __init__(self, *, worker: int) -> None:
        self.worker = worker
        self.in_flight = 0
        self._seq = 0
        self._ledger: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        self._histograms: defaultdict[tuple[int, str, str, Clock], Counter[int]] = defaultdict(
            Counter
        )
        self._slowest: defaultdict[str, list[int]] = defaultdict(list)
        self._failures: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._exemplars: list[dict[str, Any]] = []
        self._generator_lag_max_us = 0

    def start(self, *, operation: str, planned_second: int) -> None:
        """A request is being sent. Counted now, so that a killed loader leaves a visible hole."""
        self._ledger[planned_second, operation]["started"] += 1
        self.in_flight += 1

    def end(self, sent: Sent) -> None:
        """A started request has ended, or was given up."""
        self.in_flight -= 1
        operation, outcome = sent.operation, sent.outcome
        self._ledger[sent.planned_second, operation][outcome] += 1
        second = sent.intended_us // MICROSECONDS
        lag_us = sent.started_us - sent.intended_us
        histograms = self._histograms
        response_us = sent.ended_us - sent.intended_us
        histograms[second, operation, outcome, "response"][bucket_of(response_us)] += 1
        histograms[second, operation, outcome, "service"][
            bucket_of(sent.ended_us - sent.started_us)
        ] += 1
        histograms[second, operation, outcome, "lag"][bucket_of(lag_us)] += 1
        if not sent.waited_for_session:
            histograms[second, operation, outcome, "generator_lag"][bucket_of(lag_us)] += 1
            self._generator_lag_max_us = max(self._generator_lag_max_us, lag_us)
        self._keep_exemplar(sent, response_us)

    def skip(
        self,
        *,
        operation: str,
        planned_second: int,
        reason: SkipReason,
        intended_us: int | None = None,
        waited_us: int = 0,
    ) -> None:
        """A planned request will never be sent.

        Args:
            operation: Its operation.
            planned_second: Second of the ledger it was planned in.
            reason: Why.
            intended_us: Given when the wait is charged to the system: the response of somebody
                who got no answer is known only to be at least ``waited_us``.
            waited_us: That wait.
        """
        counts = self._ledger[planned_second, operation]
        counts["skipped"] += 1
        counts[f"skipped_{reason}"] += 1
        if intended_us is not None:
            second = intended_us // MICROSECONDS
            self._histograms[second, operation, "skipped", "response"][bucket_of(waited_us)] += 1

    def line(self, *, at_s: float, final: bool, health: dict[str, float]) -> dict[str, Any]:
        """Everything since the last line, as the object of the next one; starts afresh."""
        line = {
            "schema": LINE_SCHEMA,
            "worker": self.worker,
            "seq": self._seq,
            "at_s": at_s,
            "final": final,
            "ledger": [[*key, dict(counts)] for key, counts in self._ledger.items()],
            "histograms": [[*key, dict(counts)] for key, counts in self._histograms.items()],
            "exemplars": self._exemplars,
            "health": {
                "in_flight": self.in_flight,
                "lag_free_max_ms": self._generator_lag_max_us / 1000,
                **health,
            },
        }
        self._seq += 1
        self._ledger.clear()
        self._histograms.clear()
        self._exemplars = []
        self._generator_lag_max_us = 0
        return line

    def _keep_exemplar(self, sent: Sent, response_us: int) -> None:
        keep = False
        if sent.outcome != "succeeded":
            seen = self._failures[sent.operation]
            if sent.message in seen or len(seen) < MESSAGES_KEPT:
                seen[sent.message] += 1
                keep = seen[sent.message] <= FAILURES_KEPT
        slowest = self._slowest[sent.operation]
        if len(slowest) < SLOWEST_KEPT:
            heapq.heappush(slowest, response_us)
            keep = True
        elif response_us > slowest[0]:
            heapq.heapreplace(slowest, response_us)
            keep = True
        if keep:
            self._exemplars.append(sent.exemplar())
