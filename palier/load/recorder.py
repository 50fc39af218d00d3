"""What a loader notes of every request, and hands over once a second as one line.

The recorder knows no clock and no network: it is told offsets in whole microseconds from the
start of the run. It runs between two requests, so it is part of what the next one waits for:
integer arithmetic and dictionary updates, about two microseconds a request.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from typing import Any, Final, NamedTuple, get_args

from palier.load.chance import MICROSECONDS
from palier.load.exemplars import ExemplarChoice
from palier.load.histogram import EXACT_BELOW, bucket_of
from palier.load.outcome import Clock, Outcome, SkipReason

LINE_SCHEMA = 1

LINE_EVERY_S: Final = 0.5
"""A lost loader takes what it has not reported along, so lines come often; a line costs about a
millisecond."""


class Sent(NamedTuple):
    """One request that was sent, and how it ended. Offsets and waits in microseconds.

    A tuple, because one is made for every request: a frozen dataclass takes seven times as long.

    Attributes:
        operation: Its operation.
        planned_second: Second of the ledger it was planned in.
        intended_us: When it was wanted.
        started_us: When it was sent.
        ended_us: When its last byte had come, or it was given up.
        outcome: How it ended.
        session_wait_us: Part of the time before its start in which all sessions were busy.
        session: Index of its session.
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
    message: str = ""

    @property
    def response_us(self) -> int:
        return self.ended_us - self.intended_us

    def durations_us(self) -> dict[Clock, int]:
        """What each clock says."""
        lag_us = self.started_us - self.intended_us
        return {
            "response": self.response_us,
            "service": self.ended_us - self.started_us,
            "lag": lag_us,
            "generator_lag": lag_us - self.session_wait_us,
        }

    def exemplar(self, *, status: int | None, request_id: str | None) -> dict[str, Any]:
        """As a line of ``exemplars.jsonl``.

        Args:
            status: HTTP status; None when no answer came.
            request_id: The answer's request id, if it had one.
        """
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
            "status": status,
            "request_id": request_id,
            "message": self.message,
        }


make_sent: Final = partial(tuple.__new__, Sent)
"""A ``Sent`` of a tuple of all its attributes: where one is made for every request, what the class
does about names and defaults counts."""

Counts = defaultdict[int, int]
"""Requests by bucket."""


class Clocks(NamedTuple):
    """The four histograms of one second, operation and outcome."""

    response: Counts
    service: Counts
    lag: Counts
    generator_lag: Counts


assert Clocks._fields == get_args(Clock)


class Recorder:
    """Collects counts, histograms and exemplars of one loader between two lines.

    Attributes:
        in_flight: Requests started and not ended.
    """

    def __init__(self, *, worker: int) -> None:
        self.in_flight = 0
        self._worker = worker
        self._seq = 0
        self._ledger: dict[tuple[int, str], defaultdict[str, int]] = {}
        self._histograms: dict[tuple[int, str, str], Clocks] = {}
        self._total: Counter[str] = Counter()
        self._choice = ExemplarChoice()
        self._exemplars: list[dict[str, Any]] = []
        self._generator_lag_max_us = 0
        self._session_wait_max_us = 0

    def start(self, operation: str, planned_second: int) -> None:
        """A request is being sent. Counted now, so that a killed loader leaves a visible hole."""
        counts = self._ledger.get((planned_second, operation))
        if counts is None:
            counts = self._counts_of(planned_second, operation)
        counts["started"] += 1
        self.in_flight += 1

    def end(self, sent: Sent) -> bool:
        """A started request has ended, or was given up.

        Returns:
            True when it is worth keeping whole, by ``keep``.
        """
        (
            operation,
            planned_second,
            intended_us,
            started_us,
            ended_us,
            outcome,
            wait_us,
            _,
            message,
        ) = sent
        self.in_flight -= 1
        # Most come into a second that is known already: no call is made for those.
        counts = self._ledger.get((planned_second, operation))
        if counts is None:
            counts = self._counts_of(planned_second, operation)
        counts[outcome] += 1
        clocks = self._histograms.get((intended_us // MICROSECONDS, operation, outcome))
        if clocks is None:
            clocks = self._clocks_of(intended_us // MICROSECONDS, operation, outcome)
        response, service, lag, generator_lag = clocks
        # Short durations are their own bucket: no call is made for those, either.
        response_us = bucket = ended_us - intended_us
        if not 0 <= bucket < EXACT_BELOW:
            bucket = bucket_of(bucket)
        response[bucket] += 1
        bucket = ended_us - started_us
        if not 0 <= bucket < EXACT_BELOW:
            bucket = bucket_of(bucket)
        service[bucket] += 1
        bucket = generator_lag_us = started_us - intended_us
        if not 0 <= bucket < EXACT_BELOW:
            bucket = bucket_of(bucket)
        lag[bucket] += 1
        if wait_us:
            generator_lag_us -= wait_us
            bucket = bucket_of(generator_lag_us)
            if wait_us > self._session_wait_max_us:
                self._session_wait_max_us = wait_us
        generator_lag[bucket] += 1
        if generator_lag_us > self._generator_lag_max_us:
            self._generator_lag_max_us = generator_lag_us
        return self._choice.keeps(operation, response_us, outcome, message)

    def keep(self, sent: Sent, *, status: int | None = None, request_id: str | None = None) -> None:
        """Keep a request whole, with what else is known of it."""
        self._exemplars.append(sent.exemplar(status=status, request_id=request_id))

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
        self._counts_of(planned_second, operation)[f"skipped_{reason}"] += 1
        if intended_us is not None:
            clocks = self._clocks_of(intended_us // MICROSECONDS, operation, "skipped")
            clocks.response[bucket_of(waited_us)] += 1

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
        for counts in self._ledger.values():
            self._total.update(counts)
        line = {
            "schema": LINE_SCHEMA,
            "worker": self._worker,
            "seq": self._seq,
            "at_s": at_s,
            "final": final,
            "total": dict(self._total),
            "ledger": [[*key, dict(counts)] for key, counts in self._ledger.items()],
            "histograms": [
                [*key, clock, dict(counts)]
                for key, clocks in self._histograms.items()
                for clock, counts in zip(Clocks._fields, clocks, strict=True)
                if counts  # a skipped request has a response only
            ],
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

    def _counts_of(self, second: int, operation: str) -> defaultdict[str, int]:
        return self._ledger.setdefault((second, operation), defaultdict(int))

    def _clocks_of(self, second: int, operation: str, outcome: str) -> Clocks:
        clocks = Clocks(*(defaultdict(int) for _ in range(4)))
        return self._histograms.setdefault((second, operation, outcome), clocks)
