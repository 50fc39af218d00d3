"""Bookings: each a function of (seed, owner, index), and no two stays of one gîte overlap.

They sit in the slots of their gîte (``season.py``), so staying apart needs no look at a neighbour.
Only a cancelled stay may reach into the next slot: that is a week that was given up and booked
again, and the database's rule against overlaps has to let it through. The last booking of every
owner is confirmed: its guest holds the open sheet (``sheets.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.gites import capacities, gite_keys, nightly_prices
from seed.ids import GiteIds, OwnerIds, id_text
from seed.names import address_parts, first_names, last_names
from seed.owners import MINUTES_A_DAY
from seed.season import DAYS_BACK, HIGH, LOW, season_around
from seed.sizes import sizes_of
from seed.spec import DatasetSpec
from seed.tables import NULL

PLATFORMS = ("airbnb", "booking", "abritel", "direct")
PLATFORM_PERCENT = (45, 25, 10, 20)
_PLATFORM_OF_PERCENT = np.repeat(np.arange(len(PLATFORMS)), PLATFORM_PERCENT)

CONFIRMED, PENDING, CANCELLED = "confirmed", "pending", "cancelled"
STATUSES = (CONFIRMED, PENDING, CANCELLED)
PERCENT_CANCELLED = 9
PERCENT_PENDING_AHEAD = 12
"""Of the stays still to come; no stay of the past is pending."""

# Nights by draw of ten: whole weeks rule the high season, the week-end the rest of the year.
WEEKS = 0
"""Stands for one or two weeks, whatever the slot has room for."""
NIGHTS_HIGH = np.array([WEEKS] * 8 + [4, 10], dtype=np.int64)
NIGHTS_OTHER = np.array([2, 2, 2, 2, 3, 3, 4, 5, 7, 1], dtype=np.int64)

PRICE_PERCENT = {LOW: 85, 2: 100, HIGH: 145}
MAX_LEAD_DAYS = 180
PERCENT_WITH_EMAIL = 85
PERCENT_FAMILY = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookings:
    """Bookings as columns of whole numbers, each of shape (n,).

    Days and minutes count from the anchor; names and platforms are places in their pools.
    """

    owner: NDArray[np.int64]
    index: NDArray[np.int64]
    gite_index: NDArray[np.int64]
    first_day: NDArray[np.int64]
    last_day: NDArray[np.int64]
    first_name: NDArray[np.int64]
    last_name: NDArray[np.int64]
    is_family: NDArray[np.bool_]
    email_number: NDArray[np.int64]
    """-1 for a guest without an address."""
    guests: NDArray[np.int64]
    platform: NDArray[np.int64]
    status: NDArray[np.int64]
    price_cents: NDArray[np.int64]
    created_minute: NDArray[np.int64]
    updated_minute: NDArray[np.int64]

    @property
    def is_cancelled(self) -> NDArray[np.bool_]:
        is_cancelled: NDArray[np.bool_] = self.status == STATUSES.index(CANCELLED)
        return is_cancelled

    def take(self, order: NDArray[np.int64] | NDArray[np.bool_]) -> Bookings:
        """The rows at these places, in this order."""
        return Bookings(**{f.name: getattr(self, f.name)[order] for f in fields(self)})

    def by_booking_date(self) -> Bookings:
        """In the order in which they were booked.

        A real table grows in time, so the bookings of one owner lie scattered over its pages.
        Loaded owner by owner they would lie together, and every query would look cheaper than it
        is.
        """
        return self.take(np.lexsort((self.index, self.owner, self.created_minute)))


def draw_bookings(spec: DatasetSpec, numbers: NDArray[np.int64]) -> Bookings:
    """The bookings with these global numbers, shape (n,), in the order given.

    Args:
        spec: The dataset.
        numbers: Each in [0, spec.reservations); any choice, any order.
    """
    sizes = sizes_of(spec)
    season = season_around(spec.anchor)
    gites = np.searchsorted(sizes.booking_starts, numbers, side="right") - 1
    owners = np.searchsorted(sizes.gite_starts, gites, side="right") - 1
    gite_indexes = gites - sizes.gite_starts[owners]
    indexes = numbers - sizes.owner_booking_starts[owners]
    keys = row_keys(seed=spec.seed, kind="reservation", tenants=owners, indexes=indexes)
    of_gite = gite_keys(spec, owners, gite_indexes)

    slots = numbers - sizes.booking_starts[gites]
    counts = sizes.booking_starts[gites + 1] - sizes.booking_starts[gites]
    slot_start = season.slot_starts(slots, counts)
    slot_days = season.slot_starts(slots + 1, counts) - slot_start
    draw = below(keys, 0, 10)
    wanted = np.where(season.weights[slot_start] == HIGH, NIGHTS_HIGH[draw], NIGHTS_OTHER[draw])
    whole_weeks = 7 * np.clip(slot_days // 7, 1, 2)
    nights = np.minimum(np.where(wanted == WEEKS, whole_weeks, wanted), slot_days)
    start = slot_start + below(keys, 1, slot_days - nights + 1)

    first_day = start - DAYS_BACK
    is_ahead = first_day >= 0
    lot = below(keys, 2, 100)
    is_certain = numbers + 1 == sizes.owner_booking_starts[owners + 1]
    is_cancelled = ~is_certain & (lot < PERCENT_CANCELLED)
    is_pending = ~is_certain & is_ahead & (lot >= 100 - PERCENT_PENDING_AHEAD)
    nights = nights + np.where(is_cancelled, below(keys, 3, 4), 0)

    # Smaller of two draws: most book late, some half a year ahead.
    lead = np.minimum(below(keys, 4, MAX_LEAD_DAYS), below(keys, 5, MAX_LEAD_DAYS))
    created_day = np.minimum(first_day, 0) - 1 - lead
    created = created_day * MINUTES_A_DAY + below(keys, 6, MINUTES_A_DAY)
    changed = created + is_cancelled * below(keys, 7, lead * MINUTES_A_DAY + 1)

    percent = np.zeros(HIGH + 1, dtype=np.int64)
    for weight, value in PRICE_PERCENT.items():
        percent[weight] = value
    euros = nights * nightly_prices(of_gite) * percent[season.weights[start]] // 100
    has_email = below(keys, 8, 100) < PERCENT_WITH_EMAIL
    return Bookings(
        owner=owners,
        index=indexes,
        gite_index=gite_indexes,
        first_day=first_day,
        last_day=first_day + nights,
        first_name=below(keys, 9, len(first_names())),
        last_name=below(keys, 10, len(last_names())),
        is_family=below(keys, 11, 100) < PERCENT_FAMILY,
        email_number=np.where(has_email, below(keys, 12, 1000), -1),
        guests=1 + below(keys, 13, capacities(of_gite)),
        platform=_PLATFORM_OF_PERCENT[below(keys, 14, 100)],
        status=np.where(is_cancelled, 2, np.where(is_pending, 1, 0)),
        price_cents=100 * euros,
        created_minute=created,
        updated_minute=changed,
    )


def is_last_of_owner(spec: DatasetSpec, bookings: Bookings) -> NDArray[np.bool_]:
    """Which bookings are those of the open sheets."""
    starts = sizes_of(spec).owner_booking_starts
    owner = bookings.owner
    is_last: NDArray[np.bool_] = bookings.index + 1 == starts[owner + 1] - starts[owner]
    return is_last


def booking_lines(spec: DatasetSpec, bookings: Bookings) -> list[str]:
    """The bookings as COPY lines (``tables.RESERVATIONS``), in their order.

    Written out field by field: this loop is nearly the whole cost of making a dataset.
    """
    clock = clock_at(spec.anchor)
    day, minute = clock.day, clock.minute
    seed = spec.seed
    firsts, lasts = first_names(), last_names()
    first_parts, last_parts = address_parts(firsts), address_parts(lasts)
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    lines = []
    columns = (getattr(bookings, f.name).tolist() for f in fields(bookings))
    for (
        owner, index, gite, first_day, last_day, first, last, is_family, email, guests,
        platform, status, cents, created, updated,
    ) in zip(*columns, strict=True):  # fmt: skip
        row = id_text(seed, "reservation", owner, index)
        name = f"Famille {lasts[last]}" if is_family else f"{firsts[first]} {lasts[last]}"
        address = (
            NULL if email < 0 else f"{first_parts[first]}.{last_parts[last]}{email}@example.net"
        )
        site = PLATFORMS[platform]
        event = NULL if site == "direct" else f"{row}@{site}.example"
        lines.append(
            f"{row}\t{gite_ids[owner, gite]}\t{owner_ids[owner]}\t{day(first_day)}\t{day(last_day)}"
            f"\t{name}\t{address}\t{guests}\t{site}\t{STATUSES[status]}\t{cents}\t{event}"
            f"\t{minute(created)}\t{minute(updated)}"
        )
    return lines
