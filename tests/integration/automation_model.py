"""What a year of subscriptions must come to, worked out without the application.

Not a simulation: for each period the days of its events are written down, from the calendar and the
tenant's way of paying alone. The application decides from rows, day by day; both must agree.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

MARKS = (30, 15, 7, 3, 1)
MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}

Cycle = Literal["monthly", "quarterly", "yearly"]
Paying = Literal["at once", "after 2 days", "after 5 refusals", "twice, then never", "leaves"]
Event = tuple[int, int, str, int | None, date]
"""Tenant, period, what, mark, day."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A group; its periods end on day ``anchor`` of a month, or on the last one."""

    number: int
    cycle: Cycle
    ends_on: date
    anchor: int | None
    paying: Paying


@dataclass(frozen=True, slots=True)
class End:
    """What a subscription is in the end."""

    period: int
    status: str
    ends_on: date


def tenants(first: date, number: int, paying: Callable[[int], Paying]) -> list[Tenant]:
    """Tenants of all cycles; the first ends are spread over the first period."""
    found = []
    for n in range(number):
        cycle: Cycle = ("monthly", "quarterly", "yearly")[n % 3]  # type: ignore[assignment]
        if n % 11 == 0:  # the calendar's corner: the 31st, which most months do not have
            found.append(Tenant(n, cycle, date(first.year, 1, 31), 31, paying(n)))
            continue
        days = {"monthly": 30, "quarterly": 91, "yearly": 365}[cycle]
        found.append(Tenant(n, cycle, first + timedelta(days=1 + n * 7 % days), None, paying(n)))
    return found


def following(ends_on: date, cycle: Cycle, anchor: int) -> date:
    """The end of the period after this one."""
    months = ends_on.year * 12 + ends_on.month - 1 + MONTHS[cycle]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(anchor, calendar.monthrange(year, month + 1)[1]))


def expected(tenant: Tenant, days: Collection[date], *, grace_days: int) -> tuple[list[Event], End]:
    """All events of a tenant, and its end, when the automation runs on ``days``."""
    ordered = sorted(days)
    never = date.max

    def seen(day: date) -> date:
        return next((each for each in ordered if each >= day), never)

    events: list[Event] = []
    ends, period, since = tenant.ends_on, 1, ordered[0]
    anchor = tenant.anchor or tenant.ends_on.day
    while True:
        for mark, next_mark in zip(MARKS, (*MARKS[1:], 0), strict=True):
            told = seen(max(ends - timedelta(days=mark), since))
            if told < ends - timedelta(days=next_mark):
                events.append((tenant.number, period, "notice", mark, told))
        paid, in_grace = _money(tenant, period, ends, seen)
        if in_grace < paid:
            events.append((tenant.number, period, "grace", None, in_grace))
        lost = seen(ends + timedelta(days=grace_days + 1))
        if lost < paid:
            events.append((tenant.number, period, "suspend", None, lost))
            return events, End(period, "suspended", ends)
        if paid == never:
            return events, End(period, "active" if in_grace == never else "grace", ends)
        events.append((tenant.number, period, "renew", None, paid))
        ends, period, since = following(ends, tenant.cycle, anchor), period + 1, paid


def _money(
    tenant: Tenant, period: int, ends: date, seen: Callable[[date], date]
) -> tuple[date, date]:
    """The days on which the next period is renewed and on which grace begins."""
    if tenant.paying == "at once" or (tenant.paying == "twice, then never" and period <= 2):
        return seen(ends), date.max
    if tenant.paying == "after 2 days":
        return seen(ends + timedelta(days=2)), seen(ends + timedelta(days=1))
    if tenant.paying == "after 5 refusals":
        return seen(ends + timedelta(days=5)), seen(ends)
    return date.max, seen(ends)


def days_of(first: date, last: date) -> Iterator[date]:
    """Every day of a stretch."""
    return (first + timedelta(days=passed) for passed in range((last - first).days + 1))
