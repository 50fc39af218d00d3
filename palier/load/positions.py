"""How far each session has come, as the loaders report it: what is known when one is lost."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass

from palier.load.schedule import Schedule
from palier.load.tail import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A request that a loader had reported as started and not as ended; offsets in µs from t0.

    Attributes:
        session: Index of its session.
        step: Which of the session's planned steps it is, from 0.
        intended_us: When it was wanted.
        started_us: When it was sent.
        session_wait_us: Part of the time before its start in which all sessions were busy.
    """

    session: int
    step: int
    intended_us: int
    started_us: int
    session_wait_us: int


class Positions:
    """The next step of every session, kept up with the lines of all loaders.

    A line names the sessions that moved since the one before: ``open`` those that go on, each
    ``[session, next step]`` and, while a request is in flight, when that was wanted, when it was
    sent, and how much of its lateness was waiting for a session; ``closed`` those that are over.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._steps = array("l", (len(session.pauses_us) for session in schedule.sessions))
        self._next = array("l", bytes(self._steps.itemsize * len(self._steps)))
        self._in_flight: defaultdict[int, dict[int, InFlight]] = defaultdict(dict)

    def add(self, line: Line) -> None:
        """A loader has written a line."""
        in_flight = self._in_flight[line["worker"]]
        for session, upcoming, *request in line["positions"]["open"]:
            self._next[session] = upcoming
            if request:
                intended_us, started_us, session_wait_us = request
                in_flight[session] = InFlight(
                    session=session,
                    step=upcoming - 1,
                    intended_us=intended_us,
                    started_us=started_us,
                    session_wait_us=session_wait_us,
                )
            else:
                in_flight.pop(session, None)
        for session in line["positions"]["closed"]:
            self._next[session] = self._steps[session]
            in_flight.pop(session, None)

    def next_step(self, session: int) -> int:
        """The first planned step that is neither sent nor skipped."""
        return self._next[session]

    def move(self, session: int, step: int) -> None:
        """The steps before this one are accounted for elsewhere."""
        self._next[session] = step

    def in_flight(self, worker: int) -> tuple[InFlight, ...]:
        """Requests of a loader that have not ended."""
        return tuple(self._in_flight[worker].values())

    def forget(self, worker: int) -> None:
        """The requests of a loader are accounted for elsewhere."""
        self._in_flight.pop(worker, None)
