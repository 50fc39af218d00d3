"""The agenda: what of a loader is due when, in one order.

Arrivals lie in the schedule, sorted, and cost nothing until they come. What becomes due in between
(the next step of a visit, after its pause) goes through a heap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush

from palier.load.session import Session
from scenarios.visit import Visit


class Agenda:
    """Visits by the instant at which something of them is due.

    Args:
        meet: Makes the visit of a session that arrives.
    """

    def __init__(self, meet: Callable[[Session], Visit]) -> None:
        self._meet = meet
        self._arrivals: list[Session] = []
        """The next one last."""
        self._due: list[tuple[int, int, Visit]] = []

    def __bool__(self) -> bool:
        return bool(self._arrivals or self._due)

    def expect(self, sessions: Iterable[Session]) -> None:
        """Add sessions that arrive when their first step is due, to those that are expected."""
        self._arrivals += sessions
        self._arrivals.sort(key=_arrival, reverse=True)

    def add(self, at_us: int, visit: Visit) -> None:
        """Something of a visit is due at an instant."""
        heappush(self._due, (at_us, visit.session.index, visit))

    def next_us(self) -> int | None:
        """When the next one is due; None when nothing is left."""
        arrives_us = self._arrivals[-1].at_us if self._arrivals else None
        if not self._due:
            return arrives_us
        due_us = self._due[0][0]
        return due_us if arrives_us is None else min(due_us, arrives_us)

    def take(self, now_us: int) -> Visit | None:
        """The visit that has been due longest, taken off; None when nothing is due yet.

        Of two that are due in the same microsecond, the one planned first comes first.
        """
        due, arrivals = self._due, self._arrivals
        if arrivals:
            session = arrivals[-1]
            if not due or (session.at_us, session.index) < due[0]:
                if session.at_us > now_us:
                    return None
                arrivals.pop()
                return self._meet(session)
        if due and due[0][0] <= now_us:
            return heappop(due)[2]
        return None

    def clear(self) -> Iterator[Visit]:
        """Everything that is left, in no particular order; takes it off."""
        while self._due:
            yield self._due.pop()[2]
        while self._arrivals:
            yield self._meet(self._arrivals.pop())


def _arrival(session: Session) -> tuple[int, int]:
    return session.at_us, session.index
