"""Moments as PostgreSQL writes them, from whole days and minutes around the anchor."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_DAYS_EITHER_SIDE = 4_000
_MINUTES = tuple(f"{minute // 60:02d}:{minute % 60:02d}:00+00" for minute in range(24 * 60))


class Clock:
    """Text of days and minutes, numbered from the anchor (day 0, 00:00 UTC)."""

    def __init__(self, anchor: date) -> None:
        self._days = tuple(
            (anchor + timedelta(days=day)).isoformat()
            for day in range(-_DAYS_EITHER_SIDE, _DAYS_EITHER_SIDE + 1)
        )

    def day(self, day: int) -> str:
        """``2026-02-14`` for day 0."""
        return self._days[day + _DAYS_EITHER_SIDE]

    def minute(self, minute: int) -> str:
        """``2026-02-13 23:59:00+00`` for minute -1."""
        day, minute_of_day = divmod(minute, 24 * 60)
        return f"{self.day(day)} {_MINUTES[minute_of_day]}"


@lru_cache(maxsize=4)
def clock_at(anchor: date) -> Clock:
    """The clock of an anchor; making one costs some milliseconds."""
    return Clock(anchor)
