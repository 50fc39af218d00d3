"""A session in progress: what is still to be accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gevent

from palier.load.chance import MICROSECONDS
from palier.load.schedule import Schedule
from palier.load.session import Session

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
        loop: Steps of one time around, of a user of a closed load; None for a visitor.
    """

    __slots__ = (
        "_again_from",
        "_length",
        "_sessions",
        "before",
        "flight",
        "greenlet",
        "loop",
        "lost",
        "next",
        "nominal_us",
        "operations",
        "session",
        "user",
    )

    def __init__(self, session: Session, schedule: Schedule) -> None:
        self.session = session
        self.before = schedule.steps[session.journey][: session.first_step]
        self.operations = schedule.operations(session)
        self.nominal_us = tuple(session.nominal_us())
        self.next = 0
        self.flight: Flight | None = None
        self.user: JourneyUser | None = None
        self.greenlet: gevent.Greenlet | None = None
        self.lost = False
        self.loop = schedule.loop_of(session)
        self._length = len(schedule.steps[session.journey])
        self._again_from = schedule.again_from
        self._sessions = len(schedule.sessions)

    @property
    def open(self) -> bool:
        """True while planned steps are left."""
        return self.next < len(self.operations)

    def step(self) -> tuple[str, int]:
        """Operation and planned second of the next step."""
        return self.operations[self.next], self.nominal_us[self.next] // MICROSECONDS

    @property
    def _beyond_first(self) -> int:
        """Steps since the journey was over for the first time; negative before."""
        return self.session.first_step + self.next - self._length

    def come_around(self, user: JourneyUser) -> None:
        """Where a user of a closed load begins again: what is made once a visit, such as a stay
        on nights of its own, has to be another one each time around."""
        if self.loop is None or self._beyond_first < 0 or self._beyond_first % self.loop:
            return
        times = 1 + self._beyond_first // self.loop
        number = self.session.index + times * self._sessions
        if self._again_from == 0:
            user.begin(tenant=self.session.tenant, session=number)
        else:
            # What was done once, such as signing in, is not forgotten.
            user.session = number

    def left_of_journey(self) -> int:
        """Steps up to the end of the journey, or of the present time around the loop."""
        planned = len(self.operations) - self.next
        left = -self._beyond_first
        if left < 0:  # the first time around is over, and only a loop has a second one
            assert self.loop is not None
            left %= self.loop
        return min(left, planned)

    def loops_behind(self, at_us: int) -> int:
        """Whole times around the loop that ought to be over by an instant at which the first of
        them is only about to begin; 0 inside one, and for visitors."""
        if self.loop is None or (self._beyond_first % self.loop):
            return 0
        behind = 0
        while self.next + (behind + 1) * self.loop < len(self.nominal_us) and (
            self.nominal_us[self.next + (behind + 1) * self.loop] <= at_us
        ):
            behind += 1
        return behind
