"""Playing a visit: each step when it is wanted, one after the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from palier.load.outcome import Outcome
from scenarios.books import Books
from scenarios.operation import CannotFollow
from scenarios.run_clock import RunClock
from scenarios.user_pool import UserPool
from scenarios.visit import Visit

if TYPE_CHECKING:
    from scenarios.visitor import JourneyUser


class Playing:
    """How the visits of one loader are played.

    Attributes:
        closed: True when nothing more may be sent.
    """

    def __init__(self, *, clock: RunClock, books: Books, users: UserPool) -> None:
        self.closed = False
        self._clock = clock
        self._books = books
        self._users = users

    def play(self, visit: Visit, session_wait_us: int) -> None:
        """Play a visit to its end, or until nothing more may be sent.

        Args:
            visit: The visit; its first step is due.
            session_wait_us: How long it waited for a free session.
        """
        session = visit.session
        user = visit.user
        if user is None:
            user = visit.user = self._users.take()
            user.begin(tenant=session.tenant, session=session.index)
        intended_us = session.at_us
        if visit.lost:
            intended_us += self._abort_journey(visit)
        while visit.open:
            intended_us += session.pauses_us[visit.next]
            if visit.loop is not None:
                # What a user of a closed load had no time for, in the second it was planned in.
                behind = visit.loops_behind(intended_us) * visit.loop
                self._books.pass_over(visit, behind, "user_busy")
            if session.until_us is not None and intended_us >= session.until_us:
                self._books.skip_rest(visit, "user_busy", self._clock.now_us())
                break
            self._clock.sleep_until(intended_us)
            if self.closed:
                return
            operation, _ = visit.step()
            visit.come_around(user)
            outcome = self._step(visit, user, intended_us, session_wait_us)
            # Partly open: the visitor thinks after the answer, not after the plan.
            if user.exchange.ended_ns is not None:
                intended_us = self._clock.us_of(user.exchange.ended_ns)
            session_wait_us = 0
            if outcome not in (None, "succeeded") and user.operations[operation].essential:
                # A visitor leaves; the user of a closed load comes around again.
                intended_us += self._abort_journey(visit)
        visit.user = None
        self._users.give_back(user)

    def _step(
        self, visit: Visit, user: JourneyUser, intended_us: int, session_wait_us: int
    ) -> Outcome | None:
        """Run the next step of a visit; None when it could not be asked for."""

        def on_send(started_ns: int) -> None:
            self._books.send(
                visit,
                intended_us=intended_us,
                started_us=self._clock.us_of(started_ns),
                session_wait_us=session_wait_us,
            )

        user.on_send = on_send
        operation, _ = visit.step()
        try:
            outcome = user.perform(operation)
        except CannotFollow:
            self._books.pass_over(visit, 1, "session_aborted")
            return None
        exchange = user.exchange
        if visit.flight is None:
            # The scenario failed before it sent anything: planned, tried, and wrong.
            on_send(time.monotonic_ns())
            exchange.ended_ns = time.monotonic_ns()
        assert exchange.ended_ns is not None  # so the request has ended
        self._books.end(
            visit,
            self._clock.us_of(exchange.ended_ns),
            outcome,
            exchange.message,
            status=exchange.status,
            request_id=exchange.request_id,
        )
        return outcome

    def _abort_journey(self, visit: Visit) -> int:
        """Skip what cannot follow; the sum of its pauses."""
        return self._books.pass_over(visit, visit.left_of_journey(), "session_aborted")
