"""Workers that are lost while a run goes on: fenced, accounted for, and their work handed over.

First the master stops taking anything from the worker and says up to which line it has (the
fence). Only then is it certain what is known and what is not, and only then do others take over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from palier.load.chance import MICROSECONDS
from palier.load.handover import Handover, hand_over
from palier.load.loaders import Loaders
from palier.load.merge import Merger
from palier.load.positions import Positions
from palier.load.schedule import Schedule
from palier.load.stripes import Loss, Stripes
from palier.load.tail import Line, Tail

TAKE_OVER_S: Final = 0.3
"""From handing over to the cut: longer than it takes to tell the others, and to make the sessions
that they are to play."""


class Losses:
    """Keeps who was lost and what is known of everybody's sessions.

    Args:
        schedule: The schedule of the run.
        tails: What is read of each worker's lines.
        loaders: The processes.
        merger: Told what can never be known.
        tell: Writes an event.
        now_us: The clock of the run.

    Attributes:
        workers: Those that were lost.
        stopping: True when the run is being ended: then nobody takes over anything.
    """

    def __init__(
        self,
        schedule: Schedule,
        *,
        tails: Sequence[Tail],
        loaders: Loaders,
        merger: Merger,
        tell: Callable[..., None],
        now_us: Callable[[], int],
    ) -> None:
        self.workers: set[int] = set()
        self.stopping = False
        self._schedule = schedule
        self._tails = tails
        self._loaders = loaders
        self._merger = merger
        self._tell = tell
        self._now_us = now_us
        self._positions = Positions(schedule)
        self._stripes = Stripes(len(tails))
        self._seen_us = [0] * len(tails)
        self._fencing: dict[int, dict[str, Any]] = {}

    @property
    def settled(self) -> bool:
        """True when nothing is being handed over just now."""
        return not self._fencing

    def add(self, line: Line) -> None:
        """A loader has written a line."""
        self._positions.add(line)
        self._seen_us[line["worker"]] = round(line["at_s"] * MICROSECONDS)

    def notice(self, worker: int, *, why: str, exit_code: int | None = None) -> None:
        """A worker has ended or gone silent, and has not written its last line."""
        if worker in self.workers or self._tails[worker].final:
            return
        self.workers.add(worker)
        known = {"why": why, "exit_code": exit_code, "seen_s": self._now_us() / MICROSECONDS}
        # One that stands still could wake up; it would be refused, but it need not try.
        self._loaders.kill_worker(worker)
        master = self._loaders.master
        if master is None or master.exit_code() is not None:
            self._account(worker, known)
        else:
            self._fencing[worker] = known
            self._loaders.fence(worker)

    def fenced(self, worker: int) -> None:
        """The master takes nothing more from a worker; everything it took has been read."""
        known = self._fencing.pop(worker, None)
        if known is not None:
            self._account(worker, known)

    def master_lost(self) -> None:
        """Nobody can say any more what the workers do."""
        for worker in list(self._fencing):
            self.fenced(worker)
        for tail in self._tails:
            self.notice(tail.worker, why="its master was lost")

    def settle(self) -> None:
        """At the end: what was handed over to somebody who could not take it is lost, too."""
        if not self.workers:
            return
        for worker in self._stripes.alive():
            # Of its own work nothing may be missing: that would be an error to be seen.
            handed_on = [
                session.index
                for session in self._schedule.sessions
                if session.index % self._stripes.workers != worker
                and self._stripes.owner(session.index) == worker
            ]
            rest = hand_over(
                self._schedule,
                self._stripes,
                self._positions,
                Loss(worker=worker, cut_us=self._schedule.window_us, survivors=()),
                only=frozenset(handed_on),
            )
            self._merger.add_lost(rest, self._schedule, seen_us=self._seen_us[worker])

    def _account(self, worker: int, known: dict[str, Any]) -> None:
        survivors = tuple(
            other
            for other in self._stripes.alive()
            if other not in self.workers and not self._tails[other].final
        )
        cut_us = self._now_us() + round(TAKE_OVER_S * MICROSECONDS)
        if self.stopping or cut_us >= self._schedule.window_us:
            survivors = ()
        loss = Loss(worker=worker, cut_us=cut_us, survivors=survivors)
        handover = hand_over(self._schedule, self._stripes, self._positions, loss)
        self._stripes = self._stripes.after(loss)
        self._loaders.hand_over(self._parts(handover))
        self._merger.add_lost(handover, self._schedule, seen_us=self._seen_us[worker])
        self._tell(
            "worker",
            "worker_lost",
            worker=worker,
            **known,
            reported_until_s=self._seen_us[worker] / MICROSECONDS,
            cut_s=cut_us / MICROSECONDS if survivors else None,
            taken_over_by=list(survivors),
            resumed=len(handover.resumed),
            unknown=handover.unknown,
            in_flight=len(handover.in_flight),
        )

    def _parts(self, handover: Handover) -> list[dict[str, Any]]:
        """What each of the others is told."""
        losses = [asdict(loss) for loss in self._stripes.losses]
        resumed: dict[int | None, list[list[int]]] = {}
        for one in handover.resumed:
            owner = self._stripes.owner(one.session)
            resumed.setdefault(owner, []).append([one.session, one.step])
        return [
            {"worker": other, "losses": losses, "resumed": resumed.get(other, [])}
            for other in handover.loss.survivors
        ]
