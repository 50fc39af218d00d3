"""What a loader notes of every request, and hands over once a second as one line.

The recorder knows no clock and no network: it is told offsets in whole microseconds from the
start of the run. The hot path does integer arithmetic and dictionary updates only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from palier.load.chance import MICROSECONDS
from palier.load.exemplars import ExemplarChoice
from palier.load.histogram import bucket_of
from palier.load.outcome import Clock, Outcome, SkipReason

LINE_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that was sent, and how it ended. Offsets and waits in microseconds.

    Attributes:
        operation: Its operation.
        planned_second: Second of the ledger it was planned in.
        intended_us: When it was wanted.
        started_us: When it was sent.
        ended_us: When its last byte had come, or it was given up.
        outcome: How it ended.
        session_wait_us: Part of the time before its start in which all sessions were busy.
        session: Index of its session.
        status: HTTP status; None when no answer came.
        request_id: The answer's request id, if it had one.
        message: What went wrong; empty when nothing did.
    """

    operation: str
    planned_second: int
    intended_us: int
    started_us: int
    ended_us: int
    outcome: Outcome
    session_wait_us: int
    session: int
    status: int | None = None
    request_id: str | None = None
    message: str = ""

    @property
    def response_us(self) -> int:
        return self.ended_us - self.intended_us

    def exemplar(self) -> dict[str, Any]:
        """As a line of ``exemplars.jsonl``."""
        return {
            "operation": self.operation,
            "outcome": self.outcome,
            "intended_s": self.intended_us / MICROSECONDS,
            "started_s": self.started_us / MICROSECONDS,
            "ended_s": self.ended_us / MICROSECONDS,
            "response_s": self.response_us / MICROSECONDS,
            "service_s": (self.ended_us - self.started_us) / MICROSECONDS,
            "session_wait_s": self.session_wait_us / MICROSECONDS,
            "session": self.session,
            "status": self.status,
            "request_id": self.request_id,
            "message": self.message,
        }


class Recorder:
    """Collects counts, histograms and exemplars of one loader between two lines.

    Attributes:
        in_flight: Requests started and not ended.
    """

    def __init__(self, *, worker: int) -> None:
        self.in_flight = 0
        self._worker = worker
        self._seq = 0
        self._ledger: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        self._histograms: defaultdict[tuple[int, str, str, Clock], Counter[int]] = defaultdict(
            Counter
        )
        self._choice = ExemplarChoice()
        self._exemplars: list[dict[str, Any]] = []
        self._generator_lag_max_us = 0
        self._session_wait_max_us = 0

    def start(self, *, operation: str, planned_second: int) -> None:
        """A request is being sent. Counted now, so that a killed loader leaves a visible hole."""
        self._ledger[planned_second, operation]["started"] += 1
        self.in_flight += 1

    def end(self, sent: Sent) -> None:
        """A started request has ended, or was given up."""
        self.in_flight -= 1
        operation, outcome = sent.operation, sent.outcome
        second = sent.intended_us // MICROSECONDS
        lag_us = sent.started_us - sent.intended_us
        generator_lag_us = lag_us - sent.session_wait_us
        service_us = sent.ended_us - sent.started_us
        self._ledger[sent.planned_second, operation][outcome] += 1
        histograms = self._histograms
        histograms[second, operation, outcome, "response"][bucket_of(sent.response_us)] += 1
        histograms[second, operation, outcome, "service"][bucket_of(service_us)] += 1
        histograms[second, operation, outcome, "lag"][bucket_of(lag_us)] += 1
        histograms[second, operation, outcome, "generator_lag"][bucket_of(generator_lag_us)] += 1
        self._generator_lag_max_us = max(self._generator_lag_max_us, generator_lag_us)
        self._session_wait_max_us = max(self._session_wait_max_us, sent.session_wait_us)
        if self._choice.keeps(operation, sent.response_us, outcome, sent.message):
            self._exemplars.append(sent.exemplar())

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
        self._ledger[planned_second, operation][f"skipped_{reason}"] += 1
        if intended_us is not None:
            second = intended_us // MICROSECONDS
            self._histograms[second, operation, "skipped", "response"][bucket_of(waited_us)] += 1

    def line(
        self, *, at_s: float, final: bool, health: dict[str, float], **more: Any
    ) -> dict[str, Any]:
        """Everything since the last line, as the object of the next one; starts afresh.

        Args:
            at_s: Now, in seconds from the start of the run.
            final: True for the last line of a loader.
            health: What the loader knows of itself beside what is recorded here.
            more: Further keys of the line.
        """
        line = {
            "schema": LINE_SCHEMA,
            "worker": self._worker,
            "seq": self._seq,
            "at_s": at_s,
            "final": final,
            "ledger": [[*key, dict(counts)] for key, counts in self._ledger.items()],
            "histograms": [[*key, dict(counts)] for key, counts in self._histograms.items()],
            "exemplars": self._exemplars,
            "health": {
                "in_flight": self.in_flight,
                "lag_free_max_ms": self._generator_lag_max_us / 1000,
                "session_wait_max_ms": self._session_wait_max_us / 1000,
                **health,
            },
            **more,
        }
        self._seq += 1
        self._ledger.clear()
        self._histograms.clear()
        self._exemplars = []
        self._generator_lag_max_us = self._session_wait_max_us = 0
        return line
