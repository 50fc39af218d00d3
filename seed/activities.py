"""What there is to do around a gîte (B-84)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seed.clock import clock_at
from seed.draws import below
from seed.gites import Gites
from seed.ids import GiteIds, OwnerIds, id_text
from seed.names import STREETS, towns
from seed.owners import MINUTES_A_DAY
from seed.phrases import ACTIVITIES
from seed.rows import rows_of_gites
from seed.spec import DatasetSpec

LEAST_ACTIVITIES, MOST_ACTIVITIES = 4, 10
MAX_AGE_DAYS = 1_000
NEAR_M, FAR_M = 100, 40_000


def activity_counts(gites: Gites) -> NDArray[np.int64]:
    """Activities of each gîte."""
    return LEAST_ACTIVITIES + below(gites.keys, 20, MOST_ACTIVITIES - LEAST_ACTIVITIES + 1)


def activity_lines(spec: DatasetSpec, gites: Gites) -> list[str]:
    """COPY lines (``tables.ACTIVITES_GITES``), by the moment they were written."""
    clock, seed = clock_at(spec.anchor), spec.seed
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    rows = rows_of_gites(spec, "activity", gites, activity_counts(gites), most=MOST_ACTIVITIES)
    # A gîte's activities are neighbours in the pool, starting anywhere: all different.
    first = below(gites.keys, 21, len(ACTIVITIES))[rows.parent]
    created = -1 - rows.draw(0, MAX_AGE_DAYS * MINUTES_A_DAY)
    order = np.argsort(created, kind="stable")
    lines = []
    for owner, index, gite, town, activity, number, street, metres, minute in zip(
        rows.owner[order].tolist(),
        rows.index[order].tolist(),
        gites.index[rows.parent][order].tolist(),
        gites.town[rows.parent][order].tolist(),
        ((first + rows.place) % len(ACTIVITIES))[order].tolist(),
        rows.draw(1, 90)[order].tolist(),
        rows.draw(2, len(STREETS))[order].tolist(),
        rows.draw(3, FAR_M - NEAR_M)[order].tolist(),
        created[order].tolist(),
        strict=True,
    ):
        name, category, description = ACTIVITIES[activity]
        postcode, town_name = towns()[town]
        lines.append(
            f"{id_text(seed, 'activity', owner, index)}\t{gite_ids[owner, gite]}"
            f"\t{owner_ids[owner]}\t{name}\t{category}\t{description}"
            f"\t{number + 1} {STREETS[street]}, {postcode} {town_name}\t{NEAR_M + metres}"
            f"\t{clock.minute(minute)}"
        )
    return lines
