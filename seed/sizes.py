"""Skew: how many gîtes each owner has and how many bookings each gîte, exact in total.

Gîtes follow Zipf's law shifted by ``ZIPF_SHIFT`` (few big owners, many with one gîte); bookings
of a gîte spread by a factor of four. Owner 0 is the biggest on purpose: with five per cent of all
bookings it has the long list of D-06 (100+ at the smallest tier, 1,000+ at lou-2, 10,000+ from
lou-5 on), so a list without pages is felt.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seed.draws import below, row_keys
from seed.spec import MAX_GITES_PER_OWNER, MAX_RESERVATIONS_PER_GITE, DatasetSpec

ZIPF_SHIFT = 8
"""Weight of owner k is 1 / (k + 8): gives D-05's "up to 10" at 200 owners, the ceiling of 50 from
about 2,500 owners on."""

BIG_OWNER_SHARE = 20
"""Owner 0 holds one booking in twenty, as far as its gîtes can take them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Where each owner's gîtes and each gîte's bookings start in the global numbering.

    Attributes:
        gite_starts: Shape (owners + 1,): gîtes of owner k are ``gite_starts[k]`` up to
            ``gite_starts[k + 1]``, excluded.
        booking_starts: Shape (gites + 1,): likewise the bookings of each gîte.
    """

    gite_starts: NDArray[np.int64]
    booking_starts: NDArray[np.int64]

    @property
    def owner_booking_starts(self) -> NDArray[np.int64]:
        """First booking of each owner, shape (owners + 1,)."""
        return self.booking_starts[self.gite_starts]

    def gites_of(self, owner: int) -> int:
        return int(self.gite_starts[owner + 1] - self.gite_starts[owner])

    def bookings_of(self, owner: int) -> int:
        starts = self.owner_booking_starts
        return int(starts[owner + 1] - starts[owner])


@lru_cache(maxsize=4)
def sizes_of(spec: DatasetSpec) -> Sizes:
    """Sizes of every owner and gîte; a function of ``spec`` alone."""
    owners = np.arange(spec.owners, dtype=np.int64)
    spare_gites = apportion(
        spec.gites - spec.owners,
        (1 << 30) // (owners + ZIPF_SHIFT),
        cap=MAX_GITES_PER_OWNER - 1,
    )
    gite_starts = starts_of(spare_gites + 1)

    first_gites = int(gite_starts[1])
    quota = _big_owner_bookings(spec, first_gites)
    gites = np.arange(spec.gites, dtype=np.int64)
    keys = row_keys(seed=spec.seed, kind="popularity", tenants=gites, indexes=gites)
    popularity = 400 + below(keys, 0, 1200)
    bookings = np.concatenate(
        [
            apportion(quota, popularity[:first_gites], cap=MAX_RESERVATIONS_PER_GITE),
            apportion(
                spec.reservations - quota,
                popularity[first_gites:],
                cap=MAX_RESERVATIONS_PER_GITE,
            ),
        ]
    )
    return Sizes(gite_starts=gite_starts, booking_starts=starts_of(bookings))


def apportion(total: int, weights: NDArray[np.int64], *, cap: int) -> NDArray[np.int64]:
    """Split ``total`` by weight, no share above ``cap``, the sum exact (largest remainders).

    Args:
        total: At most ``cap * len(weights)``.
        weights: Shape (n,), positive; ``total * max(weights)`` must stay below 2**63.
        cap: Largest share.

    Returns:
        Shares, shape (n,).

    Raises:
        ValueError: The shares cannot hold the total.
    """
    if total > cap * len(weights):
        raise ValueError(f"{total} do not fit into {len(weights)} shares of at most {cap}")
    shares = np.zeros(len(weights), dtype=np.int64)
    open_shares = np.arange(len(weights), dtype=np.int64)
    while total > 0:
        weight = weights[open_shares]
        scaled = total * weight
        whole = scaled // weight.sum()
        full = whole >= cap
        if not full.any():
            shares[open_shares] = whole
            left = total - int(whole.sum())
            by_remainder = np.argsort(-(scaled % weight.sum()), kind="stable")
            shares[open_shares[by_remainder[:left]]] += 1
            break
        shares[open_shares[full]] = cap
        total -= cap * int(full.sum())
        open_shares = open_shares[~full]
    return shares


def _big_owner_bookings(spec: DatasetSpec, gites: int) -> int:
    """Bookings of owner 0: a twentieth or its gîtes' part, and leave nobody else over the cap."""
    rest = spec.gites - gites
    wanted = max(spec.reservations // BIG_OWNER_SHARE, spec.reservations * gites // spec.gites)
    least = spec.reservations - rest * MAX_RESERVATIONS_PER_GITE
    return min(max(wanted, least), gites * MAX_RESERVATIONS_PER_GITE)


def starts_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each range starts when they follow one another, and where the last ends."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])


def ranges_of(starts: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """All numbers from ``starts[p]`` to before ``starts[p + 1]``, for each place p in order."""
    first = starts[places]
    counts = starts[places + 1] - first
    before = np.cumsum(counts) - counts
    offsets: NDArray[np.int64] = np.repeat(first - before, counts)
    return np.arange(len(offsets), dtype=np.int64) + offsets
