"""An estimate against a limit: surely inside, surely outside, or undecided.

A target is met when the whole 95 % interval meets it and missed when the whole interval misses
it. A limit of the interval that the sample cannot give counts as infinite, so a number without an
upper limit never meets "less than".
"""

from __future__ import annotations

import math
from typing import Final, Literal

from palier.analysis.findings import Estimate
from palier.analysis.percentile import samples_needed
from palier.analysis.ratio import upper_limit
from palier.model.target import Comparator

State = Literal["pass", "fail", "inconclusive"]

APPROXIMATELY: Final = 0.20
"""Sources write "about 3 s" for one significant digit, which is a fifth to either side."""

LONGEST_USEFUL: Final = 10_000.0
"""A run this many times longer decides nothing in practice."""


def compare(
    estimate: Estimate, comparator: Comparator, limit: float, limit_high: float | None = None
) -> State:
    """How the estimate stands to the limit; both in the same unit.

    ``=`` compares the value itself: an interval can never show equality, and the targets that ask
    for it are counts. ``range`` includes both ends; ``approx`` is a fifth to either side.
    """
    if estimate.value is None:
        return "inconclusive"
    low = -math.inf if estimate.low is None else estimate.low
    high = math.inf if estimate.high is None else estimate.high
    if comparator == "<":
        return _state(inside=high < limit, outside=low >= limit)
    if comparator == "<=":
        return _state(inside=high <= limit, outside=low > limit)
    if comparator == ">":
        return _state(inside=low > limit, outside=high <= limit)
    if comparator == ">=":
        return _state(inside=low >= limit, outside=high < limit)
    if comparator == "=":
        return _equal(estimate, limit)
    first, last = _ends(comparator, limit, limit_high)
    return _state(inside=first <= low and high <= last, outside=high < first or low > last)


def _equal(estimate: Estimate, limit: float) -> State:
    if estimate.censored:
        assert estimate.value is not None  # compare() has answered that
        return "fail" if estimate.value > limit else "inconclusive"
    return "pass" if estimate.value == limit else "fail"


def _ends(comparator: Comparator, limit: float, limit_high: float | None) -> tuple[float, float]:
    if comparator == "approx":
        margin = APPROXIMATELY * abs(limit)
        return limit - margin, limit + margin
    return limit, math.inf if limit_high is None else limit_high


def _state(*, inside: bool, outside: bool) -> State:
    if inside:
        return "pass"
    return "fail" if outside else "inconclusive"


def times_longer_for_percentile(
    estimate: Estimate, limit: float, fraction: float | None
) -> float | None:
    """How many times more requests would decide, were the percentile what it seems.

    The interval narrows with the square root of the sample, so ``(width / distance) ** 2`` with
    the half of the interval that faces the limit. A missing upper limit needs an effective
    sample of ``samples_needed`` first. None when no length decides in practice.
    """
    if estimate.value is None:
        return None
    below = estimate.value < limit
    edge = estimate.high if below else estimate.low
    if edge is None:
        if estimate.censored or fraction is None or not estimate.effective:
            return None
        return _useful(samples_needed(fraction, 0.975) / estimate.effective)
    distance = abs(limit - estimate.value)
    if distance == 0:
        return None
    return _useful((abs(edge - estimate.value) / distance) ** 2)


def times_longer_for_ratio(estimate: Estimate, limit: float) -> float | None:
    """How many times more requests would show a ratio below the limit, at the same ratio.

    None when the ratio is at or above the limit, or when no length decides in practice.
    """
    if estimate.value is None or not estimate.effective or estimate.value >= limit:
        return None
    times = 1.0
    while times <= LONGEST_USEFUL:
        n = estimate.effective * times
        if upper_limit(estimate.value * n, n) < limit:
            return times
        times *= 1.1
    return None


def _useful(times: float) -> float | None:
    return None if times > LONGEST_USEFUL else max(1.1, times)
