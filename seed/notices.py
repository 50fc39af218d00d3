"""Notices of owners: read and unread, on both sides of the six months of the clean-up (B-94, D-09).

Owners with more bookings have more of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seed.clock import clock_at
from seed.ids import OwnerIds, id_text
from seed.owners import MINUTES_A_DAY
from seed.phrases import NOTICES
from seed.rows import rows_of_owners
from seed.sizes import sizes_of
from seed.spec import DatasetSpec
from seed.tables import NULL

LEAST_NOTICES = 12
BOOKINGS_A_NOTICE = 6

DAYS_OF_NOTICES = 365
RECENT_DAYS = 7
PERCENT_READ_RECENT, PERCENT_READ = 40, 90
MAX_DAYS_UNREAD = 5
"""Who reads a notice does so within these days, and before the anchor."""


def notice_counts(spec: DatasetSpec, owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Notices of each owner."""
    starts = sizes_of(spec).owner_booking_starts
    return LEAST_NOTICES + (starts[owners + 1] - starts[owners]) // BOOKINGS_A_NOTICE


def notice_lines(spec: DatasetSpec, owners: NDArray[np.int64]) -> list[str]:
    """COPY lines (``tables.NOTIFICATIONS``), by age."""
    clock, seed = clock_at(spec.anchor), spec.seed
    owner_ids = OwnerIds(seed)
    rows = rows_of_owners(spec, "notice", owners, notice_counts(spec, owners))
    # The first two of an owner are old, one of them read, so that each clean-up has work.
    age = np.where(
        rows.place < 2,
        (DAYS_OF_NOTICES - 1) * MINUTES_A_DAY + rows.draw(0, MINUTES_A_DAY),
        rows.draw(1, DAYS_OF_NOTICES * MINUTES_A_DAY),
    )
    percent_read = np.where(age < RECENT_DAYS * MINUTES_A_DAY, PERCENT_READ_RECENT, PERCENT_READ)
    is_read = np.where(rows.place < 2, rows.place == 0, rows.draw(2, 100) < percent_read)
    created = -1 - age
    read = created + rows.draw(3, np.minimum(age + 1, MAX_DAYS_UNREAD * MINUTES_A_DAY))
    order = np.lexsort((rows.index, rows.owner, created))
    lines = []
    for owner, index, notice, seen, minute, seen_minute in zip(
        rows.owner[order].tolist(),
        rows.index[order].tolist(),
        rows.draw(4, len(NOTICES))[order].tolist(),
        is_read[order].tolist(),
        created[order].tolist(),
        read[order].tolist(),
        strict=True,
    ):
        kind, title, body = NOTICES[notice]
        lines.append(
            f"{id_text(seed, 'notice', owner, index)}\t{owner_ids[owner]}\t{kind}\t{title}\t{body}"
            f"\t{'t' if seen else 'f'}\t{clock.minute(minute)}"
            f"\t{clock.minute(seen_minute) if seen else NULL}"
        )
    return lines
