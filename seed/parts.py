"""A dataset in parts that can be made in any order by any process.

The parts depend on the dataset alone, never on how many processes share them out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seed.activities import activity_counts, activity_lines
from seed.bookings import booking_lines, draw_bookings
from seed.checksum import LineSum, add_sums, sum_lines
from seed.cleaning import cleaning_lines, is_scheduled, scheduled_count
from seed.gites import draw_gites, gite_lines
from seed.guests import guest_lines, guest_row_counts
from seed.information import information_lines
from seed.learners import learner_lines, learner_row_counts
from seed.linen import ARTICLES, linen_lines
from seed.notices import notice_counts, notice_lines
from seed.owners import owner_lines
from seed.schools import group_lines, group_row_counts
from seed.simulations import simulation_counts, simulation_lines
from seed.sizes import ranges_of, sizes_of
from seed.spec import DatasetSpec
from seed.support import support_lines, support_row_counts
from seed.syncs import log_counts, sync_lines, task_counts
from seed.tables import (
    ACTIVITES_GITES,
    CLEANING_SCHEDULE,
    GITES,
    INFOS_GITES,
    KM_TRAJETS,
    LINEN_STOCKS,
    NOTIFICATIONS,
    RESERVATIONS,
    SIMULATIONS_FISCALES,
    SYNC_LOGS,
    SYNC_QUEUE,
    USERS,
    Lines,
)
from seed.trips import TRIPS_A_GITE, trip_lines

BOOKINGS_A_PART = 8_000
"""Large enough that connecting costs nothing beside it, small enough for a smooth progress bar and
some megabytes of memory."""

GROUPS_A_PART = 20

LEARNERS_A_PART = 2_000

Kind = Literal["owners", "groups", "learners"]
"""Whose rows a part holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Tenants ``first``, ``first + stride``, ... of one kind.

    Striding rather than slicing gives each part some of the big owners, so parts are of one size,
    and mixes the bookings of big and small owners in the table.
    """

    kind: Kind
    first: int
    stride: int

    def tenants(self, spec: DatasetSpec) -> NDArray[np.int64]:
        """Numbers of the tenants, shape (n,)."""
        end = {"owners": spec.owners, "groups": spec.groups, "learners": spec.learners}
        return np.arange(self.first, end[self.kind], self.stride, dtype=np.int64)


def parts_of(spec: DatasetSpec) -> tuple[Part, ...]:
    """All parts; every row of the dataset is in exactly one."""
    for_owners = min(spec.owners, -(-max(spec.reservations, 1) // BOOKINGS_A_PART))
    for_groups = -(-spec.groups // GROUPS_A_PART)
    for_learners = -(-spec.learners // LEARNERS_A_PART)
    counts: tuple[tuple[Kind, int], ...] = (
        ("owners", for_owners),
        ("groups", for_groups),
        ("learners", for_learners),
    )
    return tuple(
        Part(kind=kind, first=first, stride=count)
        for kind, count in counts
        for first in range(count)
    )


def part_lines(spec: DatasetSpec, part: Part) -> Lines:
    """The rows of a part as COPY lines, table by table."""
    tenants = part.tenants(spec)
    if part.kind == "groups":
        return group_lines(spec, tenants)
    return learner_lines(spec, tenants) if part.kind == "learners" else _owner_lines(spec, tenants)


def _owner_lines(spec: DatasetSpec, owners: NDArray[np.int64]) -> Lines:
    """Everything that belongs to these owners."""
    sizes = sizes_of(spec)
    gites = draw_gites(spec, ranges_of(sizes.gite_starts, owners))
    numbers = ranges_of(sizes.owner_booking_starts, owners)
    bookings = draw_bookings(spec, numbers)
    cleaned = bookings.take(is_scheduled(spec, numbers))
    return {
        USERS: owner_lines(spec, owners),
        GITES: gite_lines(spec, gites),
        RESERVATIONS: booking_lines(spec, bookings.by_booking_date()),
        **guest_lines(spec, owners),
        INFOS_GITES: information_lines(spec, gites),
        ACTIVITES_GITES: activity_lines(spec, gites),
        CLEANING_SCHEDULE: cleaning_lines(spec, cleaned.by_booking_date()),
        LINEN_STOCKS: linen_lines(spec, gites),
        SIMULATIONS_FISCALES: simulation_lines(spec, owners, bookings),
        KM_TRAJETS: trip_lines(spec, gites),
        NOTIFICATIONS: notice_lines(spec, owners),
        **sync_lines(spec, gites),
        **support_lines(spec, owners),
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
    counts = Counter(_owner_row_counts(spec))
    counts.update(group_row_counts(spec))
    counts.update(learner_row_counts(spec))
    return {name: int(count) for name, count in counts.items()}


@lru_cache(maxsize=4)
def _owner_row_counts(spec: DatasetSpec) -> Counter[str]:
    owners = np.arange(spec.owners, dtype=np.int64)
    gites = draw_gites(spec, np.arange(spec.gites, dtype=np.int64))
    counts = Counter(
        {
            USERS.name: spec.owners,
            GITES.name: spec.gites,
            INFOS_GITES.name: spec.gites,
            RESERVATIONS.name: spec.reservations,
            ACTIVITES_GITES.name: int(activity_counts(gites).sum()),
            CLEANING_SCHEDULE.name: scheduled_count(spec),
            LINEN_STOCKS.name: spec.gites * len(ARTICLES),
            SIMULATIONS_FISCALES.name: int(simulation_counts(owners).sum()),
            KM_TRAJETS.name: spec.gites * TRIPS_A_GITE,
            NOTIFICATIONS.name: int(notice_counts(spec, owners).sum()),
            SYNC_QUEUE.name: int(task_counts(gites).sum()),
            SYNC_LOGS.name: int(log_counts(gites).sum()),
        }
    )
    counts.update(guest_row_counts(spec))
    counts.update(support_row_counts(spec))
    return counts
