"""A step: is a series at another level after some instant, to its end?

A trend test loses a late step: it is short against the window, and to the test its two levels look
like dependence. So the two levels are fitted first, and dependence is measured from what is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr  # not scipy.stats, which takes a second to import

from palier.analysis.shortseries import widening

SHORTEST: Final = 5
"""Values either side of a step, at least: fewer are an episode, which may be over by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The likeliest step of a series.

    Attributes:
        at: Index of the first value after it.
        before: Median of the values before it.
        after: Median of those after it.
        p_value: Of no step anywhere.
    """

    at: int
    before: float
    after: float
    p_value: float


def find_step(values: NDArray[np.float64]) -> Step | None:
    """The split with the largest difference of mean ranks, and its test.

    Ranks, so that a stall of some seconds counts as the largest ranks and not by its size. The
    errors are AR(1) as in ``find_trend``. The chance of the largest of all splits is at most the
    sum of their chances (Bonferroni), which errs on the side of no step.

    Args:
        values: Shape (n,); NaN is left out, infinite values have the largest ranks.

    Returns:
        None for fewer than ``2 * SHORTEST`` values or equal ones.

    Source: two-phase test at an unknown instant: Pettitt (1979), Applied Statistics 28(2),
        126-135 (on ranks); the correction as in Bence (1995), Ecology 76(2), 628-639.
    """
    places = np.flatnonzero(~np.isnan(values))
    known = values[places]
    n = len(known)
    if n < 2 * SHORTEST:
        return None
    ranks = pd.Series(known).rank().to_numpy()
    ranks = ranks - ranks.mean()
    if not ranks.any():
        return None
    first = np.arange(SHORTEST, n - SHORTEST + 1)
    sums = np.cumsum(ranks)[first - 1]
    # Ranks sum up to 0, so the mean after a split follows from the sum before it.
    differences = -sums / (n - first) - sums / first
    scaled = np.abs(differences) / np.sqrt(1 / first + 1 / (n - first))
    best = int(np.argmax(scaled))
    split = int(first[best])
    rest = ranks - np.where(np.arange(n) < split, sums[best] / split, -sums[best] / (n - split))
    squares = float(rest @ rest)
    p_value = 0.0
    if squares > 1e-9 * float(ranks @ ranks):
        wider = widening(rest)
        spread = math.sqrt(squares / (n - 2) * wider)
        one = 2 * float(stdtr(max(1.0, n / wider - 2), -scaled[best] / spread))
        p_value = min(1.0, len(first) * one)
    return Step(
        at=int(places[split]),
        before=float(np.median(known[:split])),
        after=float(np.median(known[split:])),
        p_value=p_value,
    )
