"""The books of a loader: what becomes of every planned step, written down once.

A step of a visit is sent and ends, or is skipped for a reason; either way the visit goes one step
on. Whoever plays visits decides which; that nothing is written twice or left out is kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from palier.load.chance import MICROSECONDS
from palier.load.outcome import Outcome, SkipReason
from palier.load.recorder import Recorder, make_sent
from scenarios.moved import Moved
from scenarios.sink import Sink
from scenarios.visit import Visit

if TYPE_CHECKING:
    from scenarios.player import Request


class Books:
    """Keeps the recorder and the raw samples of one loader.

    Attributes:
        without_success: Requests that ended otherwise since somebody last set this to 0.
        moved: Visits that went on since the last line.
    """

    def __init__(self, recorder: Recorder, output: Sink) -> None:
        self.without_success = 0
        self.moved = Moved()
        self._recorder = recorder
        self._sample = output.sample if output.wants_samples else None

    def send(self, visit: Visit, started_us: int) -> None:
        """The next step of a visit is being sent."""
        step = visit.next
        visit.next = step + 1
        visit.started_us = started_us
        self.moved.note(visit)
        self._recorder.start(visit.operations[step], visit.nominal_us[step] // MICROSECONDS)

    def end(
        self,
        visit: Visit,
        ended_us: int,
        outcome: Outcome,
        message: str,
        exchange: Request | None = None,
    ) -> None:
        """The request of a visit has ended, or was given up.

        Args:
            visit: The visit.
            ended_us: When that was.
            outcome: How it ended.
            message: What went wrong; empty when nothing did.
            exchange: The request, if there is more to tell of it.
        """
        step = visit.next - 1
        intended_us, started_us = visit.due_us, visit.started_us
        assert intended_us is not None  # it has been sent
        assert started_us is not None
        visit.started_us = None
        self._went_on(visit)
        if outcome != "succeeded":
            self.without_success += 1
        sent = make_sent(
            (
                visit.operations[step],
                visit.nominal_us[step] // MICROSECONDS,
                intended_us,
                started_us,
                ended_us,
                outcome,
                visit.session_wait_us,
                visit.session.index,
                message,
            )
        )
        if self._recorder.end(sent):
            if exchange is None:
                self._recorder.keep(sent)
            else:
                # Asked for now: the request id is looked for in the answer's head only then.
                status, request_id = exchange.status, exchange.request_id
                self._recorder.keep(sent, status=status, request_id=request_id)
        if self._sample is not None:
            self._sample(sent)

    def pass_over(self, visit: Visit, steps: int, reason: SkipReason) -> int:
        """Skip the next steps of a visit that nobody asks for; the sum of their pauses."""
        if not steps:
            return 0
        passed_us = 0
        for _ in range(steps):
            operation, planned_second = visit.step()
            passed_us += visit.session.pauses_us[visit.next]
            visit.next += 1
            self._recorder.skip(operation=operation, planned_second=planned_second, reason=reason)
        self._went_on(visit)
        return passed_us

    def skip_rest(self, visit: Visit, reason: SkipReason, now_us: int) -> None:
        """Skip all steps of a visit that are left.

        Somebody who got no session, or not before the end, has waited at least since the step
        was wanted: that is charged to the system.
        """
        if not visit.open:
            return
        charged = reason in ("no_free_session", "end_of_run")
        while visit.next < len(visit.operations):
            operation, planned_second = visit.step()
            intended_us = visit.nominal_us[visit.next]
            visit.next += 1
            self._recorder.skip(
                operation=operation,
                planned_second=planned_second,
                reason=reason,
                intended_us=intended_us if charged else None,
                waited_us=max(now_us - intended_us, 0),
            )
        self.moved.close(visit)

    def _went_on(self, visit: Visit) -> None:
        if visit.open:
            self.moved.note(visit)
        else:
            self.moved.close(visit)
