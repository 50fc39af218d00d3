"""Log-linear histogram buckets with 3 significant digits, mergeable exactly.

The layout is that of HdrHistogram with 3 digits: values are whole microseconds; below 2,048 µs
each value has its own bucket; above, every doubling is cut into 1,024 equal buckets, so a bucket
is never wider than 1/1,024 of its value and its middle never off by more than 0.05 %.

Source: G. Tene, HdrHistogram, http://hdrhistogram.org (bucket layout).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HALF_BITS = 10
HALF = 1 << HALF_BITS
"""Buckets per doubling."""
EXACT_BELOW = 2 * HALF
"""Durations below, in microseconds, are their own bucket."""


def bucket_of(value_us: int) -> int:
    """Bucket of a duration in whole microseconds; negative durations are a clock error.

    Raises:
        ValueError: ``value_us`` is negative.
    """
    if value_us < EXACT_BELOW:
        if value_us < 0:
            raise ValueError(f"negative duration: {value_us} µs")
        return value_us
    shift = value_us.bit_length() - (HALF_BITS + 1)
    return (shift << HALF_BITS) + (value_us >> shift)


def bucket_bounds_us(bucket: int) -> tuple[int, int]:
    """Lowest value of the bucket and lowest value of the next one, in microseconds."""
    shift = max(0, (bucket >> HALF_BITS) - 1)
    low = (bucket - (shift << HALF_BITS)) << shift
    return low, low + (1 << shift)


def bucket_middles_s(buckets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Middle of each bucket in seconds; shape as given."""
    shift = np.maximum(0, (buckets >> HALF_BITS) - 1)
    low = (buckets - (shift << HALF_BITS)) << shift
    width = np.left_shift(np.int64(1), shift)
    return np.asarray((low + (width - 1) / 2) * 1e-6, dtype=np.float64)
