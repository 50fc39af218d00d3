"""Linen of each gîte, article by article (B-87)."""

from __future__ import annotations

import numpy as np

from seed.clock import clock_at
from seed.gites import Gites
from seed.ids import GiteIds, OwnerIds, id_text
from seed.owners import MINUTES_A_DAY
from seed.rows import rows_of_gites
from seed.spec import DatasetSpec

ARTICLES = {
    "draps": 2,
    "housses de couette": 2,
    "taies": 4,
    "serviettes": 4,
    "torchons": 3,
    "tapis de bain": 1,
}
"""Articles, and how many of each a bed change needs for two guests."""

MAX_COUNT_AGE_DAYS = 30


def linen_lines(spec: DatasetSpec, gites: Gites) -> list[str]:
    """COPY lines (``tables.LINEN_STOCKS``): every article of each gîte."""
    clock, seed = clock_at(spec.anchor), spec.seed
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    articles = tuple(ARTICLES)
    each = np.array([ARTICLES[article] for article in articles], dtype=np.int64)
    counts = np.full_like(gites.index, len(articles))
    rows = rows_of_gites(spec, "linen", gites, counts, most=len(articles))
    total = each[rows.place] * gites.sleeps[rows.parent] // 2 * (2 + rows.draw(0, 2))
    clean = total - rows.draw(1, total + 1) // 2
    lines = []
    for owner, index, gite, article, owned, ready, minute in zip(
        rows.owner.tolist(),
        rows.index.tolist(),
        gites.index[rows.parent].tolist(),
        rows.place.tolist(),
        total.tolist(),
        clean.tolist(),
        (-1 - rows.draw(2, MAX_COUNT_AGE_DAYS * MINUTES_A_DAY)).tolist(),
        strict=True,
    ):
        lines.append(
            f"{id_text(seed, 'linen', owner, index)}\t{gite_ids[owner, gite]}\t{owner_ids[owner]}"
            f"\t{articles[article]}\t{owned}\t{ready}\t{clock.minute(minute)}"
        )
    return lines
