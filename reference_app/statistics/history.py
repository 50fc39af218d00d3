"""An owner's years, one beside the other. Pure: figures by year and platform in, years out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from reference_app.reservations.values import Platform
from reference_app.statistics.queries import HistoryFigures


class PlatformFigures(msgspec.Struct, frozen=True):
    """What came through one platform."""

    plateforme: Platform
    bookings: int
    nights: int
    revenue_centimes: int


class YearFigures(msgspec.Struct, frozen=True):
    """A year with its sums."""

    year: int
    bookings: int
    nights: int
    revenue_centimes: int
    platforms: Sequence[PlatformFigures]


def years_of(figures: Iterable[HistoryFigures]) -> list[YearFigures]:
    """The years of figures that come sorted by year; in the same order."""
    return [_year(year, list(of_year)) for year, of_year in groupby(figures, lambda row: row.year)]


def _year(year: int, figures: Sequence[HistoryFigures]) -> YearFigures:
    return YearFigures(
        year,
        sum(row.bookings for row in figures),
        sum(row.nights for row in figures),
        sum(row.revenue_centimes for row in figures),
        [
            PlatformFigures(row.plateforme, row.bookings, row.nights, row.revenue_centimes)
            for row in figures
        ],
    )
