"""Owners as COPY lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from palier.model.identity import owner_email
from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.ids import id_text
from seed.password import password_hash
from seed.season import DAYS_BACK
from seed.spec import DatasetSpec
from seed.tables import USERS

MINUTES_A_DAY = 24 * 60


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
