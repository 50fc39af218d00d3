"""Taking over a lost loader's sessions while the run goes on.

Those to come are expected like any other. Those in progress are first brought to where they were,
as before t0: their earlier steps are made once more, unmeasured (``scenarios.lead_in``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import gevent
from gevent.event import Event

from palier.load.handover import Resumed, rest_of
from palier.load.schedule import Schedule
from palier.load.session import Session
from palier.load.stripes import Stripes
from scenarios.dispatch import Dispatch
from scenarios.lead_in import lead_in
from scenarios.pause import pause
from scenarios.user_pool import UserPool
from scenarios.visit import Visit

AT_A_TIME: Final = 300
"""Sessions looked at before others may run: some tenths of a millisecond."""

NUMBERS_APART: Final = 1_000_000
"""Times the sessions of a schedule: more often than any user of a closed load comes around, so a
visit that is made again makes things of its own and not once more what the first one made."""


class TakingOver:
    """Brings a lost loader's sessions into a dispatch that runs.

    Args:
        schedule: The schedule of the run.
        worker: Index of this loader.
        dispatch: Plays them.
        users: Who plays them.

    Attributes:
        idle: Set while nothing is being taken over.
    """

    def __init__(
        self, *, schedule: Schedule, worker: int, dispatch: Dispatch, users: UserPool
    ) -> None:
        self.idle = Event()
        self.idle.set()
        self._schedule = schedule
        self._worker = worker
        self._dispatch = dispatch
        self._users = users
        self._at_work: list[gevent.Greenlet] = []

    def begin(
        self,
        stripes: Stripes,
        resumed: Sequence[Resumed],
        *,
        on_bug: Callable[[BaseException], None],
    ) -> None:
        """Take over this loader's part of the newest loss; returns at once.

        Args:
            stripes: Who plays what from now on.
            resumed: Sessions in progress that are this loader's now.
            on_bug: Told when that went wrong.
        """
        self.idle.clear()
        greenlet = gevent.spawn(self._take, stripes, resumed)
        greenlet.link_exception(lambda failed: on_bug(failed.exception))
        self._at_work.append(greenlet)

    def kill(self) -> None:
        """What has not been taken over by now never will be."""
        gevent.killall(self._at_work)

    def _take(self, stripes: Stripes, resumed: Sequence[Resumed]) -> None:
        under_way = [
            self._visit(rest_of(self._schedule, one), one.step, stripes) for one in resumed
        ]
        arrivals = []
        for session in self._to_come(stripes):
            if session.first_step:
                under_way.append(self._visit(session, 0, stripes))
            else:
                arrivals.append(session)
        if arrivals:
            self._dispatch.expect(arrivals)
        # Whoever is wanted first is brought first.
        under_way.sort(key=lambda visit: visit.nominal_us[0])
        waiting = set(under_way)

        def go_on(visit: Visit) -> None:
            waiting.discard(visit)
            self._dispatch.expect_visit(visit)

        lead_in(under_way, on_ready=go_on)
        for visit in list(waiting):  # their time was up
            go_on(visit)
        self._at_work.remove(gevent.getcurrent())
        if not self._at_work:
            self.idle.set()

    def _to_come(self, stripes: Stripes) -> Iterator[Session]:
        """Sessions of the lost loader that begin after the cut and are ours now."""
        loss = stripes.losses[-1]
        before = Stripes(stripes.workers, stripes.losses[:-1])
        sessions = self._schedule.sessions
        first = bisect_left(sessions, loss.cut_us, key=lambda session: session.at_us)
        for place in range(first, len(sessions)):
            if (place - first) % AT_A_TIME == AT_A_TIME - 1:
                pause()
            index = sessions[place].index
            if before.owner(index) == loss.worker and stripes.owner(index) == self._worker:
                yield sessions[place]

    def _visit(self, session: Session, base: int, stripes: Stripes) -> Visit:
        visit = Visit(session, self._schedule, base=base)
        visit.number += len(self._schedule.sessions) * NUMBERS_APART * len(stripes.losses)
        visit.user = self._users.take()
        return visit
