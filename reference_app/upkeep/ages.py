"""How old something may get, counted by the calendar."""

from __future__ import annotations

import calendar
from datetime import date
from typing import TypeVar

Day = TypeVar("Day", bound=date)


def months_before(moment: Day, months: int) -> Day:
    """The same day ``months`` months earlier, or the last of that month; the time of day stays.

    As PostgreSQL subtracts an interval of months: 29 February less 12 months is 28 February.

    Args:
        moment: A day or an instant.
        months: 0 or more.
    """
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
