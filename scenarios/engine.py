"""The arrival-driven engine: plays one loader's stripe of the schedule and records what happens.

One greenlet sleeps from arrival to arrival; each session runs in a greenlet of its own on one of
the reused users. Nothing spins: that would starve the I/O it measures. Every planned step of the
stripe ends up exactly once in the recorder, whatever happens to its session.

Policy for late requests and the end of a run: docs/decisions/0002-late-requests.md.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import gevent
from gevent.event import Event
from gevent.lock import Semaphore
from gevent.pool import Group

from palier.load.chance import MICROSECONDS
from palier.load.outcome import Outcome, SkipReason
from palier.load.recorder import Recorder, Sent
from palier.load.schedule import Schedule
from scenarios.lead_in import LeadIn, lead_in
from scenarios.operation import CannotFollow
from scenarios.output import Output
from scenarios.visit import Flight, Visit
from scenarios.visitor import JourneyUser
from scenarios.vitals import Vitals

logger = logging.getLogger(__name__)

INTERRUPT_DRAIN_S: Final = 1.0
"""After Ctrl-C requests in flight get this long: people are waiting."""


COLLECT_AFTER: Final = 1000
"""Requests without success after which the collector is asked: each leaves some fifty objects that
refer to each other (the HTTP client's exceptions); successful ones leave none. Collecting this
many takes a few milliseconds."""


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
        output: Output,
    ) -> None:
        self._window_us = schedule.window_us
        self._visits = [
            Visit(session, schedule) for session in schedule.for_worker(worker, workers)
        ]
        self._limits = limits
        self._new_user = new_user
        self._output = output
        self._recorder = Recorder(worker=worker)
        self._vitals = Vitals()
        self._idle: list[JourneyUser] = []
        self._free_sessions = Semaphore(limits.max_sessions)
        self._playing = Group()
        self._interrupted = Event()
        self._no_more = False
        self._observations: dict[str, float] = {}
        self._tallies: dict[str, list[int]] = {}
        self._without_success = 0
        self._bug: BaseException | None = None
        self._t0_ns = 0

    def prepare(self) -> LeadIn:
        """Bring the sessions that are in progress at t0 to where they are, and make users."""
        under_way = [visit for visit in self._visits if visit.session.first_step]
        for visit in under_way:
            visit.user = self._take_user()
        done = lead_in(under_way)
        # As many as would be busy if every request took no time; more are made when needed.
        idle = _most_at_once(self._visits) - len(under_way)
        self._idle += [self._make_user() for _ in range(min(idle, self._limits.max_sessions))]
        return done

    def interrupt(self) -> None:
        """Stop sending; what is in flight gets a moment, the rest is accounted for as skipped."""
        self._interrupted.set()

    def run(self, t0_ns: int) -> None:
        """Play the stripe; returns when every planned step is accounted for and written.

        Args:
            t0_ns: Start of the run, an instant of CLOCK_MONOTONIC.
        """
        self._t0_ns = t0_ns
        # The collector is the tail of the schedule lag (measurement rules, section 3).
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            reporter = gevent.spawn(self._report_every_second)
            watch = gevent.spawn(self._vitals.watch_loop)
            self._play_all()
            self._account_for_the_rest()
            gevent.killall([reporter, watch])
            if self._bug is not None:
                # Without a last line this loader counts as lost, and the run as INVALID.
                raise RuntimeError("a session ended by a bug of the engine") from self._bug
            self._write_line(final=True)
        finally:
            gc.enable()
            gc.unfreeze()

    # the run --------------------------------------------------------------------------------

    def _play_all(self) -> None:
        everything = gevent.spawn(self._arrive_and_finish)
        end_us = self._window_us + round(self._limits.drain_s * MICROSECONDS)
        left_s = (end_us - self._now_us()) / MICROSECONDS
        gevent.wait([everything, self._interrupted], timeout=max(left_s, 0.0), count=1)
        everything.kill()
        self._no_more = True
        if self._interrupted.is_set():
            for visit in self._visits:
                if visit.greenlet is not None and visit.flight is None:
                    visit.greenlet.kill(block=False)
            self._playing.join(timeout=INTERRUPT_DRAIN_S)
        self._playing.kill()

    def _arrive_and_finish(self) -> None:
        for visit in self._visits:
            self._sleep_until(visit.session.at_us)
            visit.greenlet = self._playing.spawn(self._play, visit)
            visit.greenlet.link_exception(self._on_bug)
        self._playing.join()

    def _account_for_the_rest(self) -> None:
        now_us = self._now_us()
        for visit in self._visits:
            # A user of a closed load whom the end finds waiting would not have asked for more.
            late: SkipReason = "end_of_run" if visit.loop is None else "user_busy"
            reason: SkipReason = "interrupted" if self._interrupted.is_set() else late
            flight = visit.flight
            if flight is not None:
                self._end(visit, flight, now_us, "abandoned", "still in flight at the end")
            self._skip_rest(visit, reason, now_us)

    def _on_bug(self, greenlet: gevent.Greenlet) -> None:
        self._bug = greenlet.exception
        self._interrupted.set()

    # one session ----------------------------------------------------------------------------

    def _play(self, visit: Visit) -> None:
        session_wait_us = self._wait_for_session(visit)
        if session_wait_us is None:
            return
        try:
            self._walk(visit, session_wait_us)
        finally:
            self._free_sessions.release()

    def _wait_for_session(self, visit: Visit) -> int | None:
        """Microseconds waited for a free session; None when there was none in time."""
        if self._free_sessions.acquire(blocking=False):
            return 0
        # From now, not from the arrival: if we were late to ask, that is our own lateness.
        asked_us = self._now_us()
        if self._free_sessions.acquire(timeout=self._limits.request_timeout_s):
            return self._now_us() - asked_us
        self._skip_rest(visit, "no_free_session", self._now_us())
        return None

    def _walk(self, visit: Visit, session_wait_us: int) -> None:
        session = visit.session
        user = visit.user
        if user is None:
            user = visit.user = self._take_user()
            user.begin(tenant=session.tenant, session=session.index)
        intended_us = session.at_us
        if visit.lost:
            intended_us += self._pass_over(visit, visit.left_of_journey(), "session_aborted")
        while visit.open:
            intended_us += session.pauses_us[visit.next]
            if visit.loop is not None:
                # What a user of a closed load had no time for, in the second it was planned in.
                self._pass_over(visit, visit.loops_behind(intended_us) * visit.loop, "user_busy")
            if session.until_us is not None and intended_us >= session.until_us:
                self._skip_rest(visit, "user_busy", self._now_us())
                break
            self._sleep_until(intended_us)
            if self._no_more:
                return
            operation, _ = visit.step()
            visit.come_around(user)
            outcome = self._step(visit, user, intended_us, session_wait_us)
            # Partly open: the visitor thinks after the answer, not after the plan.
            if user.exchange.ended_ns is not None:
                intended_us = self._us_of(user.exchange.ended_ns)
            session_wait_us = 0
            if outcome not in (None, "succeeded") and user.operations[operation].essential:
                # A visitor leaves; the user of a closed load comes around again.
                left = visit.left_of_journey()
                intended_us += self._pass_over(visit, left, "session_aborted")
        visit.user = None
        self._idle.append(user)

    def _step(
        self, visit: Visit, user: JourneyUser, intended_us: int, session_wait_us: int
    ) -> Outcome | None:
        """Run the next step of a session; None when it could not be asked for."""
        operation, planned_second = visit.step()

        def on_send(started_ns: int) -> None:
            visit.next += 1
            visit.flight = Flight(
                operation,
                planned_second,
                intended_us,
                self._us_of(started_ns),
                session_wait_us,
            )
            self._recorder.start(operation=operation, planned_second=planned_second)

        user.on_send = on_send
        try:
            outcome = user.perform(operation)
        except CannotFollow:
            visit.next += 1
            self._recorder.skip(
                operation=operation, planned_second=planned_second, reason="session_aborted"
            )
            return None
        exchange = user.exchange
        if visit.flight is None:
            # The scenario failed before it sent anything: planned, tried, and wrong.
            on_send(time.monotonic_ns())
            exchange.ended_ns = time.monotonic_ns()
        flight = visit.flight
        assert flight is not None  # on_send has been called
        assert exchange.ended_ns is not None  # so the request has ended
        self._end(
            visit,
            flight,
            self._us_of(exchange.ended_ns),
            outcome,
            exchange.message,
            status=exchange.status,
            request_id=exchange.request_id,
        )
        return outcome

    def _end(
        self,
        visit: Visit,
        flight: Flight,
        ended_us: int,
        outcome: Outcome,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        visit.flight = None
        self._without_success += outcome != "succeeded"
        sent = Sent(
            operation=flight.operation,
            planned_second=flight.planned_second,
            intended_us=flight.intended_us,
            started_us=flight.started_us,
            ended_us=ended_us,
            outcome=outcome,
            session_wait_us=flight.session_wait_us,
            session=visit.session.index,
            status=status,
            request_id=request_id,
            message=message,
        )
        self._recorder.end(sent)
        self._output.sample(sent)

    def _pass_over(self, visit: Visit, steps: int, reason: SkipReason) -> int:
        """Account for the next steps of a session that nobody asks for; the sum of their pauses."""
        passed_us = 0
        for _ in range(steps):
            operation, planned_second = visit.step()
            passed_us += visit.session.pauses_us[visit.next]
            visit.next += 1
            self._recorder.skip(operation=operation, planned_second=planned_second, reason=reason)
        return passed_us

    def _skip_rest(self, visit: Visit, reason: SkipReason, now_us: int) -> None:
        """Account for the steps of a session that will not be sent.

        Somebody who got no session, or not before the end, has waited at least since the step
        was wanted: that is charged to the system.
        """
        charged = reason in ("no_free_session", "end_of_run")
        while visit.open:
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

    # users ----------------------------------------------------------------------------------

    def _take_user(self) -> JourneyUser:
        return self._idle.pop() if self._idle else self._make_user()

    def _make_user(self) -> JourneyUser:
        user = self._new_user()
        user.observations = self._observations
        user.tallies = self._tallies
        user.on_write = self._output.write
        return user

    # time and lines -------------------------------------------------------------------------

    def _us_of(self, instant_ns: int) -> int:
        return (instant_ns - self._t0_ns) // 1000

    def _now_us(self) -> int:
        return self._us_of(time.monotonic_ns())

    def _sleep_until(self, at_us: int) -> None:
        # A timer may fire a little early; a request must not.
        while (left_us := at_us - self._now_us()) > 0:
            gevent.sleep(left_us / MICROSECONDS)

    def _report_every_second(self) -> None:
        second = 0
        while True:
            second += 1
            self._sleep_until(second * MICROSECONDS)
            self._write_line(final=False)
            if self._without_success >= COLLECT_AFTER:
                self._without_success = 0
                gc.collect(1)

    def _write_line(self, *, final: bool) -> None:
        at_s = self._now_us() / MICROSECONDS
        health = self._vitals.since_last(sessions=len(self._playing))
        seen = {"observations": self._observations, "tallies": self._tallies}
        more = seen if final else {}
        self._output.line(self._recorder.line(at_s=at_s, final=final, health=health, **more))


def _most_at_once(visits: list[Visit]) -> int:
    """Largest number of sessions in progress if every request took no time."""
    changes = [(visit.nominal_us[0], 1) for visit in visits]
    changes += [(visit.nominal_us[-1], -1) for visit in visits]
    most = now = 0
    for _, change in sorted(changes, key=lambda change: (change[0], -change[1])):
        now += change
        most = max(most, now)
    return most
