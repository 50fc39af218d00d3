"""Expected numbers of requests: the integral of the rate, with the time that visitors think.

A session's later steps follow its arrival, so where the level moves, requests follow it late and
smoothed: the rate of each step is the rate of the step before it, filtered by an exponential
pause. The window is cut into cells of equal length, and the filter is exact for cell means.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from palier.load.chance import MICROSECONDS
from palier.model.plan import RunPlan

CELLS: Final = 2_000
"""Of a window of ten minutes, cells of 0.3 s: far shorter than what visitors think."""


def expected_requests(plan: RunPlan, *, from_s: float, to_s: float) -> dict[str, float]:
    """Mean number of planned requests in a part of the window, by operation.

    Of a closed load it is what its users would ask for if every answer took no time; the way in
    and what is done only once are left out.
    """
    cell_s = plan.duration_s / CELLS
    overlaps_s = [
        max(0.0, min((k + 1) * cell_s, to_s) - max(k * cell_s, from_s)) for k in range(CELLS)
    ]
    counts: dict[str, float] = {}
    for operation, rates in _rates_of_steps(plan):
        mean = sum(rate * overlap_s for rate, overlap_s in zip(rates, overlaps_s, strict=True))
        counts[operation] = counts.get(operation, 0.0) + mean
    return counts


def busiest_moment(plan: RunPlan) -> tuple[float, float]:
    """Highest expected rate of requests, and when it is reached, in seconds from t0."""
    totals = [0.0] * CELLS
    for _, rates in _rates_of_steps(plan):
        totals = [total + rate for total, rate in zip(totals, rates, strict=True)]
    highest = max(totals)
    return highest, (totals.index(highest) + 0.5) * plan.duration_s / CELLS


def _rates_of_steps(plan: RunPlan) -> Iterator[tuple[str, list[float]]]:
    """Operation of each step, and its requests a second in each cell."""
    cell_s = plan.duration_s / CELLS
    arrivals = _cell_means(plan)
    at_start = 0.0 if plan.arrivals_us else plan.curve.level(0.0)
    weights = sum(journey.weight for journey in plan.journeys)
    once = 0 if plan.loop is None else plan.loop.once
    for journey in plan.journeys:
        per_s = plan.sessions_per_s * journey.weight / weights
        rates = [level * per_s for level in arrivals]
        for step in journey.steps[once:]:
            if plan.loop is None:
                rates = _delayed(rates, at_start * per_s, step.think_s / cell_s)
            yield step.operation, rates


def _cell_means(plan: RunPlan) -> list[float]:
    """Level of the arrivals in each cell."""
    cell_s = plan.duration_s / CELLS
    if plan.arrivals_us:
        counts = [0.0] * CELLS
        for at_us in plan.arrivals_us:
            counts[min(int(at_us / MICROSECONDS / cell_s), CELLS - 1)] += 1
        return [count / (plan.sessions_per_s * cell_s) for count in counts]
    curve = plan.curve
    areas = [curve.area(k * cell_s) for k in range(CELLS + 1)]
    return [(areas[k + 1] - areas[k]) / cell_s for k in range(CELLS)]


def _delayed(rates: list[float], before: float, mean_cells: float) -> list[float]:
    """Rates after an exponential pause, which has passed on ``before`` for ever until now.

    In a cell with rate f the rate r behind the pause follows r' = (f - r) / mean; both its end
    and its mean have closed forms.
    """
    if mean_cells == 0:
        return rates
    left = math.exp(-1 / mean_cells)
    held = mean_cells * (1 - left)
    now, means = before, []
    for rate in rates:
        means.append(rate + (now - rate) * held)
        now = rate + (now - rate) * left
    return means
