"""Percentiles with 95 % intervals, from bucket counts with censored requests.

A request that timed out, was abandoned or could not be sent has no response time; all that is
known is that it would have been at least what was waited. Every percentile is therefore computed
twice: with those requests at the recorded duration, which can only be too small, and with all of
them at infinity, which can only be too large. Where both agree, censoring makes no difference;
where they differ, the percentile is printed as a lower bound.

The interval is that of order statistics: it assumes nothing about the shape of the distribution.
Its sample size is the effective one, see ``palier.analysis.dependence``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc

from palier.analysis.dependence import CONFIDENCE, design_effect
from palier.analysis.findings import Estimate
from palier.analysis.sample import Sample
from palier.load.histogram import bucket_bounds_us, bucket_middles_s

BEYOND: Final = 10
"""A percentile is reported when at least this many requests are expected beyond it.

p95 then needs 200, p99 1,000, p99.9 10,000 (measurement rule: refuse p99 below about 1,000).
With 10 the relative standard error of the number beyond is a third, the most that still gives
an interval of use."""

FOREVER: Final = np.iinfo(np.int64).max
"""Bucket of a request that never ends."""

_TAIL: Final = (1 - CONFIDENCE) / 2


def requests_needed(fraction: float) -> int:
    """Fewest requests for which the percentile is reported: ``BEYOND / (1 - fraction)``."""
    return math.ceil(round(BEYOND / (1 - fraction), 6))


def samples_needed(fraction: float, confidence: float = CONFIDENCE) -> int:
    """Smallest n whose maximum bounds the percentile from above.

    Solves ``1 - fraction**n >= confidence``; 299 for p99 at 95 %. Assumes independent requests,
    so it is compared with the effective sample size.

    Source: Wilks (1941), Ann. Math. Statist. 12(1), 91-96.
    """
    return math.ceil(math.log(1 - confidence) / math.log(fraction))


def percentile(sample: Sample, fraction: float) -> Estimate:
    """One percentile in seconds, with its 95 % interval.

    The value is the smallest duration that at least ``fraction`` of the requests do not exceed
    (rank ``ceil(fraction * n)``, no interpolation), as the middle of its bucket; the limits are
    the outer edges of theirs.

    ``high`` is None when the effective sample is too small to have an upper limit
    (``fraction ** n_eff > 2.5 %``) or when the limit lies among the censored requests.

    Args:
        sample: Requests of one clock.
        fraction: In (0, 1); 0.95 for p95.
    """
    n = sample.size
    needed = requests_needed(fraction)
    if n < needed:
        return Estimate(
            value=None,
            low=None,
            high=None,
            samples=n,
            refused=f"{name(fraction)} needs at least {needed:,} requests",
        )
    seen = _view(sample, sample.bucket, fraction)
    worst = (
        _view(sample, np.where(sample.censored, FOREVER, sample.bucket), fraction)
        if sample.censored_size
        else seen
    )
    # Each reading estimates its own dependence, so either can be the wider one.
    low = None if seen.low is None or worst.low is None else min(seen.low, worst.low)
    high = None if seen.high is None or worst.high is None else max(seen.high, worst.high)
    return Estimate(
        value=_middle_s(seen.value),
        low=None if low is None else bucket_bounds_us(low)[0] * 1e-6,
        high=None if high in (None, FOREVER) else (bucket_bounds_us(high)[1] - 1) * 1e-6,
        samples=n,
        censored=seen.value != worst.value,
        effective=min(seen.effective, worst.effective),
    )


def name(fraction: float) -> str:
    """``"p95"``, ``"p99.9"``."""
    return f"p{fraction * 100:.10g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """Buckets of a percentile and of its limits under one reading of the censored requests."""

    value: int
    low: int | None
    high: int | None
    effective: float


def _view(sample: Sample, buckets: NDArray[np.int64], fraction: float) -> _View:
    order = np.argsort(buckets, kind="stable")
    ranked, upto = buckets[order], np.cumsum(sample.count[order])
    n = int(upto[-1])

    def at_rank(rank: int) -> int:
        return int(ranked[np.searchsorted(upto, rank)])

    value = at_rank(math.ceil(round(fraction * n, 6)))
    effective = n / design_effect(*_per_second(sample, buckets > value))
    low, high = order_statistics(effective, fraction)
    return _View(
        value=value,
        low=None if low is None else at_rank(math.floor((low - 1) * n / effective) + 1),
        high=None if high is None else at_rank(min(n, math.ceil(round(high * n / effective, 6)))),
        effective=effective,
    )


def order_statistics(n: float, fraction: float) -> tuple[float | None, float | None]:
    """Ranks in [1, n] whose values enclose the percentile with 95 % confidence.

    ``F(X_(r))`` of n independent values has a Beta(r, n - r + 1) distribution; the ranks are
    those at which it lies above, or below, ``fraction`` with probability 2.5 %. Fractional n and
    ranks are allowed. None when even the smallest, or largest, value does not bound it.

    Source: David and Nagaraja (2003), Order Statistics, section 7.1.
    """
    if n < 1:
        return None, None

    def below(rank: float) -> float:
        """Probability that the value of that rank lies at or below the percentile."""
        return float(betainc(rank, n - rank + 1, fraction))

    low = high = None
    if 1 - below(1) <= _TAIL:
        # The last rank may bound it from below, too, when the fraction is close to 1.
        low = n if 1 - below(n) <= _TAIL else brentq(lambda r: 1 - below(r) - _TAIL, 1, n)
    if below(n) <= _TAIL:
        high = 1.0 if below(1) <= _TAIL else brentq(lambda r: below(r) - _TAIL, 1, n)
    return low, high


def _per_second(
    sample: Sample, hit: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Requests with the property, and all, for every second from the first to the last."""
    offset = sample.second - sample.second.min()
    length = int(offset.max()) + 1
    totals = np.bincount(offset, weights=sample.count, minlength=length)
    hits = np.bincount(offset, weights=sample.count * hit, minlength=length)
    return hits.astype(np.int64), totals.astype(np.int64)


def _middle_s(bucket: int) -> float:
    return float(bucket_middles_s(np.array([bucket], dtype=np.int64))[0])
