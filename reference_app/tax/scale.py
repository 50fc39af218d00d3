"""The figures of the tax, all of them made up after the manner of French ones.

They are data of a load test, not tax advice: no year's law is copied here (decision 0036).
Money is in cents, rates are in thousandths, distances in hectometres.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reference_app.reservations.values import Platform
from reference_app.tax.money import half_up


class Band(NamedTuple):
    """A part of an amount and what is taken of it.

    Attributes:
        above: Where it begins; it ends where the next one begins.
        permille: Taken of what lies in it.
    """

    above: int
    permille: int


INCOME_BANDS: Sequence[Band] = (
    Band(0, 0),
    Band(11_294_00, 110),
    Band(28_797_00, 300),
    Band(82_341_00, 410),
    Band(177_106_00, 450),
)
"""Of the taxable income, cents."""

SOCIAL_PERMILLE = 172
"""Of the taxable income, beside the bands."""

MILEAGE_BANDS: Sequence[Band] = (Band(0, 6360), Band(50_000, 3570), Band(200_000, 4270))
"""Of the hectometres of a year: thousandths of a cent each, 0.636, 0.357 and 0.427 EUR a km."""

MICRO_CEILING = 77_700_00
"""Above this revenue the flat rate is not open to the owner."""

MICRO_PERMILLE = 500
"""What the flat rate deducts of the revenue instead of costs."""

MICRO_DEDUCTION_MIN = 305_00
"""It deducts this much at least, but no more than there is."""

COMMISSION_PERMILLE: Mapping[Platform, int] = {
    "airbnb": 30,
    "booking": 150,
    "abritel": 80,
    "direct": 0,
}
"""What a platform keeps of the revenue."""

CHANGEOVER_COST = 35_00
"""Cleaning and laundry, for each arrival."""

FIXED_COST = 120_00
"""Energy and insurance, for each gîte and month with a night in it."""

OCCUPANCY_PERMILLE = 50
"""Occupancy tax: of a night's price for one guest."""

OCCUPANCY_CAP = 3_00
"""At most this much for a guest and night."""

COLLECTING: frozenset[Platform] = frozenset({"airbnb", "booking", "abritel"})
"""Platforms that pay the occupancy tax themselves; the owner owes that of the others."""


def in_bands(amount: int, bands: Sequence[Band]) -> list[int]:
    """How much of ``amount`` lies in each band; together it is ``amount``."""
    ends = [band.above for band in bands[1:]]
    return [
        max(amount - band.above, 0) if end is None else max(min(amount, end) - band.above, 0)
        for band, end in zip(bands, [*ends, None], strict=True)
    ]


def of_bands(amount: int, bands: Sequence[Band]) -> list[int]:
    """What is taken of ``amount`` in each band, each rounded to whole cents."""
    return [
        half_up(part * band.permille, 1000)
        for part, band in zip(in_bands(amount, bands), bands, strict=True)
    ]


def mileage_allowance(hectometres: int) -> int:
    """Cents for the kilometres of a year."""
    parts = in_bands(hectometres, MILEAGE_BANDS)
    taken = sum(part * band.permille for part, band in zip(parts, MILEAGE_BANDS, strict=True))
    return half_up(taken, 1000)
