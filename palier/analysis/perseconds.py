"""Series by second: quantiles of small groups, for figures and for the test of steadiness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from palier.analysis.sample import Sample
from palier.load.histogram import bucket_middles_s


def quantile_by_second(
    sample: Sample, fraction: float, *, seconds: int, fewest: int = 1, worst: bool = False
) -> NDArray[np.float64]:
    """Quantile of each second in seconds, shape (seconds,); NaN below ``fewest`` requests.

    Args:
        sample: Requests; those of later seconds are left out.
        fraction: In (0, 1]; 1.0 gives the maximum.
        seconds: Length of the series, from second 0.
        fewest: Requests a second needs for a number.
        worst: Censored requests count as infinite instead of as what was waited.
    """
    result = np.full(seconds, np.nan)
    inside = (sample.second >= 0) & (sample.second < seconds)
    if not inside.any():
        return result
    second, count = sample.second[inside], sample.count[inside]
    duration = bucket_middles_s(sample.bucket[inside])
    if worst:
        duration = np.where(sample.censored[inside], np.inf, duration)
    order = np.lexsort((duration, second))
    second, count, duration = second[order], count[order], duration[order]

    totals = np.bincount(second, weights=count, minlength=seconds)
    before = np.cumsum(totals) - totals
    rank = np.maximum(1, np.ceil(np.round(fraction * totals, 6)))
    at = np.searchsorted(np.cumsum(count), before + rank)
    enough = totals >= max(1, fewest)
    result[enough] = duration[np.minimum(at, len(duration) - 1)][enough]
    return result


def share_by_second(sample: Sample, above_s: float, *, seconds: int) -> NDArray[np.float64]:
    """Share of each second's requests that took longer; NaN for a second without any."""
    inside = (sample.second >= 0) & (sample.second < seconds)
    second, count = sample.second[inside], sample.count[inside]
    slow = sample.censored[inside] | (bucket_middles_s(sample.bucket[inside]) > above_s)
    totals = np.bincount(second, weights=count, minlength=seconds)
    hits = np.bincount(second, weights=count * slow, minlength=seconds)
    shares = np.full(seconds, np.nan)
    some = totals > 0
    shares[some] = hits[some] / totals[some]
    return shares
