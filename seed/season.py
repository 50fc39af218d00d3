"""Days, seasons and the slots that keep the stays of a gîte apart.

The days a gîte can be booked, from ``DAYS_BACK`` before the anchor to ``DAYS_AHEAD`` after it, are
cut into as many slots as the gîte has bookings; each stay lies inside its own slot, so no two of
them overlap and each can be made without knowing the others. A day of high season weighs more
than one of low season and slots have equal weight: summer is the busy time, November the quiet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DAYS_BACK = 1278
"""Three and a half years: half a year of bookings is old enough for the archive (D-06, B-161)."""

DAYS_AHEAD = 304
"""Ten months."""

DAYS = DAYS_BACK + DAYS_AHEAD

LOW, MIDDLE, HIGH = 1, 2, 6
"""Weights of a day. At 60 bookings (DataSpec's default) a slot of high season is nine days long:
one week and the gap to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """The bookable days, numbered from 0.

    Attributes:
        first_day: Date of day 0.
        weights: Weight of each day, shape (DAYS,).
        weight_before: Weight of all earlier days, shape (DAYS + 1,).
    """

    first_day: date
    weights: NDArray[np.int64]
    weight_before: NDArray[np.int64]

    def slot_starts(self, slots: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """First day of slot ``slots`` of ``counts`` equal ones; slot ``counts`` starts at DAYS.

        Args:
            slots: Shape (n,), each 0 up to its count, included.
            counts: Shape (n,), at most 240 (``MAX_RESERVATIONS_PER_GITE``), so that two
                neighbouring starts lie at least two days apart.
        """
        weight = slots * self.weight_before[-1] // counts
        first_after: NDArray[np.int64] = np.searchsorted(self.weight_before, weight, side="right")
        return first_after - 1

    def slots_before(self, day: int, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many of ``counts`` slots start before a day, each shape (n,)."""
        before: NDArray[np.int64] = -(-self.weight_before[day] * counts // self.weight_before[-1])
        return before


@lru_cache(maxsize=4)
def season_around(anchor: date) -> Season:
    """The bookable days around a date."""
    first_day = anchor - timedelta(days=DAYS_BACK)
    weights = np.array(
        [_weight(first_day + timedelta(days=day)) for day in range(DAYS)], dtype=np.int64
    )
    weight_before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(weights)])
    return Season(first_day=first_day, weights=weights, weight_before=weight_before)


def _weight(day: date) -> int:
    """High: July, August, turn of the year. Middle: winter holidays, spring, early autumn."""
    if day.month in (7, 8) or (day.month == 12 and day.day >= 20):
        return HIGH
    return MIDDLE if day.month in (2, 4, 5, 6, 9, 10) else LOW
