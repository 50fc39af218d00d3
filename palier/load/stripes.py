"""Who plays which session: the workers in turn, and after a loss the others in turn."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A worker that was lost.

    Attributes:
        worker: Its index.
        cut_us: From when on others do its work, in microseconds from t0.
        survivors: Those others; empty when there is nobody left.
    """

    worker: int
    cut_us: int
    survivors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stripes:
    """The workers of a run and what has happened to them.

    Attributes:
        workers: How many there were at the start.
        losses: Those that were lost since, in that order.
    """

    workers: int
    losses: tuple[Loss, ...] = ()

    def after(self, loss: Loss) -> Stripes:
        """The same after one more loss."""
        return replace(self, losses=(*self.losses, loss))

    def alive(self) -> tuple[int, ...]:
        """Workers that were not lost."""
        lost = {loss.worker for loss in self.losses}
        return tuple(worker for worker in range(self.workers) if worker not in lost)

    def owner(self, session: int) -> int | None:
        """Who plays a session now; None when the last worker that had it left no other.

        Every ``workers``-th session is one stripe; a lost stripe is dealt out in the same way.
        """
        rest, owner = divmod(session, self.workers)
        for loss in self.losses:
            if owner != loss.worker:
                continue
            if not loss.survivors:
                return None
            rest, place = divmod(rest, len(loss.survivors))
            owner = loss.survivors[place]
        return owner
