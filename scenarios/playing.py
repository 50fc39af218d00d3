"""Playing a visit, step by step: what is wanted when, who asks, and what became of it."""

from __future__ import annotations

import time
from types import MethodType

from palier.load.outcome import Outcome
from scenarios.books import Books
from scenarios.operation import CannotFollow
from scenarios.run_clock import RunClock
from scenarios.user_pool import UserPool
from scenarios.visit import Visit


class Playing:
    """How the visits of one loader are played.

    Between two calls a visit holds its user and no greenlet.
    """

    def __init__(self, *, clock: RunClock, books: Books, users: UserPool) -> None:
        self._clock = clock
        self._books = books
        self._users = users
        send = books.send

        def on_send(visit: Visit, started_ns: int) -> None:
            send(visit, (started_ns - clock.t0_ns) // 1000)

        self._on_send = on_send

    def begin(self, visit: Visit) -> int | None:
        """Begin a visit that has a session now.

        Returns:
            When its next step is wanted; None when it is over already.
        """
        session = visit.session
        user = visit.user
        if user is None:
            user = visit.user = self._users.take()
            user.begin(tenant=session.tenant, session=visit.number)
        # One is made for every visit; ``partial`` takes three times as long.
        user.on_send = MethodType(self._on_send, visit)
        passed_us = self._abort_journey(visit) if visit.lost else 0
        return self._aim(visit, session.at_us + passed_us)

    def step(self, visit: Visit) -> int | None:
        """Do the step that is due, to its end.

        Returns:
            When the next one is wanted; None when that was the last.
        """
        user, at_us = visit.user, visit.due_us
        assert user is not None  # it has begun
        assert at_us is not None
        operation = visit.operations[visit.next]
        if visit.loop is not None:
            visit.come_around(user)
        outcome: Outcome | None = None
        try:
            outcome = user.perform(operation)
        except CannotFollow:
            self._books.pass_over(visit, 1, "session_aborted")
        if outcome is not None:
            exchange = user.exchange
            if visit.started_us is None:
                # The scenario failed before it sent anything: planned, tried, and wrong.
                exchange.ended_ns = time.monotonic_ns()
                self._on_send(visit, exchange.ended_ns)
            assert exchange.ended_ns is not None  # so the request has ended
            # Partly open: the visitor thinks after the answer, not after the plan.
            at_us = (exchange.ended_ns - self._clock.t0_ns) // 1000
            self._books.end(visit, at_us, outcome, exchange.message, exchange)
            if outcome != "succeeded" and user.operations[operation].essential:
                # A visitor leaves; the user of a closed load comes around again.
                at_us += self._abort_journey(visit)
        if visit.session_wait_us:
            visit.session_wait_us = 0
        return self._aim(visit, at_us)

    def _aim(self, visit: Visit, from_us: int) -> int | None:
        """When the next step is wanted, counted from an instant; None when none is left."""
        if visit.next < len(visit.operations):
            due_us = from_us + visit.session.pauses_us[visit.next]
            if visit.loop is not None:
                # What a user of a closed load had no time for, in the second it was planned in.
                self._books.pass_over(visit, visit.loops_behind(due_us) * visit.loop, "user_busy")
            until_us = visit.session.until_us
            if until_us is None or due_us < until_us:
                visit.due_us = due_us
                return due_us
            self._books.skip_rest(visit, "user_busy", self._clock.now_us())
        assert visit.user is not None  # it has begun
        self._users.give_back(visit.user)
        visit.user = None
        return None

    def _abort_journey(self, visit: Visit) -> int:
        """Skip what cannot follow; the sum of its pauses."""
        return self._books.pass_over(visit, visit.left_of_journey(), "session_aborted")
