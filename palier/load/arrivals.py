"""When sessions of an open load arrive: drawn along the profile's curve, or read from a trace."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from palier.load.chance import MICROSECONDS, THINK_LIMIT, arrival_gaps_us
from palier.model.plan import RunPlan


def longest_us(plan: RunPlan) -> int:
    """Longest a session can take if every request takes no time."""
    return round(max(j.think_s for j in plan.journeys) * THINK_LIMIT * MICROSECONDS)


def arrivals_us(plan: RunPlan, random: Random) -> Iterator[int]:
    """Arrivals up to the end of the window, in microseconds from t0 and in order.

    Those before t0 are of sessions that may still be in progress then; a trace has none, because
    a log does not say who was there before its first line.
    """
    if plan.profile.trace is not None:
        yield from _spread(plan.arrivals_us, plan.profile.trace.spread_s, plan.duration_s, random)
        return
    curve = plan.curve
    window_us = round(plan.duration_s * MICROSECONDS)
    # A process with one event a unit of area is one with the curve's rate in time: exact for any
    # curve, and the draws stay whole numbers whose rounding does not add up.
    area_us = round(curve.area(-longest_us(plan) / MICROSECONDS) * MICROSECONDS)
    for gap_us in arrival_gaps_us(plan.profile.arrivals, plan.sessions_per_s, random):
        area_us += gap_us
        at_s = curve.when(area_us / MICROSECONDS)
        if math.isinf(at_s) or (at_us := round(at_s * MICROSECONDS)) >= window_us:
            return
        yield at_us


def _spread(
    instants_us: tuple[int, ...], spread_s: float, window_s: float, random: Random
) -> Iterator[int]:
    if spread_s == 0:
        yield from instants_us
        return
    spread_us = spread_s * MICROSECONDS
    moved = sorted(at_us + int(random.random() * spread_us) for at_us in instants_us)
    yield from (at_us for at_us in moved if at_us < window_s * MICROSECONDS)
