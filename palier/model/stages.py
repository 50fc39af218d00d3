"""The stages of a load that moves: the straight pieces of its curve, and where they meet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from palier.model.curve import Polyline
from palier.model.plan import RunPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A straight piece of the curve inside the planned window.

    Attributes:
        from_s: Its start, in seconds from the start of the run.
        to_s: Its end.
        low: Level at the start.
        high: Level at the end.
    """

    from_s: float
    to_s: float
    low: float
    high: float

    @property
    def is_level(self) -> bool:
        """True where the same load is offered from its start to its end, and there is one."""
        return self.low == self.high > 0

    def __str__(self) -> str:
        moves = f"level {self.low:.3g}" + ("" if self.low == self.high else f" to {self.high:.3g}")
        return f"{moves} until {self.to_s:.4g} s"


def stages_of(plan: RunPlan) -> tuple[Stage, ...]:
    """Stages of a plan in order; none for a load that does not move, a trace and a sine."""
    curve = plan.curve
    if plan.is_steady or plan.arrivals_us or not isinstance(curve, Polyline):
        return ()
    end_s = plan.duration_s
    last_s, last = curve.points[-1]
    points = (*curve.points, (max(end_s, last_s), last))
    return tuple(
        Stage(from_s=from_s, to_s=min(to_s, end_s), low=low, high=high)
        for (from_s, low), (to_s, high) in pairwise(points)
        if from_s < min(to_s, end_s)
    )
