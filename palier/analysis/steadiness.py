"""Steadiness: does the judged window still drift?

Two series are tested for a trend: the median response time of each second, and the share of slow
requests (above the 90th percentile of the window) of each second, which sees a tail that grows
while the median stays. The medians are tested for a step, too, which a trend test loses when it
comes late. A window drifts when one of these is both surely there and large enough to matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr  # not scipy.stats, which takes a second to import

from palier.analysis.findings import Steadiness
from palier.analysis.shortseries import CANNOT_TELL, widening
from palier.analysis.step import Step, find_step

FEWEST_SECONDS: Final = 12
"""Below this a trend test has no power: even a doubling would often go unseen."""

SIGNIFICANCE: Final = 0.005
"""Of each of the two tests. A change that matters is far more significant than this; a system
that breathes a little, second after second, is taken for drifting in less than 3 % of runs."""

SMALLEST_CHANGE: Final = 0.25
"""A change of the median by less than a quarter over the window does not matter ..."""

SMALLEST_CHANGE_S: Final = 0.002
"""... nor does one below 2 ms, which is what a Python load generator's own timers blur."""

SLOW_FACTOR: Final = 2.0
"""The share of slow requests has to double, or halve, from one half of the window to the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A monotone trend: its size over the whole series and the p-value of its test.

    Attributes:
        change: Its size, in the unit of the values.
        p_value: Of no trend.
        dependence: Lag-1 autocorrelation of what is left when it is taken out.
    """

    change: float
    p_value: float
    dependence: float = 0.0


def find_trend(values: NDArray[np.float64]) -> Trend:
    """Size of a trend by Theil and Sen; its test by rank regression with dependent errors.

    Ranks are regressed on time, so that a stall of some seconds counts as the largest ranks and
    not by its size. The errors are taken as AR(1): the variance of the slope grows by
    ``(1 + r) / (1 - r)`` and the degrees of freedom shrink by the inverse, with the lag-1
    autocorrelation ``r`` of the residuals corrected for its bias in short series,
    ``(2 + 4 r) / n``, and never below 0.

    Args:
        values: Shape (n,); NaN is left out, infinite values have the largest ranks.

    Returns:
        The change over the series by the median slope of the finite values. No trend and
        ``p_value`` 1 for fewer than 4 values or equal ones.

    Source: Sen (1968), JASA 63, 1379-1389; Bence (1995), Ecology 76(2), 628-639 (autocorrelation
        in short series, bias adjusted).
    """
    at = np.flatnonzero(~np.isnan(values)).astype(np.float64)
    known = values[~np.isnan(values)]
    n = len(known)
    finite = np.isfinite(known)
    if n < 4 or finite.sum() < 4:
        return Trend(change=0.0, p_value=1.0)
    slope = median_slope(at[finite], known[finite])
    p_value, wider = _trend_test(at, known)
    return Trend(
        change=slope * float(at[-1] - at[0]),
        p_value=p_value,
        dependence=(wider - 1) / (wider + 1),
    )


def median_slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Median of the slopes between any two points, which a few wild values do not move.

    Args:
        x: Rising; shape (n,), n >= 2.
        y: Shape (n,), finite.

    Source: Theil (1950); Sen (1968), JASA 63, 1379-1389.
    """
    slopes = [(y[k:] - y[:-k]) / (x[k:] - x[:-k]) for k in range(1, len(x))]
    return float(np.median(np.concatenate(slopes)))


def _trend_test(at: NDArray[np.float64], known: NDArray[np.float64]) -> tuple[float, float]:
    """The p-value, and by how much dependence widens the variance."""
    n = len(known)
    time = at - at.mean()
    ranks = pd.Series(known).rank().to_numpy()
    ranks = ranks - ranks.mean()
    if not ranks.any():
        return 1.0, 1.0
    slope = float(time @ ranks) / float(time @ time)
    rest = ranks - slope * time
    squares = float(rest @ rest)
    if squares <= 1e-9 * float(ranks @ ranks):
        return 0.0, 1.0
    wider = widening(rest)
    error = math.sqrt(squares / (n - 2) * wider / float(time @ time))
    # Student's t: the lower tail of the negative value is the upper tail.
    return float(2 * stdtr(max(1.0, n / wider - 2), -abs(slope) / error)), wider


def judge_steadiness(
    medians_s: NDArray[np.float64],
    slow_shares: NDArray[np.float64],
    *,
    settled: bool,
    warmup_found_s: float,
    significance: float = SIGNIFICANCE,
) -> Steadiness:
    """Whether the judged window is the same from its start to its end.

    Args:
        medians_s: Median response time of each judged second; NaN where nothing was intended,
            infinite where nothing came back.
        slow_shares: Share of each judged second's requests above the window's 90th percentile.
        settled: What the search for the warm-up found.
        warmup_found_s: Where it ended.
        significance: Of each test.
    """
    seconds = int((~np.isnan(medians_s)).sum())
    if seconds < FEWEST_SECONDS:
        return Steadiness(
            steady=None,
            why=f"only {seconds} judged seconds have requests; a drift shows from "
            f"{FEWEST_SECONDS} seconds on",
            warmup_found_s=warmup_found_s,
        )
    with np.errstate(divide="ignore"):
        levels = np.log(medians_s)
    level = find_trend(levels)
    step = _step_that_matters(levels, significance)
    change = math.expm1(level.change)
    absolute_s = abs(change) * float(np.nanmin(medians_s[np.isfinite(medians_s)], initial=np.inf))
    tail = find_trend(slow_shares)
    before, after = _halves(slow_shares)

    matters = abs(change) >= SMALLEST_CHANGE and absolute_s >= SMALLEST_CHANGE_S
    steady: bool | None = True
    why, p_value = "", min(level.p_value, tail.p_value)
    if level.p_value < significance and matters:
        steady, p_value = False, level.p_value
        why = (
            f"the median response time {_moves(change)} by {abs(change):.0%} "
            f"over the judged window (p = {p_value:.2g})"
        )
    elif tail.p_value < significance and max(before, after) >= SLOW_FACTOR * min(before, after):
        steady, p_value = False, tail.p_value
        why = (
            f"the share of slow requests moves from {before:.1%} in the first half of the judged "
            f"window to {after:.1%} in the second (p = {p_value:.2g})"
        )
    elif step is not None:
        steady, p_value, change = False, step.p_value, math.expm1(step.after - step.before)
        why = (
            f"the median response time steps from {math.exp(step.before) * 1000:.3g} ms to "
            f"{math.exp(step.after) * 1000:.3g} ms {step.at} s into the judged window and stays "
            f"there (p = {step.p_value:.2g})"
        )
    elif not settled:
        steady = False
        why = (
            "the response time of the first third never comes near that of the second half: "
            "the system was still warming up, or was already drifting"
        )
    elif matters and level.dependence >= CANNOT_TELL:
        steady = None
        why = (
            f"the median response time {_moves(change)} by {abs(change):.0%} over the judged "
            f"window, but neighbouring seconds depend on each other so much (autocorrelation "
            f"{level.dependence:.2f}) that a drift and a slow wave look alike"
        )
    else:
        why = f"no drift of the median or of the slow share found in {seconds} s"
    return Steadiness(
        steady=steady,
        why=why,
        change=change if math.isfinite(change) else None,
        p_value=p_value,
        warmup_found_s=warmup_found_s,
    )


def _step_that_matters(levels: NDArray[np.float64], significance: float) -> Step | None:
    """A step of the median that is surely there, and as large as a trend has to be.

    Args:
        levels: Logarithms of the medians of one second.
        significance: Of its test.
    """
    step = find_step(levels)
    if step is None or step.p_value >= significance:
        return None
    if not (math.isfinite(step.before) and math.isfinite(step.after)):
        return None
    last = float(np.median(levels[~np.isnan(levels)][-3:]))
    if (
        abs(math.expm1(min(last - step.before, step.after - step.before, key=abs)))
        < SMALLEST_CHANGE
    ):
        return None  # too small, or over by itself before the window ends
    absolute_s = abs(math.exp(step.after) - math.exp(step.before))
    return step if absolute_s >= SMALLEST_CHANGE_S else None


def moves_by_plan(*, warmup_found_s: float) -> Steadiness:
    """Of a load that is meant to move, steadiness is not asked."""
    return Steadiness(
        steady=None,
        why="the load moves by plan, and response times may move with it",
        warmup_found_s=warmup_found_s,
        moves_by_plan=True,
    )


def _moves(change: float) -> str:
    return "rises" if change > 0 else "falls"


def _halves(shares: NDArray[np.float64]) -> tuple[float, float]:
    known = shares[~np.isnan(shares)]
    middle = len(known) // 2
    if middle == 0:
        return 0.0, 0.0
    return float(known[:middle].mean()), float(known[middle:].mean())
