"""Tax simulations that some owners kept: the flat rate on what a year's stays brought (B-88).

The figures follow the reference application's made-up scale (its decision 0036). They are written
here once more because the seed knows values only; a test holds both equal.
"""

from __future__ import annotations

import json
from datetime import date

import numpy as np
from numpy.typing import NDArray

from seed.bookings import Bookings
from seed.clock import clock_at
from seed.ids import OwnerIds, id_text
from seed.owners import MINUTES_A_DAY
from seed.rows import rows_of_owners
from seed.spec import DatasetSpec
from seed.tables import SIMULATIONS_FISCALES

OWNERS_A_SIMULATION = 3
"""Every third owner keeps some."""

YEARS = 2
"""The last whole years; each was computed in the month before the anchor's day of the next year."""

DAYS_TO_COMPUTE = 30

BANDS = (
    (0, 0),
    (1_129_400, 110),
    (2_879_700, 300),
    (8_234_100, 410),
    (17_710_600, 450),
)
"""Cents above which a band begins, and the thousandths taken of it."""

SOCIAL_PERMILLE = 172
CEILING = 7_770_000
LEAST_DEDUCTION = 30_500


def simulation_counts(owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Simulations of each owner."""
    return np.where(owners % OWNERS_A_SIMULATION == 0, YEARS, 0)


def simulation_lines(spec: DatasetSpec, owners: NDArray[np.int64], bookings: Bookings) -> list[str]:
    """COPY lines (``tables.SIMULATIONS_FISCALES``).

    Args:
        spec: The dataset.
        owners: Rising, shape (n,).
        bookings: All bookings of these owners.
    """
    clock, owner_ids = clock_at(spec.anchor), OwnerIds(spec.seed)
    rows = rows_of_owners(spec, "simulation", owners, simulation_counts(owners))
    revenues = [_revenues(spec, owners, bookings, back).tolist() for back in range(1, YEARS + 1)]
    minutes = (
        -(rows.place * 365 * MINUTES_A_DAY) - 1 - rows.draw(0, DAYS_TO_COMPUTE * MINUTES_A_DAY)
    )
    return [
        SIMULATIONS_FISCALES.line(
            id_text(spec.seed, "simulation", owner, index),
            owner_ids[owner],
            spec.anchor.year - 1 - place,
            "micro",
            jsonb_text(flat_rate(revenues[place][parent])),
            clock.minute(minute),
        )
        for owner, index, place, parent, minute in zip(
            rows.owner.tolist(),
            rows.index.tolist(),
            rows.place.tolist(),
            rows.parent.tolist(),
            minutes.tolist(),
            strict=True,
        )
    ]


def _revenues(
    spec: DatasetSpec, owners: NDArray[np.int64], bookings: Bookings, years_back: int
) -> NDArray[np.int64]:
    """Cents that the stays which began in a year brought each owner, shape (n,)."""
    year = spec.anchor.year - years_back
    first, end = ((date(y, 1, 1) - spec.anchor).days for y in (year, year + 1))
    counts = (bookings.first_day >= first) & (bookings.first_day < end) & ~bookings.is_cancelled
    revenues = np.zeros(len(owners), dtype=np.int64)
    np.add.at(
        revenues, np.searchsorted(owners, bookings.owner[counts]), bookings.price_cents[counts]
    )
    return revenues


def flat_rate(revenue: int) -> dict[str, object]:
    """What the application keeps of a year's tax by the flat rate; ``revenue`` in cents."""
    deduction = min(max(_half_up(revenue, 2), LEAST_DEDUCTION), revenue)
    taxable = revenue - deduction
    ends = [above for above, _ in BANDS[1:]] + [max(taxable, BANDS[-1][0])]
    bands = []
    for (above, permille), end in zip(BANDS, ends, strict=True):
        taxed = max(min(taxable, end) - above, 0)
        bands.append(
            {
                "above_centimes": above,
                "permille": permille,
                "taxed_centimes": taxed,
                "tax_centimes": _half_up(taxed * permille, 1000),
            }
        )
    income = sum(band["tax_centimes"] for band in bands)
    social = _half_up(taxable * SOCIAL_PERMILLE, 1000)
    return {
        "regime": "micro",
        "is_open": revenue <= CEILING,
        "deduction_centimes": deduction,
        "taxable_centimes": taxable,
        "bands": bands,
        "income_tax_centimes": income,
        "social_centimes": social,
        "total_centimes": income + social,
    }


def jsonb_text(value: object) -> str:
    """A value as PostgreSQL writes its jsonb: shorter keys first, then by their bytes."""
    return json.dumps(_in_jsonb_order(value), ensure_ascii=False)


def _in_jsonb_order(value: object) -> object:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: _in_jsonb_order(value[key]) for key in keys}
    if isinstance(value, list):
        return [_in_jsonb_order(item) for item in value]
    return value


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
