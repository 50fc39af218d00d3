"""The arrival-driven engine: plays one loader's stripe of the schedule and records what happens.

The parts: ``dispatch`` begins each step when it is wanted, ``playing`` does it, ``books`` write
down what became of it, ``reporter`` tells once a second. Every planned step of the stripe ends up
exactly once in the recorder, whatever happens to its session.

Policy for late requests and the end of a run: docs/decisions/0002-late-requests.md.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import gevent
import numpy as np
from gevent.event import Event

from palier.load.chance import MICROSECONDS
from palier.load.handover import Resumed
from palier.load.outcome import SkipReason
from palier.load.recorder import Recorder
from palier.load.schedule import Schedule
from palier.load.session import Session
from palier.load.stripes import Stripes
from scenarios.books import Books
from scenarios.dispatch import Dispatch
from scenarios.lead_in import LeadIn, lead_in
from scenarios.operation import GeneratorError
from scenarios.playing import Playing
from scenarios.reporter import Reporter
from scenarios.run_clock import RunClock
from scenarios.sink import Sink
from scenarios.taking_over import TakingOver
from scenarios.user_pool import UserPool
from scenarios.visit import Visit

if TYPE_CHECKING:
    from scenarios.player import Player

INTERRUPT_DRAIN_S: Final = 1.0
"""After Ctrl-C requests in flight get this long: people are waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one loader, from the plan.

    Attributes:
        request_timeout_s: Longest an arrival waits for a free session.
        drain_s: How long what is due is waited for after the window.
        max_sessions: Sessions in progress at once.
    """

    request_timeout_s: float
    drain_s: float
    max_sessions: int


class Engine:
    """Drives the sessions of one loader.

    Args:
        schedule: The whole schedule.
        worker: Index of this loader.
        workers: Number of loaders.
        limits: Bounds.
        new_user: Makes a user.
        output: Where lines and raw samples go.
    """

    def __init__(
        self,
        *,
        schedule: Schedule,
        worker: int,
        workers: int,
        limits: Limits,
        new_user: Callable[[], Player],
        output: Sink,
    ) -> None:
        self._schedule = schedule
        self._stripe = schedule.for_worker(worker, workers)
        self._limits = limits
        self._interrupted = Event()
        self._stopped_for: SkipReason = "interrupted"
        self._bug: BaseException | None = None
        recorder = Recorder(worker=worker)
        self._clock = RunClock(t0_ns=0)
        self._users = UserPool(new_user, output)
        self._books = Books(recorder, output)
        self._dispatch = Dispatch(
            clock=self._clock,
            playing=Playing(clock=self._clock, books=self._books, users=self._users),
            books=self._books,
            meet=self._meet,
            max_sessions=limits.max_sessions,
            patience_s=limits.request_timeout_s,
            on_bug=self._on_bug,
        )
        self._taking_over = TakingOver(
            schedule=schedule, worker=worker, dispatch=self._dispatch, users=self._users
        )
        self._reporter = Reporter(
            clock=self._clock,
            recorder=recorder,
            books=self._books,
            users=self._users,
            output=output,
            sessions=lambda: self._dispatch.sessions,
        )

    def prepare(self) -> LeadIn:
        """Bring the sessions that are in progress at t0 to where they are, and make users."""
        under_way = [self._meet(session) for session in self._stripe if session.first_step]
        for visit in under_way:
            visit.user = self._users.take()
        done = lead_in(under_way)
        for visit in under_way:
            self._dispatch.expect_visit(visit)
        self._dispatch.expect(session for session in self._stripe if not session.first_step)
        # As many as would be busy if every request took no time; more are made when needed.
        at_once = min(most_at_once(self._stripe), self._limits.max_sessions)
        self._users.fill(at_once - len(under_way))
        self._dispatch.fill(at_once)
        self._stripe = ()
        return done

    @property
    def lease_until_ns(self) -> int:
        """Until when requests may be sent, an instant of CLOCK_MONOTONIC."""
        return self._dispatch.lease_until_ns

    @lease_until_ns.setter
    def lease_until_ns(self, until_ns: int) -> None:
        self._dispatch.renew_lease(until_ns)

    def take_over(self, stripes: Stripes, resumed: Sequence[Resumed]) -> None:
        """Go on with this loader's part of the work of one that was lost.

        Args:
            stripes: Who plays what from now on.
            resumed: Sessions in progress that are this loader's now.
        """
        self._taking_over.begin(stripes, resumed, on_bug=self._on_bug)

    def interrupt(self, reason: SkipReason = "interrupted") -> None:
        """Stop sending; what is in flight gets a moment, the rest is skipped for ``reason``."""
        if not self._interrupted.is_set():
            self._stopped_for = reason
        self._interrupted.set()

    def run(self, t0_ns: int) -> None:
        """Play the stripe; returns when every planned step is accounted for and written.

        Args:
            t0_ns: Start of the run, an instant of CLOCK_MONOTONIC.
        """
        self._clock.t0_ns = t0_ns
        # The collector is the tail of the schedule lag (measurement rules, section 3).
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            reporter = gevent.spawn(self._reporter.run)
            self._play_all()
            self._account_for_the_rest()
            reporter.kill()
            if self._bug is not None:
                if isinstance(self._bug, GeneratorError):
                    self._reporter.refused(str(self._bug))
                # Without a last line this loader counts as lost, and the run as INVALID.
                raise RuntimeError("a session ended by a bug of the engine") from self._bug
            self._reporter.last()
        finally:
            gc.enable()
            gc.unfreeze()

    def _play_all(self) -> None:
        end_us = self._schedule.window_us + round(self._limits.drain_s * MICROSECONDS)
        left_s = (end_us - self._clock.now_us()) / MICROSECONDS
        dispatch = self._dispatch
        dispatch.open()
        end = gevent.Timeout.start_new(max(left_s, 0.0))
        try:
            # What is being taken over is not in the dispatch yet, so that could look done.
            while not (self._interrupted.is_set() or dispatch.done.is_set()):
                gevent.wait([dispatch.done, self._interrupted], count=1)
                gevent.wait([self._taking_over.idle, self._interrupted], count=1)
        except gevent.Timeout as timeout:
            if timeout is not end:
                raise
        finally:
            end.close()
        self._taking_over.kill()
        dispatch.close()
        if self._interrupted.is_set():
            dispatch.done.wait(timeout=INTERRUPT_DRAIN_S)
        dispatch.kill()

    def _account_for_the_rest(self) -> None:
        now_us = self._clock.now_us()
        for visit in self._dispatch.left():
            # A user of a closed load whom the end finds waiting would not have asked for more.
            late: SkipReason = "end_of_run" if visit.loop is None else "user_busy"
            reason = self._stopped_for if self._interrupted.is_set() else late
            if visit.started_us is not None:
                self._books.end(visit, now_us, "abandoned", "still in flight at the end")
            self._books.skip_rest(visit, reason, now_us)

    def _meet(self, session: Session) -> Visit:
        return Visit(session, self._schedule)

    def _on_bug(self, error: BaseException) -> None:
        self._bug = error
        self._interrupted.set()


def most_at_once(sessions: Sequence[Session]) -> int:
    """Largest number of sessions in progress if every request took no time."""
    if not sessions:
        return 0
    # Sessions come in the order of their first step.
    first_us = np.array([session.at_us for session in sessions])
    last_us = np.sort(first_us + np.array([sum(session.pauses_us) for session in sessions]))
    begun = np.arange(1, len(sessions) + 1)
    return int((begun - np.searchsorted(last_us, first_us)).max())
