"""Gîtes: each a function of (seed, owner, index)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.ids import OwnerIds, id_text
from seed.names import HOUSES, PLACES, towns
from seed.owners import MINUTES_A_DAY
from seed.season import DAYS_BACK
from seed.sizes import sizes_of
from seed.spec import DatasetSpec
from seed.tables import GITES

COLOURS = (
    "#3b82f6", "#10b981", "#f59e0b", "#ef4444", "#8b5cf6", "#ec4899", "#14b8a6", "#64748b",
)  # fmt: skip
CAPACITIES = 6
"""Gîtes sleep 2, 4, ... 12."""

PERCENT_INACTIVE = 4
PERCENT_WITH_FEED = 60
"""Of the gîtes but the first of each owner, which has one: scenarios synchronise it."""

FEED_PLATFORMS = ("airbnb", "booking", "abritel")
FEED_PLATFORM_PERCENT = (55, 30, 15)
_FEED_PLATFORM_OF_PERCENT = np.repeat(np.arange(len(FEED_PLATFORMS)), FEED_PLATFORM_PERCENT)
FEED_PATHS = ("", "slow/800/", "status/503/")
"""How the calendar platform answers: at once, after 0.8 s, or that it is down."""

FEED_PATH_PERCENT = (97, 2, 1)
_FEED_PATH_OF_PERCENT = np.repeat(np.arange(len(FEED_PATHS)), FEED_PATH_PERCENT)
SYNC_PERIOD_MINUTES = 120
"""Every feed was read within the last two hours (B-132)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gites:
    """Gîtes as columns, each of shape (n,); names and towns are places in their pools."""

    owner: NDArray[np.int64]
    index: NDArray[np.int64]
    """Within the owner."""
    keys: NDArray[np.uint64]
    house: NDArray[np.int64]
    place: NDArray[np.int64]
    town: NDArray[np.int64]
    sleeps: NDArray[np.int64]
    is_active: NDArray[np.bool_]
    has_feed: NDArray[np.bool_]
    platform: NDArray[np.int64]
    """Of ``FEED_PLATFORMS``; without meaning unless ``has_feed``."""
    feed_path: NDArray[np.int64]
    """Of ``FEED_PATHS``; likewise."""
    synced_minute: NDArray[np.int64]
    """Last reading of the feed; without meaning unless ``has_feed``."""
    created_minute: NDArray[np.int64]

    def names(self) -> list[str]:
        return [
            f"{HOUSES[house]} {PLACES[place]}"
            for house, place in zip(self.house.tolist(), self.place.tolist(), strict=True)
        ]


def draw_gites(spec: DatasetSpec, numbers: NDArray[np.int64]) -> Gites:
    """The gîtes with these global numbers, shape (n,), in the order given."""
    starts = sizes_of(spec).gite_starts
    owners = np.searchsorted(starts, numbers, side="right") - 1
    indexes = numbers - starts[owners]
    keys = gite_keys(spec, owners, indexes)
    # Of the first gîte of every owner scenarios take for granted that it is in use and has a feed
    # that answers.
    is_first = indexes == 0
    return Gites(
        owner=owners,
        index=indexes,
        keys=keys,
        house=below(keys, 0, len(HOUSES)),
        place=below(keys, 1, len(PLACES)),
        town=below(keys, 2, len(towns())),
        sleeps=capacities(keys),
        is_active=is_first | (below(keys, 4, 100) >= PERCENT_INACTIVE),
        has_feed=is_first | (below(keys, 5, 100) < PERCENT_WITH_FEED),
        platform=_FEED_PLATFORM_OF_PERCENT[below(keys, 9, 100)],
        feed_path=np.where(is_first, 0, _FEED_PATH_OF_PERCENT[below(keys, 10, 100)]),
        synced_minute=-1 - below(keys, 6, SYNC_PERIOD_MINUTES),
        created_minute=(-DAYS_BACK - 200) * MINUTES_A_DAY + below(keys, 7, 15 * MINUTES_A_DAY),
    )


def gite_lines(spec: DatasetSpec, gites: Gites) -> list[str]:
    """COPY lines (``tables.GITES``), in the order of the gîtes."""
    clock, owner_ids = clock_at(spec.anchor), OwnerIds(spec.seed)
    columns = zip(
        gites.owner.tolist(),
        gites.index.tolist(),
        gites.names(),
        gites.town.tolist(),
        gites.sleeps.tolist(),
        gites.is_active.tolist(),
        gites.has_feed.tolist(),
        gites.platform.tolist(),
        gites.feed_path.tolist(),
        gites.synced_minute.tolist(),
        gites.created_minute.tolist(),
        strict=True,
    )
    lines = []
    for (
        owner, index, name, town, sleeps, is_active, has_feed, site, path, synced, created,
    ) in columns:  # fmt: skip
        gite = id_text(spec.seed, "gite", owner, index)
        postcode, town_name = towns()[town]
        lines.append(
            GITES.line(
                gite,
                owner_ids[owner],
                name,
                town_name,
                postcode,
                sleeps,
                colour_of(index),
                "t" if is_active else "f",
                _feed_address(site, path, gite) if has_feed else None,
                clock.minute(synced) if has_feed else None,
                clock.minute(created),
            )
        )
    return lines


def _feed_address(platform: int, path: int, gite: str) -> str:
    """Where a platform publishes the calendar of a gîte."""
    return f"http://calendar.{FEED_PLATFORMS[platform]}.example/{FEED_PATHS[path]}{gite}.ics"


def colour_of(index: int) -> str:
    """Colour of an owner's n-th gîte in the calendar."""
    return COLOURS[index % len(COLOURS)]


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
