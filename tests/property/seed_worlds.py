"""Datasets of any shape, small enough to be made whole in a test."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import strategies as st

from seed.bookings import booking_lines, draw_bookings
from seed.gites import draw_gites, gite_lines
from seed.parts import part_lines, parts_of
from seed.spec import MAX_GITES_PER_OWNER, MAX_RESERVATIONS_PER_GITE, DatasetSpec
from seed.tables import GITES, RESERVATIONS, TABLES, Table

Row = dict[str, str]

seeds = st.integers(min_value=0, max_value=2**63)
anchors = st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 12, 31))


@st.composite
def datasets(draw: st.DrawFn) -> DatasetSpec:
    owners = draw(st.integers(1, 12))
    gites = draw(st.integers(owners, min(owners * MAX_GITES_PER_OWNER, 3 * owners + 5)))
    per_gite = draw(st.integers(0, MAX_RESERVATIONS_PER_GITE))
    return DatasetSpec(
        tier="property",
        seed=draw(seeds),
        anchor=draw(anchors),
        owners=owners,
        gites=gites,
        reservations=draw(st.integers(0, min(gites * per_gite, 1_500))),
        groups=draw(st.integers(3, 6)),
        password_hash_log2_n=1,
    )


def made(spec: DatasetSpec) -> dict[str, list[Row]]:
    """Every row of a dataset, by table, as column to text."""
    rows: dict[str, list[Row]] = {table.name: [] for table in TABLES}
    for part in parts_of(spec):
        for table, lines in part_lines(spec, part).items():
            rows[table.name] += [as_row(table, line) for line in lines]
    return rows


def as_row(table: Table, line: str) -> Row:
    return dict(zip(table.columns, line.split("\t"), strict=True))


def made_bookings(spec: DatasetSpec) -> list[Row]:
    """Every booking alone, at a tenth of the cost of everything."""
    bookings = draw_bookings(spec, np.arange(spec.reservations))
    return [as_row(RESERVATIONS, line) for line in booking_lines(spec, bookings)]


def made_gites(spec: DatasetSpec) -> list[Row]:
    """Every gîte alone."""
    return [
        as_row(GITES, line) for line in gite_lines(spec, draw_gites(spec, np.arange(spec.gites)))
    ]
