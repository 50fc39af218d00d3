"""Trips of owners to their gîtes, by the kilometre (B-89)."""

from __future__ import annotations

import numpy as np

from seed.clock import clock_at
from seed.gites import Gites
from seed.ids import GiteIds, OwnerIds, id_text
from seed.names import towns
from seed.owners import MINUTES_A_DAY
from seed.phrases import TRIP_REASONS
from seed.rows import rows_of_gites
from seed.spec import DatasetSpec
from seed.tables import NULL

TRIPS_A_GITE = 12
DAYS_OF_TRIPS = 760
"""Two whole tax years and the weeks of this one."""

PERCENT_WITHOUT_GITE = 15
"""To the bank, to the wholesaler: for no gîte in particular."""

NEAR_HM, FAR_HM = 20, 1_500
EVENING_MINUTE = 19 * 60
"""Trips are written down in the evening of their day."""


def trip_lines(spec: DatasetSpec, gites: Gites) -> list[str]:
    """COPY lines (``tables.KM_TRAJETS``), by day."""
    clock, seed = clock_at(spec.anchor), spec.seed
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    counts = np.full_like(gites.index, TRIPS_A_GITE)
    rows = rows_of_gites(spec, "trip", gites, counts, most=TRIPS_A_GITE)
    day = -1 - rows.draw(0, DAYS_OF_TRIPS)
    order = np.lexsort((rows.index, rows.owner, day))
    lines = []
    for owner, index, gite, of_gite, on, start, end, hectometres, reason, minute in zip(
        rows.owner[order].tolist(),
        rows.index[order].tolist(),
        gites.index[rows.parent][order].tolist(),
        (rows.draw(1, 100) >= PERCENT_WITHOUT_GITE)[order].tolist(),
        day[order].tolist(),
        rows.draw(2, len(towns()))[order].tolist(),
        gites.town[rows.parent][order].tolist(),
        rows.draw(3, FAR_HM - NEAR_HM)[order].tolist(),
        rows.draw(4, len(TRIP_REASONS))[order].tolist(),
        (day * MINUTES_A_DAY + EVENING_MINUTE + rows.draw(5, 240))[order].tolist(),
        strict=True,
    ):
        lines.append(
            f"{id_text(seed, 'trip', owner, index)}\t{owner_ids[owner]}"
            f"\t{gite_ids[owner, gite] if of_gite else NULL}\t{clock.day(on)}"
            f"\t{towns()[start][1]}\t{towns()[end][1]}\t{NEAR_HM + hectometres}"
            f"\t{TRIP_REASONS[reason]}\t{clock.minute(minute)}"
        )
    return lines
