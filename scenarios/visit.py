"""A session in progress: what is still to be accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from palier.load.chance import MICROSECONDS
from palier.load.schedule import Schedule
from palier.load.session import Session

if TYPE_CHECKING:
    from scenarios.player import Player


class Visit:
    """A session of the schedule while it is played. Ten thousand may be in progress, and ten
    thousand a second be made: what most visits have in common lies in the class.

    Attributes:
        session: The session.
        base: Planned steps of the session before this part of it, which a lost loader had.
        number: What the user calls its visit, so that two visits never make the same thing.
        operations: Operations of the planned steps.
        nominal_us: When each planned step would be wanted if every request took no time.
        next: The first planned step that is neither sent nor skipped.
        due_us: When the next step is wanted, or the one in flight was; None before it begins.
        started_us: When the request in flight was sent; None when none is.
        session_wait_us: How long the next step, or the one in flight, had to wait for a free
            session.
        user: Who plays it; None before it begins and after it ended.
        lost: True when the steps before t0 failed, so that the planned ones cannot follow.
        loop: Steps of one time around, of a user of a closed load; None for a visitor.
    """

    base = 0
    next = 0
    due_us: int | None = None
    started_us: int | None = None
    session_wait_us = 0
    user: Player | None = None
    lost = False
    loop: int | None = None

    def __init__(self, session: Session, schedule: Schedule, *, base: int = 0) -> None:
        self.session = session
        self.number = session.index
        self.operations = schedule.operations(session)
        one = len(session.pauses_us) == 1
        self.nominal_us = (session.at_us,) if one else tuple(session.nominal_us())
        self._schedule = schedule
        if base:
            self.base = base
        if schedule.again_from is not None:
            self.loop = schedule.loop_of(session)

    @property
    def before(self) -> tuple[str, ...]:
        """Operations of the journey that lie before t0."""
        return self._schedule.steps[self.session.journey][: self.session.first_step]

    @property
    def open(self) -> bool:
        """True while planned steps are left."""
        return self.next < len(self.operations)

    def step(self) -> tuple[str, int]:
        """Operation and planned second of the next step."""
        return self.operations[self.next], self.nominal_us[self.next] // MICROSECONDS

    def sent_step(self) -> tuple[str, int]:
        """Operation and planned second of the step in flight."""
        return self.operations[self.next - 1], self.nominal_us[self.next - 1] // MICROSECONDS

    @property
    def _beyond_first(self) -> int:
        """Steps since the journey was over for the first time; negative before."""
        length = len(self._schedule.steps[self.session.journey])
        return self.session.first_step + self.next - length

    def come_around(self, user: Player) -> None:
        """Where a user of a closed load begins again: what is made once a visit, such as a stay
        on nights of its own, has to be another one each time around."""
        if self.loop is None or self._beyond_first < 0 or self._beyond_first % self.loop:
            return
        times = 1 + self._beyond_first // self.loop
        number = self.number + times * len(self._schedule.sessions)
        if self._schedule.again_from == 0:
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
