"""Headroom: how far a gate stays from its limit, counted from the unfavourable side."""

from __future__ import annotations

import math
from collections.abc import Sequence

from palier.analysis.verdict import TargetVerdict
from palier.model.metric import METRICS


def headroom(target: TargetVerdict) -> float | None:
    """Distance to the limit as a share of it; negative when the limit is or may be passed.

    The end of the interval that is nearest to the limit counts. An interval that is open on that
    side may reach anywhere: its headroom is minus infinity.

    Returns:
        None without a measured value, a limit or a direction, and for what load does not use up.
    """
    metric = METRICS.get(target.metric or "")
    if metric is None or not metric.used_up_by_load:
        return None
    if target.limit is None or target.limit == 0 or target.measured is None:
        return None
    if target.comparator in ("<", "<="):
        worst = math.inf if target.high is None else target.high
        return (target.limit - worst) / abs(target.limit)
    if target.comparator in (">", ">="):
        worst = -math.inf if target.low is None else target.low
        return (worst - target.limit) / abs(target.limit)
    return None


def by_headroom(targets: Sequence[TargetVerdict]) -> list[tuple[float, TargetVerdict]]:
    """The gates among ``targets`` that have headroom, the tightest first."""
    rooms = [
        (room, target)
        for target in targets
        if target.role == "gate" and (room := headroom(target)) is not None
    ]
    return sorted(rooms, key=lambda pair: pair[0])
