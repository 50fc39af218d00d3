"""The arrival-driven engine: plays one loader's stripe of the schedule and records what happens.

One greenlet sleeps from arrival to arrival; each session runs in a greenlet of its own on one of
the reused users. Nothing spins: that would starve the I/O it measures. Every planned step of the
stripe ends up exactly once in the recorder, whatever happens to its session.

Policy for late requests and the end of a run: docs/decisions/0002-late-requests.md.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import gevent
from gevent.event import Event
from gevent.lock import Semaphore
from gevent.pool import Group

from palier.load.chance import MICROSECONDS
from palier.load.outcome import SkipReason
from palier.load.recorder import Recorder
from palier.load.schedule import Schedule
from scenarios.books import Books
from scenarios.lead_in import LeadIn, lead_in
from scenarios.operation import GeneratorError
from scenarios.playing import Playing
from scenarios.reporter import Reporter
from scenarios.run_clock import RunClock
from scenarios.sink import Sink
from scenarios.user_pool import UserPool
from scenarios.visit import Visit

if TYPE_CHECKING:
    from scenarios.visitor import JourneyUser

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
        new_user: Callable[[], JourneyUser],
        output: Sink,
    ) -> None:
        self._window_us = schedule.window_us
        self._visits = [
            Visit(session, schedule) for session in schedule.for_worker(worker, workers)
        ]
        self._limits = limits
        recorder = Recorder(worker=worker)
        self._clock = RunClock(t0_ns=0)
        self._users = UserPool(new_user, output)
        self._books = Books(recorder, output)
        self._play = Playing(clock=self._clock, books=self._books, users=self._users)
        self._reporter = Reporter(
            clock=self._clock,
            recorder=recorder,
            books=self._books,
            users=self._users,
            output=output,
        )
        self._free_sessions = Semaphore(limits.max_sessions)
        self._playing = Group()
        self._interrupted = Event()
        self._stopped_for: SkipReason = "interrupted"
        self._bug: BaseException | None = None
        self.lease_until_ns = 2**63

    def prepare(self) -> LeadIn:
        """Bring the sessions that are in progress at t0 to where they are, and make users."""
        under_way = [visit for visit in self._visits if visit.session.first_step]
        for visit in under_way:
            visit.user = self._users.take()
        done = lead_in(under_way)
        # As many as would be busy if every request took no time; more are made when needed.
        idle = _most_at_once(self._visits) - len(under_way)
        self._users.fill(min(idle, self._limits.max_sessions))
        return done

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
        everything = gevent.spawn(self._arrive_and_finish)
        end_us = self._window_us + round(self._limits.drain_s * MICROSECONDS)
        left_s = (end_us - self._clock.now_us()) / MICROSECONDS
        gevent.wait([everything, self._interrupted], timeout=max(left_s, 0.0), count=1)
        everything.kill()
        self._play.closed = True
        if self._interrupted.is_set():
            for visit in self._visits:
                if visit.greenlet is not None and visit.flight is None:
                    visit.greenlet.kill(block=False)
            self._playing.join(timeout=INTERRUPT_DRAIN_S)
        self._playing.kill()

    def _arrive_and_finish(self) -> None:
        for visit in self._visits:
            self._clock.sleep_until(visit.session.at_us)
            visit.greenlet = self._playing.spawn(self._seat, visit)
            visit.greenlet.link_exception(self._on_bug)
        self._playing.join()

    def _seat(self, visit: Visit) -> None:
        """Play a visit when there is a free session."""
        session_wait_us = self._wait_for_session(visit)
        if session_wait_us is None:
            return
        self._reporter.sessions += 1
        try:
            self._play.play(visit, session_wait_us)
        finally:
            self._reporter.sessions -= 1
            self._free_sessions.release()

    def _wait_for_session(self, visit: Visit) -> int | None:
        """Microseconds waited for a free session; None when there was none in time."""
        if self._free_sessions.acquire(blocking=False):
            return 0
        # From now, not from the arrival: if we were late to ask, that is our own lateness.
        asked_us = self._clock.now_us()
        if self._free_sessions.acquire(timeout=self._limits.request_timeout_s):
            return self._clock.now_us() - asked_us
        self._books.skip_rest(visit, "no_free_session", self._clock.now_us())
        return None

    def _account_for_the_rest(self) -> None:
        now_us = self._clock.now_us()
        for visit in self._visits:
            # A user of a closed load whom the end finds waiting would not have asked for more.
            late: SkipReason = "end_of_run" if visit.loop is None else "user_busy"
            reason = self._stopped_for if self._interrupted.is_set() else late
            if visit.flight is not None:
                self._books.end(visit, now_us, "abandoned", "still in flight at the end")
            self._books.skip_rest(visit, reason, now_us)

    def _on_bug(self, greenlet: gevent.Greenlet) -> None:
        self._bug = greenlet.exception
        self._interrupted.set()


def _most_at_once(visits: list[Visit]) -> int:
    """Largest number of sessions in progress if every request took no time."""
    changes = [(visit.nominal_us[0], 1) for visit in visits]
    changes += [(visit.nominal_us[-1], -1) for visit in visits]
    most = now = 0
    for _, change in sorted(changes, key=lambda change: (change[0], -change[1])):
        now += change
        most = max(most, now)
    return most
