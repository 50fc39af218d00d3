"""The dashboard: what an owner sees first. Pure: stays and a day in, a summary out."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from reference_app.statistics.queries import Stay

HORIZON_DAYS = 14
SHOWN = 10


class Dashboard(msgspec.Struct, frozen=True, kw_only=True):
    """Next arrivals and departures, and the present month.

    Attributes:
        today: The day it is about.
        arrivals: At most 10 within 14 days, soonest first.
        departures: Likewise.
        staying_now: Stays that sleep there tonight.
        bookings_this_month: Stays that arrive in this month.
        nights_this_month: Their nights.
        revenue_this_month_centimes: Their prices.
    """

    today: date
    arrivals: Sequence[Stay]
    departures: Sequence[Stay]
    staying_now: int
    bookings_this_month: int
    nights_this_month: int
    revenue_this_month_centimes: int


def dashboard_range(today: date) -> tuple[date, date]:
    """First and last day a dashboard needs stays of."""
    month_end = today.replace(day=calendar.monthrange(today.year, today.month)[1])
    return today.replace(day=1), max(month_end, today + timedelta(days=HORIZON_DAYS))


def summarise(stays: Sequence[Stay], today: date) -> Dashboard:
    """Make the dashboard of ``today`` from the stays of :func:`dashboard_range`."""
    horizon = today + timedelta(days=HORIZON_DAYS)
    arriving = [stay for stay in stays if today <= stay.date_debut <= horizon]
    leaving = [stay for stay in stays if today <= stay.date_fin <= horizon]
    this_month = [
        stay
        for stay in stays
        if (stay.date_debut.year, stay.date_debut.month) == (today.year, today.month)
    ]
    return Dashboard(
        today=today,
        arrivals=sorted(arriving, key=lambda stay: (stay.date_debut, stay.id))[:SHOWN],
        departures=sorted(leaving, key=lambda stay: (stay.date_fin, stay.id))[:SHOWN],
        staying_now=sum(stay.date_debut <= today < stay.date_fin for stay in stays),
        bookings_this_month=len(this_month),
        nights_this_month=sum((stay.date_fin - stay.date_debut).days for stay in this_month),
        revenue_this_month_centimes=sum(stay.prix_centimes for stay in this_month),
    )
