"""The judged window: where the warm-up ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHORTEST_SEARCH_S: Final = 12
"""With fewer seconds after the planned warm-up there is nothing to compare its end with."""

LARGEST_CUT: Final = 1 / 3
"""At most this share of the window after the planned warm-up can turn out to be warm-up."""

TOLERANCE: Final = 0.25
"""The start has settled when its level is within a quarter of the level of the second half ..."""

SPREADS: Final = 3.0
"""... or within this many standard deviations of a second's median, which is what few requests a
second need: then a quarter is less than chance. The median of three seconds varies by 0.72 of one
(0.5 sqrt(pi / 2) sqrt(4 / 3)), so chance alone exceeds it in one start of 30,000. With 4 twice
as many decaying starts are cut too early and then called a drift; with 2.2 the start of a real
drift is cut off so often that 5 % more of short ones are lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The seconds that are judged.

    Attributes:
        from_s: First second that counts; whole, not before the planned warm-up.
        to_s: End of the window.
        settled: False when the start never reached the level of the second half.
    """

    from_s: float
    to_s: float
    settled: bool

    @property
    def length_s(self) -> float:
        return self.to_s - self.from_s


def planned_window(*, warmup_s: float, end_s: float) -> Window:
    """The window of a load that moves by plan: with nothing to settle to, only the planned warm-up
    is cut."""
    return Window(from_s=float(math.ceil(warmup_s)), to_s=end_s, settled=True)


def find_window(medians_s: NDArray[np.float64], *, warmup_s: float, end_s: float) -> Window:
    """Cut the warm-up: planned, and longer when the start is visibly different.

    The level of the second half is the median of its one-second medians. The warm-up ends at the
    first second, not before the planned one, at which the median of three seconds reaches that
    level within a quarter (or within ``SPREADS`` of the second half, when that is more).

    Only a start that differs from its very first second is cut. The usual truncation rules
    (MSER-5 and its family) choose the cut with the smallest remaining variance, which would cut
    away a stall in the first third of the run: the very thing a load test is to show.

    A start that has not settled after a third of the window is not cut at all: then it is no
    warm-up, and the run is not steady.

    Args:
        medians_s: Median response time by second, from second 0; NaN where nothing was intended,
            infinite where nothing came back.
        warmup_s: Planned warm-up.
        end_s: End of the window that was really driven.
    """
    start, end = math.ceil(warmup_s), end_s
    values = medians_s[start : math.ceil(end)]
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < SHORTEST_SEARCH_S:
        return Window(from_s=float(start), to_s=end, settled=True)
    with np.errstate(divide="ignore"):
        levels = np.log(values[known])
    half = levels[len(levels) // 2 :]
    level = float(np.median(half))
    if not math.isfinite(level):
        return Window(from_s=float(start), to_s=end, settled=True)
    spread = 1.4826 * float(np.median(np.abs(half - level)))
    band = max(math.log1p(TOLERANCE), SPREADS * spread)
    for index in range(math.floor(len(levels) * LARGEST_CUT) + 1):
        if abs(float(np.median(levels[index : index + 3])) - level) <= band:
            cut = 0 if index == 0 else int(known[index])
            return Window(from_s=float(start + cut), to_s=end, settled=True)
    return Window(from_s=float(start), to_s=end, settled=False)
