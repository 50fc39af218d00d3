"""The cleaning schedule: one cleaning on the day of each departure (B-86)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seed.bookings import Bookings
from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.ids import GiteIds, OwnerIds, id_text
from seed.names import first_names, last_names
from seed.owners import MINUTES_A_DAY
from seed.season import DAYS_BACK, season_around
from seed.sizes import sizes_of
from seed.spec import DatasetSpec

SCHEDULE_DAYS = 365
"""The schedule has been kept for a year; every departure since then is in it."""

CLEANERS = 6
"""People whom an owner asks."""

DONE_MINUTE = 13 * 60
"""Between departure at ten and arrival at four (B-113)."""


def scheduled_count(spec: DatasetSpec) -> int:
    """Rows of the schedule, without making the bookings."""
    return spec.reservations - int(_before_schedule(spec).sum())


def is_scheduled(spec: DatasetSpec, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of these bookings' departures are in the schedule: those of late enough slots.

    Args:
        spec: The dataset.
        numbers: Global numbers of bookings, shape (n,).
    """
    starts = sizes_of(spec).booking_starts
    gites = np.searchsorted(starts, numbers, side="right") - 1
    late_enough: NDArray[np.bool_] = numbers - starts[gites] >= _before_schedule(spec)[gites]
    return late_enough


@lru_cache(maxsize=4)
def _before_schedule(spec: DatasetSpec) -> NDArray[np.int64]:
    """Bookings of each gîte that are too old for the schedule."""
    counts = np.diff(sizes_of(spec).booking_starts)
    return season_around(spec.anchor).slots_before(DAYS_BACK - SCHEDULE_DAYS, counts)


def cleaning_lines(spec: DatasetSpec, bookings: Bookings) -> list[str]:
    """One line (``tables.CLEANING_SCHEDULE``) a booking, in their order; all are in the schedule.

    A stay that was called off leaves a cancelled cleaning.
    """
    clock, seed = clock_at(spec.anchor), spec.seed
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    firsts, lasts = first_names(), last_names()
    cleaners = row_keys(
        seed=seed, kind="cleaner", tenants=bookings.owner, indexes=bookings.index % CLEANERS
    )
    is_done = bookings.last_day < 0
    updated = np.where(
        bookings.is_cancelled,
        bookings.updated_minute,
        np.where(is_done, bookings.last_day * MINUTES_A_DAY + DONE_MINUTE, bookings.created_minute),
    )
    lines = []
    for owner, index, gite, day, cancelled, done, first, last, created, changed in zip(
        bookings.owner.tolist(),
        bookings.index.tolist(),
        bookings.gite_index.tolist(),
        bookings.last_day.tolist(),
        bookings.is_cancelled.tolist(),
        is_done.tolist(),
        below(cleaners, 0, len(firsts)).tolist(),
        below(cleaners, 1, len(lasts)).tolist(),
        bookings.created_minute.tolist(),
        updated.tolist(),
        strict=True,
    ):
        status = "cancelled" if cancelled else "done" if done else "planned"
        lines.append(
            f"{id_text(seed, 'cleaning', owner, index)}\t{gite_ids[owner, gite]}"
            f"\t{owner_ids[owner]}\t{id_text(seed, 'reservation', owner, index)}"
            f"\t{clock.day(day)}\t{status}\t{firsts[first]} {lasts[last]}"
            f"\t{clock.minute(created)}\t{clock.minute(changed)}"
        )
    return lines
