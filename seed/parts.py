"""A dataset in parts that can be made in any order by any process.

The parts depend on the dataset alone, never on how many processes share them out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seed.bookings import booking_lines, draw_bookings
from seed.checksum import LineSum, add_sums, sum_lines
from seed.guests import guest_lines, guest_row_counts
from seed.owners import gite_lines, owner_lines
from seed.schools import group_lines, group_row_counts
from seed.sizes import ranges_of, sizes_of
from seed.spec import DatasetSpec
from seed.tables import GITES, RESERVATIONS, USERS, Lines

BOOKINGS_A_PART = 8_000
"""Large enough that connecting costs nothing beside it, small enough for a smooth progress bar and
some megabytes of memory."""

GROUPS_A_PART = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Tenants ``first``, ``first + stride``, ... of one kind.

    Striding rather than slicing gives each part some of the big owners, so parts are of one size,
    and mixes the bookings of big and small owners in the table.
    """

    of_groups: bool
    first: int
    stride: int

    def tenants(self, spec: DatasetSpec) -> NDArray[np.int64]:
        """Numbers of the tenants, shape (n,)."""
        end = spec.groups if self.of_groups else spec.owners
        return np.arange(self.first, end, self.stride, dtype=np.int64)


def parts_of(spec: DatasetSpec) -> tuple[Part, ...]:
    """All parts; every row of the dataset is in exactly one."""
    for_owners = min(spec.owners, -(-max(spec.reservations, 1) // BOOKINGS_A_PART))
    for_groups = -(-spec.groups // GROUPS_A_PART)
    return tuple(
        Part(of_groups=of_groups, first=first, stride=count)
        for of_groups, count in ((False, for_owners), (True, for_groups))
        for first in range(count)
    )


def part_lines(spec: DatasetSpec, part: Part) -> Lines:
    """The rows of a part as COPY lines, table by table."""
    tenants = part.tenants(spec)
    if part.of_groups:
        return group_lines(spec, tenants)
    sizes = sizes_of(spec)
    gites = ranges_of(sizes.gite_starts, tenants)
    numbers = ranges_of(sizes.owner_booking_starts, tenants)
    bookings = draw_bookings(spec, numbers).by_booking_date()
    return {
        USERS: owner_lines(spec, tenants),
        GITES: gite_lines(spec, gites),
        RESERVATIONS: booking_lines(spec, bookings),
        **guest_lines(spec, tenants),
    }


def part_sums(lines: Lines) -> dict[str, LineSum]:
    """Checksum of each table's lines in a part."""
    return {
        table.name: sum_lines(line.encode() for line in of_table)
        for table, of_table in lines.items()
    }


def pure_sums(spec: DatasetSpec) -> dict[str, LineSum]:
    """Checksums of the whole dataset, straight from the generator: no database."""
    sums: dict[str, LineSum] = {}
    for part in parts_of(spec):
        sums = add_sums(sums, part_sums(part_lines(spec, part)))
    return sums


def row_counts(spec: DatasetSpec) -> dict[str, int]:
    """Rows of each table, without making them."""
    counts = Counter(
        {USERS.name: spec.owners, GITES.name: spec.gites, RESERVATIONS.name: spec.reservations}
    )
    counts.update(guest_row_counts(spec))
    counts.update(group_row_counts(spec))
    return dict(counts)
