"""A year's bookings, night by night. Pure.

A stay of n nights at price p: night i (from 0) is sold for ``p(i+1) // n - p*i // n`` cents, so the
nights of a stay add up to its price, and those before and after New Year fall to their own years.
The occupancy tax of a night is for each guest 5 % of the night's price divided by the guests,
rounded to whole cents and never above the cap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from reference_app.reservations.values import Platform
from reference_app.tax.money import half_up
from reference_app.tax.scale import COLLECTING, OCCUPANCY_CAP, OCCUPANCY_PERMILLE

_NIGHT = timedelta(days=1)


class Stay(NamedTuple):
    """What of a booking matters here."""

    gite_id: UUID
    first: date
    last: date
    guests: int
    platform: Platform
    price: int


class Place(NamedTuple):
    """Where a night is counted."""

    month: int
    gite_id: UUID
    platform: Platform


@dataclass(slots=True)
class Cell:
    """What happened in one month, gîte and platform.

    Attributes:
        arrivals: Stays that began.
        nights: Nights sold.
        guest_nights: Nights times guests.
        revenue: Cents the nights were sold for.
        occupancy: Cents of occupancy tax.
    """

    arrivals: int = 0
    nights: int = 0
    guest_nights: int = 0
    revenue: int = 0
    occupancy: int = 0

    def add(self, other: Cell) -> None:
        """Take the figures of another cell in."""
        self.arrivals += other.arrivals
        self.nights += other.nights
        self.guest_nights += other.guest_nights
        self.revenue += other.revenue
        self.occupancy += other.occupancy


Ledger = Mapping[Place, Cell]


def is_collected(platform: Platform) -> bool:
    """Whether the platform pays the occupancy tax, and not the owner."""
    return platform in COLLECTING


def occupancy_tax(night_price: int, guests: int) -> int:
    """Cents of one night for all guests."""
    each = half_up(night_price * OCCUPANCY_PERMILLE, 1000 * guests)
    return guests * min(each, OCCUPANCY_CAP)


def ledger_of(year: int, stays: Iterable[Stay]) -> dict[Place, Cell]:
    """The nights of ``year``, whatever the order of the stays; empty cells are left out."""
    new_year, next_year = date(year, 1, 1), date(year + 1, 1, 1)
    ledger: dict[Place, Cell] = {}
    for stay in stays:
        nights = (stay.last - stay.first).days
        # Only those of the year are looked at, however long the stay.
        begin = max((new_year - stay.first).days, 0)
        end = min((next_year - stay.first).days, nights)
        sold = stay.price * begin // nights
        for index in range(begin, end):
            until_now = stay.price * (index + 1) // nights
            price, sold = until_now - sold, until_now
            place = Place((stay.first + index * _NIGHT).month, stay.gite_id, stay.platform)
            cell = ledger.get(place)
            if cell is None:
                cell = ledger[place] = Cell()
            cell.arrivals += index == 0
            cell.nights += 1
            cell.guest_nights += stay.guests
            cell.revenue += price
            cell.occupancy += occupancy_tax(price, stay.guests)
    return ledger
