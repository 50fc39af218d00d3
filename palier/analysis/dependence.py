"""How much the requests of a run depend on each other: the design effect.

Two requests of one second share the same queue, the same checkpoint, the same stall; a thousand
of them say less about the system than a thousand independent ones would. The design effect is
the factor by which dependence widens the variance of a share, so ``n / design effect`` is the
number of independent requests the sample is worth.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

CONFIDENCE = 0.95

_Z = float(ndtri((1 + CONFIDENCE) / 2))

FEWEST_BLOCKS = 8
"""With fewer one-second blocks their spread says nothing; each then counts as one observation."""


def design_effect(hits: NDArray[np.int64], totals: NDArray[np.int64]) -> float:
    """Design effect of the share ``sum(hits) / sum(totals)``, at least 1.

    The residuals ``e_b = hits_b - share * totals_b`` of consecutive one-second blocks are summed
    with their products at lags below ``M``, weighted ``1 - j/M`` (Bartlett), which is the variance
    of the ratio estimator under dependence between requests of a second and between neighbouring
    seconds. It is divided by the binomial variance ``share (1 - share) n``.

    From few blocks that variance is itself uncertain, and too small more often than not; the
    factor of ``_inflation`` makes up for it.

    Args:
        hits: Requests of each second with the property, shape (B,).
        totals: Requests of each second, shape (B,); seconds without any are given as 0.

    Source: Kish (1965), Survey Sampling, section 8.2 (design effect); Newey and West (1987),
        Econometrica 55(3), 703-708 (lags); Kiefer and Vogelsang (2005), Econometric Theory 21(6),
        1130-1164 (critical values for a variance from few blocks).
    """
    n = int(totals.sum())
    blocks = len(totals)
    if n == 0:
        return 1.0
    if blocks < FEWEST_BLOCKS:
        return max(1.0, n / blocks)
    share = float(hits.sum()) / n
    binomial = share * (1 - share) * n
    if binomial == 0:
        return 1.0
    lags = _lags(blocks)
    residuals = hits - share * totals
    variance = float(residuals @ residuals)
    for lag in range(1, lags):
        variance += 2 * (1 - lag / lags) * float(residuals[lag:] @ residuals[:-lag])
    variance *= blocks / (blocks - 1)
    return max(1.0, variance / binomial * _inflation(blocks))


def _lags(blocks: int) -> int:
    """Width ``M`` of the Bartlett window: ``1.3 sqrt(B)``.

    Wider than the textbook ``B ** (1/3)``, which leaves out part of what neighbouring seconds
    share; the larger critical values that go with it pay for that (``_inflation``).

    Source: Lazarus, Lewis, Stock and Watson (2018), Journal of Business and Economic Statistics
        36(4), 541-559.
    """
    return math.ceil(1.3 * math.sqrt(blocks))


def _inflation(blocks: int) -> float:
    """Square of the fixed-b critical value over the normal one.

    With ``b = M / B`` the 97.5 % point of the statistic is
    ``1.9600 + 2.9694 b + 0.4160 b^2 - 0.5324 b^3`` for the Bartlett window.

    Source: Kiefer and Vogelsang (2005), table 1.
    """
    b = _lags(blocks) / blocks
    critical = 1.9600 + 2.9694 * b + 0.4160 * b**2 - 0.5324 * b**3
    return (critical / _Z) ** 2
