"""Owners and their gîtes as COPY lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from palier.model.identity import owner_email
from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.ids import id_text
from seed.names import HOUSES, PLACES, towns
from seed.password import password_hash
from seed.season import DAYS_BACK
from seed.sizes import sizes_of
from seed.spec import DatasetSpec
from seed.tables import GITES, USERS

MINUTES_A_DAY = 24 * 60
COLOURS = (
    "#3b82f6", "#10b981", "#f59e0b", "#ef4444", "#8b5cf6", "#ec4899", "#14b8a6", "#64748b",
)  # fmt: skip
CAPACITIES = 6
"""Gîtes sleep 2, 4, ... 12."""

PERCENT_INACTIVE = 4
PERCENT_WITH_FEED = 75


def owner_lines(spec: DatasetSpec, owners: NDArray[np.int64]) -> list[str]:
    """Accounts of the owners given, shape (n,), one line each in the order given."""
    clock = clock_at(spec.anchor)
    hashed = password_hash(seed=spec.seed, log2_n=spec.password_hash_log2_n)
    keys = row_keys(seed=spec.seed, kind="owner", tenants=owners, indexes=np.zeros_like(owners))
    # Accounts are older than the first bookings, which reach DAYS_BACK and a lead of 180 days back.
    days = -DAYS_BACK - 200 - below(keys, 0, 300)
    minutes = days * MINUTES_A_DAY + below(keys, 1, MINUTES_A_DAY)
    return [
        USERS.line(
            id_text(spec.seed, "owner", owner, 0),
            owner_email(owner),
            hashed,
            "owner",
            None,
            clock.minute(minute),
        )
        for owner, minute in zip(owners.tolist(), minutes.tolist(), strict=True)
    ]


def gite_lines(spec: DatasetSpec, gites: NDArray[np.int64]) -> list[str]:
    """Gîtes by global number, shape (n,), one line each in the order given."""
    clock = clock_at(spec.anchor)
    starts = sizes_of(spec).gite_starts
    owners = np.searchsorted(starts, gites, side="right") - 1
    indexes = gites - starts[owners]
    keys = gite_keys(spec, owners, indexes)
    columns = zip(
        owners.tolist(),
        indexes.tolist(),
        below(keys, 0, len(HOUSES)).tolist(),
        below(keys, 1, len(PLACES)).tolist(),
        below(keys, 2, len(towns())).tolist(),
        capacities(keys).tolist(),
        below(keys, 4, 100).tolist(),
        below(keys, 5, 100).tolist(),
        below(keys, 6, 120).tolist(),
        ((-DAYS_BACK - 200) * MINUTES_A_DAY + below(keys, 7, 15 * MINUTES_A_DAY)).tolist(),
        strict=True,
    )
    lines = []
    for owner, index, house, place, town, sleeps, active, feed, synced, created in columns:
        gite = id_text(spec.seed, "gite", owner, index)
        postcode, town_name = towns()[town]
        has_feed = feed < PERCENT_WITH_FEED
        lines.append(
            GITES.line(
                gite,
                id_text(spec.seed, "owner", owner, 0),
                f"{HOUSES[house]} {PLACES[place]}",
                town_name,
                postcode,
                sleeps,
                COLOURS[index % len(COLOURS)],
                # Gîte 0 of every owner is active: scenarios book it without asking.
                "f" if active < PERCENT_INACTIVE and index else "t",
                f"https://calendar.example.com/{gite}.ics" if has_feed else None,
                clock.minute(-1 - synced) if has_feed else None,
                clock.minute(created),
            )
        )
    return lines


def gite_keys(
    spec: DatasetSpec, owners: NDArray[np.int64], indexes: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Keys of gîtes; bookings read their gîte's capacity and price from the same keys."""
    return row_keys(seed=spec.seed, kind="gite", tenants=owners, indexes=indexes)


def capacities(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Beds of each gîte: 2, 4, ... 12."""
    return 2 + 2 * below(keys, 3, CAPACITIES)


def nightly_prices(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Price of a night in middle season, whole euros: about 20 a bed."""
    return 30 + 12 * capacities(keys) + 5 * below(keys, 8, 12)
