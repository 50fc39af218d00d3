"""A session in progress: what is still to be accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gevent

from palier.load.chance import MICROSECONDS
from palier.load.schedule import Session

if TYPE_CHECKING:
    from scenarios.visitor import JourneyUser


@dataclass(frozen=True, slots=True)
class Flight:
    """A request that has been sent and has not ended; offsets in microseconds."""

    operation: str
    planned_second: int
    intended_us: int
    started_us: int
    session_wait_us: int


class Visit:
    """A session of the schedule while it is played.

    Attributes:
        session: The session.
        before: Operations of the journey that lie before t0.
        operations: Operations of the planned steps.
        nominal_us: When each planned step would be wanted if every request took no time.
        next: The first planned step that is neither sent nor skipped.
        flight: The request in flight.
        user: Who plays it; None before it begins and after it ended.
        greenlet: Where it is played; None before it begins.
        lost: True when the steps before t0 failed, so that the planned ones cannot follow.
    """

    __slots__ = (
        "before",
        "flight",
        "greenlet",
        "lost",
        "next",
        "nominal_us",
        "operations",
        "session",
        "user",
    )

    def __init__(self, session: Session, steps: tuple[str, ...]) -> None:
        first = session.first_step
        self.session = session
        self.before = steps[:first]
        self.operations = steps[first : first + len(session.pauses_us)]
        self.nominal_us = tuple(session.nominal_us())
        self.next = 0
        self.flight: Flight | None = None
        self.user: JourneyUser | None = None
        self.greenlet: gevent.Greenlet | None = None
        self.lost = False

    @property
    def open(self) -> bool:
        """True while planned steps are left."""
        return self.next < len(self.operations)

    def step(self) -> tuple[str, int]:
        """Operation and planned second of the next step."""
        return self.operations[self.next], self.nominal_us[self.next] // MICROSECONDS
