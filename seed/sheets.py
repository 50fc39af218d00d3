"""Guest sheets: who holds a token for which booking, and until when (B-80, D-07).

Sheet 0 of an owner is the open one: it belongs to the last booking, which is always confirmed, and
ends long after the anchor, so a scenario can act as that owner's guest at any time
(``identity.guest_token``). The others are those of the last year. They are every n-th of the
bookings whose slot lies there, so that sheet k is known without counting the ones before it and
their number is exactly that of D-07.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from palier.model.identity import guest_token
from seed.bookings import Bookings, draw_bookings
from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.ids import GiteIds, OwnerIds, id_text
from seed.owners import MINUTES_A_DAY
from seed.season import DAYS_BACK, season_around
from seed.sizes import ranges_of, sizes_of, starts_of
from seed.spec import DatasetSpec
from seed.tables import NULL

FEWEST_A_MONTH, MOST_A_MONTH = 50, 500
"""D-07. An owner makes one a month, within these bounds for the whole dataset; the open sheets are
among them as long as there are fewer owners than sheets."""

MONTHS = 13
LEAST_HISTORY = MONTHS * 40
"""Sheets beside the open ones, however many owners there are."""

DAYS_OF_HISTORY, DAYS_AHEAD = 360, 30
"""Thirteen months of thirty days: sheets of the last year and of the guests of the next month."""

MAX_DAYS_BEFORE_STAY = 30
"""A sheet is made at most this long before its guest comes."""

OPEN_DAYS = 3_650
"""An open sheet ends this long after the anchor: the policies compare with the real clock."""

DAYS_AFTER_STAY = 7
"""Every other sheet ends this long after its guest has left."""

PERCENT_STAY = 80
PERCENT_REVOKED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPlan:
    """Which bookings have a sheet, in closed form.

    Attributes:
        candidate_starts: Bookings of the sheets' months before each gîte, shape (gites + 1,).
        first_candidates: The first of them in each gîte, as a booking's global number.
        history: Sheets beside the open ones.
        history_starts: Of them, those before each owner, shape (owners + 1,).
        has_open: 1 for an owner with bookings, else 0; shape (owners,).
    """

    candidate_starts: NDArray[np.int64]
    first_candidates: NDArray[np.int64]
    history: int
    history_starts: NDArray[np.int64]
    has_open: NDArray[np.int64]

    def bookings_of_history(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Global numbers of the bookings of these sheets; every booking has one at most."""
        candidates = numbers * self.candidate_starts[-1] // max(self.history, 1)
        gites = np.searchsorted(self.candidate_starts, candidates, side="right") - 1
        found: NDArray[np.int64] = (
            self.first_candidates[gites] + candidates - self.candidate_starts[gites]
        )
        return found


@lru_cache(maxsize=4)
def sheet_plan(spec: DatasetSpec) -> SheetPlan:
    sizes, season = sizes_of(spec), season_around(spec.anchor)
    bookings = np.diff(sizes.booking_starts)
    first_slots = season.slots_before(DAYS_BACK - DAYS_OF_HISTORY, bookings)
    candidates = season.slots_before(DAYS_BACK + DAYS_AHEAD, bookings) - first_slots
    candidate_starts = starts_of(candidates)
    has_open = (np.diff(sizes.owner_booking_starts) > 0).astype(np.int64)

    wanted = MONTHS * min(max(spec.owners, FEWEST_A_MONTH), MOST_A_MONTH) - int(has_open.sum())
    among = int(candidate_starts[-1])
    history = min(max(wanted, LEAST_HISTORY), among)
    # Sheet k is that of candidate k * among // history; these are the k that reach an owner's.
    history_starts = -(-candidate_starts[sizes.gite_starts] * history // max(among, 1))
    return SheetPlan(
        candidate_starts=candidate_starts,
        first_candidates=sizes.booking_starts[:-1] + first_slots,
        history=history,
        history_starts=history_starts,
        has_open=has_open,
    )


def sheet_booking(spec: DatasetSpec, owner: int, index: int) -> int:
    """Which booking of an owner (``identity.reservation_id``) sheet ``index`` belongs to.

    Raises:
        IndexError: The owner has no such sheet.
    """
    bookings = draw_sheets(spec, np.array([owner], dtype=np.int64)).bookings
    return int(bookings.index[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheets:
    """Guest sheets as columns, each of shape (n,); minutes count from the anchor."""

    bookings: Bookings
    index: NDArray[np.int64]
    """Within the owner."""
    is_open: NDArray[np.bool_]
    """Ends long after the anchor (``OPEN_DAYS``)."""
    is_stay: NDArray[np.bool_]
    """Lets the guest ask and answer."""
    created_minute: NDArray[np.int64]
    expires_minute: NDArray[np.int64]
    is_revoked: NDArray[np.bool_]
    revoked_minute: NDArray[np.int64]
    """Without meaning unless ``is_revoked``."""

    def keys(self, spec: DatasetSpec, kind: str) -> NDArray[np.uint64]:
        """Keys of rows of which a sheet has one at most."""
        return row_keys(seed=spec.seed, kind=kind, tenants=self.bookings.owner, indexes=self.index)

    @property
    def last_minute(self) -> NDArray[np.int64]:
        """Before the guest came, and before the anchor."""
        return np.minimum(self.bookings.first_day, 0) * MINUTES_A_DAY

    def take(self, order: NDArray[np.int64] | NDArray[np.bool_]) -> Sheets:
        """The rows at these places."""
        return Sheets(
            bookings=self.bookings.take(order),
            index=self.index[order],
            is_open=self.is_open[order],
            is_stay=self.is_stay[order],
            created_minute=self.created_minute[order],
            expires_minute=self.expires_minute[order],
            is_revoked=self.is_revoked[order],
            revoked_minute=self.revoked_minute[order],
        )

    def by_age(self) -> Sheets:
        """In the order in which they were made (``Bookings.by_booking_date``)."""
        return self.take(np.lexsort((self.index, self.bookings.owner, self.created_minute)))


def draw_sheets(spec: DatasetSpec, owners: NDArray[np.int64]) -> Sheets:
    """All sheets of the owners given, shape (n,), by owner and index."""
    plan, sizes = sheet_plan(spec), sizes_of(spec)
    opened = owners[plan.has_open[owners] > 0]
    numbers = ranges_of(plan.history_starts, owners)
    counts = plan.history_starts[owners + 1] - plan.history_starts[owners]
    owner_of_history = np.repeat(owners, counts)
    history_index = (
        numbers - plan.history_starts[owner_of_history] + plan.has_open[owner_of_history]
    )

    of_booking = np.concatenate(
        [sizes.owner_booking_starts[opened + 1] - 1, plan.bookings_of_history(numbers)]
    )
    index = np.concatenate([np.zeros_like(opened), history_index])
    is_open = np.arange(len(index)) < len(opened)
    bookings = draw_bookings(spec, of_booking)
    keys = row_keys(seed=spec.seed, kind="guest_sheet", tenants=bookings.owner, indexes=index)

    last_minute = np.minimum(bookings.first_day, 0) * MINUTES_A_DAY
    first_minute = np.maximum(
        bookings.created_minute, last_minute - MAX_DAYS_BEFORE_STAY * MINUTES_A_DAY
    )
    created = first_minute + below(keys, 0, last_minute - first_minute)
    is_cancelled = bookings.is_cancelled
    is_revoked = ~is_open & (is_cancelled | (below(keys, 1, 100) < PERCENT_REVOKED))
    revoked = np.where(
        is_cancelled,
        np.maximum(created, bookings.updated_minute),
        created + below(keys, 2, last_minute - created),
    )
    sheets = Sheets(
        bookings=bookings,
        index=index,
        is_open=is_open,
        is_stay=is_open | (below(keys, 3, 100) < PERCENT_STAY),
        created_minute=created,
        expires_minute=MINUTES_A_DAY
        * np.where(is_open, OPEN_DAYS, bookings.last_day + DAYS_AFTER_STAY),
        is_revoked=is_revoked,
        revoked_minute=revoked,
    )
    return sheets.take(np.lexsort((index, bookings.owner)))


def sheet_lines(spec: DatasetSpec, sheets: Sheets) -> list[str]:
    """COPY lines (``tables.CLIENT_ACCESS_TOKENS``) of the sheets, in their order."""
    clock, seed, bookings = clock_at(spec.anchor), spec.seed, sheets.bookings
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    lines = []
    for owner, index, booking, gite, is_stay, created, expires, is_revoked, revoked in zip(
        bookings.owner.tolist(),
        sheets.index.tolist(),
        bookings.index.tolist(),
        bookings.gite_index.tolist(),
        sheets.is_stay.tolist(),
        sheets.created_minute.tolist(),
        sheets.expires_minute.tolist(),
        sheets.is_revoked.tolist(),
        sheets.revoked_minute.tolist(),
        strict=True,
    ):
        token = guest_token(seed=seed, owner=owner, index=index)
        lines.append(
            f"{id_text(seed, 'guest_sheet', owner, index)}"
            f"\t{hashlib.sha256(token.encode()).hexdigest()}"
            f"\t{id_text(seed, 'reservation', owner, booking)}\t{gite_ids[owner, gite]}"
            f"\t{owner_ids[owner]}\t{'stay' if is_stay else 'sheet'}"
            f"\t{clock.minute(created)}\t{clock.minute(expires)}"
            f"\t{clock.minute(revoked) if is_revoked else NULL}"
        )
    return lines
