"""A share with one-sided limits that hold although neighbouring requests depend on each other.

Requests that wait in one line are late together. The seconds of a probe are joined into a fixed
number of batches of equal length, so that batches grow with the probe and soon outlast the memory
of a queue; what the batches vary more than chance is the design effect, and the limits are those
of Clopper and Pearson for the sample that is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri, stdtrit

from palier.capacity.evidence import Counts

BATCHES: Final = 32
"""Enough for a variance (its relative error is a quarter), few enough to be long."""

FEWEST_BATCHES: Final = 8
"""Below it nothing is known of dependence, and no limit is given."""

NO_SKEW: Final = 1e-3
"""Below it the correction for skewness is rounding."""

STRONGEST_MEMORY: Final = 0.8
"""Lag-1 correlation of batches above which they are too short to say anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """How batches of one probe vary.

    Attributes:
        design_effect: Variance of the share over the binomial one, at least 1.
        freedom: Degrees of freedom that variance is worth.
        batches: How many there are.
        skewness: Of the batches, when their misses come in few large bursts; never below 0.
    """

    design_effect: float
    freedom: float
    batches: int
    skewness: float


def find_dependence(counts: Counts) -> Dependence | None:
    """The design effect of a probe from its batches; None when nothing can be said.

    The variance is that of batch shares, times ``(1 + r) / (1 - r)`` for the lag-1 correlation
    ``r`` that is left between batches. ``r`` is corrected for its bias in short series,
    ``(1 + 3 r) / b``, and never taken below 0; the degrees of freedom shrink by the same factor.

    Source: Law and Carson (1979), Operations Research 27(5), 1011-1025 (fixed number of batches
        that grow); Lada and Wilson (2008), SBatch, WSC (correlation left between batches);
        Marriott and Pope (1954), Biometrika 41, 390-402 (its bias).
    """
    planned, missed = _batches(counts.planned), _batches(counts.missed)
    b, n = len(planned), int(planned.sum())
    if b < FEWEST_BATCHES or n == 0:
        return None
    share = int(missed.sum()) / n
    binomial = share * (1 - share) * n
    if binomial == 0:
        # Nothing missed, or everything: how it would cluster cannot be seen.
        return Dependence(design_effect=1.0, freedom=b - 1.0, batches=b, skewness=0.0)
    rest = missed - share * planned
    squares = float(rest @ rest)
    r = float(rest[1:] @ rest[:-1]) / squares if squares else 0.0
    r = max(0.0, r + (1 + 3 * r) / b)
    if r > STRONGEST_MEMORY:
        return None
    wider = (1 + r) / (1 - r)
    variance = squares * b / (b - 1) * wider
    third = float(np.sum(rest**3)) * b / ((b - 1) * (b - 2))
    return Dependence(
        design_effect=max(1.0, variance / binomial),
        freedom=max(1.0, (b - 1) / wider),
        batches=b,
        skewness=max(0.0, third / (squares / (b - 1)) ** 1.5) if squares else 0.0,
    )


def upper_limit(counts: Counts, dependence: Dependence, error: float) -> float:
    """Limit that the true share exceeds with a probability of at most ``error``.

    Where misses come in bursts of very different sizes, a probe that saw few of them has a small
    share and a small variance at once. The larger of two limits counts: that of Clopper and
    Pearson, and Student's, stretched by the skewness of the batches.

    Source: Johnson (1978), JASA 73, 536-544, and Willink (2005), Communications in Statistics
        34(4), 753-766 (skewness); Tafazzoli and Wilson (2011), Skart, IIE Transactions 43, 110-128.
    """
    n, hits = _effective(counts, dependence, error)
    exact = 1.0 if hits >= n else float(betaincinv(hits + 1, n - hits, 1 - error))
    share = counts.share
    deviation = math.sqrt(
        share * (1 - share) * dependence.design_effect / int(counts.planned.sum())
    )
    student = float(stdtrit(dependence.freedom, 1 - error))
    skew = dependence.skewness / (6 * math.sqrt(dependence.batches))
    if skew > NO_SKEW:
        student = (1 - float(np.cbrt(1 - 6 * skew * (student + skew)))) / (2 * skew)
    return min(1.0, max(exact, share + student * deviation))


def lowest_upper_limit(planned: int, missed: int, error: float) -> float:
    """What ``upper_limit`` is at the least: when requests do not depend on each other.

    Source: Clopper and Pearson (1934), Biometrika 26(4), 404-413.
    """
    return 1.0 if missed >= planned else float(betaincinv(missed + 1, planned - missed, 1 - error))


def lower_limit(counts: Counts, dependence: Dependence, error: float) -> float:
    """Limit that the true share is below with a probability of at most ``error``."""
    n, hits = _effective(counts, dependence, error)
    return 0.0 if hits <= 0 else float(betaincinv(hits, max(n - hits, 0.0) + 1, error))


def _effective(counts: Counts, dependence: Dependence, error: float) -> tuple[float, float]:
    """Independent requests the probe is worth, and how many of them missed.

    A variance from few batches is uncertain; Student's quantile over the normal one makes up
    for it.

    Source: Clopper and Pearson (1934), Biometrika 26(4), 404-413; with an effective sample size:
        Korn and Graubard (1998), Survey Methodology 24(2), 193-201.
    """
    normal, student = float(ndtri(1 - error)), float(stdtrit(dependence.freedom, 1 - error))
    n = int(counts.planned.sum()) / (dependence.design_effect * (student / normal) ** 2)
    return n, n * counts.share


def _batches(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of at most ``BATCHES`` runs of seconds, equally long but for one second."""
    edges = np.linspace(0, len(values), min(BATCHES, len(values)) + 1).astype(np.int64)
    return np.add.reduceat(values, edges[:-1]).astype(np.float64) if len(values) else np.zeros(0)
