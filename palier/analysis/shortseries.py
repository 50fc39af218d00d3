"""Dependence of neighbouring values in a short series."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

HIGHEST_DEPENDENCE: Final = 0.95
"""Lag-1 autocorrelation above which a trend and dependence cannot be told apart in one run."""

CANNOT_TELL: Final = 0.85
"""From this lag-1 autocorrelation on, a series of a minute has the worth of five values or fewer:
a queue that grows without end and a slow wave look alike. A system with a memory of seconds (0.8 in
truth) reaches it in one run of twenty; an overloaded queue, which is a random walk, often does."""


def widening(rest: NDArray[np.float64]) -> float:
    """By how much the variance of a mean or slope grows with AR(1) errors: ``(1 + r) / (1 - r)``.

    ``r`` is the lag-1 autocorrelation of the residuals, corrected for its bias in short series by
    ``(2 + 4 r) / n``, and never below 0.

    Args:
        rest: Residuals, shape (n,), not all 0.

    Source: Bence (1995), Ecology 76(2), 628-639 (bias adjusted).
    """
    r = float(rest[1:] @ rest[:-1]) / float(rest @ rest)
    r = min(max(r + (2 + 4 * r) / len(rest), 0.0), HIGHEST_DEPENDENCE)
    return (1 + r) / (1 - r)
